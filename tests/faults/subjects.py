"""What the workers are killed over: a real directory tree and a real database, seen without the portal's own code."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Protocol

import psycopg

from backups.drivers.base import Settings
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

    @property
    def settings(self) -> Settings:
        """As a resource of this kind has them."""

    def look(self) -> str | None:
        """A digest of all that is in the live thing; None while it lets nobody in."""

    def change(self, word: str) -> None:
        """Another day's content."""

    def names(self) -> list[str]:
        """Everything there whose name has to do with it; alone it is one."""

    def remove(self) -> None:
        """It, and whatever a test left beside it."""


class Tree:
    """A directory."""

    kind = "files"

    def __init__(self) -> None:
        self.path: Path = make_tree()
        self.settings: Settings = {"path": str(self.path)}

    def look(self) -> str | None:
        return fingerprint(self.path)

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
