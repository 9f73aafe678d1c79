"""The names of very many objects, on disk once they are many: memory does not grow with a bucket."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Self


class Shelf:
    """Sizes and ETags by name. For one thread; gone when closed."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)  # a file without a name, which goes with the connection
        self._rows.execute("PRAGMA journal_mode=OFF")
        self._rows.execute("CREATE TABLE shelf (name TEXT PRIMARY KEY, size INTEGER, etag TEXT) WITHOUT ROWID")

    def add(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Note them, over what was noted of the same name."""
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?)", rows)
        self._rows.execute("COMMIT")

    def get(self, name: str) -> tuple[int, str] | None:
        """What is noted of that name."""
        found: tuple[int, str] | None = self._rows.execute(
            "SELECT size, etag FROM shelf WHERE name = ?", (name,)
        ).fetchone()
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._rows.close()
