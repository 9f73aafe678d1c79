"""Storing a backup: compress, hash and write beside the driver that reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import zstandard

from backups.artefacts.layout import (
    CHUNK,
    DATA,
    DEPTH,
    INDEX,
    MANIFEST,
    Index,
    StoredArtefactInfo,
    delete_artefact,
    said,
    to_json,
    write_index,
)
from backups.drivers.base import DriverError, Taken
from backups.drivers.words import ManifestEntry
from backups.sidethread import Behind
from backups.stores.base import ObjectWriter, Store

MANIFEST_CHUNK = 1 << 16
JOB = 2 << 20


def _threaded(level: int, threads: int) -> zstandard.ZstdCompressor:
    """A compressor for the data. Small jobs: of the size that zstd would choose, a few would fill 100 MB."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, threads=threads, job_size=JOB, write_checksum=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


class _Compressed:
    """One object being written: compressed, hashed and stored as it comes."""

    def __init__(self, writer: ObjectWriter, compressor: zstandard.ZstdCompressor) -> None:
        self._writer = writer
        self._frame = compressor.compressobj()
        self._hash = hashlib.sha256()
        self._size = 0

    def add(self, data: bytes | bytearray) -> None:
        self._store(self._frame.compress(data))

    def commit(self) -> tuple[int, str]:
        """End the frame and publish the object; its size and checksum."""
        self._store(self._frame.flush())
        with said():
            stored = self._writer.commit()
        if stored != self._size:
            raise DriverError("The store kept another number of bytes than were written. Try again.", retry=True)
        return self._size, self._hash.hexdigest()

    def _store(self, data: bytes) -> None:
        if data:
            self._hash.update(data)
            self._size += len(data)
            with said():
                self._writer.write(data)


class ArtefactWriter:
    """Stores a backup under ``prefix``: the :class:`~backups.drivers.base.Sink` that a driver writes to.

    ::

        with ArtefactWriter(store, prefix, kind=driver.kind, header={…}) as writer:
            info = writer.finish(driver.take(settings, writer, progress))

    Leaving the block without ``finish()``, or when it failed, removes everything. ``header`` must be JSON-able.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        *,
        kind: str,
        header: Mapping[str, Any],
        level: int = 3,
        threads: int | None = None,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._kind = kind
        self._header = header
        self._level = level
        self._threads = threads or min(4, len(os.sched_getaffinity(0)))
        self._stack = ExitStack()
        self._pending = bytearray()
        self._lines: list[str] = []
        self._lines_length = 0
        self._source_bytes = 0
        self._entries = 0

    def __enter__(self) -> Self:
        def opened(name: str, compressor: zstandard.ZstdCompressor) -> _Compressed:
            writer = self._stack.enter_context(self._store.writer(f"{self._prefix}/{name}"))
            return _Compressed(writer, compressor)

        with said(), ExitStack() as undo:
            undo.push(self._stack)
            self._manifest = opened(MANIFEST, zstandard.ZstdCompressor(level=self._level, write_checksum=True))
            self._data = opened(DATA, _threaded(self._level, self._threads))
            self._behind = Behind(self._data.add, DEPTH)
            self._stack.callback(self._behind.abandon)
            undo.pop_all()
        return self

    @property
    def token(self) -> str:
        """The prefix: no other copy has it."""
        return self._prefix

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the artefact; what is written may be changed or reused afterwards."""
        length = len(data)
        self._source_bytes += length
        if length + len(self._pending) < CHUNK:  # many small writes: the one path that must be short
            self._pending += data
            return
        if not self._pending and length >= CHUNK and type(data) is bytes:
            self._behind.put(data)
            return
        with memoryview(data) as view:
            for start in range(0, length, CHUNK):
                self._pending += view[start : start + CHUNK]
                if len(self._pending) >= CHUNK:
                    self._flush()

    def record(self, entry: ManifestEntry) -> None:
        """Append one line to the manifest."""
        line = to_json(entry)
        self._entries += 1
        self._lines.append(line)
        self._lines_length += len(line)
        if self._lines_length >= MANIFEST_CHUNK:
            self._flush_manifest()

    def finish(self, taken: Taken) -> StoredArtefactInfo:
        """Publish the backup, the index last; what is then stored, for the portal's own records."""
        if self._pending:
            self._flush()
        self._behind.finish()
        self._lines.append(to_json({"entries": self._entries}))
        self._flush_manifest()
        try:
            with said():
                self._store.delete(f"{self._prefix}/{INDEX}")  # of a backup that stood here: now it is torn
            size, checksum = self._data.commit()
            manifest_size, manifest_checksum = self._manifest.commit()
            info = StoredArtefactInfo(
                size, checksum, manifest_size, manifest_checksum, self._source_bytes, self._entries
            )
            index = Index(self._kind, self._header, info, taken.summary, taken.warnings, taken.kept)
            write_index(self._store, self._prefix, index)
        except BaseException:
            delete_artefact(self._store, self._prefix)
            raise
        return info

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with said():
            self._stack.__exit__(kind, error, trace)

    def _flush(self) -> None:
        pending, self._pending = self._pending, bytearray()
        self._behind.put(pending)

    def _flush_manifest(self) -> None:
        self._manifest.add("".join(line + "\n" for line in self._lines).encode("ascii"))
        self._lines.clear()
        self._lines_length = 0
