"""Writing the places of the data into the table of contents of an unpacked dump.

pg_dump cannot seek back in a stream, so the dump does not say where each table's data begins, and every session of a
parallel ``pg_restore`` would read through the whole file to find its tables. Here the data is found in one pass and
the places are filled in, as pg_dump itself does when it writes to a file. Nothing depends on it but speed: a file
that is not quite what is expected is left as it is, and ``pg_restore`` checks what it finds at each place.

The format is that of PostgreSQL's ``pg_backup_archiver.c`` and ``pg_backup_custom.c``, versions 1.14 to 1.16. Table
data is COPY text, which holds no zero byte; with the lengths of its blocks in between, five zero bytes in a row occur
only at its end, so the end is found with a search. Large objects can hold anything and are walked block by block.
"""

from __future__ import annotations

import struct
from io import SEEK_CUR
from pathlib import Path
from typing import BinaryIO

_VERSIONS = {(1, 14), (1, 15), (1, 16)}
_WIDTHS_AND_FORM = (4, 8, 1)  # bytes of a number and of a place; "custom"
CHUNK = 1 << 20
_DATA, _LARGE_OBJECTS = 1, 3
_PLACE_KNOWN = 2
_END = b"\0\0\0\0\0"  # a block of length 0


class Unexpected(Exception):
    """The file is not quite what is expected."""


class Reader:
    """Reads the archive's numbers and texts: a sign byte and four bytes, least first; texts with their length."""

    def __init__(self, file: BinaryIO, chunk: int = CHUNK) -> None:
        self._file = file
        self._chunk = chunk

    @property
    def position(self) -> int:
        """Where the next thing is read."""
        return self._file.tell()

    def take(self, count: int) -> bytes:
        """The next bytes, all of them."""
        data = self._file.read(count)
        if len(data) < count:
            raise Unexpected
        return data

    def number(self) -> int:
        """The next number."""
        sign: int
        value: int
        sign, value = struct.unpack("<BI", self.take(5))
        return -value if sign else value

    def skip(self, count: int) -> None:
        """Go on by so many bytes; back, when negative."""
        self._file.seek(count, SEEK_CUR)

    def skip_text(self) -> bool:
        """Whether there was one; no text is not the same as an empty one."""
        length = self.number()
        self.skip(max(length, 0))
        return length >= 0

    def skip_past(self, mark: bytes) -> None:
        """Go to where the next ``mark`` ends."""
        seam = b""  # the end of the chunk before: a mark may lie across
        while data := self._file.read(self._chunk):
            across = (seam + data[: len(mark) - 1]).find(mark)
            found = across - len(seam) if across >= 0 else data.find(mark)
            if across >= 0 or found >= 0:
                self.skip(found + len(mark) - len(data))
                return
            seam = (seam + data[-len(mark) :])[1 - len(mark) :]
        raise Unexpected


def index(path: Path) -> int:
    """Fill in the places; how many. 0 when the file is of an unknown form, and then it is unchanged."""
    with path.open("rb", buffering=CHUNK) as file:
        try:
            slots = _slots(reader := Reader(file))
            places = _places(reader, path.stat().st_size)
        except (Unexpected, OSError):
            return 0
    known = [(slots[dump_id], place) for dump_id, place in places.items() if dump_id in slots]
    with path.open("r+b") as file:
        for slot, place in known:
            file.seek(slot)
            file.write(struct.pack("<BQ", _PLACE_KNOWN, place))
    return len(known)


def _slots(reader: Reader) -> dict[int, int]:
    """Where in the file the place of each entry with data is to be written, by the entry's number."""
    head = reader.take(11)
    version = (head[5], head[6])
    if head[:5] != b"PGDMP" or version not in _VERSIONS or tuple(head[8:11]) != _WIDTHS_AND_FORM:
        raise Unexpected
    if (reader.take(1)[0] if version >= (1, 15) else reader.number()) != 0:  # compressed
        raise Unexpected
    for _ in range(7):  # when it was made
        reader.number()
    for _ in range(3):  # database, server, pg_dump
        reader.skip_text()
    entries = [_entry(reader, version) for _ in range(reader.number())]
    return {dump_id: slot for dump_id, has_data, slot in entries if has_data}


def _entry(reader: Reader, version: tuple[int, int]) -> tuple[int, bool, int]:
    """Number, whether it has data, and where its place is to be written."""
    dump_id = reader.number()
    has_data = bool(reader.number())
    for _ in range(4):  # catalogue, oid, tag, description
        reader.skip_text()
    reader.number()  # section
    for _ in range(6):  # definition, drop, copy, namespace, tablespace, access method
        reader.skip_text()
    if version >= (1, 16):
        reader.number()  # kind of relation
    for _ in range(2):  # owner, "with oids"
        reader.skip_text()
    while reader.skip_text():  # dependencies
        pass
    slot = reader.position
    reader.skip(1 + 8)
    return dump_id, has_data, slot


def _places(reader: Reader, size: int) -> dict[int, int]:
    """Where each entry's data begins, by the entry's number."""
    places = {}
    while (start := reader.position) < size:
        kind = reader.take(1)[0]
        places[reader.number()] = start
        if kind == _DATA:
            reader.skip_past(_END)
        elif kind == _LARGE_OBJECTS:
            while reader.number():
                while length := reader.number():
                    reader.skip(length)
        else:
            raise Unexpected
    return places
