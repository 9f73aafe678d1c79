"""What is in a backup, to be browsed: an index made once from its manifest, so that nobody waits for a million lines.

One SQLite file for each backup that somebody looked into. Entries are numbered in the manifest's order, in which what
is below a directory follows it without a gap: so a part is a few ranges of numbers, and its size a few sums.
"""

from __future__ import annotations

import os
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkstemp

from backups.drivers.base import Item
from backups.drivers.keys import above_of, key_of, without_doubles, written

FORMAT = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNFINISHED = ".new-"
BATCH = 10_000
_SCHEMA = """
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, holds INTEGER NOT NULL,
        size INTEGER NOT NULL, rows INTEGER, modified_ns INTEGER,
        last INTEGER NOT NULL, below INTEGER NOT NULL, total INTEGER NOT NULL
    );
    CREATE TABLE further_name (id INTEGER PRIMARY KEY, first INTEGER NOT NULL);
"""


class NotInBackup(KeyError):
    """There is no such entry; its key is the argument."""


@dataclass(frozen=True)
class Entry:
    """One thing in a backup. ``size`` is its own or that of all that it holds, ``below`` how many entries that are."""

    key: str
    name: str
    kind: str
    holds: bool
    size: int
    rows: int | None
    modified_ns: int | None
    below: int

    @property
    def modified_at(self) -> datetime | None:
        """To the microsecond; None for what is unknown or beyond the calendar."""
        try:
            return None if self.modified_ns is None else EPOCH + timedelta(microseconds=self.modified_ns // 1000)
        except OverflowError:
            return None


@dataclass(frozen=True)
class Measured:
    """A part: how many of each kind were picked, how many entries come with them, and their bytes."""

    picked: dict[str, int]
    entries: int
    size: int


def build(path: Path, items: Iterable[Item]) -> None:
    """Make the index at ``path``, in one step: it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, made = mkstemp(dir=path.parent, prefix=UNFINISHED)
    os.close(handle)
    try:
        with closing(sqlite3.connect(made, isolation_level=None)) as database:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
            database.execute("BEGIN")
            _Building(database).fill(items)
            database.execute(f"PRAGMA user_version = {FORMAT}")
            database.execute("COMMIT")
        os.replace(made, path)
    except BaseException:
        os.unlink(made)
        raise


class _Building:
    """``open`` are the directories on the way down, with the bytes and entries below each so far."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._open: list[tuple[tuple[str, ...], int, list[int]]] = []
        self._rows: list[tuple[object, ...]] = []
        self._closed: list[tuple[int, int, int, int]] = []
        self._number = 0

    def fill(self, items: Iterable[Item]) -> None:
        self._database.execute("CREATE TEMP TABLE link (id INTEGER PRIMARY KEY, first TEXT NOT NULL)")
        for item in items:
            self._add(item)
            if len(self._rows) >= BATCH:
                self._write()
        self._close(0)
        self._write()
        self._database.execute("CREATE UNIQUE INDEX by_name ON entry (parent, name)")
        contents = Contents(self._database)
        for number, first in self._database.execute("SELECT id, first FROM link"):
            found = contents.number(first)
            self._database.execute("INSERT INTO further_name VALUES (?, ?)", (number, found))
            size = "(SELECT size FROM entry WHERE id = ?)"
            self._database.execute(f"UPDATE entry SET size = {size} WHERE id = ?", (found, number))  # noqa: S608

    def _add(self, item: Item) -> None:
        *above, name = item.names
        self._close(len(above))
        parent = self._open[-1][1] if self._open else 0
        if tuple(above) != (self._open[-1][0] if self._open else ()):
            raise ValueError(f"out of order: {key_of(item.names)}")
        self._number += 1
        number, size = self._number, 0 if item.same_as else item.size
        self._rows.append(
            (number, parent, written(name), item.kind, item.holds, size, item.rows, item.modified_ns, number, 0, size)
        )
        if item.same_as:
            self._database.execute("INSERT INTO link VALUES (?, ?)", (number, key_of(item.same_as)))
        if self._open:
            self._open[-1][2][0] += size
        if item.holds:
            self._open.append((item.names, number, [size]))

    def _close(self, depth: int) -> None:
        """Nothing more comes below the directories that are deeper."""
        while len(self._open) > depth:
            _, number, (total,) = self._open.pop()
            self._closed.append((self._number, self._number - number, total, number))
            if self._open:
                self._open[-1][2][0] += total

    def _write(self) -> None:
        self._database.executemany(f"INSERT INTO entry VALUES ({', '.join('?' * 11)})", self._rows)  # noqa: S608
        self._database.executemany("UPDATE entry SET last = ?, below = ?, total = ? WHERE id = ?", self._closed)
        self._rows, self._closed = [], []


@contextmanager
def opened(path: Path) -> Iterator[Contents | None]:
    """The index at ``path`` for reading; None when there is none that this portal can use. Marks it as used."""
    database = _opened(path)
    if database is None:
        yield None
        return
    with closing(database):
        yield Contents(database)


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        os.utime(path)
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    except (FileNotFoundError, sqlite3.OperationalError):
        return None
    try:
        if database.execute("PRAGMA user_version").fetchone() == (FORMAT,):
            return database
    except sqlite3.DatabaseError:  # whatever it is, it is no index: it is made anew
        pass
    database.close()
    return None


class Contents:
    """An open index."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def number(self, key: str) -> int:
        """The entry's number; 0 for "", which holds everything. Raises :class:`NotInBackup`."""
        number = 0
        for name in key.split("/") if key else ():
            row = self._database.execute(
                "SELECT id FROM entry WHERE parent = ? AND name = ?", (number, name)
            ).fetchone()
            if row is None:
                raise NotInBackup(key)
            number = row[0]
        return number

    def page(self, under: str, words: Sequence[str], after: str, limit: int) -> list[Entry]:
        """The entries right below ``under`` by name, or with ``words`` those anywhere below whose name has all of them.

        At most ``limit``, from the one on that follows the entry ``after``, a key. Raises :class:`NotInBackup`.
        """
        begin = self.number(under)
        if not words:
            name = after.rpartition("/")[2]
            rows = self._rows("parent = ? AND name > ? ORDER BY name", [begin, name], limit)
        else:
            last = self._last(begin)
            first = max(begin, self.number(after))
            like = " AND name LIKE ? ESCAPE '|'" * len(words)
            patterns = [f"%{_plain(word)}%" for word in words]
            rows = self._rows(f"id > ? AND id <= ?{like} ORDER BY id", [first, last, *patterns], limit)
        return rows

    def measure(self, part: Iterable[str]) -> Measured:
        """What a part comes to. Of several names of one content, the content counts once. Raises :class:`NotInBackup`."""
        picked: Counter[str] = Counter()
        ranges, entries, size = [], 0, 0
        for key in without_doubles(part):
            number = self.number(key)
            row = self._database.execute("SELECT kind, last, total FROM entry WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise NotInBackup(key)
            picked[row[0]] += 1
            ranges.append((number, int(row[1])))
            entries += row[1] - number + 1
            size += row[2]
        return Measured(dict(picked), entries, size + self._of_further_names(sorted(ranges)))

    def _of_further_names(self, ranges: list[tuple[int, int]]) -> int:
        """Bytes of files whose first name is outside the ranges, and another one inside."""
        starts = [start for start, _ in ranges]
        outside: set[int] = set()
        for start, last in ranges:
            rows = self._database.execute("SELECT first FROM further_name WHERE id BETWEEN ? AND ?", (start, last))
            for (first,) in rows:
                place = bisect_right(starts, first) - 1
                if place < 0 or first > ranges[place][1]:
                    outside.add(first)
        find = "SELECT size FROM entry WHERE id = ?"
        return sum(self._database.execute(find, (number,)).fetchone()[0] for number in outside)

    def _last(self, number: int) -> int:
        find = "SELECT last FROM entry WHERE id = ?" if number else "SELECT max(id) FROM entry WHERE ? = 0"
        return int(self._database.execute(find, (number,)).fetchone()[0] or 0)

    def _rows(self, condition: str, values: list[object], limit: int) -> list[Entry]:
        columns = "parent, name, kind, holds, CASE WHEN holds THEN total ELSE size END, rows, modified_ns, below"
        query = f"SELECT {columns} FROM entry WHERE {condition} LIMIT ?"  # noqa: S608  (conditions are of this module)
        paths: dict[int, str] = {0: ""}
        found = []
        for parent, name, kind, holds, size, rows, modified, below in self._database.execute(query, [*values, limit]):
            above = paths.get(parent)
            if above is None:
                above = paths[parent] = self._path(parent)
            found.append(Entry(above + name, name, kind, bool(holds), size, rows, modified, below))
        return found

    def _path(self, number: int) -> str:
        """The key of a directory, with the slash after it."""
        path = ""
        while number:
            number, name = self._database.execute("SELECT parent, name FROM entry WHERE id = ?", (number,)).fetchone()
            path = f"{name}/{path}"
        return path


def crumbs(under: str) -> list[tuple[str, str]]:
    """(key, name) of what leads to ``under``, from the top down, itself included."""
    keys = [*reversed(list(above_of(under))), under] if under else []
    return [(key, key.rpartition("/")[2]) for key in keys]


def _plain(word: str) -> str:
    for special in "|%_":
        word = word.replace(special, "|" + special)
    return word
