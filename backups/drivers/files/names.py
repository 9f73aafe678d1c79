"""The names in a directory, sorted, in constant memory however many there are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from heapq import merge
from typing import IO

RUN = 100_000  # names sorted in memory; about 20 MB

Name = tuple[str, bool]
"""A name, and whether it is a regular file's."""


def sorted_names(directory: int) -> Iterator[Name]:
    """The names in the open directory, in the order of their characters. Raises OSError, from the call on.

    Of a very large directory sorted runs wait in nameless temporary files and are merged; closing the iterator, or
    its end, gives them back.
    """
    runs: list[IO[bytes]] = []
    batch: list[Name] = []
    try:
        with os.scandir(directory) as found:
            for entry in found:
                batch.append((entry.name, entry.is_file(follow_symlinks=False)))
                if len(batch) >= RUN:
                    runs.append(_put_aside(batch))
                    batch = []
        batch.sort()
    except BaseException:
        _close(runs)
        raise
    return _merged(runs, batch) if runs else iter(batch)


def _put_aside(batch: list[Name]) -> IO[bytes]:
    batch.sort()
    run = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever reads it)
    try:
        run.writelines(os.fsencode(name) + (b"/f\0" if regular else b"/o\0") for name, regular in batch)
        run.seek(0)
    except BaseException:
        run.close()
        raise
    return run


def _merged(runs: list[IO[bytes]], batch: list[Name]) -> Iterator[Name]:
    try:
        yield from merge(*map(_read, runs), batch)
    finally:
        _close(runs)


def _read(run: IO[bytes]) -> Iterator[Name]:
    rest = b""
    while chunk := run.read(1 << 16):
        *whole, rest = (rest + chunk).split(b"\0")
        for one in whole:
            yield os.fsdecode(one[:-2]), one.endswith(b"/f")


def _close(runs: list[IO[bytes]]) -> None:
    for run in runs:
        run.close()
