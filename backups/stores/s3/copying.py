"""Copying an object from one bucket to another on the server, without its bytes passing through here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from backups.aws.answers import THROTTLED, code_of, status_of
from backups.stores.base import StoreError, StoreFull
from backups.stores.s3.errors import UNKNOWN_CALL
from backups.stores.s3.place import THREADS, Place
from backups.stores.s3.writing import CHECKSUM, WRITTEN_BY, Multipart, check_size

PIECE = 128 << 20
"""Copied by one request, well within its timeout also from one continent to another."""
MOST_PIECES = 10_000


def copy_object(source: Place, source_key: str, target: Place, key: str, going_on: Callable[[], None]) -> int | None:
    """Copy it, and give its size; None when the server will not, with nothing left behind. See ``CopiesFrom``."""
    if source.endpoint != target.endpoint:
        return None
    token = secrets.token_hex(16)
    try:
        head = source.call("HeadObject", source_key)
        size = int(head["ContentLength"])
        same: dict[str, Any] = {
            "CopySource": {"Bucket": source.bucket, "Key": source.prefix + source_key},
            "CopySourceIfMatch": head["ETag"],
        }
        if size <= PIECE:
            metadata = {"MetadataDirective": "REPLACE", "Metadata": {WRITTEN_BY: token}}
            target.call("CopyObject", key, ChecksumAlgorithm=CHECKSUM, **metadata, **same)
        else:
            _in_pieces(target, key, token, size, same, going_on)
    except StoreError as error:
        if _will_not(error):
            return None
        raise
    check_size(target, key, token, size)
    return size


def _in_pieces(
    target: Place, key: str, token: str, size: int, same: dict[str, Any], going_on: Callable[[], None]
) -> None:
    piece = max(PIECE, -(-size // MOST_PIECES))
    multipart = Multipart(target, key, token)
    try:
        for start in range(0, size, piece):
            end = min(start + piece, size) - 1
            multipart.add(THREADS, "UploadPartCopy", CopySourceRange=f"bytes={start}-{end}", **same)
            going_on()
        multipart.complete()
    finally:
        multipart.close()


def _will_not(error: StoreError) -> bool:
    """Whether it was refused, so that it may still work by reading here and writing there, which tells what is wrong."""
    if isinstance(error, StoreFull) or not isinstance(error.__cause__, ClientError):
        return False
    code, status = code_of(error.__cause__), status_of(error.__cause__)
    return code in UNKNOWN_CALL or (code not in THROTTLED and 400 <= status < 500)
