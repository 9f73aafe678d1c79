"""A part of the exchange in the live bucket, key by key: what was restored put there, or what was live put back.

Applications go on writing meanwhile. So what stands under a key is looked at first: what was live comes back, not what the
journal says was; and what somebody has written since stays where an exchange that was cut short goes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from backups.drivers.base import DriverError
from backups.drivers.bucket.claim import Claim
from backups.drivers.bucket.copying import Copied, copy_object
from backups.drivers.bucket.entry import Entry, Listed, described
from backups.drivers.bucket.journal import TAG, Change, check_comes_back, no_way_back
from backups.drivers.bucket.pace import NOT_THERE, Turn, why
from backups.drivers.bucket.reached import Reached
from backups.drivers.bucket.restore import chosen
from backups.drivers.bucket.take import look
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.verify import is_digest

FOREIGN = "foreign"
"""The version of what nobody but the customer can look at."""


class Lost(DriverError):
    """What was live is gone for good, and not by the portal."""


@dataclass(frozen=True)
class Work:
    """What a part is done with."""

    target: Target
    beside: str
    claim: Claim
    turn: Turn
    reached: Reached


def look_at(work: Work, changes: Sequence[Change]) -> list[Change]:
    """Note in ``reached`` what stands there now; the changes that are to be made. What could not come back is refused."""
    todo = work.target.pace.each([partial(_looked_at, work, change) for change in changes])
    return [change for change, wanted in zip(changes, todo, strict=True) if wanted]


def _looked_at(work: Work, change: Change) -> bool:
    stands = _now(work.target, change.key)
    known = work.reached.before
    if change.key in known and not _same(stands, known[change.key]) and _is_ours(work, change, stands):
        return False
    if stands is not None and not _same(stands, change.was):  # the others were read for the journal
        if stands.version == FOREIGN:
            raise no_way_back(
                work.target, stands, "is encrypted with a key that only the customer has", " Restore beside instead."
            )
        check_comes_back(work.target, stands)
    known[change.key] = stands
    return True


def put(work: Work, change: Change) -> None:
    """What the backup has, or a delete marker, after :func:`look_at`. May be done twice."""
    work.claim.hold()
    target, key, stands = work.target, change.key, work.reached.before[change.key]
    if change.new is None:
        if stands is not None:
            target.access.call("s3", "delete_object", Bucket=target.bucket, Key=key)
    elif change.do == TAG and stands is not None and _same(stands, change.was):
        _tag(target, key, stands.version, change.new.tags or {})
    else:
        copied = _copy(target, {"Bucket": work.beside, "Key": key}, change.new, work.turn)
        work.reached.put(key, copied.version)


def put_back(work: Work, change: Change, ours_alone: bool) -> bool:
    """What was live when the exchange came to it, or a delete marker. False when that version is gone. May be done twice.

    ``ours_alone``: what somebody else has written since stays.
    """
    work.claim.hold()
    target, key = work.target, change.key
    if key not in work.reached.before:
        return True
    was, stands = work.reached.before[key], _now(target, key)
    tagged = change.do == TAG and was is not None and _same(was, change.was)
    if _same(stands, was):
        if tagged and was and change.new and (not ours_alone or _tags(target, was) == change.new.tags):
            _tag(target, key, was.version, change.was_tags or {})
        return True
    if ours_alone and not _is_ours(work, change, stands):
        return True
    if was is None:
        target.access.call("s3", "delete_object", Bucket=target.bucket, Key=key)
        return True
    return _copy_back(target, was, change.was_tags if tagged else None, work.turn)


def _now(target: Target, key: str) -> Listed | None:
    try:
        return look(target, key)
    except DriverError as error:
        if why(error) != "400":
            raise
        return Listed(key, FOREIGN, "", 0, "")


def _same(one: Listed | None, other: Listed | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.version, one.etag, one.size) == (other.version, other.etag, other.size)


def _is_ours(work: Work, change: Change, stands: Listed | None) -> bool:
    """Whether the exchange has made what stands there. Where it was cut short in the middle, by what it looks like."""
    if stands is None or change.new is None:
        return stands is None and change.new is None
    if stands.version in work.reached.ours.get(change.key, ()):
        return True
    if work.reached.whole or stands.version == FOREIGN or stands.size != change.new.size:
        return False
    if stands.etag == change.new.etag or not is_digest(change.new):
        return True
    head = work.target.access.call("s3", "head_object", Bucket=work.target.bucket, Key=change.key)
    return not is_digest(described(stands, head, None))


def _copy_back(target: Target, was: Listed, tags: Mapping[str, str] | None, turn: Turn) -> bool:
    """Copied from its old version, with the tags that this had."""
    source: dict[str, Any] = {"Bucket": target.bucket, "Key": was.key, "VersionId": was.version}
    try:
        head = target.access.call("s3", "head_object", **source)
        if tags is None and target.tagged and was.size > target.pace.piece:  # else they come by themselves
            tags = _tags(target, was)
        _copy(target, source, described(was, head, tags), turn, tags)
    except DriverError as error:
        if why(error) in NOT_THERE:
            return False
        raise
    return True


def _tags(target: Target, which: Listed) -> dict[str, str]:
    answer = target.access.call(
        "s3", "get_object_tagging", Bucket=target.bucket, Key=which.key, VersionId=which.version
    )
    return {one["Key"]: one["Value"] for one in answer["TagSet"]}


def _tag(target: Target, key: str, version: str, tags: Mapping[str, str]) -> None:
    written = [{"Key": name, "Value": value} for name, value in sorted(tags.items())]
    target.access.call(
        "s3", "put_object_tagging", Bucket=target.bucket, Key=key, VersionId=version, Tagging={"TagSet": written}
    )


def _copy(
    target: Target, source: dict[str, str], entry: Entry, turn: Turn, tags: Mapping[str, str] | None = None
) -> Copied:
    return copy_object(
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
