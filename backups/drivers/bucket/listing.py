"""What a bucket holds, by pages, in the order of its keys; and walking along two such lists side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from backups.aws.access import Access
from backups.drivers.bucket.entry import Listed

Marker = tuple[str, str]
"""After which key, and which of its versions, a listing goes on."""
START: Marker = ("", "")


class HasKey(Protocol):
    """What stands in such a list."""

    @property
    def key(self) -> str:
        """S3 orders by it: by its bytes, which is by its characters."""


L = TypeVar("L", bound=HasKey)
R = TypeVar("R", bound=HasKey)


@dataclass(frozen=True)
class Page:
    """Up to a thousand versions; those of them that are the latest. ``after`` is None behind the last page."""

    objects: list[Listed]
    after: Marker | None


def keeps_versions(access: Access, bucket: str) -> str:
    """``Enabled``, ``Suspended``, or empty where versioning was never switched on."""
    return str(access.call("s3", "get_bucket_versioning", Bucket=bucket).get("Status") or "")


def pages(access: Access, bucket: str, after: Marker = START, *, versions: bool) -> Iterator[Page]:
    """The objects of a bucket; delete markers and earlier versions are passed over. Without ``versions``: as if it had none."""
    marker: Marker | None = after
    while marker is not None:
        page = _of_versions(access, bucket, marker) if versions else _of_objects(access, bucket, marker)
        yield page
        marker = page.after


def _of_versions(access: Access, bucket: str, after: Marker) -> Page:
    key, version = after
    where: dict[str, Any] = ({"KeyMarker": key} if key else {}) | ({"VersionIdMarker": version} if version else {})
    answer = access.call("s3", "list_object_versions", Bucket=bucket, **where)
    objects = [Listed.of(found) for found in answer.get("Versions", ()) if found["IsLatest"]]
    more = answer.get("IsTruncated")
    return Page(objects, (answer["NextKeyMarker"], answer.get("NextVersionIdMarker") or "") if more else None)


def _of_objects(access: Access, bucket: str, after: Marker) -> Page:
    where: dict[str, Any] = {"StartAfter": after[0]} if after[0] else {}
    answer = access.call("s3", "list_objects_v2", Bucket=bucket, **where)
    objects = [Listed.of(found) for found in answer.get("Contents", ())]
    return Page(objects, (objects[-1].key, "") if answer.get("IsTruncated") else None)


def joined(left: Iterable[L], right: Iterable[R]) -> Iterator[tuple[L | None, R | None]]:
    """Two lists in order, side by side by their keys; None where one has none."""
    ones, others = iter(left), iter(right)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.key < other.key):
            yield one, None
            one = next(ones, None)
        elif one is None or other.key < one.key:
            yield None, other
            other = next(others, None)
        else:
            yield one, other
            one, other = next(ones, None), next(others, None)
