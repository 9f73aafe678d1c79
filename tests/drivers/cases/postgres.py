"""A real database, small and awkward, on a throwaway server shared by the cases of one process."""

from __future__ import annotations

import atexit
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from backups.drivers.base import Driver
from backups.drivers.postgres import POSTGRES
from backups.drivers.words import ManifestEntry, Settings
from tests.drivers.case import BadInput, Fingerprint
from tests.drivers.servers import PASSWORD, SUPERUSER, PostgresServer

PASSWORD_VARIABLE = "CONTRACT_POSTGRES_PASSWORD"
_numbers = count(1)

CONTENT = r"""
CREATE SCHEMA "Über shop";
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text NOT NULL,
                     cents int CHECK (cents >= 0), total numeric GENERATED ALWAYS AS (cents / 100.0) STORED);
CREATE INDEX ON orders (ref);
INSERT INTO orders (ref, cents) SELECT md5(g::text), g FROM generate_series(1, 500) AS g;
CREATE TABLE "Über shop"."Ünï ""q"" table" ("a b" text, "ROW" int);
INSERT INTO "Über shop"."Ünï ""q"" table" VALUES ('tab	and \ and NULL', NULL), (NULL, 1), ('same', 2), ('same', 2);
CREATE TABLE nothing ();
CREATE TABLE lines (order_id bigint REFERENCES orders, text text);
INSERT INTO lines VALUES (1, 'one'), (2, NULL);
CREATE TABLE empty (x int);
CREATE TABLE measures (day date, value real) PARTITION BY RANGE (day);
CREATE TABLE measures_2025 PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measures_other PARTITION OF measures DEFAULT;
INSERT INTO measures SELECT date '2025-12-01' + g, g / 3.0 FROM generate_series(1, 60) AS g;
CREATE UNLOGGED TABLE session (id uuid, data bytea);
INSERT INTO session VALUES (md5('x')::uuid, '\x00ff00');
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders;
CREATE VIEW cheap AS SELECT * FROM orders WHERE cents < 10;
CREATE SEQUENCE backwards INCREMENT -2 START -5;
SELECT nextval('backwards');
SELECT lo_from_bytea(4711, '\x000102030000000000');
SELECT lo_put(lo_create(4712), 5000, 'sparse');
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
COMMENT ON TABLE orders IS 'What was ordered; "quoted"';
"""

# What extensions have made is in no dump, and not compared: so it is with the tables of those that schedule jobs.
STIRRING = r"""
CREATE SUBSCRIPTION orders CONNECTION 'host=127.0.0.1 port=1 dbname=nowhere' PUBLICATION orders
    WITH (connect = false, slot_name = 'shop');
ALTER SUBSCRIPTION orders ENABLE;
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigint, command text, active boolean DEFAULT true);
INSERT INTO cron.job VALUES (1, 'SELECT 1', true), (2, 'SELECT 2', false);
CREATE FUNCTION cron.guard() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END';
ALTER EXTENSION plpgsql ADD TABLE cron.job;
ALTER EXTENSION plpgsql ADD FUNCTION cron.guard();
ALTER EXTENSION plpgsql ADD SCHEMA cron;
CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION cron.guard();
"""
ACTING = """
SELECT 'subscription' FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL SELECT command FROM cron.job WHERE active
UNION ALL SELECT evtname FROM pg_event_trigger WHERE evtenabled <> 'D'
UNION ALL SELECT privilege_type FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
           WHERE datname = current_database() AND grantee = 0
"""


@cache
def server() -> PostgresServer:
    """The one server of this process, started when first needed."""
    started = PostgresServer()
    atexit.register(_close, started, os.getpid())
    return started


def _close(started: PostgresServer, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must not stop its parent's server
        started.close()


READING = ("SELECT", "BEGIN", "ROLLBACK", "SET", "LOCK", "\n")


def before_each_effect(step: Callable[[], None]) -> None:
    """Call ``step`` before each statement that changes something, each commit, and each flush or rename of a file."""

    def announced(function: Any, when: Callable[..., bool] = lambda *_, **__: True) -> Any:
        def announcing(*arguments: Any, **named: Any) -> Any:
            if when(*arguments, **named):
                step()
            return function(*arguments, **named)

        return announcing

    def changes(cursor: Any, query: Any, *_: Any, **__: Any) -> bool:
        text = query.as_string() if isinstance(query, sql.Composable) else query
        return not (text.decode() if isinstance(text, bytes) else text).startswith(READING)

    for owner, name, when in (
        (psycopg.Cursor, "execute", changes),
        (psycopg.Transaction, "__exit__", lambda *_: True),
        (os, "fsync", lambda *_: True),
        (os, "rename", lambda *_, **__: True),
    ):
        setattr(owner, name, announced(getattr(owner, name), when))


class PostgresCase:
    """See :class:`tests.drivers.case.DriverCase`."""

    driver: Driver = POSTGRES
    before_each_step = staticmethod(before_each_effect)

    def __init__(self, running: PostgresServer) -> None:
        self.server = running
        self.live = f"shop {next(_numbers)}"
        os.environ[PASSWORD_VARIABLE] = PASSWORD
        os.environ["CONTRACT_POSTGRES_WRONG"] = "not-the-password"
        self.settings: Settings = {
            "host": running.host,
            "port": str(running.port),
            "dbname": self.live,
            "user": SUPERUSER,
            "password": f"env:{PASSWORD_VARIABLE}",
        }
        running.create_database(self.live)
        running.execute(CONTENT, self.live)

    @property
    def bad_inputs(self) -> Sequence[BadInput]:
        def bad(what: str, setting: str, value: str, at_fault: str = "") -> BadInput:
            return BadInput(what, {**self.settings, setting: value}, at_fault or setting)

        return [
            bad("no host", "host", ""),
            bad("two hosts", "host", "one,two"),
            bad("unknown host", "host", "no-such-host.invalid"),
            bad("no socket there", "host", "/nowhere", "port"),
            bad("nobody listens", "port", "1"),
            bad("no number", "port", "54x"),
            bad("no such database", "dbname", "missing"),
            bad("a name that is too long", "dbname", "x" * 64),
            bad("no such role", "user", "nobody-here", "password"),
            bad("wrong password", "password", "env:CONTRACT_POSTGRES_WRONG"),
            bad("password not set", "password", "env:CONTRACT_POSTGRES_NOT_SET"),
            bad("a password instead of a reference", "password", "hunter2"),
            bad("no password", "password", ""),
            bad("unknown encryption", "sslmode", "sometimes"),
            bad("encryption that the server does not offer", "sslmode", "require"),
        ]

    def snapshot(self, name: str) -> Fingerprint:
        """Everything, table by table and object by object, with queries of its own."""
        queries = {
            "columns": """SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull,
                                 attgenerated
                            FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                           WHERE attnum > 0 AND NOT attisdropped AND relnamespace IN (SELECT oid FROM pg_namespace
                                 WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')
                           ORDER BY 1, attnum""",
            "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname NOT LIKE 'pg\\_%' ORDER BY 1",
            "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
                                FROM pg_constraint WHERE connamespace >= 2200 AND conrelid <> 0 ORDER BY 1, 2""",
            "sequences": "SELECT schemaname, sequencename, increment_by, last_value FROM pg_sequences ORDER BY 1, 2",
            "large objects": "SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1",
            "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
            "functions": "SELECT prosrc FROM pg_proc WHERE pronamespace = 2200 ORDER BY 1",
            "comments": "SELECT obj_description('orders'::regclass)",
            "extensions": "SELECT extname FROM pg_extension ORDER BY 1",
        }
        seen = {}
        with self._opened(name), self.server.connect(name) as connection:
            for what, query in queries.items():
                try:
                    seen[what] = repr(connection.execute(query.encode()).fetchall())
                except psycopg.errors.UndefinedTable:
                    seen[what] = "none"
            tables = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
                " UNION ALL SELECT schemaname, matviewname FROM pg_matviews"
            ).fetchall()
            for table in tables:
                query_rows = sql.SQL(
                    "SELECT coalesce(md5(string_agg(x::text, E'\\n' ORDER BY x::text)), '') FROM {} AS x"
                )
                row = connection.execute(query_rows.format(sql.Identifier(*table))).fetchone()
                seen["rows of " + ".".join(table)] = repr(row)
        return seen

    @contextmanager
    def _opened(self, name: str) -> Iterator[None]:
        """Databases that are kept, or being exchanged, are closed for connections; looking needs one."""
        alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with self.server.connect() as connection:
            row = connection.execute("SELECT datallowconn FROM pg_database WHERE datname = %s", [name]).fetchone()
            if row == (False,):
                connection.execute(alter.format(sql.Identifier(name), True))
            yield
            if row == (False,):
                connection.execute(alter.format(sql.Identifier(name), False))

    def exists(self, name: str) -> bool:
        return name in self.names()

    def names(self) -> frozenset[str]:
        return frozenset(self.server.databases())

    def mutate(self) -> None:
        self.server.execute(
            """UPDATE orders SET ref = 'changed' WHERE id % 7 = 0; DELETE FROM lines; CREATE TABLE added (x int);
               INSERT INTO orders (ref, cents) VALUES ('added', 1); DROP TABLE empty; SELECT lo_unlink(4711)""",
            self.live,
        )

    def grow(self, megabytes: int) -> None:
        with self.server.connect(self.live) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS bulk (part bytea)")
            # A dump writes each byte as two digits.
            for _ in range(megabytes):
                connection.execute("INSERT INTO bulk VALUES (%s)", [random.randbytes(1 << 19)])

    def lose(self) -> None:
        self.server.drop_database(self.live)

    def stir(self, name: str) -> None:
        self.server.execute(STIRRING, name)

    def acting(self, name: str) -> list[str]:
        with self.server.connect(name) as connection:
            return [what for (what,) in connection.execute(ACTING.encode())]

    def tamper(self, name: str) -> str:
        self.server.execute("UPDATE orders SET cents = cents + 1 WHERE id = 250", name)
        return "public.orders"

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        def changed(entry: ManifestEntry) -> ManifestEntry:
            odd: Mapping[str, Any] = {**entry, "rows": 5}
            return odd if entry.get("name") == '"Über shop"."Ünï ""q"" table"' else entry

        return [changed(entry) for entry in entries], 'Ünï ""q"" table'


@contextmanager
def open_case(home: Path) -> Iterator[PostgresCase]:
    """A fresh database, and none left afterwards."""
    running = server()
    before = running.databases()
    case = PostgresCase(running)
    try:
        yield case
    finally:
        for name in running.databases() - before:
            running.drop_database(name)
