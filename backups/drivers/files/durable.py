"""Having a restored directory on disk, while something else is done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from backups.drivers.files.renames import flush_file_system
from backups.drivers.files.words import unwritable


@contextmanager
def flushed(directory: int, place: str) -> Iterator[None]:
    """Write the directory's file system out during the block. Left without an error, all of it survives a power cut.

    ``directory`` is open on it. Raises :class:`DriverError` when the disk did not take something.
    """
    with ThreadPoolExecutor(1) as side:  # leaving it waits, so that the descriptor stays open long enough
        written = side.submit(flush_file_system, directory)
        yield
        try:
            written.result()
        except OSError as error:
            raise unwritable(place, error) from error
