"""A part of the exchange in the live bucket, key by key: what was restored put there, or what was live put back.

Applications go on writing meanwhile. So what stands under a key is looked at first, and is replaced on condition that it is
still there: what was live comes back, not what the journal says was; and what somebody has written since stays where an
exchange that was cut short goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from backups.aws.tags import read, written
from backups.drivers.base import DriverError
from backups.drivers.bucket.copying import copy_object
from backups.drivers.bucket.entry import Entry, Listed, described
from backups.drivers.bucket.journal import TAG, Change, check_comes_back, no_way_back
from backups.drivers.bucket.looks import Stands, look, see_customer_key
from backups.drivers.bucket.pace import NOT_THERE, OTHERWISE, UNKNOWN_CALL, Turn, why
from backups.drivers.bucket.reached import Reached
from backups.drivers.bucket.restore import chosen
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.uploads import Uploads
from backups.drivers.bucket.verify import is_digest
from backups.drivers.exchanging import Final

TRIES = 5
FOREIGN = "foreign"
"""The version of what nobody but the customer can look at."""


class Lost(Final):
    """What was live cannot be brought back, and not for the portal's doing."""


class Whose(Enum):
    """Who has made what stands under a key."""

    OURS = "ours"
    THEIRS = "theirs"
    PERHAPS = "perhaps ours"


@dataclass(frozen=True)
class Work:
    """What a part is done with."""

    target: Target
    beside: str
    turn: Turn
    reached: Reached
    uploads: Uploads


def look_at(work: Work, changes: Sequence[Change]) -> list[Change]:
    """Note in ``reached`` what stands there now; the changes that are to be made. What could not come back is refused."""
    todo = work.target.pace.each([partial(_looked_at, work, change) for change in changes])
    return [change for change, wanted in zip(changes, todo, strict=True) if wanted]


def _looked_at(work: Work, change: Change) -> bool:
    stands, known = _now(work.target, change.key), work.reached.before
    if change.key in known and _same(stands.listed, known[change.key]):
        return True  # a call before has noted it, and its tags as they were
    whose = _whose(work, change, stands) if change.key in known else Whose.THEIRS
    if whose is Whose.THEIRS:
        _note(work, change, stands.listed)
    return whose is not Whose.OURS


def _note(work: Work, change: Change, was: Listed | None) -> None:
    """That is what comes back if this is undone."""
    if was is not None and was.version == FOREIGN:
        raise no_way_back(
            work.target, was, "is encrypted with a key that only the customer has", " Restore beside instead."
        )
    if was is not None and (not _same(was, change.was) or was.storage != getattr(change.was, "storage", "")):
        check_comes_back(work.target, was)  # the others were read for the journal
    tagged = change.do == TAG and was is not None and _same(was, change.was)
    work.reached.stands(change.key, was, _tags(work.target, was) if tagged and was else None)


def put(work: Work, change: Change) -> None:
    """What the backup has, or a delete marker, after :func:`look_at`. May be done twice."""
    onto, conditions = _now(work.target, change.key), True
    for _ in range(TRIES):
        if not _same(onto.listed, work.reached.before[change.key]):
            whose = _whose(work, change, onto)
            if whose is Whose.OURS:
                work.reached.ends(change.key, onto.version)
                return
            if whose is Whose.THEIRS:
                _note(work, change, onto.listed)
                work.reached.write()
        try:
            _put(work, change, replace(onto, conditions=conditions))
            return
        except DriverError as error:
            if why(error) not in NOT_THERE | OTHERWISE:
                raise
            before, onto = onto, _now(work.target, change.key)
            if _same(before.listed, onto.listed):
                if not conditions or why(error) in NOT_THERE:
                    raise
                conditions = False  # to this server they mean something else
    raise _too_quick(work, change)


def _put(work: Work, change: Change, onto: Stands) -> None:
    target, key = work.target, change.key
    if change.new is None:
        if onto.listed is not None:
            _hide(work, key, onto)
    elif change.do == TAG and onto.listed is not None and _same(onto.listed, change.was):
        _tag(target, key, onto.listed.version, change.new.tags or {})
    else:
        _copy(work, {"Bucket": work.beside, "Key": key}, change.new, onto)


def put_back(work: Work, change: Change, ours_alone: bool) -> bool:
    """What was live when the exchange came to it, or a delete marker. False when it cannot be brought back. May be done twice.

    ``ours_alone``: what somebody else has written since stays.
    """
    if change.key not in work.reached.before or change.key in work.reached.back:
        return True
    for number in range(TRIES):
        stands = replace(_now(work.target, change.key), conditions=number < TRIES - 1)
        try:
            well = _put_back(work, change, stands, ours_alone)
        except DriverError as error:
            if why(error) not in NOT_THERE | OTHERWISE:
                raise
            continue
        if well:
            work.reached.is_back(change.key)
        return well
    raise _too_quick(work, change)


def _put_back(work: Work, change: Change, stands: Stands, ours_alone: bool) -> bool:
    target, key, was = work.target, change.key, work.reached.before[change.key]
    tags = work.reached.tags.get(key)  # where those alone were changed
    if _same(stands.listed, was):
        if tags is not None and was and change.new and (not ours_alone or _tags(target, was) == change.new.tags):
            _tag(target, key, was.version, tags)
        return True
    if ours_alone and _whose(work, change, stands) is Whose.THEIRS:
        return True
    if was is None:
        _hide(work, key, stands)
        return True
    return _copy_back(work, was, tags, stands)


def _too_quick(work: Work, change: Change) -> DriverError:
    return DriverError(
        f"{change.key} in {work.target.bucket} changes more quickly than it can be exchanged. The portal tries again.",
        retry=True,
    )


def _now(target: Target, key: str) -> Stands:
    try:
        return look(target, key)
    except DriverError as error:
        if why(error) != "400":
            raise
        see_customer_key(target, {"Bucket": target.bucket, "Key": key}, error)
        return Stands(Listed(key, FOREIGN, "", 0, ""), FOREIGN)


def _same(one: Listed | None, other: Listed | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.version, one.etag, one.size) == (other.version, other.etag, other.size)


def _whose(work: Work, change: Change, stands: Stands) -> Whose:
    """Where a worker died in the middle, by what it looks like."""
    key, listed = change.key, stands.listed
    if stands.version and stands.version in work.reached.ours.get(key, ()):
        return Whose.OURS
    if key not in work.reached.unsure:
        return Whose.THEIRS
    if listed is None or change.new is None:
        return Whose.PERHAPS if listed is None and change.new is None else Whose.THEIRS
    if listed.version == FOREIGN or listed.size != change.new.size:
        return Whose.THEIRS
    if listed.etag == change.new.etag:
        return Whose.OURS
    return _by_digests(work, change.new, listed)


def _by_digests(work: Work, new: Entry, listed: Listed) -> Whose:
    head = work.target.access.call("s3", "head_object", Bucket=work.target.bucket, Key=new.key, ChecksumMode="ENABLED")
    now = described(listed, head, None)
    digests = [(value, now.checksum[name]) for name, value in new.checksum.items() if name in now.checksum]
    if digests:
        return Whose.OURS if all(one == other for one, other in digests) else Whose.THEIRS
    return Whose.THEIRS if is_digest(new) and is_digest(now) else Whose.PERHAPS


def _hide(work: Work, key: str, onto: Stands) -> None:
    """By a delete marker."""
    if onto.listed is None:
        return
    target = work.target

    def hide(over: Mapping[str, Any]) -> str:
        answer = target.access.call("s3", "delete_object", Bucket=target.bucket, Key=key, **over)
        return str(answer.get("VersionId") or "null")

    _make(work, key, onto, hide)


def _copy_back(work: Work, was: Listed, tags: Mapping[str, str] | None, onto: Stands) -> bool:
    """Copied from its old version, with the tags that this had."""
    target = work.target
    source: dict[str, Any] = {"Bucket": target.bucket, "Key": was.key, "VersionId": was.version}
    try:
        head = target.access.call("s3", "head_object", **source)
        if tags is None and target.tagged and was.size > target.pace.piece:  # else they come by themselves
            tags = _tags(target, was)
    except DriverError as error:
        if why(error) in NOT_THERE:
            return False
        raise
    try:
        _copy(work, source, described(was, head, tags), onto, tags)
    except DriverError as error:
        if why(error) == "InvalidObjectState":  # archived since
            return False
        raise
    return True


def _tags(target: Target, which: Listed) -> dict[str, str]:
    answer = target.access.call(
        "s3", "get_object_tagging", Bucket=target.bucket, Key=which.key, VersionId=which.version
    )
    return read(answer, "TagSet")


def _tag(target: Target, key: str, version: str, wanted: Mapping[str, str]) -> None:
    tagging = {"TagSet": written(wanted)}
    target.access.call("s3", "put_object_tagging", Bucket=target.bucket, Key=key, VersionId=version, Tagging=tagging)


def _copy(
    work: Work, source: dict[str, str], entry: Entry, onto: Stands, tags: Mapping[str, str] | None = None
) -> None:
    target = work.target

    def copy(over: Mapping[str, Any]) -> str:
        return copy_object(
            target.access, source, "", entry, target.bucket, entry.key, pace=target.pace, turn=work.turn, tags=tags,
            shared=work.uploads, over=over, **chosen(entry),
        ).version  # fmt: skip

    _make(work, entry.key, onto, copy)


def _make(work: Work, key: str, onto: Stands, make: Callable[[Mapping[str, Any]], str]) -> None:
    """Have a version made and noted, on the condition that nobody has replaced what stands there, where a server knows such."""
    work.reached.begins(key)
    try:
        try:
            version = make(onto.condition)
        except DriverError as error:
            if why(error) not in UNKNOWN_CALL:
                raise
            version = make({})
    except DriverError as error:
        if why(error) and not error.retry and why(error) not in NOT_THERE | OTHERWISE:
            work.reached.ends(key)  # S3 has said no
        raise
    work.reached.ends(key, version)
    if version == "null":
        raise DriverError(
            f"The bucket {work.target.bucket} keeps no versions any more, so what is replaced there would be lost. Switch"
            " versioning on; the portal goes on then.",
            retry=True,
        )
