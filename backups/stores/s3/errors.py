"""What S3's errors say, as sentences that name the region and what to do."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from backups.aws.answers import (
    BAD_KEYS,
    CLOCK,
    NO_CREDENTIALS,
    NOT_ANSWERED,
    NOT_REACHED,
    PASSING,
    REFUSED,
    THROTTLED,
    code_of,
    detail_of,
    status_of,
    without_keys,
    words_of,
)
from backups.stores.base import NotThere, StoreError, StoreFull

ON_THE_WAY = frozenset({"NoSuchUpload", "BadDigest"})
"""Said of what went wrong on the way: the same again is right."""
# Our parts are far below every limit of a single request: too large means too much beside what is there.
FULL = frozenset(
    {
        "QuotaExceeded", "EntityTooLarge", "InsufficientStorage", "InsufficientCapacity", "XMinioStorageFull",
        "XMinioAdminBucketQuotaExceeded", "507",
    }
)  # fmt: skip
NO_OBJECT = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
UNKNOWN_CALL = frozenset({"NotImplemented", "MethodNotAllowed", "UnsupportedOperation", "501", "405"})
ELSEWHERE = frozenset({"PermanentRedirect", "301", "IllegalLocationConstraintException"})
IAM = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
}
"""IAM's name of a call, where it is another than the call's own."""


def action_of(operation: str, *, version: bool = False) -> str:
    """IAM's name of a call: ``s3:PutObject`` for ``UploadPart``."""
    return IAM.get(operation, f"s3:{operation}") + ("Version" if version else "")


def translated(error: ClientError | BotoCoreError, region: str, where: str, action: str) -> StoreError:
    """The sentence for an error; ``where`` is the bucket with its prefix, ``action`` IAM's name of the call."""
    if isinstance(error, ClientError):
        return _answered(error, region, where, action)
    detail = without_keys(f"{action}: {error}")
    if isinstance(error, NO_CREDENTIALS):
        return StoreError(
            f"The portal has no credentials for the region {region}. Give web and workers a role, or AWS_ACCESS_KEY_ID"
            " and AWS_SECRET_ACCESS_KEY in their environment.",
            detail=detail,
        )
    if isinstance(error, NOT_REACHED):
        return NotThere(
            f"The region {region} cannot be reached at {where}. See to the network and to its endpoint in STORE_REGIONS;"
            " the portal tries again.",
            detail=detail,
            retry=True,
        )
    if isinstance(error, NOT_ANSWERED):
        return StoreError(
            f"The region {region} does not answer. The portal tries again; see to the network if it stays so.",
            detail=detail,
            retry=True,
        )
    return StoreError(
        f"The region {region} at {where} could not be asked. See STORE_REGIONS and the portal's AWS settings.",
        detail=detail,
    )


def _answered(error: ClientError, region: str, where: str, action: str) -> StoreError:
    code, detail = code_of(error), detail_of(error, action)
    if code == "NoSuchBucket":
        return NotThere(
            f"The region {region} is not at {where}: there is no such bucket. Make it, or correct STORE_REGIONS.",
            detail=detail,
            retry=True,
        )
    if code in FULL or status_of(error) == 507:
        return StoreFull(
            f"The region {region} has no room left at {where}. Have its quota raised, or remove what is not needed.",
            detail=detail,
            retry=True,
        )
    if code in THROTTLED:
        sentence = f"The region {region} asks the portal to call more slowly. The portal tries again."
        return StoreError(sentence, detail=detail, retry=True)
    if code in CLOCK:
        return StoreError(
            f"The clock of this machine and that of the region {region} are too far apart for S3 to believe the portal."
            " Set it (NTP).",
            detail=detail,
            retry=True,
        )
    if code in BAD_KEYS:
        return StoreError(
            f"The region {region} does not know the portal's credentials, or they have expired. Renew them, and see that"
            " the region in STORE_REGIONS is the bucket's.",
            detail=detail,
        )
    if code in REFUSED or status_of(error) == 403:
        return StoreError(
            f"The region {region} does not let the portal call {action} at {where}. Add it to the portal's policy there;"
            " docs/operating.md has all of it.",
            detail=detail,
        )
    if code in ELSEWHERE:
        sentence = f"The bucket of the region {region} is in another AWS region than STORE_REGIONS says. Correct it."
        return StoreError(sentence, detail=detail)
    if code in PASSING | ON_THE_WAY or status_of(error) >= 500:
        sentence = f"The region {region} has trouble. The portal tries again."
        return StoreError(sentence, detail=detail, retry=code not in UNKNOWN_CALL)
    return StoreError(f"The region {region} refused what the portal asked for: {words_of(error)}", detail=detail)
