"""What the workers are killed over: a real directory tree and a real database, seen without the portal's own code."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Protocol

import psycopg

from backups.drivers.words import Settings
from tests.app.world import fill_tree, fingerprint, make_tree, remove_tree
from tests.drivers.databases import Database

CONTENT = """
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text NOT NULL);
    INSERT INTO orders (ref) SELECT md5(g::text) FROM generate_series(1, 2000) AS g;
    CREATE TABLE notes (text text);
"""


class Subject(Protocol):
    """A live thing of one kind, in a place where nothing else has its name."""

    kind: str
    part: tuple[str, ...]
    """The keys of some of what is in it."""

    @property
    def settings(self) -> Settings:
        """As a resource of this kind has them."""

    def look(self) -> str | None:
        """A digest of all that is in the live thing; None while it lets nobody in."""

    def items(self, beside: str = "") -> dict[str, str]:
        """A digest of each thing in it that a part is made of, by key; of what stands in a place ``beside``, if given."""

    def change(self, word: str) -> None:
        """Another day's content."""

    def names(self) -> list[str]:
        """Everything there whose name has to do with it; alone it is one."""

    def remove(self) -> None:
        """It, and whatever a test left beside it."""


class Tree:
    """A directory."""

    kind = "files"
    part = ("sub",)

    def __init__(self) -> None:
        self.path: Path = make_tree()
        self.settings: Settings = {"path": str(self.path)}

    def look(self) -> str | None:
        return fingerprint(self.path)

    def items(self, beside: str = "") -> dict[str, str]:
        return {path.name: self._digest(path) for path in Path(beside or self.path).iterdir()}

    @staticmethod
    def _digest(path: Path) -> str:
        if path.is_dir() and not path.is_symlink():
            return fingerprint(path)
        held = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        return f"{path.lstat().st_mode:o} {hashlib.sha256(held).hexdigest()}"

    def change(self, word: str) -> None:
        fill_tree(self.path, word)

    def names(self) -> list[str]:
        return [path.name for path in self.path.parent.glob(f"*{self.path.name}*")]

    def remove(self) -> None:
        for leftover in self.path.parent.glob(f"*{self.path.name}*"):
            remove_tree(leftover)


class LiveDatabase:
    """A PostgreSQL database on a throwaway server."""

    kind = "postgres"
    part = ("public.orders",)

    def __init__(self, database: Database) -> None:
        self._database = database
        self.settings: Settings = database.settings
        database.execute(CONTENT)

    def look(self) -> str | None:
        try:
            rows = [self._database.rows(f"SELECT * FROM {name} ORDER BY 1") for name in ("orders", "notes")]
        except psycopg.OperationalError as error:
            if "not currently accepting connections" in str(error):
                return None
            raise
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def items(self, beside: str = "") -> dict[str, str]:
        tables = self._database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", beside)
        rows = {name: self._database.rows(f"SELECT * FROM {name} ORDER BY 1", beside) for (name,) in tables}
        return {f"public.{name}": hashlib.sha256(repr(found).encode()).hexdigest() for name, found in rows.items()}

    def change(self, word: str) -> None:
        self.execute(f"INSERT INTO notes VALUES ('{word}'); DELETE FROM orders WHERE id % 7 = 0")

    def execute(self, statements: str) -> None:
        """As the application, or whoever administers it."""
        self._database.execute(statements)

    def names(self) -> list[str]:
        return [name for name in self._database.server.databases() if self._database.name in name]

    def remove(self) -> None:
        """The database's own fixture removes everything."""


def new_name() -> str:
    """For a database that no other test of this server has."""
    return f"shop_{uuid.uuid4().hex[:8]}"
