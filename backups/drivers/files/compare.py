"""Comparing a restored tree with the manifest: both ways, everything, in constant memory.

Both come in the same order, so they are merged. Files are hashed by two threads, a few batches ahead of the merge.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from backups.drivers.base import NotAsBackedUp, Verified
from backups.drivers.counting import counted
from backups.drivers.files.take import PLURALS
from backups.drivers.files.walk import Node, Type, Walk, entry
from backups.drivers.files.words import shown, size, unreadable
from backups.drivers.words import ManifestEntry, Progress

CHUNK = 1 << 20
BATCH_FILES = 48
BATCH_BYTES = 8 << 20
BATCHES = 4  # hashed or waiting to be; each holds up to BATCH_FILES descriptors
NAMED = 10
HEARTBEAT_SECONDS = 0.5
# Not of the thing itself but of how it was read.
ASIDE = frozenset({"sha256", "changed"})
LABELS = {"uid": "owner", "gid": "group", "target": "link target", "xattrs": "attributes"}


class _Differences:
    """Counts differences, and keeps the first few as lines for people."""

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[str] = []

    def add(self, path: str, what: str) -> None:
        self.count += 1
        if self.count <= NAMED:
            self.lines.append(f"{shown(path)}: {what}")

    def fields(self, path: str, expected: ManifestEntry, found: ManifestEntry) -> None:
        for name in sorted((expected.keys() | found.keys()) - ASIDE):
            was, now = expected.get(name), found.get(name)
            if was == now:
                continue
            if name == "xattrs":
                odd = sorted(
                    key for key in {**(was or {}), **(now or {})} if (was or {}).get(key) != (now or {}).get(key)
                )
                self.add(path, f"attributes differ: {', '.join(odd)}")
            elif name == "mode":
                self.add(path, f"mode is {_octal(now)} instead of {_octal(was)}")
            elif name == "mtime_ns":
                self.add(path, f"time is {_time(now)} instead of {_time(was)}")
            else:
                self.add(path, f"{LABELS.get(name, name)} is {_plain(now)} instead of {_plain(was)}")

    def error(self, place: str) -> NotAsBackedUp:
        return NotAsBackedUp(
            f"The restore in {shown(place)} is not what was backed up:"
            f" {counted(self.count, 'difference')}, the first is {self.lines[0]}."
            " Nothing live was touched. Restore another backup, or try again.",
            detail="\n".join([*self.lines, *([f"… and {self.count - NAMED:,} more"] if self.count > NAMED else [])]),
        )


def _octal(mode: Any) -> str:
    return f"{mode:04o}" if isinstance(mode, int) else "none"


def _time(nanoseconds: Any) -> str:
    """A time that people can read and that still tells two nanoseconds apart."""
    if not isinstance(nanoseconds, int):
        return "none"
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction:09} UTC"
    except (OverflowError, ValueError, OSError):  # a year beyond 9999
        return f"{nanoseconds} ns"


def _plain(value: Any) -> str:
    return shown(value) if isinstance(value, str) else "none" if value is None else f"{value}"


def _order(path: str) -> list[str]:
    return path.split("/") if path else []


class _Hashing:
    """Hashes files in two threads; the differences come out in the calling thread."""

    def __init__(self, base: str, progress: Progress, expected: int | None, differences: _Differences) -> None:
        self._base = base
        self._progress = progress
        self._expected = expected
        self._differences = differences
        self._pool = ThreadPoolExecutor(2)
        self._running: deque[Future[list[str]]] = deque()
        self._batch: list[tuple[str, int, Any]] = []
        self._batch_bytes = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.done = 0

    def add(self, node: Node, digest: Any) -> None:
        """Take over the node's descriptor; its content must have that digest."""
        self._batch.append((node.path, node.fd, digest))
        self._batch_bytes += node.stat.st_size
        if len(self._batch) >= BATCH_FILES or self._batch_bytes >= BATCH_BYTES:
            self._submit()

    def finish(self) -> None:
        self._submit()
        while self._running:
            self._collect()

    def _submit(self) -> None:
        while len(self._running) >= BATCHES:
            self._collect()
        self._running.append(self._pool.submit(self._hash, self._batch))
        self._batch, self._batch_bytes = [], 0

    def _collect(self) -> None:
        future = self._running[0]
        while True:
            self._progress(self.done, self._expected)
            try:
                odd = future.result(timeout=HEARTBEAT_SECONDS)
                break
            except StillRunning:
                continue
        self._running.popleft()
        for path in odd:
            self._differences.add(path, "content differs: its SHA-256 is another")

    def _hash(self, batch: list[tuple[str, int, Any]]) -> list[str]:
        odd = []
        done = 0
        try:
            buffer = bytearray(0)
            for path, fd, digest in batch:
                hashed = sha256()
                try:
                    data = os.read(fd, CHUNK)
                    hashed.update(data)
                    done += len(data)
                    if len(data) == CHUNK:
                        buffer = buffer or bytearray(CHUNK)
                        view = memoryview(buffer)
                        while (count := os.readv(fd, [buffer])) and not self._stop.is_set():
                            hashed.update(view[:count])
                            done = self._advance(done + count)
                except OSError as error:
                    raise unreadable(self._base + path, error) from error
                if hashed.hexdigest() != digest:
                    odd.append(path)
                if self._stop.is_set():
                    break
        finally:
            for _, fd, _ in batch:
                os.close(fd)
            self._advance(done)
        return odd

    def _advance(self, count: int) -> int:
        with self._lock:
            self.done += count
        return 0

    def close(self) -> None:
        """Stop and let go of everything."""
        self._stop.set()
        self._pool.shutdown(wait=True)
        for _, fd, _ in self._batch:
            os.close(fd)
        self._batch = []


def compare(
    root: int, base: str, place: str, manifest: Iterable[ManifestEntry], expected: int | None, progress: Progress
) -> Verified:
    """Hold the tree open at ``root`` against the manifest. Raises :class:`NotAsBackedUp` naming the first differences.

    ``base`` is put before paths in error messages; ``expected`` is the number of bytes to tell ``progress``, if known.
    """
    differences = _Differences()
    hashing = _Hashing(base, progress, expected, differences)
    counts: dict[str, int] = {}
    walk = Walk(root, base)
    try:
        for was, node in _merged(iter(manifest), iter(walk)):
            if was is None:
                assert node is not None
                differences.add(node.path, f"{node.type} is not in the backup")
            elif node is None:
                differences.add(was["path"], f"{was['type']} is missing")
            else:
                counts[PLURALS[node.type]] = counts.get(PLURALS[node.type], 0) + 1
                differences.fields(node.path, was, entry(node)) if _unequal(was, node) else None
                if node.type is Type.FILE:
                    hashing.add(node, was.get("sha256"))
                    continue
            if node is not None and node.fd >= 0:
                os.close(node.fd)
        hashing.finish()
    finally:
        hashing.close()
    for path in walk.noticed.paths.get("socket", []):
        differences.add(path, "socket is not in the backup")
    if differences.count:
        raise differences.error(place)
    total = sum(counts.values())
    sentence = (
        f"{counted(total, 'entry', 'entries')}, {size(hashing.done)} of content: every path, type, size, mode, owner, time, link,"
        " attribute and SHA-256 is as in the manifest."
    )
    return Verified(sentence, {**counts, "bytes": hashing.done})


def _unequal(was: ManifestEntry, node: Node) -> bool:
    found = entry(node)
    return {name: value for name, value in was.items() if name not in ASIDE} != found


def _merged(
    expected: Iterator[ManifestEntry], found: Iterator[Node]
) -> Iterator[tuple[ManifestEntry | None, Node | None]]:
    """Pairs of the same path; None where one side lacks it."""
    was, node = next(expected, None), next(found, None)
    while was is not None or node is not None:
        if was is not None and node is not None and was["path"] == node.path:
            yield was, node
            was, node = next(expected, None), next(found, None)
        elif node is None or (was is not None and _order(was["path"]) < _order(node.path)):
            yield was, None
            was = next(expected, None)
        else:
            yield None, node
            node = next(found, None)
