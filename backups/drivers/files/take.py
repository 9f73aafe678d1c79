"""Taking a backup: one pass over the tree, written as a standard PAX tar, each entry into the manifest as it goes.

The promise: the manifest says what is *in the artefact*. A file's entry is fixed when it is opened; one that grows
is cut at that size, one that shrinks is filled with zeros, and both are told.
"""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from typing import Any

from backups.drivers.base import Sink, Taken
from backups.drivers.files.tarball import END, header, padding
from backups.drivers.files.walk import Node, Noticed, Type, Walk, entry
from backups.drivers.files.words import named, unreadable
from backups.drivers.words import Progress

CHUNK = 1 << 19
SMALL = 1 << 17
MOST_PARTS = 1 << 16  # of a sparse file; one with more is stored whole, so that its chart stays small
PLURALS = {
    Type.FILE: "files",
    Type.DIRECTORY: "directories",
    Type.SYMLINK: "symbolic_links",
    Type.HARDLINK: "hard_links",
    Type.FIFO: "fifos",
    Type.CHARACTER: "devices",
    Type.BLOCK: "devices",
}
TOLD = {
    "grown": "{count} grew while read, and were stored as long as they were when opened: {paths}.",
    "shrunk": "{count} shrank while read, and were filled with zeros: {paths}.",
    "changed": "{count} changed while read, and may be half old and half new: {paths}.",
    "vanished": "{count} vanished while the tree was read, and are not in the backup: {paths}.",
    "socket": "{count} are sockets, which no backup can hold; their program makes them anew: {paths}.",
    "mount": "{count} are other file systems mounted inside; their content is in the backup: {paths}.",
}


def take(root: int, base: str, sink: Sink, progress: Progress) -> Taken:
    """Back up the tree open at ``root``; ``base`` is its path for error messages, ending in a slash."""
    return _Taking(root, base, sink, progress).run()


class _Taking:
    def __init__(self, root: int, base: str, sink: Sink, progress: Progress) -> None:
        self._walk = Walk(root, base)
        self._noticed: Noticed = self._walk.noticed
        self._base = base
        self._sink = sink
        self._progress = progress
        self._read = 0

    def run(self) -> Taken:
        counts: dict[Type, int] = {}
        write, record = self._sink.write, self._sink.record
        for node in self._walk:
            counts[node.type] = counts.get(node.type, 0) + 1
            line = entry(node)
            if node.type is Type.FILE:
                try:
                    self._file(node, line)
                except OSError as error:
                    raise unreadable(self._base + node.path, error) from error
                finally:
                    os.close(node.fd)
            else:
                write(header(node, 0))
            record(line)
        write(END)
        self._progress(self._read)
        summary: dict[str, int] = {}
        for kind, count in counts.items():
            summary[PLURALS[kind]] = summary.get(PLURALS[kind], 0) + count
        return Taken(max(self._read, 1), summary, self._warnings())

    def _file(self, node: Node, line: dict[str, Any]) -> None:
        size = node.stat.st_size
        parts = _parts(node.fd, size) if node.stat.st_blocks * 512 < size else None
        if parts is not None or size > SMALL or not self._small(node, line):
            stored = size if parts is None else sum(length for _, length in parts)
            self._sink.write(header(node, stored, parts))
            line["sha256"] = self._content(node, parts or [(0, size)])
            self._sink.write(padding(stored))
        after = os.fstat(node.fd)
        if after.st_mtime_ns != node.stat.st_mtime_ns or after.st_size != node.stat.st_size:
            grew = after.st_size - node.stat.st_size
            self._noticed.add("grown" if grew > 0 else "shrunk" if grew < 0 else "changed", node.path)
            line["changed"] = True
        self._progress(self._read)

    def _small(self, node: Node, line: dict[str, Any]) -> bool:
        """Write a small file at one go; False when less of it came than there should be, and nothing was written."""
        size = node.stat.st_size
        data = os.read(node.fd, size)
        if len(data) != size:
            os.lseek(node.fd, 0, os.SEEK_SET)
            return False
        self._sink.write(b"".join((header(node, size), data, padding(size))))
        line["sha256"] = sha256(data).hexdigest()
        self._read += size
        return True

    def _content(self, node: Node, parts: list[tuple[int, int]]) -> str:
        """Write the parts of a file; the SHA-256 of the whole, holes included."""
        digest = sha256()
        at = position = 0  # in the file; and where its descriptor stands
        for offset, length in parts:
            _digest_zeros(digest, offset - at)
            if position != offset:
                os.lseek(node.fd, offset, os.SEEK_SET)
            at, end = offset, offset + length
            while at < end:
                data = os.read(node.fd, min(CHUNK, end - at))
                if not data:  # shrunk: what the header promised must still come
                    data = bytes(min(CHUNK, end - at))
                digest.update(data)
                self._sink.write(data)
                at += len(data)
                self._read += len(data)
                if at < end:
                    self._progress(self._read)
            position = at
        _digest_zeros(digest, node.stat.st_size - at)
        return digest.hexdigest()

    def _warnings(self) -> tuple[str, ...]:
        found = self._noticed
        return tuple(
            text.format(
                count=f"{found.counts[what]:,} of the entries", paths=named(found.paths[what], found.counts[what])
            )
            for what, text in TOLD.items()
            if what in found.counts
        )


def _digest_zeros(digest: Any, count: int) -> None:
    while count > 0:
        digest.update(ZEROS[:count] if count < len(ZEROS) else ZEROS)
        count -= len(ZEROS)


ZEROS = memoryview(bytes(1 << 18))


def _parts(fd: int, size: int) -> list[tuple[int, int]] | None:
    """The (offset, length) of each part that holds data, the last one ending the file; None: store it whole."""
    parts: list[tuple[int, int]] = []
    at = 0
    try:
        while at < size:
            try:
                start = os.lseek(fd, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:  # no more data
                    raise
                break
            if start >= size:
                break
            at = min(os.lseek(fd, start, os.SEEK_HOLE), size)
            parts.append((start, at - start))
            if len(parts) > MOST_PARTS:
                parts = [(0, size)]
                break
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that does not know of holes
            raise
        parts = [(0, size)]
    os.lseek(fd, 0, os.SEEK_SET)
    if parts == [(0, size)]:
        return None
    if not parts or sum(parts[-1]) < size:
        parts.append((size, 0))
    return parts
