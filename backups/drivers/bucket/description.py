"""What is set for a bucket, for people who have to make it anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from backups.aws.answers import REFUSED
from backups.drivers.base import DriverError, StillWorking
from backups.drivers.bucket.pace import UNKNOWN_CALL, why
from backups.drivers.bucket.target import Target


def of(target: Target) -> bytes:
    """All settings that S3 tells, as JSON. What is not set is left out, and so is what the portal may not see, by name."""
    access, bucket = target.access, target.bucket
    asked: dict[str, Callable[[], dict[str, Any]]] = {
        "versioning": lambda: access.call("s3", "get_bucket_versioning", Bucket=bucket),
        "encryption": lambda: access.call("s3", "get_bucket_encryption", Bucket=bucket),
        "public access block": lambda: access.call("s3", "get_public_access_block", Bucket=bucket),
        "policy": lambda: access.call("s3", "get_bucket_policy", Bucket=bucket),
        "cors": lambda: access.call("s3", "get_bucket_cors", Bucket=bucket),
        "lifecycle": lambda: access.call("s3", "get_bucket_lifecycle_configuration", Bucket=bucket),
        "tags": lambda: access.call("s3", "get_bucket_tagging", Bucket=bucket),
    }
    said: dict[str, Any] = {"bucket": bucket, "region": access.region}
    for name, ask in asked.items():
        try:
            said[name] = {key: value for key, value in ask().items() if key != "ResponseMetadata"}
        except DriverError as error:
            if isinstance(error, StillWorking) and why(error) not in UNKNOWN_CALL:
                raise
            if why(error) in REFUSED:
                said[name] = "The portal may not see it."
    return json.dumps(said, indent=1, default=str, sort_keys=True).encode() + b"\n"
