"""Writing the places of the data into the table of contents of an unpacked dump.

pg_dump cannot seek back in a stream, so the dump does not say where each table's data begins, and every session of a
parallel ``pg_restore`` would read through the whole file to find its tables. Here the data is found while the dump
passes by and the places are filled in afterwards, as pg_dump itself does when it writes to a file. Nothing depends on
it but speed: a file that is not quite what is expected is left as it is, and ``pg_restore`` checks what it finds at
each place.

The format is that of PostgreSQL's ``pg_backup_archiver.c`` and ``pg_backup_custom.c``, versions 1.14 to 1.16. Table
data is COPY text, which holds no zero byte; with the lengths of its blocks in between, five zero bytes in a row occur
only at its end, so the end is found with a search. Large objects can hold anything and are walked block by block.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

_VERSIONS = {(1, 14), (1, 15), (1, 16)}
_WIDTHS_AND_FORM = (4, 8, 1)  # bytes of a number and of a place; "custom"
_DATA, _LARGE_OBJECTS = 1, 3
_PLACE_KNOWN = 2
_END = b"\0\0\0\0\0"  # a block of length 0


class Unexpected(Exception):
    """The dump is not quite what is expected."""


@dataclass(frozen=True)
class TocEntry:
    """One line of the table of contents. Names are as the dump has them, in the database's encoding."""

    dump_id: int
    has_data: bool
    description: bytes  # "TABLE", "FK CONSTRAINT"
    tag: bytes  # its name; of what belongs to a table often the table's before it
    namespace: bytes
    dependencies: tuple[int, ...]
    slot: int  # where in the file the place of its data is to be written


class Passing:
    """Reads what passes by: generators that are sent the next bytes whenever they have read all so far, b"" at the end.

    Of what has passed only the few bytes are kept that something may still begin in.
    """

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._before = 0  # how many bytes have passed before ``_data``

    @property
    def position(self) -> int:
        """Where the next thing is read."""
        return self._before + self._at

    def more(self) -> Generator[None, bytes, bool]:
        """Wait for more; whether there is any."""
        data = yield
        self._before += self._at
        self._data, self._at = self._data[self._at :] + data, 0
        return bool(data)

    def at_end(self) -> Generator[None, bytes, bool]:
        """Whether nothing comes any more."""
        while self._at == len(self._data):
            if not (yield from self.more()):
                return True
        return False

    def take(self, count: int) -> Generator[None, bytes, bytes]:
        """The next bytes, all of them."""
        while len(self._data) - self._at < count:
            if not (yield from self.more()):
                raise Unexpected
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> Generator[None, bytes, int]:
        """The next number: a sign byte and four bytes, least first."""
        sign: int
        value: int
        sign, value = struct.unpack("<BI", (yield from self.take(5)))
        return -value if sign else value

    def skip(self, count: int) -> Generator[None, bytes, None]:
        """Go on by so many bytes, never back: what is read twice might be read for ever."""
        if count < 0:
            raise Unexpected
        while (here := len(self._data) - self._at) < count:
            self._at += here
            count -= here
            if not (yield from self.more()):
                raise Unexpected
        self._at += count

    def text(self) -> Generator[None, bytes, bytes | None]:
        """The next text, which has its length before it; None for no text, which is not the same as an empty one."""
        length = yield from self.number()
        return (yield from self.take(length)) if length >= 0 else None

    def skip_text(self) -> Generator[None, bytes, None]:
        """Go past a text."""
        yield from self.skip(max((yield from self.number()), 0))

    def skip_past(self, mark: bytes) -> Generator[None, bytes, None]:
        """Go to where the next ``mark`` ends."""
        while (found := self._data.find(mark, self._at)) < 0:
            self._at = max(self._at, len(self._data) - len(mark) + 1)  # it may lie across
            if not (yield from self.more()):
                raise Unexpected
        self._at = found + len(mark)


class Places:
    """Where the data of a dump's entries begins: pass the dump by, to its end, then :meth:`fill_in` its file."""

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._follow: Generator[None, bytes, None] | None = self._following(Passing())
        next(self._follow)

    def passes(self, data: bytes) -> None:
        """Look at the next bytes; b"" says that there are no more."""
        if self._follow is not None:
            try:
                self._follow.send(data)
            except StopIteration:
                self._follow = None
            except Unexpected:
                self._follow = None
                self._places.clear()

    def fill_in(self, path: Path) -> int:
        """Write the places into the file in which the dump is; how many. 0 when it is of an unknown form."""
        self.passes(b"")
        known = [(self._slots[dump_id], place) for dump_id, place in self._places.items() if dump_id in self._slots]
        with path.open("r+b") as file:
            for slot, place in known:
                file.seek(slot)
                file.write(struct.pack("<BQ", _PLACE_KNOWN, place))
        return len(known)

    def _following(self, dump: Passing) -> Generator[None, bytes, None]:
        entries = yield from table_of_contents(dump)
        self._slots = {entry.dump_id: entry.slot for entry in entries if entry.has_data}
        while not (yield from dump.at_end()):
            start = dump.position
            kind = (yield from dump.take(1))[0]
            self._places[(yield from dump.number())] = start
            if kind == _DATA:
                yield from dump.skip_past(_END)
            elif kind == _LARGE_OBJECTS:
                while (yield from dump.number()):
                    while length := (yield from dump.number()):
                        yield from dump.skip(length)
            else:
                raise Unexpected


def table_of_contents(dump: Passing) -> Generator[None, bytes, list[TocEntry]]:
    """What stands at the dump's beginning. Raises :class:`Unexpected` for a form that is not known."""
    head = yield from dump.take(11)
    version = (head[5], head[6])
    if head[:5] != b"PGDMP" or version not in _VERSIONS or tuple(head[8:11]) != _WIDTHS_AND_FORM:
        raise Unexpected
    compression = (yield from dump.take(1))[0] if version >= (1, 15) else (yield from dump.number())
    if compression != 0:
        raise Unexpected
    for _ in range(7):  # when it was made
        yield from dump.number()
    for _ in range(3):  # database, server, pg_dump
        yield from dump.skip_text()
    entries = []
    for _ in range((yield from dump.number())):
        entries.append((yield from _entry(dump, version)))  # noqa: PERF401  (a comprehension cannot yield)
    return entries


def _entry(dump: Passing, version: tuple[int, int]) -> Generator[None, bytes, TocEntry]:
    dump_id = yield from dump.number()
    has_data = bool((yield from dump.number()))
    for _ in range(2):  # catalogue, oid
        yield from dump.skip_text()
    tag = yield from dump.text()
    description = yield from dump.text()
    yield from dump.number()  # section
    for _ in range(3):  # definition, drop, copy
        yield from dump.skip_text()
    namespace = yield from dump.text()
    for _ in range(2):  # tablespace, access method
        yield from dump.skip_text()
    if version >= (1, 16):
        yield from dump.number()  # kind of relation
    for _ in range(2):  # owner, "with oids"
        yield from dump.skip_text()
    dependencies = []
    while (one := (yield from dump.text())) is not None:
        if not one.isdigit():
            raise Unexpected
        dependencies.append(int(one))
    slot = dump.position
    yield from dump.skip(1 + 8)
    return TocEntry(dump_id, has_data, description or b"", tag or b"", namespace or b"", tuple(dependencies), slot)
