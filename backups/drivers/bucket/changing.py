"""One key of the live bucket: what was restored put there, or what was live put back. Each may be done twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups.drivers.base import DriverError
from backups.drivers.bucket.copying import copy_object
from backups.drivers.bucket.entry import Entry, Listed, described
from backups.drivers.bucket.journal import TAG, Change
from backups.drivers.bucket.pace import NOT_THERE, Turn, why
from backups.drivers.bucket.restore import chosen
from backups.drivers.bucket.take import look
from backups.drivers.bucket.target import Target


class Lost(DriverError):
    """What was live is gone for good, and not by the portal."""


def put(target: Target, beside: str, change: Change, turn: Turn, careful: bool) -> bool:
    """What the backup has, or a delete marker. ``careful``: it may be done already, so look first."""
    if change.new is None:
        _hide(target, change.key, careful)
        return True
    if change.do == TAG and change.was is not None:
        now = look(target, change.key)
        if now is not None and now.version == change.was.version:
            _tag(target, change.key, now.version, change.new.tags or {})
            return True
    if careful and _is_put(target, beside, change):
        return True
    _copy(target, {"Bucket": beside, "Key": change.key}, change.new, turn)
    return True


def _is_put(target: Target, beside: str, change: Change) -> bool:
    now = look(target, change.key)
    if now is None or (change.was is not None and now.version == change.was.version):
        return False
    stands = target.access.call("s3", "head_object", Bucket=beside, Key=change.key)
    return (now.etag, now.size) == (str(stands["ETag"]).strip('"'), stands["ContentLength"])


def put_back(target: Target, beside: str, change: Change, turn: Turn, careful: bool) -> bool:
    """What the journal says was live, or a delete marker. False when that version is gone."""
    if change.was is None:
        _hide(target, change.key, careful)
        return True
    now = look(target, change.key) if careful or change.do == TAG else None
    if now is not None and now.version == change.was.version:
        if change.do == TAG:
            _tag(target, change.key, now.version, change.was_tags or {})
        return True
    return _copy_back(target, change, change.was, turn)


def _copy_back(target: Target, change: Change, was: Listed, turn: Turn) -> bool:
    """Copied from its old version, with the tags that this had."""
    source: dict[str, Any] = {"Bucket": target.bucket, "Key": change.key, "VersionId": was.version}
    try:
        head = target.access.call("s3", "head_object", **source)
        tags = change.was_tags
        if tags is None and target.tagged and was.size > target.pace.piece:  # else they come by themselves
            answer = target.access.call("s3", "get_object_tagging", **source)
            tags = {one["Key"]: one["Value"] for one in answer["TagSet"]}
        _copy(target, source, described(was, head, tags), turn, tags)
    except DriverError as error:
        if why(error) in NOT_THERE:
            return False
        raise
    return True


def _hide(target: Target, key: str, careful: bool) -> None:
    if not careful or look(target, key) is not None:
        target.access.call("s3", "delete_object", Bucket=target.bucket, Key=key)


def _tag(target: Target, key: str, version: str, tags: Mapping[str, str]) -> None:
    written = [{"Key": name, "Value": value} for name, value in sorted(tags.items())]
    target.access.call(
        "s3", "put_object_tagging", Bucket=target.bucket, Key=key, VersionId=version, Tagging={"TagSet": written}
    )


def _copy(
    target: Target, source: dict[str, str], entry: Entry, turn: Turn, tags: Mapping[str, str] | None = None
) -> None:
    copy_object(
        target.access,
        source,
        "",
        entry,
        target.bucket,
        entry.key,
        pace=target.pace,
        turn=turn,
        tags=tags,
        shared=True,
        **chosen(entry),
    )
