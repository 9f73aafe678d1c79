"""Views, routines, triggers and events: what acts in a database, read and made as text.

Each has, beside its text, the settings under which the server reads that text: SQL mode, character set, collation, time
zone. Views that refer to something which no longer exists cannot be made anew; they are told apart and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import pymysql
from pymysql.charset import charset_by_name

from backups.drivers.base import DriverError
from backups.drivers.mysql.survey import named, portable, rows
from backups.drivers.mysql.target import Connection
from backups.drivers.mysql.words import quoted

ROUTINES = ("FUNCTION", "PROCEDURE", "PACKAGE", "PACKAGE BODY")
VIEW, TRIGGER, EVENT = "VIEW", "TRIGGER", "EVENT"
KINDS = (*ROUTINES, VIEW, TRIGGER, EVENT)  # in the order in which they can be made
SINGLE = {kind: kind.lower() for kind in KINDS}

_IDENTIFIER = r"(?:`(?:[^`]|``)+`|[\w$]+)"
_DEFINER = re.compile(r" DEFINER\s*=\s*(?:(`(?:[^`]|``)*`)(?:@(`(?:[^`]|``)*`))?|CURRENT_\w+(?:\(\))?)")
_TRIGGER_HEAD = re.compile(
    rf"TRIGGER\s+(?:IF\s+NOT\s+EXISTS\s+)?{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})?\s+(BEFORE|AFTER)\s+"
    rf"(INSERT|UPDATE|DELETE)\s+ON\s+{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})?\s+FOR\s+EACH\s+ROW\s"
    rf"(?:\s*(?:FOLLOWS|PRECEDES)\s+{_IDENTIFIER}\s)?",
    re.IGNORECASE,
)
_EVENT_STATUS = re.compile(r"( ON COMPLETION (?:NOT )?PRESERVE )(ENABLE|DISABLE ON (?:SLAVE|REPLICA)|DISABLE)(?= )")
_REFERS_TO_NOTHING = (1356, 1146, 1054, 1305, 1449)


@dataclass(frozen=True)
class Program:
    """One of them. ``kind`` is the word after CREATE; ``table`` what a trigger is on."""

    kind: str
    name: str
    sql: str
    charset: str
    collation: str
    sql_mode: str = ""
    time_zone: str = ""
    table: str = ""

    @property
    def title(self) -> str:
        """``trigger stamp``."""
        return f"{SINGLE[self.kind]} {self.name}"

    @property
    def definer(self) -> tuple[str, str] | None:
        """In whose name it acts: user and host (empty: a role)."""
        found = _DEFINER.search(self.sql.partition(self.kind)[0] if self.kind != VIEW else self.sql)
        if not found or not found[1]:
            return None
        user, host = (part[1:-1].replace("``", "`") if part else "" for part in (found[1], found[2]))
        return user, host

    def disowned(self) -> Program:
        """The same, in the name of whoever makes it."""
        return replace(self, sql=_DEFINER.sub("", self.sql, count=1)) if self.definer else self

    def asleep(self) -> Program:
        """The same; of an event one that does not run."""
        if self.kind != EVENT:
            return self
        head = f"EVENT {quoted(self.name)} "
        start = self.sql.find(head)
        found = _EVENT_STATUS.search(self.sql, start + len(head)) if start >= 0 else None
        if found is None:
            raise DriverError(
                f"The definition of the event {self.name} has a form that the portal does not know, so it cannot be kept"
                " from running. Report this; until then restore beside another way.",
                detail=self.sql[:300],
            )
        return replace(self, sql=f"{self.sql[: found.start(2)]}DISABLE{self.sql[found.end(2) :]}")

    def as_json(self) -> dict[str, str]:
        """Plain values; empty ones are left out."""
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, value: Any) -> Program:
        """The one that :meth:`as_json` wrote; other keys are passed over."""
        return cls(**{key: value[key] for key in cls.__dataclass_fields__ if key in value})


@dataclass(frozen=True)
class Found:
    """What acts in a database. ``hidden``: titles of what the user may not read. ``broken``: views that refer to nothing."""

    programs: tuple[Program, ...]
    hidden: tuple[str, ...]
    broken: tuple[str, ...]


def read(connection: Connection, name: str) -> Found:
    """All of a database, in the order in which they can be made (views among themselves apart)."""
    found: list[Program] = []
    hidden: list[str] = []
    broken: list[str] = []
    connection.select_db(name)
    for kind, program, table in _listed(connection, name):
        try:
            one = _read(connection, name, kind, program, table)
        except pymysql.MySQLError as error:
            if kind == VIEW and error.args[0] in _REFERS_TO_NOTHING:
                broken.append(program)
                continue
            if error.args[0] in (1142, 1143, 1044, 1227, 1305, 1360, 1539):
                hidden.append(f"{SINGLE[kind]} {program}")
                continue
            raise
        if one is None:
            hidden.append(f"{SINGLE[kind]} {program}")
        elif kind == VIEW and not _works(connection, program):
            broken.append(program)
        else:
            found.append(one)
    return Found(tuple(found), tuple(hidden), tuple(broken))


def _listed(connection: Connection, name: str) -> Iterator[tuple[str, str, str]]:
    routines = rows(
        connection,
        "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = %s",
        [name],
    )
    for kind, program in sorted(routines, key=lambda routine: (ROUTINES.index(routine[0]), routine[1])):
        yield kind, program, ""
    for view in named(connection, name, VIEW):
        yield VIEW, view, ""
    triggers = rows(
        connection,
        """SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER
             FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s""",
        [name],
    )
    for trigger, table, *_ in sorted(triggers, key=lambda one: (one[1:], one[0])):
        yield TRIGGER, trigger, table
    events = rows(connection, "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = %s", [name])
    for (event,) in sorted(events):
        yield EVENT, event, ""


def _read(connection: Connection, database: str, kind: str, name: str, table: str) -> Program | None:
    """None when the user may see that it is there, but not what it does."""
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW CREATE {kind} {quoted(name)}")
        values = dict(zip((column[0] for column in cursor.description or ()), cursor.fetchone() or (), strict=True))
    text = values.get("SQL Original Statement" if kind == TRIGGER else f"Create {kind.title()}")
    if text is None:
        return None
    sql = portable(str(text), database) if kind == VIEW else str(text)
    program = Program(
        kind, name, sql, str(values["character_set_client"]), str(values["collation_connection"]),
        str(values.get("sql_mode") or ""), str(values.get("time_zone") or ""), table,
    )  # fmt: skip
    return _unqualified(program) if kind == TRIGGER else program


def _unqualified(trigger: Program) -> Program:
    """A trigger's text is as it was typed; a database named in its head would tie it to that database."""
    found = _TRIGGER_HEAD.search(trigger.sql)
    if found is None:
        return trigger
    head = (
        f"TRIGGER {quoted(trigger.name)} {found[1].upper()} {found[2].upper()} ON {quoted(trigger.table)} FOR EACH ROW "
    )
    return replace(trigger, sql=trigger.sql[: found.start()] + head + trigger.sql[found.end() :])


def _works(connection: Connection, view: str) -> bool:
    try:
        rows(connection, f"SHOW COLUMNS FROM {quoted(view)}")
    except pymysql.MySQLError as error:
        if error.args[0] in (1356, 1146, 1054, 1305):
            return False
        if error.args[0] != 1449:  # a definer that is gone makes it useless, not impossible to make
            raise
    return True


def make(connection: Connection, name: str, programs: Iterable[Program], *, replacing: bool = False) -> None:
    """Make them in a database. Views wait for one another; ``replacing`` puts views in the place of others."""
    connection.select_db(name)
    waiting: list[Program] = []
    for program in programs:
        if program.kind == VIEW:
            waiting.append(program)
        else:
            waiting = _views(connection, waiting, replacing)
            _make(connection, program, replacing)
    _views(connection, waiting, replacing)


def _views(connection: Connection, views: list[Program], replacing: bool) -> list[Program]:
    """Make views, whatever order they need; none is left."""
    while views:
        left: list[Program] = []
        last: pymysql.MySQLError | None = None
        for view in views:
            try:
                _make(connection, view, replacing)
            except pymysql.MySQLError as error:
                if error.args[0] not in _REFERS_TO_NOTHING:
                    raise
                left.append(view)
                last = error
        if len(left) == len(views) and last is not None:
            raise last
        views = left
    return views


def _make(connection: Connection, program: Program, replacing: bool) -> None:
    sql = program.sql
    if replacing and program.kind == VIEW and sql.startswith("CREATE "):
        sql = "CREATE OR REPLACE " + sql[len("CREATE ") :]
    try:
        with _read_as(connection, program) as encoding, connection.cursor() as cursor:
            cursor.execute(sql.encode(encoding))  # type: ignore[call-overload]  # bytes are sent as they are
    except pymysql.MySQLError as error:
        if error.args[0] in (*_REFERS_TO_NOTHING, 1419, 1227, 1142, 1044, 1370, 2013, 2006):
            raise
        raise DriverError(
            f"The database server does not accept the {program.title}: {str(error.args[-1]).rstrip('.')}.",
            detail=f"{error.args}: {sql[:500]}",
        ) from None


@contextmanager
def _read_as(connection: Connection, program: Program) -> Iterator[str]:
    """A session that reads the text as it was read when it was first made; Python's name for its character set."""
    before = rows(connection, "SELECT @@SESSION.sql_mode, @@SESSION.time_zone")[0]
    encoding = charset_by_name(program.charset).encoding or "utf8"
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = %s", [program.sql_mode if program.kind != VIEW else before[0]])
        if program.time_zone:
            cursor.execute("SET SESSION time_zone = %s", [program.time_zone])
        cursor.execute("SET character_set_client = %s, collation_connection = %s", [program.charset, program.collation])
        try:
            yield encoding
        finally:
            if connection.open:
                cursor.execute("SET NAMES utf8mb4")
                cursor.execute("SET SESSION sql_mode = %s, time_zone = %s", before)


def drop(connection: Connection, name: str, program: Program) -> None:
    """Remove one from a database. Absent is fine."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP {program.kind} IF EXISTS {quoted(name, program.name)}")
