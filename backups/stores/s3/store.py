"""A region that is a bucket of S3, or what lies in one under a prefix.

An object is written by one request, or in parts that S3 joins at the end: under its key there is the whole object or none,
whatever dies when. Parts that a dead writer leaves behind are removed by ``sweep()``.

The object ``.region`` holds the region's name. Where it is missing the bucket is another, or was emptied: then nothing is
written, and no object that is not found is taken for lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Self, cast
from urllib.parse import parse_qs, urlsplit

from backups.aws.answers import code_of
from backups.stores.base import NotStored, NotThere, Store, StoredObject, StoreError
from backups.stores.keys import KEY, MARK, checked
from backups.stores.s3 import settings
from backups.stores.s3.copying import copy_object
from backups.stores.s3.errors import NO_OBJECT, UNKNOWN_CALL
from backups.stores.s3.place import Place
from backups.stores.s3.reading import S3Reader
from backups.stores.s3.writing import CHECKSUM, S3Writer

UNTOLD = frozenset({"400", "403"})
"""What an answer without a body says, as that to HeadObject; asked for the mark, S3 tells what is wrong."""


class S3Store:
    """The region ``region``, kept in ``bucket`` under ``prefix``; see :class:`~backups.stores.base.Store`.

    ``endpoint`` is the URL of a server other than AWS. Credentials are those that boto3 finds by itself.
    """

    def __init__(self, region: str, bucket: str, prefix: str, aws_region: str, endpoint: str) -> None:
        self.region = region
        inside = prefix.strip("/")
        self.place = Place(region, bucket, f"{inside}/" if inside else "", aws_region, endpoint)

    @classmethod
    def at(cls, region: str, url: str) -> Self:
        """The region at ``s3://bucket/prefix?region=…&endpoint=…``, which was checked at start."""
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return cls(region, parts.netloc, parts.path, query["region"], query.get("endpoint", ""))

    def prepare(self, expecting: str = "") -> None:
        """Write the mark; see :meth:`~backups.stores.base.Store.prepare`."""
        try:
            said = self._mark()
        except NotThere as error:
            if code_of(error.__cause__) not in NO_OBJECT:
                raise
        else:
            return self._check(said)
        if expecting and self._head(expecting) is None:
            raise self._not_there()
        try:
            self.place.call(
                "PutObject", MARK, Body=f"{self.region}\n".encode(), IfNoneMatch="*", ChecksumAlgorithm=CHECKSUM
            )
        except StoreError as error:
            # Somebody prepares it beside us.
            if code_of(error.__cause__) not in {"PreconditionFailed", "ConditionalRequestConflict"}:
                raise
        return self.check_there()

    def check_there(self) -> None:
        """Raise :class:`NotThere` unless the bucket is there and marked as this region's."""
        self._check(self._mark())

    def _mark(self) -> str:
        try:
            with S3Reader(self.place, MARK) as file:
                return file.read(1000).decode("utf-8", "replace").strip()
        except StoreError as error:
            if code_of(error.__cause__) in NO_OBJECT:
                raise self._not_there() from error.__cause__
            raise

    def _check(self, said: str) -> None:
        if said != self.region:
            raise StoreError(f"{self.place} holds the region {said}, not {self.region}. Correct STORE_REGIONS.")

    def _not_there(self) -> NotThere:
        return NotThere(
            f"The region {self.region} is not at {self.place}: the bucket was never prepared, or was emptied."
            " Correct STORE_REGIONS; a new region is prepared by “manage.py prepare_regions”.",
            retry=True,
        )

    @contextmanager
    def writer(self, key: str) -> Iterator[S3Writer]:
        """A writer; leaving the context without commit() removes every trace."""
        checked(key)
        self.check_there()
        writer = S3Writer(self.place, key)
        try:
            yield writer
        finally:
            writer.close()

    def open(self, key: str) -> BinaryIO:
        """The object's bytes."""
        try:
            return cast(BinaryIO, S3Reader(self.place, checked(key)))
        except StoreError as error:
            if code_of(error.__cause__) not in NO_OBJECT:
                raise
            self.check_there()
            raise NotStored(f"There is no object {key} in the region {self.region}.") from None

    def stat(self, key: str) -> StoredObject | None:
        """The object's size, or None."""
        if (head := self._head(checked(key))) is None:
            self.check_there()  # the answer is the same when there is no bucket
            return None
        return StoredObject(key, int(head["ContentLength"]))

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            return self.place.call("HeadObject", key)
        except StoreError as error:
            if code_of(error.__cause__) in NO_OBJECT:
                return None
            if code_of(error.__cause__) in UNTOLD:
                self.check_there()
            raise

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key starts with the prefix, in key order; one page of them at a time is in memory."""
        self.check_there()
        return self._walk(prefix)

    def _walk(self, prefix: str) -> Iterator[StoredObject]:
        for page in self.place.pages("ListObjectsV2", prefix):
            for found in page.get("Contents", ()):
                key = str(found["Key"]).removeprefix(self.place.prefix)
                if KEY.fullmatch(key):  # the mark is none, nor is what others put here
                    yield StoredObject(key, int(found["Size"]))

    def delete(self, key: str) -> None:
        """Remove the object in all its versions, so that nothing of it is left; absent is fine."""
        checked(key)
        self.check_there()
        try:
            versions = self._versions(key)
        except StoreError as error:
            if code_of(error.__cause__) not in UNKNOWN_CALL:
                raise
            self.place.call("DeleteObject", key)
            return
        for version in versions:
            self.place.call("DeleteObject", key, VersionId=version)

    def copy_from(self, source: Store, source_key: str, key: str, going_on: Callable[[], None]) -> int | None:
        """Copy an object of another bucket on the same server; see :class:`~backups.stores.base.CopiesFrom`."""
        if not isinstance(source, S3Store):
            return None
        checked(key)
        self.check_there()
        return copy_object(source.place, checked(source_key), self.place, key, going_on)

    def _versions(self, key: str) -> tuple[str, ...]:
        """All versions of that key, its delete markers too, the latest last; in a bucket without versions that is ``null``.

        The other way round a deletion that is cut short would bring an older version back.
        """
        found: list[tuple[bool, str]] = []
        whole = self.place.prefix + key
        for page in self.place.pages("ListObjectVersions", key):
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found += [
                (bool(entry.get("IsLatest")), str(entry["VersionId"])) for entry in entries if entry["Key"] == whole
            ]
            if page.get("NextKeyMarker", whole) != whole:
                break  # longer keys that begin alike
        return tuple(version for _, version in sorted(found, key=lambda one: one[0]))

    def free_bytes(self) -> int | None:
        """None: a bucket does not say."""
        return None

    def sweep(self, older_than_seconds: float, now: float) -> int:
        """Give up uploads that no part has reached for so long; how many. Choose a time that no pause of a source outlasts."""
        self.check_there()  # in a bucket that is not ours others' uploads are theirs
        removed = 0
        for page in self.place.pages("ListMultipartUploads"):
            for upload in page.get("Uploads", ()):
                named = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                if self._idle(upload["Initiated"], now) < older_than_seconds:
                    continue
                with self._gone_meanwhile():
                    if self._idle(self._last_part(named) or upload["Initiated"], now) >= older_than_seconds:
                        self.place.call("AbortMultipartUpload", **named)
                        removed += 1
        return removed

    def warnings(self) -> tuple[str, ...]:
        """What of the bucket's settings should be otherwise; see :mod:`backups.stores.s3.settings`."""
        return settings.warnings(self.place)

    def _last_part(self, named: dict[str, Any]) -> datetime | None:
        latest: datetime | None = None
        after = 0
        while True:
            page = self.place.call("ListParts", PartNumberMarker=after, **named)
            times = [part["LastModified"] for part in page.get("Parts", ())]
            latest = max([*times, *([latest] if latest else [])], default=None)
            if not page.get("IsTruncated"):
                return latest
            after = int(page["NextPartNumberMarker"])

    @staticmethod
    def _idle(since: datetime, now: float) -> float:
        return now - since.timestamp()

    @contextmanager
    def _gone_meanwhile(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            if code_of(error.__cause__) != "NoSuchUpload":
                raise
