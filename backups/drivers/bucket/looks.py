"""One key of a live bucket: what stands under it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backups.drivers.base import DriverError
from backups.drivers.bucket.entry import Listed
from backups.drivers.bucket.pace import NOT_THERE, why
from backups.drivers.bucket.target import Target


@dataclass(frozen=True)
class Stands:
    """What stands under a key: None is nothing, with the ``version`` of the delete marker if there is one.

    ``conditions``: whether it is replaced on condition that it still stands there.
    """

    listed: Listed | None
    version: str
    conditions: bool = True

    @property
    def condition(self) -> dict[str, Any]:
        """On which it may be replaced."""
        if not self.conditions or (self.listed and not self.listed.etag):
            return {}
        return {"IfMatch": f'"{self.listed.etag}"'} if self.listed else {"IfNoneMatch": "*"}


def look(target: Target, key: str) -> Stands:
    """The object as it is now. Of one that only the customer has the key of S3 says 400, and no more."""
    try:
        head = target.access.call("s3", "head_object", Bucket=target.bucket, Key=key)
    except DriverError as error:
        if why(error) in NOT_THERE | {"405", "MethodNotAllowed"}:
            return Stands(None, _marker(error))
        raise
    listed = Listed.of({"Key": key, "Size": head["ContentLength"], **head})
    return Stands(listed, listed.version)


def _marker(error: DriverError) -> str:
    """The version of the delete marker that hides the object."""
    answer: Any = getattr(error.__cause__, "response", {})
    return str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-version-id", ""))


def see_customer_key(target: Target, place: dict[str, Any], unsaid: DriverError) -> None:
    """See that it is what the customer alone has the key of; else what was ``unsaid`` is raised, or what S3 says now.

    The answer to a look has no body. Asked for a byte S3 says why not.
    """
    try:
        answer = target.access.call("s3", "get_object", Range="bytes=0-0", **place)
    except DriverError as error:
        if why(error) == "InvalidRequest":
            return
        raise
    answer["Body"].close()
    raise unsaid
