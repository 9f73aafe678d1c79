"""A real database, small and awkward, on a throwaway MariaDB server shared by the cases of one process."""

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

import pymysql
import pytest
from pymysql.cursors import Cursor

from backups.drivers.base import Driver
from backups.drivers.mysql import MYSQL
from backups.drivers.words import ManifestEntry, Settings
from tests.drivers.case import BadInput, Fingerprint
from tests.drivers.mariadb import PASSWORD, SUPERUSER, MariaDBServer, missing_program, quoted

PASSWORD_VARIABLE = "RESOURCE_CONTRACT_MYSQL"
MARK = "_haas_portal_restore"
_numbers = count(1)

# ruff: noqa: E501  # of a statement that is read as a line
CONTENT = r"""
CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, ref VARCHAR(40) NOT NULL, cents INT CHECK (cents >= 0),
                     total DECIMAL(12, 2) GENERATED ALWAYS AS (cents / 100) STORED,
                     half INT AS (cents DIV 2) VIRTUAL, KEY (ref)) COMMENT 'What was ordered; ''quoted'', `so`';
INSERT INTO orders (ref, cents) SELECT md5(seq), seq FROM seq_1_to_500;
CREATE TABLE `Ünï "q" ``b`` table` (`a b` TEXT, `ROW` INT, `semi;colon` CHAR(3)) CHARSET latin1;
INSERT INTO `Ünï "q" ``b`` table` VALUES ('tab\t, \\, ''),\n(1'' and NULL', NULL, 'é'), (NULL, 1, ';'), ('same', 2, ''), ('same', 2, '');
CREATE TABLE `line
end` (x INT PRIMARY KEY); INSERT INTO `line
end` VALUES (1), (2);
CREATE TABLE lines_ (order_id BIGINT, text TEXT, UNIQUE (order_id), CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE);
INSERT INTO lines_ VALUES (1, 'one'), (2, NULL);
CREATE TABLE itself (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES itself (id)); INSERT INTO itself VALUES (1, NULL), (2, 1); UPDATE itself SET parent = 2 WHERE id = 1;
CREATE TABLE empty (x INT);
CREATE TABLE odd (b BLOB, bits BIT(9), v VARBINARY(20), d DATE, dt DATETIME(6), ts TIMESTAMP NULL, y YEAR, f FLOAT, g DOUBLE,
                  e ENUM('a', 'ü'), s SET('x', 'y'), j JSON, p POINT, u VARCHAR(20) CHARACTER SET utf16, sj VARCHAR(20) CHARACTER SET sjis,
                  emoji VARCHAR(20) COLLATE utf8mb4_bin, hidden INT INVISIBLE DEFAULT 7);
INSERT INTO odd VALUES (x'00ff0a0d1a275c22', 257, x'ff00', '0000-00-00', '2025-02-29 00:00:00', '2026-03-29 01:30:00', 1999, 1.1, 1e300/3,
                        'ü', 'x,y', '{"k": [1, "\\n"]}', ST_GeomFromText('POINT(1 2)'), 'añ😀', 'ソ表', '😀 ');
INSERT INTO odd (b) VALUES (''), (NULL);
CREATE TABLE measures (day DATE NOT NULL, value DOUBLE) PARTITION BY RANGE (YEAR(day))
    (PARTITION p25 VALUES LESS THAN (2026), PARTITION rest VALUES LESS THAN MAXVALUE);
INSERT INTO measures SELECT DATE '2025-12-01' + INTERVAL seq DAY, seq / 3 FROM seq_1_to_60;
CREATE TABLE versions (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING;
INSERT INTO versions VALUES (1, 10), (2, 20); UPDATE versions SET price = 11 WHERE id = 1; DELETE FROM versions WHERE id = 2;
CREATE TABLE aria (x INT, KEY (x)) ENGINE = Aria; INSERT INTO aria VALUES (3), (1), (2);
CREATE TABLE myisam (x INT AUTO_INCREMENT PRIMARY KEY) ENGINE = MyISAM; INSERT INTO myisam VALUES (5);
CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 10 CACHE 5; SELECT NEXTVAL(numbers);
CREATE TABLE numbered (id BIGINT DEFAULT NEXTVAL(numbers) PRIMARY KEY, x INT); INSERT INTO numbered (x) VALUES (1);
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
CREATE VIEW z_base AS SELECT id, ref, twice(cents) AS doubled FROM orders WHERE cents < 10;
CREATE VIEW a_above AS SELECT count(*) AS n FROM z_base;
CREATE SQL SECURITY INVOKER VIEW mine AS SELECT CURRENT_USER() AS me;
CREATE PROCEDURE `add ``one`` more`(IN amount INT) MODIFIES SQL DATA COMMENT 'odd; name'
BEGIN
    -- INSERT INTO `empty` VALUES (1);
    INSERT INTO orders (ref, cents) VALUES ('added;;', amount);
END;
CREATE TABLE audit (what VARCHAR(60));
CREATE TRIGGER b_second AFTER INSERT ON orders FOR EACH ROW INSERT INTO audit VALUES (concat('second ', NEW.ref));
CREATE TRIGGER a_first AFTER INSERT ON orders FOR EACH ROW PRECEDES b_second BEGIN
    INSERT INTO audit VALUES (concat('first; ', NEW.ref));
END;
CREATE TRIGGER guard BEFORE UPDATE ON `Ünï "q" ``b`` table` FOR EACH ROW SET NEW.`ROW` = coalesce(NEW.`ROW`, 0);
CREATE EVENT busy ON SCHEDULE EVERY 1 SECOND STARTS '2020-01-01 00:00:00' COMMENT 'ON COMPLETION PRESERVE ENABLE' DO INSERT INTO empty SELECT 1 FROM empty WHERE FALSE;
CREATE EVENT `as``leep` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 03:00:00' ON COMPLETION PRESERVE DISABLE DO DELETE FROM audit;
"""


DESCRIBED = {
    "ROUTINES": (
        "ROUTINE_NAME, ROUTINE_DEFINITION, DEFINER, SQL_MODE, SQL_DATA_ACCESS, DTD_IDENTIFIER, ROUTINE_COMMENT", "ROUTINE",
    ),
    "TRIGGERS": (
        "TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, ACTION_STATEMENT, DEFINER, SQL_MODE",
        "TRIGGER",
    ),
    "EVENTS": (
        "EVENT_NAME, EVENT_DEFINITION, INTERVAL_VALUE, INTERVAL_FIELD, STARTS, ON_COMPLETION, DEFINER, EVENT_COMMENT, TIME_ZONE",
        "EVENT",
    ),
}  # fmt: skip


@cache
def server() -> MariaDBServer:
    """The one server of this process, started when first needed."""
    started = MariaDBServer()
    atexit.register(_close, started, os.getpid())
    return started


def _close(started: MariaDBServer, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must not stop its parent's server
        started.close()


READING = ("SELECT", "SHOW", "SET", "LOCK", "UNLOCK", "DO RELEASE", "ANALYZE")


def before_each_effect(step: Callable[[], None]) -> None:
    """Call ``step`` before each statement that changes something, each commit, and each flush or rename of a file."""

    def announced(function: Any, when: Callable[..., bool] = lambda *_, **__: True) -> Any:
        def announcing(*arguments: Any, **named: Any) -> Any:
            if when(*arguments, **named):
                step()
            return function(*arguments, **named)

        return announcing

    def changes(cursor: Any, query: Any, *_: Any, **__: Any) -> bool:
        text = query.decode("utf-8", "replace") if isinstance(query, bytes) else query
        return not text.lstrip().startswith(READING)

    for owner, name, when in (
        (Cursor, "execute", changes),
        (pymysql.Connection, "commit", lambda *_: True),
        (os, "fsync", lambda *_: True),
        (os, "rename", lambda *_, **__: True),
    ):
        setattr(owner, name, announced(getattr(owner, name), when))


class MysqlCase:
    """See :class:`tests.drivers.case.DriverCase`."""

    driver: Driver = MYSQL
    before_each_step = staticmethod(before_each_effect)

    def __init__(self, running: MariaDBServer) -> None:
        self.server = running
        self.live = f"shop {next(_numbers)}"
        os.environ[PASSWORD_VARIABLE] = PASSWORD
        os.environ["RESOURCE_CONTRACT_MYSQL_WRONG"] = "not-the-password"
        self.settings: Settings = {
            "host": running.host,
            "port": str(running.port),
            "dbname": self.live,
            "user": SUPERUSER,
            "password": f"env:{PASSWORD_VARIABLE}",
        }
        running.create_database(self.live)
        self._run("SET sql_mode = 'ALLOW_INVALID_DATES'; SET time_zone = '+00:00';" + CONTENT)

    def _run(self, statements: str) -> None:
        self.server.execute(statements, self.live)

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
            bad("no number", "port", "33x"),
            bad("no such database", "dbname", "missing"),
            bad("the server's own database", "dbname", "mysql"),
            bad("a name that is too long", "dbname", "x" * 65),
            bad("no such role", "user", "nobody-here", "password"),
            bad("wrong password", "password", "env:RESOURCE_CONTRACT_MYSQL_WRONG"),
            bad("password not set", "password", "env:RESOURCE_CONTRACT_MYSQL_NOT_SET"),
            bad("a password instead of a reference", "password", "hunter2"),
            bad("no password", "password", ""),
            bad("unknown encryption", "sslmode", "sometimes"),
            bad("encryption that the server does not offer", "sslmode", "require"),
        ]

    def snapshot(self, name: str) -> Fingerprint:
        """Everything, table by table and object by object, with queries of its own."""
        return self.snapshot_of(name, acting=name == self.live)

    def snapshot_of(self, name: str, *, acting: bool) -> dict[str, str]:
        """The same of any database; whether events have to run in it, or none may."""
        seen: dict[str, str] = {}
        connection = self.server.connect(database=name)
        try:
            with connection.cursor() as cursor:

                def ask(query: str) -> list[tuple[Any, ...]]:
                    cursor.execute(query)
                    return list(cursor.fetchall())

                cursor.execute("SET NAMES binary")
                schema = connection.escape(name)
                for table, kind in ask(
                    f"SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema}"
                ):
                    table, kind = table.decode(), kind.decode()
                    if table == MARK:
                        assert not acting
                        continue
                    create = ask(f"SHOW CREATE TABLE {quoted(table)}")[0][1]
                    seen[f"{kind} {table}"] = repr(create.replace(quoted(name).encode() + b".", b""))
                    columns = [row[0] for row in ask(f"SHOW COLUMNS FROM {quoted(table)}")]
                    listed = ", ".join(quoted(column.decode()) for column in columns)
                    more = ", ROW_START, ROW_END" if kind == "SYSTEM VERSIONED" else ""
                    history = " FOR SYSTEM_TIME ALL" if more else ""
                    seen[f"rows of {table}"] = repr(
                        sorted(map(repr, ask(f"SELECT {listed}{more} FROM {quoted(table)}{history}")))
                    )
                for what, (columns_, order) in DESCRIBED.items():
                    seen[what] = repr(
                        ask(
                            f"SELECT {columns_} FROM information_schema.{what} WHERE {order}_SCHEMA = {schema} ORDER BY {order}_NAME"
                        )
                    )
                seen["database"] = repr(
                    ask(
                        "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
                        f" WHERE SCHEMA_NAME = {schema}"
                    )
                )
                running = ask(
                    f"SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {schema} AND STATUS = 'ENABLED'"
                )
                # What is not live must not act; what is live must.
                assert (b"busy",) in running if acting else not running, running
        finally:
            connection.close()
        return seen

    def exists(self, name: str) -> bool:
        return name in self.names()

    def names(self) -> frozenset[str]:
        return frozenset(self.server.databases())

    def mutate(self) -> None:
        self._run(
            """UPDATE orders SET ref = 'changed' WHERE id % 7 = 0; DELETE FROM lines_; CREATE TABLE added (x INT);
               INSERT INTO orders (ref, cents) VALUES ('new', 1); DROP TABLE aria; DROP TRIGGER b_second;
               CREATE TRIGGER c_third BEFORE DELETE ON orders FOR EACH ROW SET @gone = OLD.id;
               CREATE OR REPLACE VIEW mine AS SELECT 1 AS one; CREATE VIEW of_added AS SELECT * FROM added;
               DROP PROCEDURE `add ``one`` more`; CREATE OR REPLACE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x + x;
               CREATE PROCEDURE fresh() SELECT 2; DROP EVENT `as``leep`; CREATE EVENT another ON SCHEDULE EVERY 1 HOUR DO DELETE FROM added;
               SELECT NEXTVAL(numbers); ALTER DATABASE CHARACTER SET latin1"""
        )

    def grow(self, megabytes: int) -> None:
        connection = self.server.connect(database=self.live)
        try:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS bulk (part LONGBLOB)")
                for _ in range(megabytes):
                    cursor.execute("INSERT INTO bulk VALUES (%s)", [random.randbytes(1 << 20)])
        finally:
            connection.close()

    def lose(self) -> None:
        self.server.drop_database(self.live)

    def stir(self, name: str) -> None:
        self.server.execute("ALTER EVENT busy ENABLE", name)

    def acting(self, name: str) -> list[str]:
        connection = self.server.connect(database=name)
        try:
            with connection.cursor() as cursor:
                query = (
                    "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = %s AND STATUS <> 'DISABLED'"
                )
                cursor.execute(query, [name])
                return [event for (event,) in cursor.fetchall()]
        finally:
            connection.close()

    def tamper(self, name: str) -> str:
        self.server.execute("UPDATE orders SET cents = cents + 1 WHERE id = 250", name)
        return "orders"

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        def changed(entry: ManifestEntry) -> ManifestEntry:
            odd: Mapping[str, Any] = {**entry, "rows": 5}
            return odd if entry.get("name") == 'Ünï "q" `b` table' else entry

        return [changed(entry) for entry in entries], 'Ünï "q" `b` table'


@contextmanager
def open_case(home: Path) -> Iterator[MysqlCase]:
    """A fresh database, and none left afterwards."""
    if missing := missing_program():
        pytest.skip(f"{missing} is not installed")
    running = server()
    before = running.databases()
    case = MysqlCase(running)
    try:
        yield case
    finally:
        for name in running.databases() - before:
            running.drop_database(name)
