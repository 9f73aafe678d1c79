"""Picking members from a stored tar as it streams by, for another tar to read: one pass, constant memory.

It reads what :mod:`backups.drivers.files.tarball` writes, and no other archives. What is passed on is passed on byte
for byte; only a name that stands in for another (see :mod:`backups.drivers.files.part`) is written anew.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from backups.drivers.base import Artefact, DamagedBackup
from backups.drivers.files.part import Picked, StandIns
from backups.drivers.files.tarball import BLOCK, END, FLAGS, NAME_ROOM, extension, record, with_checksum
from backups.drivers.files.walk import Type
from backups.drivers.words import Progress

CHUNK = 1 << 19
EXTENDED, LINK = b"x", FLAGS[Type.HARDLINK]
PATH, SPARSE_PATH, LINK_PATH, SIZE = b"path", b"GNU.sparse.name", b"linkpath", b"size"


class _Unreadable(Exception):
    """What comes is not what the portal writes."""


class _Member(NamedTuple):
    """A header: all its bytes, its parts, and how many bytes of content follow, padding included."""

    raw: bytes
    records: Mapping[bytes, bytes]
    block: bytes
    follows: int

    @property
    def path(self) -> str:
        """As in the manifest."""
        stored = self.records.get(SPARSE_PATH) or self.records.get(PATH) or _text(self.block[:NAME_ROOM])
        return _path(stored)

    @property
    def target(self) -> str:
        """Of a hard link the first name, as in the manifest; else empty."""
        if self.block[156:157] != LINK:
            return ""
        return _path(self.records.get(LINK_PATH) or _text(self.block[157:257]))

    def called(self, path: str) -> bytes:
        """The header with another name."""
        stored = b"./" + os.fsencode(path)
        others = {key: value for key, value in self.records.items() if key not in (PATH, SPARSE_PATH)}
        if SPARSE_PATH in self.records:
            return _written({**others, SPARSE_PATH: stored}, self.block)
        if len(stored) > NAME_ROOM:
            others[PATH] = stored
        return _written(others, stored[:NAME_ROOM].ljust(NAME_ROOM, b"\0") + self.block[NAME_ROOM:])

    def linked_to(self, path: str) -> bytes:
        """The header of a hard link with another target."""
        stored = b"./" + os.fsencode(path)
        others = {key: value for key, value in self.records.items() if key != LINK_PATH}
        if len(stored) > NAME_ROOM:
            others[LINK_PATH] = stored
        target = stored[:NAME_ROOM].ljust(NAME_ROOM, b"\0")
        return _written(others, self.block[:157] + target + self.block[257:])


def picked_members(
    artefact: Artefact, picked: Picked, stand_ins: StandIns, progress: Progress
) -> Generator[bytes, None, None]:
    """A tar of what was picked, in pieces. The artefact is read to its proven end, else :class:`DamagedBackup` is raised."""
    with artefact.open() as data:
        source = _Source(data, artefact.source_bytes, progress)
        try:
            yield from _picked(source, picked, stand_ins)
            yield END
        except _Unreadable as error:
            source.drain()  # which says so, if the backup is damaged
            raise DamagedBackup(
                "The stored backup holds something that the portal did not write. Restore another backup.",
                detail=f"after {source.done:,} bytes: {error}",
            ) from error
        source.drain()


def _picked(source: _Source, picked: Picked, stand_ins: StandIns) -> Iterator[bytes]:
    while (member := _member(source)) is not None:
        path, target = member.path, member.target
        if path in stand_ins:
            yield member.called(stand_ins[path])
        elif path not in picked or (target in stand_ins and stand_ins[target] == path):  # the latter came before
            source.skip(member.follows)
            continue
        else:
            yield member.linked_to(stand_ins[target]) if target in stand_ins else member.raw
        yield from source.pieces(member.follows)


class _Source:
    """Reads what streams by, in the sizes that are asked for."""

    def __init__(self, data: BinaryIO, expected: int, progress: Progress) -> None:
        self._data = data
        self._expected = expected
        self._progress = progress
        self._chunk = b""
        self._at = 0
        self.done = 0

    def exactly(self, count: int) -> bytes:
        """So many bytes."""
        at = self._at
        if len(self._chunk) - at >= count:  # the usual case, many times for small files
            self._at = at + count
            return self._chunk[at : at + count]
        return b"".join(self.pieces(count))

    def pieces(self, count: int) -> Iterator[bytes]:
        """So many bytes, as they come."""
        while count:
            if self._at == len(self._chunk) and not self._more():
                raise _Unreadable("it ends in the middle of a member")
            piece = self._chunk[self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            yield piece

    def skip(self, count: int) -> None:
        """Go past so many bytes."""
        for _ in self.pieces(count):
            pass

    def drain(self) -> None:
        """Read to the end, where the checksum is held against what was stored."""
        while self._more():
            pass

    def _more(self) -> bool:
        self._chunk, self._at = self._data.read(CHUNK), 0
        self.done += len(self._chunk)
        self._progress(self.done, self._expected)
        return bool(self._chunk)


def _member(source: _Source) -> _Member | None:
    block = _header(source)
    if block is None:
        return None
    raw, records = block, {}
    if block[156:157] == EXTENDED:
        length = _number(block[124:136])
        content = source.exactly(_padded(length))
        records = _records(content[:length])
        inner = _header(source)
        if inner is None:
            raise _Unreadable("an extended header without a member")
        block, raw = inner, raw + content + inner
    size = records.get(SIZE)
    return _Member(raw, records, block, _padded(int(size) if size else _number(block[124:136])))


def _header(source: _Source) -> bytes | None:
    """The next header; None at the archive's end."""
    block = source.exactly(BLOCK)
    if block == END[:BLOCK]:
        return None
    if block[257:263] != b"ustar\0" or with_checksum(block) != block:
        raise _Unreadable("no header where one should be")
    return block


def _records(content: bytes) -> dict[bytes, bytes]:
    found = {}
    while content:
        length, _, _ = content.partition(b" ")
        try:
            one, content = content[: int(length)], content[int(length) :]
        except ValueError:
            raise _Unreadable("an extended header that cannot be read") from None
        key, equals, value = one[len(length) + 1 : -1].partition(b"=")
        if not equals or not one.endswith(b"\n"):
            raise _Unreadable("an extended header that cannot be read")
        found[key] = value
    return found


def _written(records: Mapping[bytes, bytes], block: bytes) -> bytes:
    return extension([record(key, value) for key, value in records.items()]) + with_checksum(block)


def _padded(size: int) -> int:
    return size + -size % BLOCK


def _number(field: bytes) -> int:
    try:
        return int(_text(field), 8)
    except ValueError:
        raise _Unreadable("a size that is no number") from None


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _path(stored: bytes) -> str:
    return os.fsdecode(stored.removeprefix(b"./").removesuffix(b"/"))
