"""Building a restore: the stored tar, or a part of it, streams into GNU tar, which makes a directory beside the live one."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from backups.drivers.base import Artefact, DriverError, Place
from backups.drivers.files.exchange import discard, names
from backups.drivers.files.part import Picked, stand_ins_of
from backups.drivers.files.picking import picked_members
from backups.drivers.files.places import opened
from backups.drivers.files.renames import flush
from backups.drivers.files.words import shown
from backups.drivers.words import Progress
from backups.processes import ProcessFailed, Streaming
from backups.sidethread import Behind

CHUNK = 1 << 19
DEPTH = 8  # chunks waiting for tar: 4 MiB
NO_ROOM = ("No space left on device", "Disk quota exceeded")


def restore(place: Place, artefact: Artefact, progress: Progress) -> None:
    """Build ``place.beside``, whole, or leave nothing there. Comparing it later also sees it on disk."""
    _build(place, _whole(artefact, progress))


def restore_part(place: Place, artefact: Artefact, picked: Picked, progress: Progress) -> None:
    """The same with what was picked alone."""
    stand_ins = stand_ins_of(artefact.manifest(), picked)
    _build(place, _collected(picked_members(artefact, picked, stand_ins, progress)))


def _whole(artefact: Artefact, progress: Progress) -> Generator[bytes, None, None]:
    done, expected = 0, artefact.source_bytes
    with artefact.open() as data:
        while chunk := data.read(CHUNK):
            yield chunk
            done += len(chunk)
            progress(done, expected)


def _collected(pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """The same bytes in larger chunks: a small one costs as much to hand on as a large one."""
    waiting: list[bytes] = []
    length = 0
    with closing(pieces):
        for piece in pieces:
            waiting.append(piece)
            length += len(piece)
            if length >= CHUNK:
                yield b"".join(waiting)
                waiting, length = [], 0
    yield b"".join(waiting)


def _build(place: Place, archive: Generator[bytes, None, None]) -> None:
    discard(place, place.beside)
    with names(place) as here:
        os.mkdir(here.beside, 0o700, dir_fd=here.parent)
        flush(here.parent)
    try:
        with opened(place.beside) as target:
            _extract(target, place.beside, archive)
    except BaseException:
        discard(place, place.beside)
        raise


def _extract(target: int, path: str, archive: Generator[bytes, None, None]) -> None:
    """Have tar work in the open directory, which is the one that was made, whatever has its path by then."""
    inside = Path(f"/proc/{os.getpid()}/fd/{target}")
    try:
        with (
            closing(archive),
            Streaming(_tar(), mode="write", cwd=inside) as tar,
            _feeding(tar) as feeder,
        ):
            for chunk in archive:
                feeder.put(chunk)
    except ProcessFailed as error:
        if any(text in error.stderr for text in NO_ROOM):
            sentence = f"There is no room left for the restore beside {shown(path)}. Free space there, then try again."
            raise DriverError(sentence, detail=error.detail, retry=True) from error
        raise DriverError(
            f"GNU tar could not build the restore at {shown(path)}. Nothing live was touched; the detail says why.",
            detail=error.detail or error.sentence,
            retry=True,
        ) from error


@contextmanager
def _feeding(tar: Streaming) -> Iterator[Behind[bytes]]:
    """Write to the program in a side thread, so that it has something to do while the next part is decompressed."""
    feeder: Behind[bytes] = Behind(tar.write, DEPTH)
    try:
        yield feeder
        feeder.finish()
    except BaseException:
        tar.stop()  # first: the feeder may be waiting for it
        feeder.abandon()
        raise


def _tar() -> list[str]:
    options = [
        "--extract",
        "--file=-",
        "--format=pax",
        "--xattrs",
        "--xattrs-include=*",
        "--numeric-owner",
        "--same-permissions",
        "--delay-directory-restore",
        "--blocking-factor=512",
        "--warning=no-timestamp",
    ]
    if os.geteuid() == 0:
        options.append("--same-owner")
    return ["tar", *options]
