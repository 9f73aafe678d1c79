"""Exchanging databases by renaming, in one transaction.

``ALTER DATABASE … RENAME`` is transactional: both renames become visible at once, or none. It needs the database to
be without sessions, and applications reconnect as fast as they are sent away; so a database is first closed
(``ALLOW_CONNECTIONS false``), then emptied. The kept original stays closed, so that nobody writes into what is only
kept. Who happens to connect in the milliseconds of the transaction itself is told by PostgreSQL that the database
"has just been dropped or renamed", and reaches the new one with the next try.
"""

from __future__ import annotations

import time

import psycopg
from psycopg import sql

from backups.drivers.base import DriverError, Place, Standing
from backups.drivers.counting import counted, some
from backups.drivers.postgres import names, survey
from backups.drivers.postgres.acting import unsubscribe
from backups.drivers.postgres.target import Connection, Target

LEAVE_SECONDS = 20.0
_INVALID = -2  # datconnlimit of a database whose removal was interrupted


def stop_writers(target: Target, place: Place) -> str:
    """Close the live database and end its sessions; see :meth:`Driver.stop_writers`."""
    with target.connect(target.maintenance_db) as connection:
        if place.live not in names.oids(connection, place):
            return f"There is no database {place.live}, so nobody is connected to it."
        ended = _empty(connection, place.live)
    return f"The database {place.live} takes no new connections; {counted(ended, 'session')} ended."


def resume_writers(target: Target, place: Place) -> None:
    """Open whatever is live; see :meth:`Driver.resume_writers`."""
    with target.connect(target.maintenance_db) as connection:
        if place.live in names.oids(connection, place):
            _allow(connection, place.live, True)


def swap(target: Target, place: Place) -> None:
    """The restored one live, the original kept; see :meth:`Driver.swap`."""
    _identified(place)
    with target.connect(target.maintenance_db) as connection:
        found = names.oids(connection, place)
        original, restored = place.identity[names.ORIGINAL], place.identity[names.RESTORED]
        if found.get(place.live) == restored:
            return
        if found.get(place.beside) != restored:
            raise DriverError(
                f"The restored database {place.beside} is not there, so nothing was exchanged. Restore again.",
                detail=f"found {dict(found)}, expected {dict(place.identity)}",
            )
        if place.live in found and found[place.live] != original:
            raise _stranger(place, found[place.live])
        moves = [(place.beside, place.live)]
        if place.live in found:
            moves.insert(0, (place.live, place.kept))
        _rename(connection, moves)


def swap_back(target: Target, place: Place) -> None:
    """The original live again, the restored one beside; see :meth:`Driver.swap_back`."""
    _identified(place)
    with target.connect(target.maintenance_db) as connection:
        found = names.oids(connection, place)
        original, restored = place.identity[names.ORIGINAL], place.identity[names.RESTORED]
        live = found.get(place.live, "")
        if live == original:
            return
        if live not in ("", restored):
            raise _stranger(place, live)
        if original and found.get(place.kept) != original:
            raise DriverError(
                f"The original is no longer kept as {place.kept}, so it cannot come back. Restore a backup instead.",
                detail=f"found {dict(found)}, expected {dict(place.identity)}",
            )
        moves = [(place.live, place.beside)] if live else []
        if original:
            moves.append((place.kept, place.live))
        _rename(connection, moves)


def health(target: Target, place: Place) -> str:
    """See that the live name leads to the restored database; see :meth:`Driver.health`."""
    _identified(place)
    with target.connect(target.maintenance_db) as connection:
        if names.standing(connection, place) is not Standing.RESTORED:
            raise DriverError(f"The database called {place.live} is not the restored one. Look at the steps before.")
    with target.connect() as connection:
        oid = survey.one(connection, "SELECT oid::text FROM pg_database WHERE datname = current_database()")
        tables = len(survey.tables(connection, ["r", "p", "m"]))
    if oid != place.identity[names.RESTORED] or str(tables) != place.identity[names.TABLES]:
        raise DriverError(
            f"The database {place.live} answers, but has {counted(tables, 'table')} where {place.identity[names.TABLES]} were"
            " restored. Look at who changes it, or undo.",
            detail=f"oid {oid}",
        )
    return f"The database {place.live} answers as the restored one, with {counted(tables, 'table')}."


def discard(target: Target, place: Place, name: str) -> None:
    """Drop one of the two that are not live; see :meth:`Driver.discard`."""
    if name == place.live or name not in (place.beside, place.kept):
        raise DriverError(f"The database {name!r} is live, or not this restore's own, and is not removed.")
    with target.connect(target.maintenance_db) as connection:
        found = names.oids(connection, place)
        if name not in found:
            return
        original = place.identity.get(names.ORIGINAL)
        if original and found[name] == original and names.standing_by(found, place) is not Standing.RESTORED:
            raise DriverError(
                f"{name} is the original database, and the restored one is not live, so nothing was removed."
                " Swap back first."
            )
        drop(target, connection, name)


def drop(target: Target, connection: Connection, name: str) -> None:
    """Remove a database with whoever still uses it. Absent is fine."""
    state = survey.rows(
        connection, "SELECT datistemplate, datconnlimit FROM pg_database WHERE datname = %s", [name]
    )  # fmt: skip
    if not state:
        return
    template, limit = state[0]
    if limit != _INVALID:  # an invalid one can only be dropped
        if template:
            connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(name)))
        unsubscribe(target, connection, name)
        _allow(connection, name, False)  # else somebody could reconnect between the ending and the dropping
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _rename(connection: Connection, moves: list[tuple[str, str]]) -> None:
    """All renames at once. The databases are emptied first; the last one moved to stays open when it was."""
    for old, _ in moves:
        # The restored one has only our own sessions, which are over; autovacuum gives way by itself. It is not closed,
        # so that a crash after the exchange does not leave a live database that refuses everybody.
        if old == moves[0][0] and len(moves) > 1:
            _empty(connection, old)
        else:
            _end_sessions(connection, old)
    with connection.transaction():
        for old, new in moves:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
            )


def _empty(connection: Connection, name: str) -> int:
    """Close a database and wait until the last session has left; how many were ended."""
    _allow(connection, name, False)
    return _end_sessions(connection, name)


def _end_sessions(connection: Connection, name: str) -> int:
    until = time.monotonic() + LEAVE_SECONDS
    ended: set[int] = set()
    while sessions := _sessions(connection, name):
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [list(sessions)])
        except psycopg.errors.InsufficientPrivilege as error:
            raise DriverError(
                f"The role {connection.info.user} may not end the sessions in the database {name}:"
                f" {some(list(sessions.values()))}. Stop these applications, or grant the role pg_signal_backend.",
                detail=str(error),
                retry=True,
            ) from None
        ended.update(sessions)
        if time.monotonic() > until:
            raise DriverError(
                f"Sessions in the database {name} do not end: {some(list(sessions.values()))}."
                " Stop these applications, then try again.",
                detail=f"process ids: {', '.join(map(str, sessions))}",
                retry=True,
            )
        time.sleep(0.05)
    return len(ended)


def _sessions(connection: Connection, name: str) -> dict[int, str]:
    """Process id to who it is. Autovacuum belongs to nobody, and gives way to a rename by itself."""
    query = """SELECT pid, format('%%s (%%s)', usename, coalesce(nullif(application_name, ''), 'unnamed'))
                 FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"""
    return dict(survey.rows(connection, query, [name]))


def _allow(connection: Connection, name: str, allowed: bool) -> None:
    connection.execute(
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
            sql.Identifier(name), sql.SQL("true" if allowed else "false")
        )
    )


def _identified(place: Place) -> None:
    if not place.identity:
        raise DriverError("The restore was not identified before the exchange, so nothing was exchanged.")


def _stranger(place: Place, oid: str) -> DriverError:
    return DriverError(
        f"The database now called {place.live} is neither the original nor the restored one, so nothing was exchanged."
        " Find out who made it.",
        detail=f"oid {oid}, expected {dict(place.identity)}",
    )
