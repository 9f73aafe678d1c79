"""Taking a backup: one pg_dump and one manifest, of one snapshot.

A session of ours locks every table as a reader does, *then* fixes a snapshot and exports it. The locks come first
because some changes ignore snapshots: a table truncated in between would be empty in the dump and full in the
manifest. pg_dump and the counting session both use that snapshot, so that the manifest's counts and digests are
exactly those of the dump, whatever is written meanwhile. Readers and writers are not held up; a change of structure
waits until the backup is taken.

Three sessions that read the same tables could wait for ever: the third behind a change that waits for the first. So
all of them lock all tables before anything is read, with a short patience; when a change came in between, all let
go, so that it gets its turn, and it is begun anew. Nothing else stays locked by a session while another still needs it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from backups.drivers.base import DriverError, Sink, Taken
from backups.drivers.postgres import clients, header, survey
from backups.drivers.postgres.checks import refuse_unreadable, server_major
from backups.drivers.postgres.each_table import Counting
from backups.drivers.postgres.survey import SequenceState, Table
from backups.drivers.postgres.target import Connection, Target
from backups.drivers.words import Progress
from backups.processes import ProcessFailed, Streaming

FIRST_LOCK_MS = 60_000  # others may be at work in a table for a while
NEXT_LOCK_MS = 2_000  # who waits here waits for someone who waits for us
CHUNK = 1 << 20
_ATTEMPTS = 8


class _Overtaken(Exception):
    """A change of structure came between the first session's locks and another's."""


def take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Stream a custom-format dump into ``sink`` and record the manifest; see :meth:`Driver.take`."""
    for attempt in range(_ATTEMPTS):
        try:
            return _take(target, sink, progress)
        except _Overtaken:
            time.sleep(0.1 * attempt)
    raise DriverError(
        f"Tables of {target.dbname} are being created, changed or removed all the time. Try again at a quieter hour.",
        retry=True,
    )


def _take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Once; nothing is written to ``sink`` before all sessions have their locks."""
    with target.connect() as keeper, target.connect() as other:
        client = clients.for_server(server_major(keeper))
        refuse_unreadable(keeper, target)
        snapshot, tables = _hold(keeper, other)
        standby = survey.one(keeper, "SELECT pg_is_in_recovery()")
        with keeper.transaction(force_rollback=True):  # a savepoint: what it locks is let go
            head = header.describe(keeper, client)
            known = survey.known_sequences(keeper)
            large_objects = survey.large_objects(keeper)
        try:
            before = survey.sequences(other, known)
        except psycopg.errors.UndefinedTable:
            raise _Overtaken from None
        ours = [table for table in tables if table.holds_rows and not (standby and table.unlogged)]
        expected = sum(table.size for table in ours)
        done = 0
        with (
            Counting(lambda: _same_view(target, snapshot, tables), 1, ours) as counting,
            Streaming(
                _dump(client, target, snapshot), mode="read", env=target.tool_environment(), redact=[target.password()]
            ) as dump,
        ):
            chunk = _first_chunk(dump)
            sink.record(head)
            while chunk:
                sink.write(chunk)
                done += len(chunk)
                counting.check()
                progress(done, max(done, expected))
                chunk = dump.read(CHUNK)
            while not counting.wait(1.0):
                progress(done, done)
        after = survey.sequences(other, known)

    entries: list[dict[str, object]] = []
    for table in tables:
        if table.kind != "f" and not (standby and table.unlogged):
            count = counting.counts.get(table.title)
            entries.append(
                {
                    "entry": "table",
                    "name": table.title,
                    "kind": table.kind,
                    "populated": table.populated,
                    "rows": count.rows if count else None,
                    "digest": count.digest if count else None,
                    "size_bytes": header.rounded(table.size),
                }
            )
    entries += [_sequence(*looks) for looks in zip(before, after, strict=True)]
    entries.append({"entry": "large objects", "count": large_objects[0], "bytes": large_objects[1]})
    entries.append({"entry": "end", "entries": len(entries) + 2})
    for entry in entries:
        sink.record(entry)
    return Taken(
        source_bytes=done,
        summary={
            "tables": len(ours),
            "rows": sum(count.rows for count in counting.counts.values()),
            "sequences": len(before),
            "large objects": large_objects[0],
        },
        warnings=tuple(_left_out(tables, standby)),
    )


def _hold(keeper: Connection, other: Connection) -> tuple[str, list[Table]]:
    """Lock all tables as a reader, then fix and export a snapshot in which they are all the tables there are."""
    # Listed by another session: the first query of this one would already fix the snapshot.
    seen = survey.tables(other)
    keeper.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        _lock(keeper, seen, FIRST_LOCK_MS)
    except psycopg.errors.UndefinedTable:
        raise _Overtaken from None
    snapshot = str(survey.one(keeper, "SELECT pg_export_snapshot()"))
    tables = survey.tables(keeper)
    if [table.oid for table in tables if table.kind in "rp"] != [table.oid for table in seen if table.kind in "rp"]:
        raise _Overtaken
    return snapshot, tables


def _lock(connection: Connection, tables: Sequence[Table], patience_ms: int) -> None:
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(patience_ms))
    names = [sql.SQL("ONLY {}").format(sql.Identifier(one.schema, one.name)) for one in tables if one.kind in "rp"]
    for start in range(0, len(names), 500):
        some = sql.SQL(", ").join(names[start : start + 500])
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(some))


def _same_view(target: Target, snapshot: str, tables: Sequence[Table]) -> Connection:
    """Another session that sees the very same, with its own locks."""
    connection = target.open()
    try:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
        _lock(connection, tables, NEXT_LOCK_MS)
    except BaseException as error:
        connection.close()
        if isinstance(error, psycopg.errors.LockNotAvailable):
            raise _Overtaken from None
        raise
    return connection


def _first_chunk(dump: Streaming) -> bytes:
    """pg_dump writes nothing before it has its locks."""
    try:
        return dump.read(CHUNK)
    except ProcessFailed as error:
        if "LOCK TABLE" in error.detail:
            raise _Overtaken from None
        raise


def _dump(client: clients.Client, target: Target, snapshot: str) -> list[str]:
    return [
        client.pg_dump, "--format=custom", "--compress=0", f"--snapshot={snapshot}",
        f"--lock-wait-timeout={NEXT_LOCK_MS}", *target.tool_arguments(target.dbname),
    ]  # fmt: skip


def _sequence(before: SequenceState, after: SequenceState) -> dict[str, object]:
    """pg_dump read it some time between the two looks; without a move in between it is known exactly."""
    return {
        "entry": "sequence",
        "name": before.title,
        "increment": before.increment,
        "cycles": before.cycles,
        "before": [before.value, before.called],
        "after": [after.value, after.called],
    }


def _left_out(tables: list[Table], standby: bool) -> Iterator[str]:
    """What is not in the backup by PostgreSQL's nature, in sentences."""
    foreign = [table.title for table in tables if table.kind == "f"]
    if foreign:
        yield f"The rows of foreign tables live elsewhere and are not in the backup: {', '.join(foreign[:5])}."
    unlogged = [table.title for table in tables if standby and table.unlogged]
    if unlogged:
        yield f"Unlogged tables cannot be read on a standby and are not in the backup: {', '.join(unlogged[:5])}."
