"""Reading a stored backup back, and never believing it before its checksum holds."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

import zstandard

from backups.artefacts.layout import CHUNK, DATA, DEPTH, MANIFEST, StoredArtefactInfo, said
from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.provider import KeptAt
from backups.drivers.words import ManifestEntry, Progress
from backups.sidethread import Ahead
from backups.stores.base import NotStored, Store


class StoredBytes(io.RawIOBase):
    """The bytes of a stored object, read and hashed in a side thread; the end comes only if they are all as stored."""

    def __init__(self, store: Store, key: str, size: int, checksum: str) -> None:
        self._key = key
        what = "manifest" if key.endswith(MANIFEST) else "data"
        self._damage = f"The stored backup is damaged: its {what} in the region {store.region}"
        try:
            with said():
                self._file = store.open(key)
        except DriverError as error:
            if isinstance(error.__cause__, NotStored):
                raise self.damaged("is missing") from error
            raise
        self._expected = (size, checksum)
        self._hash = hashlib.sha256()
        self._size = 0
        self._ahead = Ahead(self._chunks(), DEPTH)

    def _chunks(self) -> Iterator[bytes]:
        try:
            with said():
                while chunk := self._file.read(CHUNK):
                    self._hash.update(chunk)
                    self._size += len(chunk)
                    yield chunk
        except OSError as error:
            sentence = f"{self._damage} could not be read. See that the disk is sound, then try again."
            raise DriverError(sentence, detail=f"{self._key}: {error}", retry=True) from error

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next chunk, of whatever size is at hand; b"" once all of it proved to be as stored."""
        chunk = next(self._ahead, b"")
        if not chunk:
            self._prove()
        return chunk

    def prove(self) -> None:
        """Read what is left; raises :class:`DamagedBackup` unless all of it is as stored."""
        while self.read():
            pass

    def _prove(self) -> None:
        size, checksum = self._expected
        if self._size != size:
            raise self.damaged(f"has {self._size:,} bytes instead of {size:,}")
        if self._hash.hexdigest() != checksum:
            raise self.damaged("is not what was stored: its SHA-256 differs")

    def damaged(self, how: str, detail: str = "") -> DamagedBackup:
        """The error that says how this object is damaged."""
        where = f"{self._key}: {detail}" if detail else self._key
        return DamagedBackup(f"{self._damage} {how}. Restore another backup.", detail=where)

    def close(self) -> None:
        """Stop reading ahead."""
        if not self.closed:
            self._ahead.close()
            self._file.close()
        super().close()


class _Decompressed(io.RawIOBase):
    """What was compressed into a stored object, with the same promise; ``length`` is what must come out, if known."""

    def __init__(self, stored: StoredBytes, length: int | None = None) -> None:
        self._stored = stored
        self._left = length
        self._frame = zstandard.ZstdDecompressor().stream_reader(cast("IO[bytes]", stored), read_size=CHUNK)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes into ``buffer``; how many, 0 at a proven end."""
        with self._damage_told():
            count = int(self._frame.readinto(buffer))
        self._check(count, len(buffer))
        return count

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except zstandard.ZstdError as error:
            raise self._stored.damaged("cannot be decompressed", str(error)) from error

    def _check(self, count: int, wanted: int) -> None:
        """See that no more came out than was stored, and at the end, where nothing comes, that it is all as stored."""
        if not wanted:
            return
        if self._left is not None:
            self._left -= count
            if self._left < 0 or (not count and self._left):
                raise self._stored.damaged("decompresses to another size than was stored")
        if not count:
            self._stored.prove()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, without the copy that the inherited one makes; b"" at a proven end."""
        if size < 0:
            return self.readall()
        with self._damage_told():
            data: bytes = self._frame.read(size)
        self._check(len(data), size)
        return data

    def close(self) -> None:
        """Stop reading ahead."""
        if not self.closed:
            self._stored.close()
        super().close()


class StoredArtefact:
    """A backup in a store, for reading back: an :class:`~backups.drivers.base.Artefact`."""

    def __init__(self, store: Store, prefix: str, info: StoredArtefactInfo, kept: KeptAt | None = None) -> None:
        self.store = store
        self.prefix = prefix
        self.info = info
        self.kept = kept

    @property
    def source_bytes(self) -> int:
        """Size of the artefact before compression."""
        return self.info.source_bytes

    def open(self) -> BinaryIO:
        """The artefact's bytes as the driver wrote them; see :class:`~backups.drivers.base.Artefact`."""
        return cast(BinaryIO, _Decompressed(self._data(), self.info.source_bytes))

    def open_stored(self) -> BinaryIO:
        """The artefact's bytes as they are stored, for a download. read() gives chunks of its own choice of size."""
        return cast(BinaryIO, self._data())

    def manifest(self) -> Iterator[ManifestEntry]:
        """The recorded lines, in order. The checksum is held against the whole manifest before the first one is given."""
        with self._manifest() as stored:
            stored.prove()
        previous: dict[str, Any] | None = None
        count = 0
        with self._manifest() as stored, io.BufferedReader(_Decompressed(stored), CHUNK) as lines:
            for line in lines:
                if previous is not None:
                    yield previous
                    count += 1
                previous = json.loads(line)
        if previous != {"entries": count} or count != self.info.entries:
            raise stored.damaged("is cut short")

    def check(self, progress: Progress) -> None:
        """Read all stored bytes and hold them against their checksums. Raises :class:`DamagedBackup`."""
        done, expected = 0, self.info.size + self.info.manifest_size
        for stored in (self._manifest, self._data):
            with stored() as chunks:
                while chunk := chunks.read():
                    done += len(chunk)
                    progress(done, expected)

    def _data(self) -> StoredBytes:
        return StoredBytes(self.store, f"{self.prefix}/{DATA}", self.info.size, self.info.checksum)

    def _manifest(self) -> StoredBytes:
        key = f"{self.prefix}/{MANIFEST}"
        return StoredBytes(self.store, key, self.info.manifest_size, self.info.manifest_checksum)
