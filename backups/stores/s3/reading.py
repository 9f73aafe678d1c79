"""Reading one object from S3 as a stream that outlives its connections.

What follows is fetched in pieces by a few threads while what is there is used: one connection is never as quick as S3.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.exceptions import HTTPClientError, IncompleteReadError
from urllib3.exceptions import HTTPError

from backups.aws.answers import code_of
from backups.stores.base import StoreError
from backups.stores.s3.place import THREADS, Place

CHUNK = 1 << 20
PIECE = 8 << 20
"""Fetched by one request; with those on their way this is what a reader takes of memory, once for each thread."""
TRIES = 5
"""How often a connection may break without a byte in between."""
PAUSE = 0.2
BROKEN = (HTTPClientError, IncompleteReadError, HTTPError, OSError)
EMPTY = frozenset({"InvalidRange", "416"})
"""What is said when a range is asked of an object that has no bytes."""


class _Piece:
    """The bytes from ``at`` up to ``end``. A broken connection is made anew from the byte reached, of the very same object."""

    def __init__(
        self, place: Place, key: str, etag: str, at: int, end: int, given_up: threading.Event, body: Any = None
    ) -> None:
        self._place = place
        self._key = key
        self._etag = etag
        self._at = at
        self._end = end
        self._given_up = given_up
        self._body = body

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; b"" at the end. Raises :class:`StoreError`."""
        size = min(size, self._end - self._at)
        broken = 0
        while size and not self._given_up.is_set():
            try:
                if self._body is None:
                    self._connect()
                chunk: bytes = self._body.read(size)
                if chunk:
                    self._at += len(chunk)
                    return chunk
                raise ConnectionResetError("the body ended early")
            except BROKEN as error:
                self.close()
                broken += 1
                if broken == TRIES:
                    sentence = f"The region {self._place.region} breaks off while {self._key} is read. Try again."
                    raise StoreError(sentence, detail=str(error), retry=True) from error
                self._given_up.wait(PAUSE * 2**broken)
        self.close()
        return b""

    def whole(self) -> memoryview:
        """All of it; cut short only after it was given up."""
        there = bytearray()
        try:
            while chunk := self.read(CHUNK):
                there += chunk
        finally:
            self.close()
        return memoryview(there)

    def _connect(self) -> None:
        wanted = f"bytes={self._at}-{self._end - 1}"
        try:
            answer = self._place.call("GetObject", self._key, Range=wanted, IfMatch=self._etag)
        except StoreError as error:
            if code_of(error.__cause__) in {"PreconditionFailed", "412"}:
                raise StoreError(
                    f"{self._key} in the region {self._place.region} was replaced while it was read. Try again.",
                    detail=error.detail,
                    retry=True,
                ) from error
            raise
        if self._at and not str(answer.get("ContentRange", "")).startswith(f"bytes {self._at}-"):
            answer["Body"].close()
            sentence = (
                f"The region {self._place.region} does not give parts of objects, so a broken reading cannot go on."
            )
            raise StoreError(f"{sentence} Try again.", detail=self._key, retry=True)
        self._body = answer["Body"]

    def close(self) -> None:
        """Let go of the connection."""
        if self._body is not None:
            self._body.close()
            self._body = None


class S3Reader(io.RawIOBase):
    """The bytes of an object."""

    def __init__(self, place: Place, key: str) -> None:
        self._place = place
        self._key = key
        self._given_up = threading.Event()
        self._first_piece: _Piece | None = None
        self._now = memoryview(b"")
        self._ahead: deque[Future[memoryview]] = deque()
        self._threads: ThreadPoolExecutor | None = None
        self._error: StoreError | None = None
        answer = self._first()
        self._etag = answer["ETag"]
        there = str(answer.get("ContentRange", "")).rpartition("/")[2]
        self._size = int(there) if there.isdigit() else int(answer["ContentLength"])
        self._at = 0
        # A server that knows no ranges gives all of it at once.
        self._asked_to = int(answer["ContentLength"])
        self._first_piece = _Piece(place, key, self._etag, 0, self._asked_to, self._given_up, answer["Body"])

    def _first(self) -> dict[str, Any]:
        try:
            return self._place.call("GetObject", self._key, Range=f"bytes=0-{PIECE - 1}")
        except StoreError as error:
            if code_of(error.__cause__) not in EMPTY:
                raise
            return self._place.call("GetObject", self._key)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes into ``buffer``; how many, 0 at the end."""
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, b"" at the end; all that are left when it is negative. Raises :class:`StoreError`."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if self._error is not None:
            raise self._error  # never on behind a gap
        if not size or self._at == self._size:
            return b""
        try:
            chunk = self._next(size)
        except StoreError as error:
            self._error = error
            raise
        self._at += len(chunk)
        return chunk

    def _next(self, size: int) -> bytes:
        if self._first_piece is not None:
            if self._at >= CHUNK:  # whoever looks at the beginning only wants no more
                self._ask_ahead()
            if chunk := self._first_piece.read(size):
                return chunk
            self._first_piece = None
        if not self._now:
            self._ask_ahead()
            self._now = self._ahead.popleft().result()
            self._ask_ahead()
        chunk, self._now = bytes(self._now[:size]), self._now[size:]
        return chunk

    def _ask_ahead(self) -> None:
        while len(self._ahead) < THREADS and self._asked_to < self._size:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(THREADS, "s3-read")
            start, self._asked_to = self._asked_to, min(self._asked_to + PIECE, self._size)
            piece = _Piece(self._place, self._key, self._etag, start, self._asked_to, self._given_up)
            self._ahead.append(self._threads.submit(piece.whole))

    def close(self) -> None:
        """Let go of the connections."""
        if not self.closed:
            self._given_up.set()
            if self._first_piece is not None:
                self._first_piece.close()
            if self._threads is not None:
                self._threads.shutdown(wait=False, cancel_futures=True)  # one that hangs ends by its timeout
            self._ahead.clear()
            self._now = memoryview(b"")
        super().close()
