"""Exchanging the live tables with the restored ones; see :mod:`.journal` for how it survives being cut off.

Between the moment in which triggers are taken off and the one in which the tables have been exchanged hardly anybody
may write, or rows would miss their triggers. So one session locks all tables, takes the triggers off, and lets go when
the statement that exchanges them stands first in line. It stands in line for one table after the other, so what is
written to a later one in the millisecond until its turn misses its trigger. It stays with the original. Whatever holds a
table for too long stops the exchange before anything changed.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing

import pymysql

from backups.drivers.base import DriverError, Place, Standing
from backups.drivers.counting import counted, some
from backups.drivers.mysql import journal, mark, names, programs, rights, survey
from backups.drivers.mysql.errors import driver_error
from backups.drivers.mysql.journal import Journal
from backups.drivers.mysql.programs import EVENT, TRIGGER, Program
from backups.drivers.mysql.survey import execute, one, rows
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.mysql.words import quoted

IN_LINE_SECONDS = 5.0


def stop_writers(target: Target, place: Place) -> str:
    """What can be done, which is nothing; see :meth:`Driver.stop_writers`."""
    with target.connect() as connection:
        if survey.database(connection, place.live) is None:
            return f"There is no database {place.live}, so nobody writes to it."
    return (
        "MariaDB and MySQL cannot close a single database: applications stay connected, and wait for the moment of the"
        f" exchange. What they write to {place.live} until then stays in the original; stop them yourself to lose nothing."
    )


def swap(target: Target, place: Place) -> None:
    """The restored tables live, the original ones kept; see :meth:`Driver.swap`."""
    _identified(place)
    with target.connect() as connection, journal.alone(connection, place.live):
        if names.settled(connection, place) is Standing.RESTORED:
            return
        if not names.lies_in(connection, place, place.beside):
            raise DriverError(
                f"The restored database {place.beside} is not there, so nothing was exchanged. Restore again.",
                detail=f"no mark of {dict(place.identity)}",
            )
        keep = "" if place.replaced_nothing else place.kept
        if place.replaced_nothing and survey.database(connection, place.live):
            raise DriverError(
                f"There is a database called {place.live} now, which there was not before, so nothing was exchanged."
                " Find out who made it."
            )
        if keep and survey.movable(connection, keep):
            raise DriverError(f"There is a database called {keep} already, so nothing was exchanged. Rename it first.")
        _exchange(target, connection, place, place.beside, keep)


def swap_back(target: Target, place: Place) -> None:
    """The original tables live again, the restored ones beside; see :meth:`Driver.swap_back`."""
    _identified(place)
    with target.connect() as connection, journal.alone(connection, place.live):
        standing = names.settled(connection, place)
        if standing is Standing.ORIGINAL:
            return
        if place.replaced_nothing:
            _exchange(target, connection, place, "", place.beside)
            return
        if not names.lies_in(connection, place, place.kept):
            raise DriverError(
                f"The original is no longer kept as {place.kept}, so it cannot come back. Restore a backup instead.",
                detail=f"no mark of {dict(place.identity)}",
            )
        _exchange(target, connection, place, place.kept, place.beside)


def _exchange(target: Target, connection: Connection, place: Place, source: str, keep: str) -> None:
    """Tables of ``source`` live, the live ones into ``keep``; either may be empty."""
    live = survey.database(connection, place.live)
    incoming = survey.database(connection, source) if source else None
    outgoing_programs = programs.read(connection, place.live) if live else programs.Found((), (), ())
    incoming_programs = programs.read(connection, source) if source else programs.Found((), (), ())
    if hidden := (*outgoing_programs.hidden, *incoming_programs.hidden):
        raise DriverError(
            f"The user {target.user} may not read what {some(hidden)} does, so it could not be exchanged. Grant it the right.",
            setting="user",
        )
    for name, acting in ((place.live, outgoing_programs), (source, incoming_programs)):
        rights.refuse_lost(connection, target, name, acting.programs)
    done = Journal(
        place.live, source, keep,
        tuple(survey.movable(connection, source)) if source else (),
        tuple(survey.movable(connection, place.live)) if live else (),
        _awake(connection, source, incoming_programs.programs), outgoing_programs.programs,
        incoming, live, place.identity[names.RESTORED],
    )  # fmt: skip
    shape = live or incoming
    assert shape is not None
    if not source:
        journal.shape(connection, keep, shape)
    # All at once: a mark without its journal would say that the exchange had been done.
    mark.make(
        connection,
        done.home,
        {
            mark.ID: done.identity,
            mark.LIVE: done.live,
            mark.EXCHANGED: secrets.token_hex(8),
            mark.TABLES: list(done.incoming),
            mark.JOURNAL: done.as_json(),
        },
    )
    try:
        for name in filter(None, (place.live, keep)):
            if survey.database(connection, name) is None:
                journal.shape(connection, name, shape)
        _move(target, connection, done)
    except BaseException as error:
        failure = _put_back(target, place, connection)
        if failure is not None and isinstance(error, DriverError | pymysql.MySQLError):
            raise _not_put_back(target, done, error, failure) from error
        raise
    journal.finish(connection, done)


def _awake(connection: Connection, name: str, found: Sequence[Program]) -> tuple[Program, ...]:
    """What acts in a database that is not live, as it is when live."""
    said = mark.read(connection, name) if name else None
    events = {event["name"]: Program.from_json(event) for event in (said or {}).get(mark.EVENTS, ())}
    return tuple(events.get(one.name, one) if one.kind == EVENT else one for one in found)


def _move(target: Target, connection: Connection, done: Journal) -> None:
    """Take off what acts, exchange the tables."""
    for program in done.outgoing_programs:
        if program.kind == EVENT:
            programs.drop(connection, done.live, program)
    thread = _Renaming(connection, done)
    try:
        with closing(target.open()) as locker:
            _lock_tables(locker, connection, done)
            for name, found in ((done.live, done.outgoing_programs), (done.source, done.incoming_programs)):
                if name:
                    _take_off_triggers(locker, name, found)
            thread.start()
            thread.wait_in_line(locker)
            execute(locker, "UNLOCK TABLES")
    finally:  # the connection's end lets go of the locks too, and nothing goes on while the statement may still run
        if thread.ident is not None:
            thread.join()
    if thread.error is not None:
        if isinstance(thread.error, pymysql.MySQLError) and thread.error.args[0] == 1205:
            raise _blocked(connection, done.live, thread.error) from None
        raise thread.error


def _lock_tables(locker: Connection, connection: Connection, done: Journal) -> None:
    databases = filter(None, (done.live, done.source))
    tables = [quoted(name, table.name) for name in databases for table in survey.tables(locker, name)]
    if tables:
        try:
            execute(locker, "LOCK TABLES " + ", ".join(f"{table} WRITE" for table in tables))
        except pymysql.MySQLError as error:
            if error.args[0] == 1205:
                raise _blocked(connection, done.live, error) from None
            raise


def _take_off_triggers(locker: Connection, name: str, found: Sequence[Program]) -> None:
    """Take triggers off tables that this session has locked."""
    for program in found:
        if program.kind == TRIGGER:
            programs.drop(locker, name, program)


class _Renaming(threading.Thread):
    """The one statement, which waits behind our own locks."""

    def __init__(self, connection: Connection, done: Journal) -> None:
        super().__init__(daemon=True)
        self._connection, self._done = connection, done
        self._number = one(connection, "SELECT connection_id()")
        self.error: BaseException | None = None

    def run(self) -> None:
        """Called by the thread."""
        try:
            journal.rename(self._connection, list(self._done.moves()))
        except BaseException as error:
            self.error = error

    def wait_in_line(self, by: Connection) -> None:
        """Until it waits for a lock, or is over; not for ever."""
        until = time.monotonic() + IN_LINE_SECONDS
        query = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %s AND STATE LIKE '%%metadata lock%%'"
        while self.is_alive() and time.monotonic() < until:
            if rows(by, query, [self._number]):
                return
            time.sleep(0.002)


def _put_back(target: Target, place: Place, holder: Connection) -> DriverError | None:
    """What can be put right at once is; whatever cannot, and why is returned, the next look at the databases puts right."""
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(target.connect())
            if not holder.open:  # its statement may still run, as long as it keeps others out
                stack.enter_context(journal.alone(connection, place.live))
            journal.recover(connection, [place.live, place.beside, place.kept])
    except DriverError as error:
        return error
    return None


def _not_put_back(
    target: Target, done: Journal, error: DriverError | pymysql.MySQLError, failure: DriverError
) -> DriverError:
    """Both errors in one, and what is missing meanwhile."""
    first = error if isinstance(error, DriverError) else driver_error(error, target.describe(done.live))
    try:
        missing = _missing(target, done)
        said = "".join(f" {name} still lacks {some(titles)}." for name, titles in missing.items())
    except DriverError:
        acting = [program.title for program in done.outgoing_programs if program.kind in (TRIGGER, EVENT)]
        said = f" {done.live} may lack {some(acting)}." if acting else ""
    return DriverError(
        f"{first.sentence} What had been begun could not be taken back or finished: {failure.sentence}{said} Trying again,"
        " or undoing, puts everything right first.",
        detail=f"{first.detail}\n{failure.detail}\ndefinitions: {survey.MARK} in {done.home} or {done.destination}",
        retry=first.retry and failure.retry,
        setting=failure.setting or first.setting,
    )


def _missing(target: Target, done: Journal) -> dict[str, list[str]]:
    """What belongs into each of the two databases and is not in it, by title."""
    missing: dict[str, list[str]] = {}
    with target.connect() as connection:
        moved = done.home != done.destination and mark.read(connection, done.destination) is not None
        one_side, other_side = (done.target, done.live) if moved else (done.live, done.source)
        for name, wanted in ((one_side, done.outgoing_programs), (other_side, done.incoming_programs)):
            if name and survey.database(connection, name):
                there = {program.title for program in programs.read(connection, name).programs}
                missing[name] = [program.title for program in wanted if program.title not in there]
    return {name: titles for name, titles in missing.items() if titles}


def _blocked(connection: Connection, live: str, error: pymysql.MySQLError) -> DriverError:
    users = []
    if connection.open:
        query = "SELECT DISTINCT USER FROM information_schema.PROCESSLIST WHERE DB = %s AND ID <> connection_id()"
        users = sorted(user for (user,) in rows(connection, query, [live]))
    who = f" Connected to it: {some(users)}." if users else ""
    return DriverError(
        f"A session holds tables of {live} for too long, so nothing was exchanged.{who} End its transaction, or stop that"
        " application, then try again.",
        detail=str(error),
        retry=True,
    )


def health(target: Target, place: Place) -> str:
    """See that the live name leads to the restored tables; see :meth:`Driver.health`."""
    _identified(place)
    with target.connect() as connection, journal.alone(connection, place.live):
        if names.settled(connection, place) is not Standing.RESTORED:
            raise DriverError(f"The tables of {place.live} are not the restored ones. Look at the steps before.")
        found = set(survey.movable(connection, place.live))
        # Where nothing had been live there is no mark any more, and only the number is known.
        restored = set((mark.read(connection, place.kept) or {}).get(mark.TABLES, found))
    tables, number = counted(len(found), "table"), int(place.identity[names.TABLES])
    if missing := sorted(restored - found):
        raise DriverError(
            f"The database {place.live} answers, but these tables, which were restored, are gone: {some(missing)}. Look at"
            " who changes it, or undo.",
        )
    if len(found) < number:
        raise DriverError(
            f"The database {place.live} answers, but has {tables} where {number} were restored. Look at who changes it, or"
            " undo.",
        )
    more = sorted(found - restored)
    since = f"; made since: {some(more)}" if more else f"; {number} were restored" if len(found) > number else ""
    return f"The database {place.live} answers as the restored one, with {tables}{since}."


def discard(target: Target, place: Place, name: str) -> None:
    """Drop one of the two that are not live; see :meth:`Driver.discard`."""
    if name == place.live or name not in (place.beside, place.kept):
        raise DriverError(f"The database {name!r} is live, or not this restore's own, and is not removed.")
    with target.connect() as connection:
        if survey.database(connection, name) is None:
            return
        with journal.alone(connection, place.live):
            holds_original = bool(place.identity) and name == place.kept and names.lies_in(connection, place, name)
            if place.identity and names.settled(connection, place) is not Standing.RESTORED and holds_original:
                raise DriverError(
                    f"{name} holds the original tables, and the restored ones are not live, so nothing was removed. Swap"
                    " back first."
                )
            journal.drop(connection, name)


def _identified(place: Place) -> None:
    if not place.identity:
        raise DriverError("The restore was not identified before the exchange, so nothing was exchanged.")
