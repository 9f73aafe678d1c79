"""Reading one object from S3 as a stream that outlives its connection."""

from __future__ import annotations

import io
import time
from typing import Any

from botocore.exceptions import HTTPClientError, IncompleteReadError
from urllib3.exceptions import HTTPError

from backups.aws.answers import code_of
from backups.stores.base import StoreError
from backups.stores.s3.place import Place

CHUNK = 1 << 20
TRIES = 5
"""How often a connection may break without a byte in between."""
PAUSE = 0.2
BROKEN = (HTTPClientError, IncompleteReadError, HTTPError, OSError)


class S3Reader(io.RawIOBase):
    """The bytes of an object. A broken connection is made anew from the byte reached, of the very same object."""

    def __init__(self, place: Place, key: str) -> None:
        self._place = place
        self._key = key
        answer = place.call("GetObject", key)
        self._body: Any = answer["Body"]
        self._etag = answer["ETag"]
        self._size = int(answer["ContentLength"])
        self._at = 0

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
        size = min(size, self._size - self._at)
        broken = 0
        while size:
            try:
                if self._body is None:
                    self._connect()
                chunk: bytes = self._body.read(size)
                if chunk:
                    self._at += len(chunk)
                    return chunk
                raise ConnectionResetError("the body ended early")
            except BROKEN as error:
                self._disconnect()
                broken += 1
                if broken == TRIES:
                    sentence = f"The region {self._place.region} breaks off while {self._key} is read. Try again."
                    raise StoreError(sentence, detail=str(error), retry=True) from error
                time.sleep(PAUSE * 2**broken)
        return b""

    def _connect(self) -> None:
        try:
            answer = self._place.call("GetObject", self._key, Range=f"bytes={self._at}-", IfMatch=self._etag)
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

    def _disconnect(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        """Let go of the connection."""
        self._disconnect()
        super().close()
