"""Looking at a database: what is in it, as the manifest records it and as verification compares it.

Definitions are the server's own words (``SHOW CREATE …``), read with the database as the current one: then names in it
are written without the database's, and the same thing is written alike wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backups.drivers.mysql.target import Connection
from backups.drivers.mysql.words import quoted

MARK = "_haas_portal_restore"
"""A table that restores put into databases of their own (see :mod:`.mark`); never a part of anything."""

# Their rows are not in them.
_ELSEWHERE = {"FEDERATED", "MRG_MYISAM", "MRG_MyISAM", "CONNECT", "SPIDER", "S3", "BLACKHOLE", "OQGRAPH", "SPHINX"}
_OF_SEQUENCES = "nextval|lastval|setval"
_AUTO_INCREMENT = re.compile(r" AUTO_INCREMENT=(\d+)")


@dataclass(frozen=True)
class Table:
    """A table with rows of its own, or one whose rows live elsewhere."""

    name: str
    engine: str
    transactional: bool
    versioned: bool
    size: int  # with indexes, as the server estimates it

    @property
    def holds_rows(self) -> bool:
        """Whether its rows are in it."""
        return self.engine not in _ELSEWHERE


@dataclass(frozen=True)
class Database:
    """A database as such."""

    charset: str
    collation: str
    comment: str


def rows(connection: Connection, query: str, values: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
    """A query's rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def one(connection: Connection, query: str, values: Sequence[object] | None = None) -> Any:
    """The first column of a query's first row; None without one."""
    found = rows(connection, query, values)
    return found[0][0] if found else None


def execute(connection: Connection, statement: str, values: Sequence[object] | None = None) -> None:
    """Run a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def is_mariadb(connection: Connection) -> bool:
    """Whether the server is MariaDB; else it is MySQL."""
    return "mariadb" in str(one(connection, "SELECT version()")).lower()


def version(connection: Connection) -> str:
    """``10.11.19`` of the server's longer word."""
    return str(one(connection, "SELECT version()")).partition("-")[0]


def database(connection: Connection, name: str) -> Database | None:
    """The database, if it exists and may be seen."""
    comment = "SCHEMA_COMMENT" if _has_comments(connection) else "''"
    found = rows(
        connection,
        f"SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, {comment}"  # noqa: S608
        " FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s",
        [name],
    )
    return Database(*found[0]) if found else None


def _has_comments(connection: Connection) -> bool:
    query = """SELECT 1 FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'SCHEMATA' AND COLUMN_NAME = 'SCHEMA_COMMENT'"""
    return bool(one(connection, query))


def tables(connection: Connection, name: str) -> list[Table]:
    """The tables of a database, by name; not views, sequences and the mark."""
    found = rows(
        connection,
        """SELECT t.TABLE_NAME, coalesce(t.ENGINE, ''), coalesce(e.TRANSACTIONS, 'NO'), t.TABLE_TYPE,
                  coalesce(t.DATA_LENGTH, 0) + coalesce(t.INDEX_LENGTH, 0)
             FROM information_schema.TABLES AS t LEFT JOIN information_schema.ENGINES AS e ON e.ENGINE = t.ENGINE
            WHERE t.TABLE_SCHEMA = %s AND t.TABLE_TYPE NOT IN ('VIEW', 'SEQUENCE') AND t.TABLE_NAME <> %s""",
        [name, MARK],
    )
    return sorted(
        (Table(table, engine, with_ == "YES", kind == "SYSTEM VERSIONED", int(size)) for table, engine, with_, kind, size in found),
        key=lambda table: table.name,
    )  # fmt: skip


def rounded_columns(connection: Connection, name: str) -> list[str]:
    """Columns whose values the server itself rounds when it writes them as text."""
    query = (
        "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND DATA_TYPE = 'float'"
    )
    return sorted(f"{table}.{column}" for table, column in rows(connection, query, [name]))


def named(connection: Connection, name: str, kind: str) -> list[str]:
    """The names of the views (``VIEW``) or sequences (``SEQUENCE``) of a database, in order."""
    query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = %s"
    return sorted(table for (table,) in rows(connection, query, [name, kind]))


def movable(connection: Connection, name: str) -> list[str]:
    """Everything that ``RENAME TABLE`` moves: tables and sequences, in order; not the mark."""
    query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_TYPE <> 'VIEW'"
    return sorted(table for (table,) in rows(connection, query, [name]) if table != MARK)


def definition(connection: Connection, name: str, table: str) -> str:
    """How a table is made, whatever its database is called."""
    return portable(str(rows(connection, f"SHOW CREATE TABLE {quoted(name, table)}")[0][1]), name)


def portable(text: str, name: str) -> str:
    """A definition without the name of the database it is from, which the server writes before sequences."""
    return re.sub(rf"\b({_OF_SEQUENCES})\({re.escape(quoted(name))}\.", r"\1(", text)


def led_elsewhere(connection: Connection, name: str, others: Sequence[str]) -> list[tuple[str, str, str]]:
    """Table, column and default of the columns whose default leads to a sequence in one of the other databases."""
    query = """SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = %s AND COLUMN_DEFAULT LIKE '%%val(`%%'"""
    found = rows(connection, query, [name])
    return [one for one in found if any(portable(one[2], other) != one[2] for other in others)]


def without_counter(create: str) -> tuple[str, int]:
    """A table's definition without the next AUTO_INCREMENT value, and that value (0 without one)."""
    body, close, options = create.rpartition("\n)")
    found = _AUTO_INCREMENT.search(options)
    return body + close + _AUTO_INCREMENT.sub("", options, count=1), int(found[1]) if found else 0


def sequence(connection: Connection, name: str, table: str) -> tuple[str, list[int]]:
    """How a sequence is made, and where it stands: the next value it has not handed out yet, and its rounds."""
    create = str(rows(connection, f"SHOW CREATE SEQUENCE {quoted(name, table)}")[0][1])
    state = rows(connection, f"SELECT next_not_cached_value, cycle_count FROM {quoted(name, table)}")  # noqa: S608
    return create, [int(value) for value in state[0]]


def size(found: Sequence[Table]) -> int:
    """What all of them take on the server's disk."""
    return sum(table.size for table in found)
