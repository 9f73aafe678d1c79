"""Reading the rows of a dump while they flow by: each table's are counted and digested, and what is no row is refused.

``mariadb-dump`` opens its own snapshot, and nobody else can look into it. So what a backup holds is not asked of the
server a second time: it is read from the dump itself, in one pass and in constant memory, and by construction it is of
the same snapshot. The same reading of a restored database gives the same counts and digests.

A dump without definitions has few shapes, and a strict reader knows them all: ``ALTER TABLE … DISABLE KEYS`` begins a
table and ``ENABLE KEYS`` ends it, ``INSERT INTO``, settings and comments. In rows, a line end is always escaped, so that none stands
raw but between rows (MariaDB writes each on a line of its own; MySQL does not, and its rows are told apart by their
quotes). The digest is of the rows alone, whatever statements they were gathered into.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

STATEMENT = 1 << 20  # the dump begins another statement before one grows larger, unless one row alone is
_HEADER = 4 << 20  # no statement's beginning, with the names of its columns, is longer
_END = b";\n"
_BETWEEN = b",\n"

_NAME = rb"`((?:[^`]|``)+)`"
_COLUMNS = rb"\((?:(?:`(?:[^`]|``)+`|row_start|row_end)(?:, ?|(?=\))))+\)"
_KEYS = re.compile(rb"/\*!40000 ALTER TABLE " + _NAME + rb" (DISABLE|ENABLE) KEYS \*/;\n")
_INSERT = re.compile(rb"INSERT  ?INTO " + _NAME + rb"(?: " + _COLUMNS + rb")? VALUES ?\n?(?=\()")
_HISTORY = re.compile(rb"/\*M?!\d+ SET [^\n]*system_versioning_insert_history[^\n]*\*/;\n")
_PASSED_OVER = re.compile(
    rb"\n|--(?: [^\n]*)?\n|/\*M?!\d+ SET [^\n]*\*/;\n|/\*M!999999\\- enable the sandbox mode \*/ ?\n"
    rb"|SET [^\n;]*;\n|set autocommit=[01];\n|commit;\n",
    re.IGNORECASE,
)
_COMPLETED = b"-- Dump completed"
_ROW = re.compile(rb"\((?:[^'()]+|'[^'\\]*(?:\\.[^'\\]*)*')*\)", re.DOTALL)


class Unexpected(Exception):
    """What flows by is not what a dump of rows looks like; the text says what was seen."""


@dataclass
class Count:
    """What was read of one table."""

    rows: int = 0
    size: int = 0  # of its rows as text
    longest: int = 0  # of its statements
    _hash: Any = field(default_factory=hashlib.sha256, repr=False)

    @property
    def digest(self) -> str:
        """Of all rows in their order."""
        return str(self._hash.hexdigest())

    def more(self, text: bytes) -> None:
        """Rows, or a part of them."""
        self._hash.update(text)
        self.size += len(text)


class Rows:
    """Reads what :meth:`feed` is given. ``keep`` gets what belongs into a stored dump; :attr:`tables` what was in it.

    With ``only``, nothing is kept of other tables. :attr:`completed`: whether the dump said at its end that it is whole.
    """

    def __init__(self, keep: Callable[[bytes], None] = lambda text: None, only: Collection[str] | None = None) -> None:
        self.tables: dict[str, Count] = {}
        self.completed = False
        self._keep = keep
        self._only = only
        self._buffer = bytearray()
        self._table = ""
        self._wanted = True
        self._statement = 0  # bytes of the one that is being read; 0 between statements
        self._streaming = False
        self._tail = b""
        self._on_lines = False  # whether this dump has been seen to put each row on a line

    def feed(self, chunk: bytes) -> None:
        """The next bytes. Raises :class:`Unexpected`."""
        self._buffer += chunk
        while self._buffer and (self._rows() if self._statement else self._between()):
            pass

    def finish(self) -> None:
        """See that nothing is left open."""
        if self._buffer or self._table or self._statement:
            raise Unexpected(f"the end comes in the middle of {self._table or bytes(self._buffer[:80])!r}")

    def _between(self) -> bool:
        """Whatever is not rows; False when more is needed to tell."""
        buffer = self._buffer
        if found := _INSERT.match(buffer):
            if _name(found[1]) != self._table:
                raise Unexpected(f"rows of {_name(found[1])!r} among those of {self._table!r}")
            self._statement = found.end()
            count = self.tables[self._table]
            if count.rows:
                count.more(_BETWEEN)
            self._write(found.end())
            return True
        for shape, act in ((_KEYS, self._keys), (_HISTORY, self._always)):
            if found := shape.match(buffer):
                act(found)
                return True
        if found := _PASSED_OVER.match(buffer):
            if buffer.startswith(_COMPLETED):
                self.completed = True
            del buffer[: found.end()]
            return True
        line = buffer.find(b"\n")
        names = buffer.startswith((b"INSERT ", b"/*!40000 ALTER TABLE `"))  # which may hold line ends
        if len(buffer) > _HEADER or (line >= 0 and not names) or (names and buffer.find(_END, 0, _HEADER) >= 0):
            raise Unexpected(f"{bytes(buffer[:200])!r} is no statement of a dump of rows")
        return False

    def _keys(self, found: re.Match[bytes]) -> None:
        name = _name(found[1])
        if found[2] == b"DISABLE":
            if self._table or name in self.tables:
                raise Unexpected(f"the table {name!r} begins in the middle of another, or twice")
            self._table, self.tables[name] = name, Count()
            self._wanted = self._only is None or name in self._only
        elif name == self._table:
            self._table = ""
        else:
            raise Unexpected(f"the end of {name!r} comes among the rows of {self._table!r}")
        self._write(found.end())

    def _always(self, found: re.Match[bytes]) -> None:
        self._keep(found[0])
        del self._buffer[: found.end()]

    def _write(self, length: int) -> bytes:
        """Pass on the beginning of the buffer."""
        text = bytes(self._buffer[:length])
        if self._wanted:
            self._keep(text)
        del self._buffer[:length]
        return text

    def _rows(self) -> bool:
        buffer, count = self._buffer, self.tables[self._table]
        end = buffer.find(_END)
        length = end if end >= 0 else len(buffer) - 1  # the end may be cut in two
        if not self._streaming:
            on_lines = self._on_lines = self._on_lines or buffer.find(b"\n", 0, max(length, 0)) >= 0
            if not on_lines and end < 0 and length < STATEMENT + 16:
                return False
            if on_lines or length > STATEMENT + 16:  # if longer, it is one row
                self._streaming, self._tail = True, b""
                count.rows += 1
        if self._streaming:
            self._stream(count, length)
        else:
            self._on_one_line(count, length)
        if end < 0:
            return False
        if not self._tail.endswith(b")"):
            raise Unexpected(f"a row of {self._table!r} does not end as one")
        self._write(len(_END))
        count.longest = max(count.longest, self._statement)
        self._statement, self._streaming = 0, False
        return True

    def _stream(self, count: Count, length: int) -> None:
        if length <= 0:
            return
        text = self._write(length)
        lines = text.count(b"\n")
        if lines and (self._tail + text).count(b"),\n") != lines:
            raise Unexpected(f"a line end stands in a row of {self._table!r}")
        count.rows += lines
        count.more(text)
        self._statement += length
        self._tail = (self._tail + text[-2:])[-2:]

    def _on_one_line(self, count: Count, length: int) -> None:
        text = self._write(length)
        rows = _ROW.findall(text)
        if sum(map(len, rows)) + len(rows) - 1 != length:
            raise Unexpected(f"rows of {self._table!r} cannot be told apart")
        count.rows += len(rows)
        count.more(_BETWEEN.join(rows))
        self._statement += length
        self._tail = text[-2:]


def _name(written: bytes) -> str:
    return written.replace(b"``", b"`").decode("utf-8", "surrogateescape")
