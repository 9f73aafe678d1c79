"""Buckets that a restore makes: private, with versions, marked with the restore's name; and removing them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import DriverError, StillWorking
from backups.drivers.bucket.copying import encrypted, give_up_uploads
from backups.drivers.bucket.pace import AGAIN_IN, NO_BUCKET, UNKNOWN_CALL, Turn, why
from backups.drivers.bucket.vault import remove_batch
from backups.drivers.bucket.vaults import BLOCKS

TAKEN = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


def is_there(access: Access, bucket: str) -> bool:
    """Whether there is a bucket of that name that is ours to see."""
    try:
        access.call("s3", "head_bucket", Bucket=bucket)
    except DriverError as error:
        if why(error) in NO_BUCKET:
            return False
        raise
    return True


def restore_of(access: Access, bucket: str) -> str:
    """Whose restore's the bucket says it is; empty for one that says nothing."""
    try:
        answer = access.call("s3", "get_bucket_tagging", Bucket=bucket)
    except DriverError as error:
        if why(error) in {"NoSuchTagSet", *UNKNOWN_CALL}:
            return ""
        raise
    return tags.read(answer, "TagSet").get(tags.RESTORE, "")


def see_own(access: Access, bucket: str) -> None:
    """Raises :class:`DriverError` unless the bucket is there, and marked as that restore's."""
    if not is_there(access, bucket) or restore_of(access, bucket) not in ("", bucket):
        raise DriverError(f"There is no bucket {bucket} that this restore has made. Start a new restore.")


def make(access: Access, bucket: str, name: str) -> None:
    """Have the bucket there, set up, and marked with the restore's name, if it has one. One of another's is refused."""
    if not is_there(access, bucket):
        where = {"LocationConstraint": access.region}
        chosen: dict[str, Any] = {} if access.region == "us-east-1" else {"CreateBucketConfiguration": where}
        try:
            access.call("s3", "create_bucket", Bucket=bucket, **chosen)
        except DriverError as error:
            if why(error) not in TAKEN:
                raise
            raise DriverError(
                f"There is a bucket {bucket} already, which the portal may not see. Start a new restore.",
                detail=error.detail,
            ) from error
    elif restore_of(access, bucket) not in ("", name):
        raise DriverError(f"The bucket {bucket} is not of this restore, so nothing was put into it.")
    chosen_key = encrypted(access).get("SSEKMSKeyId")
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": chosen_key} if chosen_key else {"SSEAlgorithm": "AES256"}
    tagging = {"TagSet": tags.written({tags.RESTORE: name})}
    blocks = dict.fromkeys(BLOCKS, True)
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}
    settings: list[Callable[[], object]] = [
        lambda: access.call(
            "s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        ),
        lambda: access.call("s3", "put_public_access_block", Bucket=bucket, PublicAccessBlockConfiguration=blocks),
        lambda: access.call("s3", "put_bucket_encryption", Bucket=bucket, ServerSideEncryptionConfiguration=rules),
    ]
    if name:
        settings.insert(0, lambda: access.call("s3", "put_bucket_tagging", Bucket=bucket, Tagging=tagging))
    for setting in settings:
        try:
            setting()
        except DriverError as error:
            if why(error) not in UNKNOWN_CALL:
                raise


def remove(access: Access, bucket: str, name: str, turn: Turn) -> None:
    """Empty and remove the bucket of that restore; absent is fine. One that does not say that it is this restore's stays.

    Unless it is empty and says nothing: then it was made, and whoever made it died before marking it.
    """
    if not is_there(access, bucket):
        return
    whose = restore_of(access, bucket)
    if whose not in ("", name):
        raise DriverError(f"The bucket {bucket} is marked as another restore's ({whose}), so it was not removed.")
    while True:
        page = access.call("s3", "list_object_versions", Bucket=bucket)
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not found:
            break
        if not whose:
            raise DriverError(
                f"The bucket {bucket} no longer says which restore it is of, so it was not removed. See what it holds, and"
                " remove it by hand."
            )
        remove_batch(access, bucket, [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found])
        if turn.over:
            raise StillWorking(f"The bucket {bucket} is being emptied.", again_in=AGAIN_IN)
    give_up_uploads(access, bucket)
    access.call("s3", "delete_bucket", Bucket=bucket)
