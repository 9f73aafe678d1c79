"""Vaults: the bucket of an account's region in which the portal keeps what its backups of buckets hold.

``haas/objects/<resource>/<name>``   the content of one version of one object, once for all backups of the resource
``haas/parts/<resource>/<token>/…``  the list of one backup, a thousand objects each, written as it is made
``haas/marks/<resource>/<token>/…``  ``begun`` while the list is made, ``done`` when it is whole, ``deleting`` once it goes
``haas/restores/<name>/…``           how far a restore is, and the journal of its exchange
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from backups.aws.access import Access
from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.bucket.entry import Entry
from backups.drivers.bucket.pace import NOT_THERE, OTHERWISE, UNKNOWN_CALL, why
from backups.drivers.bucket.shelf import Shelf

ROOT = "haas"
BEGUN, DONE, DELETING = "begun", "done", "deleting"
BATCH = 1000


@dataclass(frozen=True)
class Line:
    """One object of a list, and the ETag of its content in this vault: empty where it was left out."""

    entry: Entry
    at: str = ""

    @property
    def key(self) -> str:
        """The object's."""
        return self.entry.key


@dataclass(frozen=True)
class Part:
    """One stored part of a list."""

    header: Mapping[str, Any]
    lines: Sequence[Line]


class Overtaken(DriverError):
    """Somebody else has written there meanwhile."""


class Stamped(NamedTuple):
    """Something small in a vault."""

    body: bytes
    etag: str
    age: timedelta


@dataclass(frozen=True)
class Vault:
    """The vault of a region, and in it what is of one resource."""

    access: Access
    bucket: str
    of: str  # the resource's hash

    def mark(self, token: str, kind: str) -> str:
        """The key of a mark."""
        return f"{ROOT}/marks/{self.of}/{_quoted(token)}/{kind}"

    def parts(self, token: str) -> str:
        """What the keys of a list's parts begin with."""
        return f"{ROOT}/parts/{self.of}/{_quoted(token)}/"

    @property
    def objects(self) -> str:
        """What the keys of all content begin with."""
        return f"{ROOT}/objects/{self.of}/"

    def put(self, key: str, body: bytes) -> None:
        """Write it, over what is there."""
        self.access.call("s3", "put_object", Bucket=self.bucket, Key=key, Body=body)

    def put_once(self, key: str, body: bytes) -> None:
        """Write it unless it is there; raises when something else is."""
        try:
            self.access.call("s3", "put_object", Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except DriverError as error:
            if why(error) not in OTHERWISE:
                raise
            if self.get(key) != body:  # else it is ours: the answer to a first try was lost
                raise DriverError("Another worker does the same. The portal looks again.", retry=True) from error

    def get(self, key: str) -> bytes | None:
        """What is there."""
        answer = self._answer(key)
        return None if answer is None else answer["Body"].read()

    def stamped(self, key: str) -> Stamped | None:
        """What is there, and how long it has been, both told by S3."""
        answer = self._answer(key)
        if answer is None:
            return None
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return Stamped(answer["Body"].read(), str(answer["ETag"]), now - answer["LastModified"])

    def _answer(self, key: str) -> dict[str, Any] | None:
        try:
            return self.access.call("s3", "get_object", Bucket=self.bucket, Key=key)
        except DriverError as error:
            if why(error) in NOT_THERE:
                return None
            raise

    def put_over(self, key: str, body: bytes, etag: str) -> str:
        """Write it over what has that ETag; empty: where nothing is. The new one. Raises :class:`Overtaken` when it is not so.

        No two bodies may be the same: so one whose answer was lost is known again. A server without such conditions is asked
        first what is there.
        """
        condition: dict[str, Any] = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        put: dict[str, Any] = {"Bucket": self.bucket, "Key": key, "Body": body}
        try:
            return str(self.access.call("s3", "put_object", **put, **condition)["ETag"])
        except DriverError as error:
            if why(error) not in NOT_THERE | OTHERWISE | UNKNOWN_CALL:
                raise
            now = self.stamped(key)
            if now is not None and now.body == body:
                return now.etag
            if why(error) in UNKNOWN_CALL and (now.etag if now else "") == etag:
                return str(self.access.call("s3", "put_object", **put)["ETag"])
            raise Overtaken("Another worker is at the same. The portal looks again.", retry=True) from error

    def within(self, prefix: str) -> Iterator[dict[str, Any]]:
        """What S3 says of all that lies under the prefix, by pages."""
        return self.access.pages("s3", "list_objects_v2", "Contents", Bucket=self.bucket, Prefix=prefix)

    def marks(self) -> dict[str, dict[str, datetime]]:
        """Of every list of the resource the marks that it has, and when each was written."""
        found: dict[str, dict[str, datetime]] = {}
        for one in self.within(f"{ROOT}/marks/{self.of}/"):
            token, kind = one["Key"].split("/")[3:5]
            found.setdefault(unquoted(token), {})[kind] = one["LastModified"]
        return found

    def shelf(self) -> Shelf:
        """All content of the resource that is here. Close it."""
        shelf = Shelf()
        try:
            shelf.add(
                (one["Key"].rpartition("/")[2], int(one["Size"]), str(one["ETag"]).strip('"'))
                for one in self.within(self.objects)
            )
        except BaseException:
            shelf.__exit__()
            raise
        return shelf

    def part_numbers(self, token: str) -> list[int]:
        """The parts of a list that are written."""
        return [int(one["Key"].rpartition("/")[2]) for one in self.within(self.parts(token))]

    def part(self, token: str, number: int) -> Part | None:
        """One of them."""
        body = self.get(f"{self.parts(token)}{number:08d}")
        return None if body is None else read_part(body)

    def read(self, token: str, number: int) -> tuple[str, Part]:
        """One that is there, and its digest."""
        body = self.get(f"{self.parts(token)}{number:08d}")
        if body is None:
            raise DriverError("Part of the list was removed from the vault meanwhile. Try again.", retry=True)
        return digest_of(body), read_part(body)

    def whole(self, token: str, digests: Sequence[str], first: int = 0) -> Iterator[Part]:
        """All parts of a list that is done, or those from the ``first``.

        Raises :class:`DamagedBackup` when one is not as it was written.
        """
        for number, digest in enumerate(digests[first:], first):
            body = self.get(f"{self.parts(token)}{number:08d}")
            if body is None or digest_of(body) != digest:
                how = "is missing" if body is None else "was altered"
                raise DamagedBackup(
                    f"The stored backup is damaged: part {number} of its list in the vault {self.bucket} {how}. Restore"
                    " another backup.",
                    detail=f"{self.parts(token)}{number:08d}",
                )
            yield read_part(body)

    def done(self, token: str) -> dict[str, Any] | None:
        """What is written of a list that is whole: its ``parts``' digests, ``objects``, ``bytes``."""
        body = self.get(self.mark(token, DONE))
        return None if body is None else dict(json.loads(body))

    def remove(self, prefix: str, going: Callable[[str], bool] = lambda key: True) -> Iterator[int]:
        """Remove for good, in all versions, what lies under the prefix and ``going`` says; how many, batch by batch."""
        named: dict[str, Any] = {"Bucket": self.bucket, "Prefix": prefix}
        marker: dict[str, Any] = {}
        while True:
            page = self.access.call("s3", "list_object_versions", **named, **marker)
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found.sort(key=lambda one: (one["Key"], bool(one.get("IsLatest"))))  # the latest last
            batch = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found if going(one["Key"])]
            yield remove_batch(self.access, self.bucket, batch)
            if not page.get("IsTruncated"):
                return
            marker = {"KeyMarker": page["NextKeyMarker"]}
            if page.get("NextVersionIdMarker"):
                marker["VersionIdMarker"] = page["NextVersionIdMarker"]

    def forget(self, prefix: str) -> None:
        """Remove for good all that lies under the prefix, at once."""
        for _ in self.remove(prefix):
            pass


def remove_batch(access: Access, bucket: str, batch: Sequence[dict[str, Any]]) -> int:
    """Remove those versions; how many. Raises when S3 did not do all of it."""
    if not batch:
        return 0
    odd = [one for one in batch if not one["Key"].isprintable()]  # XML has no way to write such keys
    for one in odd:
        access.call("s3", "delete_object", Bucket=bucket, **one)
    rest = [one for one in batch if one["Key"].isprintable()]
    if rest:
        said = access.call("s3", "delete_objects", Bucket=bucket, Delete={"Objects": rest, "Quiet": True})
        if errors := said.get("Errors"):
            raise DriverError(
                f"AWS did not remove {len(errors)} of {len(rest)} objects from the bucket {bucket}. The portal tries again.",
                detail=" · ".join(f"{one.get('Key')}: {one.get('Code')}" for one in errors[:5]),
                retry=True,
            )
    return len(batch)


def _quoted(token: str) -> str:
    return token.replace("/", "=")


def unquoted(name: str) -> str:
    """The token of a copy, from a part of a key."""
    return name.replace("=", "/")


def digest_of(body: bytes) -> str:
    """By which a part is known again."""
    return hashlib.sha256(body).hexdigest()


def written_part(header: Mapping[str, Any], lines: Sequence[Line]) -> bytes:
    """A part as it is stored: always the same bytes for the same."""
    rows = [dict(header), *({"at": one.at, **one.entry.line()} for one in lines)]
    return gzip.compress("\n".join(json.dumps(row, sort_keys=True) for row in rows).encode(), 5, mtime=0)


def read_part(body: bytes) -> Part:
    """What :func:`written_part` wrote."""
    header, *rows = (json.loads(row) for row in gzip.decompress(body).split(b"\n"))
    return Part(header, [Line(Entry.of_line(row), at) for row in rows for at in (row.pop("at"),)])
