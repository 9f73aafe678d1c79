"""An exchange of tables that survives being cut off anywhere: what it is about, how it is finished, how it is taken back.

``RENAME TABLE`` moves any number of tables between databases in one statement, but nothing that acts on them: triggers
forbid it, and views, routines and events stay behind. So an exchange has three parts: what acts on the live tables is
taken off (triggers, events), the tables are exchanged in the one statement, and what belongs to each side is made anew
around them. The journal with all definitions is written before the first part, into the mark, which the one statement
moves with the tables. Cut off before it, the exchange is taken back; cut off after it, it is finished. Both ways end in
comparing what is there with what should be, so they may themselves be cut off and begun again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import pymysql
from pymysql.constants import ER

from backups.drivers.base import DriverError
from backups.drivers.databases import of_a_checkup
from backups.drivers.mysql import mark, programs, survey
from backups.drivers.mysql.programs import EVENT, TRIGGER, VIEW, Program
from backups.drivers.mysql.survey import MARK, execute, one
from backups.drivers.mysql.target import LOCK_SECONDS, Connection
from backups.drivers.mysql.words import quoted

WAIT_SECONDS = 2 * LOCK_SECONDS + 5  # an exchange that another process began may still wait for its own locks


@dataclass(frozen=True)
class Journal:
    """Of one exchange: tables from ``source`` become live, the live ones go to ``target``; either may be empty.

    Programs are as they are when live.
    """

    live: str
    source: str
    target: str
    incoming: tuple[str, ...]
    outgoing: tuple[str, ...]
    incoming_programs: tuple[Program, ...]
    outgoing_programs: tuple[Program, ...]
    incoming_database: survey.Database | None
    outgoing_database: survey.Database | None
    identity: str

    @property
    def home(self) -> str:
        """Where the mark lies before the tables are exchanged."""
        return self.source or self.target

    @property
    def destination(self) -> str:
        """Where it lies afterwards."""
        return self.target or self.live

    def moves(self) -> Iterator[tuple[str, str]]:
        """The renames of the one statement, the mark last: where it lies, everything before has been moved."""
        for table in self.outgoing:
            yield quoted(self.live, table), quoted(self.target, table)
        for table in self.incoming:
            yield quoted(self.source, table), quoted(self.live, table)
        if self.home != self.destination:
            yield quoted(self.home, MARK), quoted(self.destination, MARK)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        value = {**asdict(self), "incoming": list(self.incoming), "outgoing": list(self.outgoing)}
        for key in ("incoming_programs", "outgoing_programs"):
            value[key] = [program.as_json() for program in getattr(self, key)]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Journal:
        """The one that :meth:`as_json` wrote."""
        given = {**value, "incoming": tuple(value["incoming"]), "outgoing": tuple(value["outgoing"])}
        for key in ("incoming_programs", "outgoing_programs"):
            given[key] = tuple(map(Program.from_json, value[key]))
        for key in ("incoming_database", "outgoing_database"):
            given[key] = survey.Database(**value[key]) if value[key] else None
        return cls(**given)


@contextmanager
def alone(connection: Connection, live: str) -> Iterator[None]:
    """Nobody else exchanges this database meanwhile. The server lets go when the connection ends, and not before.

    A statement of a portal that was killed may wait for locks and run later; its connection still holds this then.
    """
    name = "haas-portal:" + hashlib.sha256(live.encode()).hexdigest()[:40]
    if one(connection, "SELECT GET_LOCK(%s, %s)", [name, WAIT_SECONDS]) != 1:
        raise DriverError(f"An exchange of {live} is under way. Try again when it is over.", retry=True)
    try:
        yield
    finally:
        if connection.open:
            execute(connection, "DO RELEASE_LOCK(%s)", [name])


def recover(connection: Connection, names: Sequence[str]) -> None:
    """Bring an exchange that was cut off to an end, if these databases (live first) show one."""
    for name in names:
        said = mark.read(connection, name)
        if said and mark.JOURNAL in said:
            journal = Journal.from_json(said[mark.JOURNAL])
            if name == journal.home != journal.destination:
                take_back(connection, journal)
            else:
                finish(connection, journal)
            return


def refuse_half_done(connection: Connection, live: str) -> None:
    """Raise when an exchange of that database is under way or was cut off: it is not whole then."""
    for name in mark.marked(connection):
        said = mark.read(connection, name) or {}
        if mark.JOURNAL in said and said[mark.JOURNAL]["live"] == live:
            raise DriverError(
                f"A restore of {live} is just being put in its place, or was cut off there. Try again when it is over.",
                detail=f"journal in {name}",
                retry=True,
            )


def marks(connection: Connection, live: str) -> dict[str, tuple[str, str, bool]]:
    """Of each database with a mark that may concern this one: whose it is, its last exchange, whether one is under way.

    Marks of before such told which database they concern; those without may concern any. What a checkup has made is never
    exchanged.
    """
    found = {}
    for name in mark.marked(connection):
        said = mark.read(connection, name)
        if said and said.get(mark.LIVE, live) == live and not of_a_checkup(name):
            found[name] = (str(said.get(mark.ID)), str(said.get(mark.EXCHANGED, "")), mark.JOURNAL in said)
    return found


def exchanged(before: dict[str, tuple[str, str, bool]], after: dict[str, tuple[str, str, bool]]) -> list[str]:
    """Databases by whose marks tables may have been exchanged between two looks; a new restore beside exchanges nothing."""
    gone = [name for name, said in before.items() if after.get(name) != said]
    come = [name for name, (_, exchange, busy) in after.items() if name not in before and (exchange or busy)]
    return sorted({*gone, *come})


def take_back(connection: Connection, journal: Journal) -> None:
    """Everything as it was before the exchange began."""
    # Where one statement is not atomic (MariaDB before 10.6, after a crash), some tables may have moved: in its order.
    source, target = (
        set(survey.movable(connection, name)) if name else set() for name in (journal.source, journal.target)
    )
    back = [(table, journal.live, journal.source) for table in journal.incoming if table not in source]
    back += [(table, journal.target, journal.live) for table in journal.outgoing if table in target]
    rename(connection, [(quoted(old, table), quoted(new, table)) for table, old, new in back])
    if journal.outgoing_database:
        agree(connection, journal.live, journal.outgoing_programs, journal.incoming_programs)
    agree(connection, journal.source, asleep(journal.incoming_programs), ())
    if journal.target:
        drop_empty(connection, journal.target)
    if not journal.outgoing_database:
        drop_empty(connection, journal.live)
    mark.write(connection, journal.home, {mark.JOURNAL: None})


def finish(connection: Connection, journal: Journal) -> None:
    """Everything around the tables as it belongs, once they have been exchanged. The live side comes first."""
    if not journal.source:  # nothing comes in: the tables may not all have gone out yet
        left = set(survey.movable(connection, journal.live))
        rename(
            connection,
            [(quoted(journal.live, one), quoted(journal.target, one)) for one in journal.outgoing if one in left],
        )
        make_again(connection, journal)
        drop_empty(connection, journal.live)
    else:
        agree(connection, journal.live, journal.incoming_programs, journal.outgoing_programs)
        rebind(connection, journal.live, [journal.source])
        if journal.incoming_database:
            shape(connection, journal.live, journal.incoming_database)
        if journal.target:
            make_again(connection, journal)
        drop_empty(connection, journal.source)
    if journal.target:
        mark.write(connection, journal.target, {mark.JOURNAL: None})
    else:
        execute(connection, f"DROP TABLE {quoted(journal.live, MARK)}")


def make_again(connection: Connection, journal: Journal) -> None:
    """What acted on the tables that are no longer live, around them where they are now; events asleep."""
    events = [program.as_json() for program in journal.outgoing_programs if program.kind == EVENT]
    mark.make(connection, journal.target, {mark.ID: journal.identity, mark.EVENTS: events})
    agree(connection, journal.target, asleep(journal.outgoing_programs), ())
    rebind(connection, journal.target, [journal.live])


def asleep(found: Sequence[Program]) -> tuple[Program, ...]:
    """The same, with events that do not run."""
    return tuple(program.asleep() for program in found)


def agree(connection: Connection, name: str, wanted: Sequence[Program], others: Sequence[Program]) -> None:
    """Make a database have the wanted programs and none of the others. What is neither is left alone."""
    found = programs.read(connection, name)
    there = {(program.kind, program.name): program for program in found.programs}
    present = there.keys() | {(VIEW, view) for view in found.broken}
    keys = {(program.kind, program.name) for program in wanted}
    for program in others:
        key = (program.kind, program.name)
        if key in present and key not in keys:
            programs.drop(connection, name, program)
    missing = [program for program in wanted if there.get((program.kind, program.name)) != program]
    # Triggers run in the order in which they were made.
    tables = {program.table for program in missing if program.kind == TRIGGER}
    missing = [
        program for program in wanted if program in missing or (program.kind == TRIGGER and program.table in tables)
    ]
    for program in missing:
        if program.kind != VIEW and (program.kind, program.name) in present:
            programs.drop(connection, name, program)
    programs.make(connection, name, missing, replacing=True)


def rebind(connection: Connection, name: str, others: Sequence[str]) -> None:
    """Defaults that took their values from a sequence of the database the table was in take them from its own again."""
    for table, column, default in survey.led_elsewhere(connection, name, others):
        for other in others:
            default = survey.portable(default, other)
        connection.select_db(name)
        execute(connection, f"ALTER TABLE {quoted(name, table)} ALTER COLUMN {quoted(column)} SET DEFAULT ({default})")


def shape(connection: Connection, name: str, database: survey.Database) -> None:
    """Give a database the defaults of another; made if it is not there."""
    comment = f" COMMENT {connection.escape(database.comment)}" if database.comment else ""
    defaults = f"CHARACTER SET {database.charset} COLLATE {database.collation}{comment}"
    execute(connection, f"CREATE DATABASE IF NOT EXISTS {quoted(name)} {defaults}")
    if survey.database(connection, name) != database:
        execute(connection, f"ALTER DATABASE {quoted(name)} {defaults}")


def rename(connection: Connection, moves: Sequence[tuple[str, str]]) -> None:
    """All of these at once."""
    if moves:
        execute(connection, "RENAME TABLE " + ", ".join(f"{old} TO {new}" for old, new in moves))


def drop_empty(connection: Connection, name: str) -> None:
    """Remove a database that holds no tables.

    A server that was killed in the middle of a rename may have left a file in its directory that it knows nothing of. Then an
    empty database stays, which is in nobody's way.
    """
    if survey.database(connection, name) and not survey.movable(connection, name):
        try:
            drop(connection, name)
        except pymysql.MySQLError as error:
            if error.args[0] != ER.DB_DROP_RMDIR:
                raise


def drop(connection: Connection, name: str) -> None:
    """Remove a database with all that is in it. Absent is fine."""
    execute(connection, f"DROP DATABASE IF EXISTS {quoted(name)}")
