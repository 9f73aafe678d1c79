"""Where the bytes of attachments lie: below DATA_DIR, each under a random key, never under a name that people gave.

A file is written under a temporary name, flushed to disk, and published by a rename: under its key there is the whole file or
none. The row that names it is written in the same transaction in which it is published.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from django.conf import settings

CHUNK = 1 << 20
PARTIAL = ".partial"


@dataclass(frozen=True)
class Staged:
    """A file that is written and flushed, but not published. ``checksum`` is the SHA-256 of its bytes, hexadecimal."""

    key: UUID
    size: int
    checksum: str


def path_of(key: UUID) -> Path:
    """Where the published file lies."""
    return Path(settings.ATTACHMENTS_DIR) / key.hex


def _partial_of(key: UUID) -> Path:
    return Path(settings.ATTACHMENTS_DIR) / PARTIAL / key.hex


def _make(directory: Path) -> None:
    """The directory, for the portal's user alone; present is fine."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        _flush(directory.parent)


def _flush(directory: Path) -> None:
    """Have the names in a directory survive a power cut."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def staged(source: BinaryIO) -> Iterator[Staged]:
    """Write all of the source. What is not published when the context is left is removed."""
    key, digest, size = uuid4(), hashlib.sha256(), 0
    path = _partial_of(key)
    for directory in (path.parent.parent, path.parent):
        _make(directory)
    source.seek(0)
    try:
        with path.open("xb") as file:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        yield Staged(key, size, digest.hexdigest())
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def published(key: UUID) -> Iterator[None]:
    """Publish the staged file, for good only when the context is left without an error."""
    path = path_of(key)
    _partial_of(key).rename(path)
    try:
        _flush(path.parent)
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def open_file(key: UUID) -> BinaryIO | None:
    """The file's bytes; None when it is not there."""
    try:
        return path_of(key).open("rb")
    except FileNotFoundError:
        return None


def sweep_partial(written_before: float) -> int:
    """Remove what was staged and never published, last written before that moment (as ``time.time()``); how many."""
    removed = 0
    with suppress(FileNotFoundError), os.scandir(Path(settings.ATTACHMENTS_DIR) / PARTIAL) as found:
        for entry in found:
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < written_before:
                    os.unlink(entry.path)
                    removed += 1
    return removed


def published_keys(written_before: float) -> Iterator[UUID]:
    """The keys of all published files that were written before that moment."""
    with suppress(FileNotFoundError), os.scandir(settings.ATTACHMENTS_DIR) as found:
        for entry in found:
            with suppress(FileNotFoundError, ValueError):  # a name that is no key is nothing of ours
                key = UUID(hex=entry.name)
                if entry.stat(follow_symlinks=False).st_mtime < written_before:
                    yield key
