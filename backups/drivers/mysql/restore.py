"""Building the complete restore in a database beside the live one.

Tables and sequences are made from the manifest, one by one, so that what fails is named. Then the stored rows flow
through their strict reader into one loading client, which stops at its first error; what was read is compared with the
manifest at once. Last comes what acts: a trigger that was there earlier would change the rows as they are loaded. Events
are made asleep, and wake up when the database becomes live.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from io import RawIOBase
from typing import BinaryIO

from backups.drivers.base import Artefact, DamagedBackup, Place
from backups.drivers.mysql import clients, header, journal, mark, programs, script, survey
from backups.drivers.mysql.dumping import CHUNK, LARGEST_PACKET, known
from backups.drivers.mysql.errors import translated
from backups.drivers.mysql.header import Manifest
from backups.drivers.mysql.programs import EVENT, Program
from backups.drivers.mysql.rights import may_define
from backups.drivers.mysql.rows import Rows
from backups.drivers.mysql.survey import Database, execute
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.words import Progress
from backups.processes import Streaming


def restore(
    target: Target, place: Place, artefact: Artefact, progress: Progress, only: Collection[str] | None = None
) -> None:
    """See :meth:`Driver.restore`; with ``only`` nothing but the tables of these names, and what acts on them."""
    manifest = header.read(artefact)
    head = manifest.head
    with target.connect() as connection, translated(target.describe(place.beside)):
        client = clients.for_server(survey.is_mariadb(connection))
        wanted = [program for program in manifest.programs if comes(program, only)]
        if not may_define(connection, target, wanted):
            wanted = [program.disowned() for program in wanted]
        survey.execute(connection, "SET SESSION unique_checks = 0")
        journal.drop(connection, place.beside)
        journal.shape(connection, place.beside, Database(head["charset"], head["collation"], head["comment"]))
        identity = secrets.token_hex(16)
        mark.make(connection, place.beside, {mark.ID: identity, mark.BUILDING: place.live, mark.LIVE: place.live})
        _make_tables(connection, place.beside, manifest, only)
        _load(target, client, place.beside, artefact, manifest, progress, only)
        for sequence in manifest.sequences.values():
            execute(connection, script.standing(sequence))
        programs.make(connection, place.beside, [program.asleep() for program in wanted])
        events = [program.as_json() for program in wanted if program.kind == EVENT]
        mark.write(connection, place.beside, {mark.EVENTS: events, mark.BUILDING: None})
    progress(artefact.source_bytes, artefact.source_bytes)


def comes(program: Program, only: Collection[str] | None) -> bool:
    """Whether it belongs to the restore: of a part, no more than the triggers on its tables."""
    return only is None or (program.kind == programs.TRIGGER and program.table in only)


def _make_tables(connection: Connection, name: str, manifest: Manifest, only: Collection[str] | None) -> None:
    connection.select_db(name)
    # A default may take its value from a sequence, so those come in any case.
    for sequence in manifest.sequences.values():
        execute(connection, sequence["create"])
    for table in manifest.tables.values():
        if only is None or table["name"] in only:
            execute(connection, script.with_counter(table))


def _load(
    target: Target, client: clients.Client, name: str, artefact: Artefact, manifest: Manifest, progress: Progress,
    only: Collection[str] | None,
) -> None:  # fmt: skip
    """The rows, from the artefact into the client. Reads the artefact to its verified end."""
    with (
        target.options_file() as options,
        artefact.open() as source,
        Streaming(
            [
                client.load, f"--defaults-file=/dev/fd/{options}", *target.encryption_arguments(client.mariadb),
                "--batch", "--binary-mode", "--local-infile=0", "--default-character-set=binary",
                f"--max-allowed-packet={LARGEST_PACKET}", f"--database={name}",
            ],
            mode="write", redact=[target.password()], pass_fds=[options],
        ) as loading,
    ):  # fmt: skip
        loading.write(script.LOADING.encode())
        rows = Rows(loading.write, only)
        done = 0
        with known():
            for part in _rows_of(source, manifest):
                if part:
                    rows.feed(part)
                done += CHUNK
                progress(min(done, artefact.source_bytes), artefact.source_bytes)
            rows.finish()
        _as_recorded(rows, manifest)
        loading.write(script.LOADED.encode())


def _rows_of(source: BinaryIO | RawIOBase, manifest: Manifest) -> Iterator[bytes]:
    """The chunks between where the rows begin and end; all others come as nothing."""
    start, end = manifest.rows_at
    at = 0
    while chunk := source.read(CHUNK):
        yield chunk[max(start - at, 0) : max(end - at, 0)]
        at += len(chunk)


def _as_recorded(rows: Rows, manifest: Manifest) -> None:
    """What flowed by is what was counted when the backup was taken; else it was altered since."""
    recorded = {
        name: (entry["rows"], entry["digest"]) for name, entry in manifest.tables.items() if entry["rows"] is not None
    }
    read = {name: (count.rows, count.digest) for name, count in rows.tables.items()}
    if read != recorded:
        differ = [name for name in sorted(read.keys() | recorded.keys()) if read.get(name) != recorded.get(name)]
        raise DamagedBackup(
            "The stored rows are not those that the manifest of the backup describes. Choose another backup.",
            detail=f"different: {', '.join(differ)}",
        )
