"""Copying an object within S3, whatever its size, with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from backups.aws.access import Access
from backups.drivers.base import DriverError, StillWorking
from backups.drivers.bucket.entry import Entry
from backups.drivers.bucket.pace import AGAIN_IN, NOT_THERE, OTHERWISE, Pace, Turn, why

MOST_PIECES = 10_000
HEADERS_WRITTEN = {"ExpiresString": "Expires"}


class Shared(Protocol):
    """Whoever is told of uploads into a bucket of others."""

    def begun(self, key: str, upload: str) -> None:
        """Before its first piece."""

    def ended(self, upload: str) -> None:
        """It is completed, or given up."""


class Copied(NamedTuple):
    """What S3 says of a copy that it has made."""

    etag: str
    version: str  # "null" where the bucket keeps none


def copy_object(
    access: Access,
    source: Mapping[str, str],
    etag: str,
    entry: Entry,
    bucket: str,
    key: str,
    *,
    pace: Pace,
    turn: Turn,
    tags: Mapping[str, str] | None = None,
    shared: Shared | None = None,
    over: Mapping[str, Any] | None = None,
    **chosen: Any,
) -> Copied:
    """Copy what ``source`` names (``Bucket``, ``Key``, ``VersionId``), if its ETag is still that one.

    ``etag`` is empty where the source is never written anew. ``shared``: others upload into that bucket as well, so what was
    begun there may be theirs, and a large copy is made in one go and told of. ``over``: on which condition it takes its place.

    ``entry`` says what it is like. With ``tags`` the copy gets those, else the source's. ``chosen``: the class of storage,
    encryption. Raises :class:`StillWorking` in the middle of a large one once the turn is over; the next call goes on.
    """
    same: dict[str, Any] = {"CopySource": dict(source)} | ({"CopySourceIfMatch": f'"{etag}"'} if etag else {})
    redirect: dict[str, Any] = {"WebsiteRedirectLocation": entry.redirect} if entry.redirect else {}
    if entry.size > pace.piece:
        return _in_pieces(
            access, same, entry, bucket, key, tags, {**chosen, **redirect}, pace, turn, shared, over or {}
        )
    tagging: dict[str, Any] = {"TaggingDirective": "REPLACE", "Tagging": urlencode(tags)} if tags is not None else {}
    answer = access.call(
        "s3", "copy_object", Bucket=bucket, Key=key, **same, **tagging, **chosen, **redirect, **(over or {})
    )
    return _copied(answer["CopyObjectResult"]["ETag"], answer)


def _copied(etag: str, answer: Mapping[str, Any]) -> Copied:
    return Copied(etag.strip('"'), str(answer.get("VersionId") or "null"))


def _in_pieces(
    access: Access,
    same: Mapping[str, Any],
    entry: Entry,
    bucket: str,
    key: str,
    tags: Mapping[str, str] | None,
    chosen: Mapping[str, Any],
    pace: Pace,
    turn: Turn,
    shared: Shared | None,
    over: Mapping[str, Any],
) -> Copied:
    piece = max(pace.piece, -(-entry.size // MOST_PIECES))
    upload = "" if shared else _begun(access, bucket, key)
    if not upload:
        headers: dict[str, Any] = {HEADERS_WRITTEN.get(name, name): value for name, value in entry.headers.items()}
        tagging: dict[str, Any] = {"Tagging": urlencode(tags if tags is not None else entry.tags or {})}
        made = access.call(
            "s3",
            "create_multipart_upload",
            Bucket=bucket,
            Key=key,
            Metadata=dict(entry.metadata),
            **headers,
            **(tagging if tagging["Tagging"] else {}),
            **chosen,
        )
        upload = str(made["UploadId"])
        if shared:
            shared.begun(key, upload)
    named: dict[str, Any] = {"Bucket": bucket, "Key": key, "UploadId": upload}
    parts = {part["PartNumber"]: part["ETag"] for part in access.pages("s3", "list_parts", "Parts", **named)}
    for number, start in enumerate(range(0, entry.size, piece), 1):
        if number in parts:
            continue
        if not shared and turn.over:
            raise StillWorking(f"AWS copies {entry.key}: {start * 100 // entry.size} %.", again_in=AGAIN_IN)
        area = f"bytes={start}-{min(start + piece, entry.size) - 1}"
        try:
            answer = access.call("s3", "upload_part_copy", PartNumber=number, CopySourceRange=area, **same, **named)
        except DriverError as error:
            if shared or why(error) in NOT_THERE | OTHERWISE:  # nobody goes on with it: its object is no more
                access.call("s3", "abort_multipart_upload", **named)
                if shared:
                    shared.ended(upload)
            raise
        parts[number] = answer["CopyPartResult"]["ETag"]
    whole = {"Parts": [{"PartNumber": number, "ETag": parts[number]} for number in sorted(parts)]}
    answer = access.call("s3", "complete_multipart_upload", MultipartUpload=whole, **named, **over)
    if shared:
        shared.ended(upload)
    return _copied(answer["ETag"], answer)


def _begun(access: Access, bucket: str, key: str) -> str:
    """The upload to that key that a call before has begun; empty for none."""
    found = access.call("s3", "list_multipart_uploads", Bucket=bucket, Prefix=key).get("Uploads", ())
    return next((str(one["UploadId"]) for one in found if one["Key"] == key), "")


def give_up_uploads(access: Access, bucket: str, prefix: str = "") -> None:
    """Remove the parts of what was begun under that prefix and never completed."""
    for one in list(access.pages("s3", "list_multipart_uploads", "Uploads", Bucket=bucket, Prefix=prefix)):
        try:
            access.call("s3", "abort_multipart_upload", Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
        except DriverError as error:
            if why(error) != "NoSuchUpload":
                raise


def encrypted(access: Access) -> dict[str, Any]:
    """How copies that come to a vault are encrypted: with the region's key where one is set, else as the vault says."""
    key = access.account.regions[access.region].kms_key
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, "BucketKeyEnabled": True} if key else {}
