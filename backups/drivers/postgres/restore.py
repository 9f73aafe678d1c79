"""Building the complete restore in a database beside the live one.

The stored backup is read to its end, where its checksum is verified, *before* anything is made on the server. With
room for it the dump then lies in a private file, from which ``pg_restore`` works in parallel; without, it is
streamed a second time, into a single ``pg_restore``.

``pg_restore`` runs with asynchronous commits: nothing refers to this database before it is finished, and the
synchronous transaction that finishes it flushes everything before it.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from io import RawIOBase
from pathlib import Path

from backups.drivers.base import Artefact, DriverError, Place
from backups.drivers.postgres import archive, clients, header, survey
from backups.drivers.postgres.checks import server_major
from backups.drivers.postgres.create import create, finish
from backups.drivers.postgres.errors import translated
from backups.drivers.postgres.exchange import drop
from backups.drivers.postgres.rights import missing_rights
from backups.drivers.postgres.selection import Selection
from backups.drivers.postgres.target import Target
from backups.drivers.words import Progress
from backups.processes import Streaming
from backups.sidethread import Behind

CHUNK = 1 << 20
DEPTH = 4  # chunks that may wait to be written
JOBS = max(2, min(os.cpu_count() or 2, 8))
_SESSION = {
    "synchronous_commit": "off",
    "max_parallel_maintenance_workers": "0",  # the jobs are the parallelism; helpers of theirs would outnumber the cores
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


def restore(
    target: Target,
    place: Place,
    artefact: Artefact,
    workdir: Path,
    progress: Progress,
    selection: Selection | None = None,
) -> None:
    """See :meth:`Driver.restore`; with a ``selection`` of the dump's entries nothing but them."""
    head = header.read(artefact)
    total = artefact.source_bytes + head["size_bytes"]
    dump = _unpack(artefact, workdir, lambda done: progress(done, total))
    with target.connect(target.maintenance_db) as connection:
        client = clients.for_server(server_major(connection), _major(head["dump_version"]))
        keep_owner = not missing_rights(connection, head)
        spaces = set(head["tablespaces"]) <= {
            name for (name,) in survey.rows(connection, "SELECT spcname FROM pg_tablespace")
        }
        drop(target, connection, place.beside)
        create(connection, place.beside, head, keep_owner)
        arguments = [
            client.pg_restore, "--exit-on-error", *([] if keep_owner else ["--no-owner", "--no-privileges"]),
            *([] if spaces else ["--no-tablespaces"]), *_listed(selection, workdir),
            *target.tool_arguments(place.beside),
        ]  # fmt: skip

        def beat() -> None:
            size = survey.one(connection, "SELECT pg_database_size(%s)", [place.beside])
            progress(artefact.source_bytes + min(size, head["size_bytes"]), total)

        with translated(target.describe(place.beside)):
            if dump is None:
                _stream(target, arguments, artefact, beat)
            else:
                _from_file(target, arguments, dump, beat)
                dump.unlink()
        finish(connection, place.beside, head, keep_owner)
    progress(total, total)


def _listed(selection: Selection | None, workdir: Path) -> list[str]:
    """How pg_restore is told the entries: by their numbers, in a file."""
    if selection is None:
        return []
    path = workdir / "entries"
    path.write_text("".join(f"{dump_id};\n" for dump_id in selection.ids))
    return [f"--use-list={path}"]


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def unpacks(workdir: Path, artefact: Artefact) -> bool:
    """Whether the unpacked dump fits into the work directory, with some to spare."""
    return shutil.disk_usage(workdir).free > artefact.source_bytes * 1.05 + (64 << 20)


def _unpack(artefact: Artefact, workdir: Path, advance: Callable[[int], None]) -> Path | None:
    """Read the artefact to its verified end, into a file if there is room for one."""
    path = workdir / "dump" if unpacks(workdir, artefact) else None
    places = archive.Places()
    done = 0
    with artefact.open() as source, open(path or os.devnull, "wb", buffering=0, opener=_private) as target:

        def keep(chunk: bytes) -> None:
            _write(target, chunk)
            if path:
                places.passes(chunk)

        behind: Behind[bytes] = Behind(keep, DEPTH)
        try:
            while chunk := source.read(CHUNK):
                behind.put(chunk)
                done += len(chunk)
                advance(done)
            behind.finish()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise DriverError(
                    "The portal's work directory could not take the unpacked backup. See that its disk is sound, then"
                    " try again.",
                    detail=str(error),
                    retry=True,
                ) from None
            raise DriverError(
                "The portal's work directory has no room for the unpacked backup. Make room, then try again.",
                detail=str(error),
                retry=True,
            ) from None
        finally:
            behind.abandon()
    if path:
        places.fill_in(path)
    return path


def _write(target: RawIOBase, chunk: bytes) -> None:
    with memoryview(chunk) as left:
        start = 0
        while start < len(chunk):  # a disk that is nearly full takes a part, and refuses the next
            start += target.write(left[start:]) or 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _from_file(target: Target, arguments: list[str], dump: Path, beat: Callable[[], None]) -> None:
    """``pg_restore`` with several sessions; ``beat`` is called every second and may raise to cancel."""
    with (
        Streaming(
            [*arguments, f"--jobs={JOBS}", str(dump)], mode="read",
            env=target.tool_environment(_SESSION), redact=[target.password()],
        ) as process,
        ThreadPoolExecutor(1) as waiting,
    ):  # fmt: skip
        try:
            ended = waiting.submit(process.finish)
            while not wait([ended], timeout=1.0).done:
                beat()
            ended.result()
        except BaseException:
            process.stop()
            raise


def _stream(target: Target, arguments: list[str], artefact: Artefact, beat: Callable[[], None]) -> None:
    with (
        artefact.open() as source,
        Streaming(
            arguments, mode="write", env=target.tool_environment(_SESSION), redact=[target.password()]
        ) as process,
    ):
        done = 0
        while chunk := source.read(CHUNK):
            process.write(chunk)
            done += len(chunk)
            if done % (64 * CHUNK) < CHUNK:
                beat()
