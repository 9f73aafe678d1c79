"""Looking at a database: what is in it, as the manifest records it and as verification compares it.

Everything here runs on the caller's connection, inside whatever snapshot that has. What belongs to an extension is
left out: ``CREATE EXTENSION`` brings it, pg_dump does not. Names are written as SQL would: ``public.orders``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from backups.drivers.postgres.target import Connection

_NOT_OURS = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
        SELECT FROM pg_depend AS e WHERE e.deptype = 'e' AND e.classid = {catalog}::regclass AND e.objid = {oid}
    )"""
_OUR_RELATION = _NOT_OURS.format(catalog="'pg_class'", oid="c.oid")

_TABLES = f"""
    SELECT c.oid::bigint, n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), c.relkind::text,
           c.relpersistence = 'u', c.relispopulated, pg_table_size(c.oid), coalesce(a.names, '{{}}')
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN LATERAL (
           SELECT array_agg(attname::text ORDER BY attname COLLATE "C") AS names
             FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS a ON true
     WHERE c.relkind = ANY (%s) AND c.relpersistence <> 't' AND {_OUR_RELATION}
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""  # noqa: S608  # assembled from constants

_SEQUENCES = f"""
    SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), s.seqincrement, s.seqcycle
      FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relpersistence <> 't' AND {_OUR_RELATION}
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""  # noqa: S608

_OBJECTS = f"""
    SELECT 'views', count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind = 'v' AND c.relpersistence <> 't' AND {_OUR_RELATION}
    UNION ALL
    SELECT 'functions', count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE {_NOT_OURS.format(catalog="'pg_proc'", oid="p.oid")}
    UNION ALL
    SELECT 'indexes', count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
      JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relpersistence <> 't' AND (i.indisvalid OR x.relkind = 'I') AND {_OUR_RELATION}
    UNION ALL
    SELECT 'constraints', count(*) FROM pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE o.contype IN ('p', 'u', 'f', 'c', 'x') AND c.relpersistence <> 't' AND {_OUR_RELATION}
    UNION ALL
    SELECT 'triggers', count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND {_OUR_RELATION}
    UNION ALL
    SELECT 'policies', count(*) FROM pg_policy AS q JOIN pg_class AS c ON c.oid = q.polrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE {_OUR_RELATION}
"""  # noqa: S608

_UNFINISHED = f"""
    SELECT format('index %I.%I is not valid', n.nspname, x.relname)
      FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_class AS x ON x.oid = i.indexrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE NOT (i.indisvalid AND i.indisready) AND x.relkind = 'i' AND {_OUR_RELATION}
    UNION ALL
    SELECT format('constraint %I of %I.%I is not validated', o.conname, n.nspname, c.relname)
      FROM pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE NOT o.convalidated AND {_OUR_RELATION}
     ORDER BY 1
"""  # noqa: S608

_UNREADABLE = f"""
    SELECT format('%I.%I', n.nspname, c.relname),
           has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
           c.relrowsecurity AND row_security_active(c.oid)
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND {_OUR_RELATION}
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""  # noqa: S608

_UNREADABLE_LARGE_OBJECTS = """
    SELECT count(*) FROM pg_largeobject_metadata
     WHERE NOT pg_has_role(lomowner, 'USAGE') AND NOT EXISTS (
           SELECT FROM aclexplode(lomacl) AS a
            WHERE a.privilege_type = 'SELECT'
              AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)
"""


@dataclass(frozen=True)
class Table:
    """One relation. ``columns`` are those that hold data of their own: no generated ones; sorted by name."""

    oid: int
    schema: str
    name: str
    title: str  # schema and name, quoted where needed
    kind: str  # pg_class.relkind: r table, p partitioned, m materialised view, f foreign table
    unlogged: bool
    populated: bool
    size: int
    columns: Sequence[str]

    @property
    def holds_rows(self) -> bool:
        """Whether its rows are its own, in the dump, and to be counted."""
        return self.kind == "r"


@dataclass(frozen=True)
class Count:
    """An exact count, and a digest of all values whatever their order; None for a table without columns."""

    rows: int
    digest: str | None


@dataclass(frozen=True)
class SequenceState:
    """Where a sequence stands. Sequences are outside every transaction and snapshot."""

    title: str
    increment: int
    cycles: bool
    value: int
    called: bool


def tables(connection: Connection, kinds: Sequence[str] = ("r", "p", "m", "f")) -> list[Table]:
    """All relations of these kinds, ordered by schema and name."""
    return [Table(*row) for row in rows(connection, _TABLES, [list(kinds)])]


def count(connection: Connection, table: Table) -> Count:
    """Count and digest one table's own rows, not those of its children.

    The digest is the sum of a 64-bit hash of each row as text: equal for equal rows in any order, different for any
    ordinary difference. It is no defence against somebody who wants to forge one.
    """
    digest: sql.Composable = sql.SQL("NULL")
    if table.columns:
        columns = sql.SQL(", ").join(sql.Identifier("x", column) for column in table.columns)
        digest = sql.SQL(
            'coalesce(sum(hashtextextended(ROW({})::text COLLATE "C", 0)), 0)::text'
        ).format(columns)  # fmt: skip
    query = sql.SQL("SELECT count(*), {} FROM ONLY {} AS x").format(digest, sql.Identifier(table.schema, table.name))
    row = connection.execute(query).fetchone()
    assert row is not None
    return Count(*row)


@dataclass(frozen=True)
class KnownSequence:
    """A sequence without where it stands: the part of it that belongs to a snapshot."""

    schema: str
    name: str
    title: str
    increment: int
    cycles: bool


def known_sequences(connection: Connection) -> list[KnownSequence]:
    """Every sequence, ordered by schema and name."""
    return [KnownSequence(*row) for row in rows(connection, _SEQUENCES)]


def sequences(connection: Connection, known: Sequence[KnownSequence]) -> list[SequenceState]:
    """Where each of these stands at this moment."""
    standing: dict[int, tuple[int, bool]] = {}
    for start in range(0, len(known), 200):  # one round trip for many
        parts = [
            sql.SQL("SELECT {}, last_value, is_called FROM {}").format(position, sql.Identifier(one.schema, one.name))
            for position, one in enumerate(known[start : start + 200], start)
        ]
        for position, value, called in connection.execute(sql.SQL(" UNION ALL ").join(parts)):
            standing[position] = (value, called)
    return [
        SequenceState(one.title, one.increment, one.cycles, *standing[position]) for position, one in enumerate(known)
    ]


def large_objects(connection: Connection) -> tuple[int, int | None]:
    """How many there are, and their total size; None where the role may not read them as a table."""
    number = one(connection, "SELECT count(*) FROM pg_largeobject_metadata")
    if not one(connection, "SELECT has_table_privilege('pg_largeobject', 'SELECT')"):
        return number, None
    size = one(
        connection,
        # By the position of its last byte: pages that were never written are zeros after a restore.
        """SELECT coalesce(sum(size), 0)::bigint FROM (
               SELECT max(pageno::bigint * (current_setting('block_size')::int / 4) + length(data)) AS size
                 FROM pg_largeobject GROUP BY loid) AS each""",
    )
    return number, size


def extensions(connection: Connection) -> dict[str, str]:
    """Name to version."""
    return dict(rows(connection, 'SELECT extname, extversion FROM pg_extension ORDER BY extname COLLATE "C"'))


def objects(connection: Connection) -> dict[str, int]:
    """How many there are of what a backup has beside tables."""
    return dict(rows(connection, _OBJECTS))


def unfinished(connection: Connection) -> list[str]:
    """Indexes that are not valid and constraints that are not validated, in words."""
    return [text for (text,) in rows(connection, _UNFINISHED)]


def unreadable(connection: Connection) -> tuple[list[str], list[str], int]:
    """What the role cannot read: tables and sequences, tables hidden by row-level security, large objects."""
    found = rows(connection, _UNREADABLE)
    denied = [title for title, readable, _ in found if not readable]
    hidden = [title for title, readable, filtered in found if readable and filtered]
    return denied, hidden, 0 if is_superuser(connection) else one(connection, _UNREADABLE_LARGE_OBJECTS)


def is_superuser(connection: Connection) -> bool:
    """Whether nothing is denied to the role."""
    return bool(one(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))


def system_identifier(connection: Connection) -> str:
    """What tells one server from every other; empty when the role may not know."""
    allowed = one(connection, "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
    return str(one(connection, "SELECT system_identifier FROM pg_control_system()")) if allowed else ""


def rows(
    connection: Connection, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """All rows of a query. With parameters a percent sign is written twice, without once."""
    return connection.execute(query.encode(), parameters).fetchall()


def one(connection: Connection, query: str, parameters: Sequence[Any] | None = None) -> Any:
    """The one value of a query's one row; None without a row."""
    row = connection.execute(query.encode(), parameters).fetchone()
    return None if row is None else row[0]
