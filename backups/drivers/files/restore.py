"""Building a restore: the stored tar streams into GNU tar, which makes a directory beside the live one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.drivers.base import Artefact, DriverError, Place, Progress
from backups.drivers.files.exchange import discard, names
from backups.drivers.files.places import opened
from backups.drivers.files.renames import flush
from backups.drivers.files.words import shown
from backups.processes import ProcessFailed, Streaming
from backups.sidethread import Behind

CHUNK = 1 << 19
DEPTH = 8  # chunks waiting for tar: 4 MiB
NO_ROOM = ("No space left on device", "Disk quota exceeded")


def restore(place: Place, artefact: Artefact, progress: Progress) -> None:
    """Build ``place.beside``, whole, or leave nothing there. Comparing it later also sees it on disk."""
    discard(place, place.beside)
    with names(place) as here:
        os.mkdir(here.beside, 0o700, dir_fd=here.parent)
        flush(here.parent)
    try:
        with opened(place.beside) as target:
            _extract(target, place.beside, artefact, progress)
    except BaseException:
        discard(place, place.beside)
        raise


def _extract(target: int, path: str, artefact: Artefact, progress: Progress) -> None:
    """Have tar work in the open directory, which is the one that was made, whatever has its path by then."""
    done, expected = 0, artefact.source_bytes
    inside = Path(f"/proc/{os.getpid()}/fd/{target}")
    try:
        with (
            artefact.open() as data,
            Streaming(_tar(), mode="write", cwd=inside) as tar,
            _feeding(tar) as feeder,
        ):
            while chunk := data.read(CHUNK):
                feeder.put(chunk)
                done += len(chunk)
                progress(done, expected)
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
