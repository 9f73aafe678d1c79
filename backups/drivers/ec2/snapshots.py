"""What EC2 keeps of backups: snapshots, made of all volumes in the same moment, and copied to other regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import DamagedBackup, DriverError, NotFound, StillWorking
from backups.drivers.counting import counted
from backups.drivers.ec2.machine import GIB
from backups.drivers.provider import KeptAt, Owned
from backups.drivers.words import Progress

DESCRIPTION = "HaaS backup portal"
ASK_AGAIN = 20.0
SHOWN_AFTER = timedelta(minutes=15)
"""What was made so long ago stands in every listing."""


@dataclass(frozen=True)
class Snapshot:
    """One snapshot."""

    id: str
    part: str  # the device of the volume that it is of; empty until that is noted on it
    volume: str
    state: str  # EC2's: pending, completed, error, recoverable, recovering
    percent: int
    together: int  # how many were made together; 1 where that was not noted
    size: int  # bytes: of the volume, or of what is stored where EC2 tells
    tags: Mapping[str, str]
    started: datetime

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Snapshot:
        """From EC2's description."""
        own = tags.read(found)
        progress = str(found.get("Progress") or "0").rstrip("%")
        return cls(
            id=found["SnapshotId"],
            part=own.get(tags.PART, ""),
            volume=found.get("VolumeId", ""),
            state=found.get("State", "pending"),
            percent=int(progress) if progress.isdigit() else 0,
            together=int(own[tags.OF]) if own.get(tags.OF, "").isdigit() else 1,
            size=found.get("FullSnapshotSizeInBytes") or found.get("VolumeSize", 0) * GIB,
            tags=own,
            started=found["StartTime"],
        )


def bearing(access: Access, token: str) -> list[Snapshot]:
    """The snapshots of a copy, by its token: by part, and the first made first."""
    wanted = tags.bearing(tags.COPY, token)
    found = access.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=wanted)
    return sorted(map(Snapshot.of, found), key=lambda one: (one.part, one.id))


def named(access: Access, ids: Sequence[str]) -> dict[str, Snapshot]:
    """Those snapshots, by id; what is not there is not among them. Asked for by filter, so that one that is gone is no error."""
    wanted = tags.filters(snapshot_id=ids)
    found = access.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=wanted)
    return {one.id: one for one in map(Snapshot.of, found)} if ids else {}


def completed(snapshots: Sequence[Snapshot], region: str, progress: Progress) -> KeptAt:
    """What is kept, once all of them are complete. Raises :class:`StillWorking` before, :class:`DriverError` when one failed."""
    failed = [one for one in snapshots if one.state == "error"]
    if failed:
        raise DriverError(
            f"AWS could not complete {counted(len(failed), 'snapshot')} in {region}. Try again; where they are encrypted"
            " see that the portal's role may use the key.",
            detail=", ".join(one.id for one in failed),
            retry=True,
        )
    size = sum(one.size for one in snapshots)
    done = sum(one.size * (100 if one.state == "completed" else one.percent) // 100 for one in snapshots)
    progress(done, size)
    waiting = [one for one in snapshots if one.state != "completed"]
    if waiting:
        percent = done * 100 // size if size else 0
        sentence = f"AWS makes {counted(len(snapshots), 'snapshot')} in {region}: {percent} %."
        raise StillWorking(sentence, again_in=ASK_AGAIN, bytes_done=done, bytes_expected=size)
    return KeptAt(region, {one.part: one.id for one in snapshots}, size)


def copy(there: Access, kept: KeptAt, token: str, progress: Progress) -> KeptAt:
    """Have what ``kept`` names copied to the region of ``there``. Starting twice is starting once: by the token's tag."""
    begun = {one.part: one for one in reversed(bearing(there, token))}  # of two of a part the first counts
    for part, snapshot in sorted(kept.parts.items()):
        if part not in begun:
            _begin_copy(there, kept.region, snapshot, part, token)
    if set(kept.parts) - set(begun):
        raise StillWorking(
            f"AWS copies {counted(len(kept.parts), 'snapshot')} from {kept.region} to {there.region}.", again_in=5
        )
    return completed([begun[part] for part in sorted(kept.parts)], there.region, progress)


def _begin_copy(there: Access, source_region: str, snapshot: str, part: str, token: str) -> None:
    key = there.account.regions[there.region].kms_key if there.region in there.account.regions else ""
    encryption: dict[str, Any] = {"Encrypted": True, "KmsKeyId": key} if key else {}
    try:
        there.call(
            "ec2",
            "copy_snapshot",
            SourceRegion=source_region,
            SourceSnapshotId=snapshot,
            Description=DESCRIPTION,
            TagSpecifications=tags.specification("snapshot", _marks(token, part)),
            **encryption,
        )
    except NotFound as error:
        if "InvalidSnapshot.NotFound" not in error.detail:
            raise
        raise DamagedBackup(
            f"The stored backup is damaged: AWS has no snapshot {snapshot} in {source_region}. Restore another backup.",
            detail=error.detail,
        ) from error
    except DriverError as error:
        if "ResourceLimitExceeded" in error.detail:  # so many copies at a time go to a region: this one waits
            sentence = f"AWS copies as many snapshots to {there.region} as it does at a time. This one waits."
            raise StillWorking(sentence, again_in=120) from error
        raise


def check(access: Access, kept: KeptAt) -> None:
    """See that every snapshot is there, complete."""
    there = named(access, sorted(kept.parts.values()))
    for part, snapshot in sorted(kept.parts.items()):
        found = there.get(snapshot) or _by_name(access, snapshot)
        if found is None or found.state == "error":
            what = "has no snapshot" if found is None else "calls faulty the snapshot"
            raise DamagedBackup(
                f"The stored backup is damaged: AWS {what} {snapshot} ({part}) in {kept.region}. Restore another backup.",
                detail=f"{snapshot}: {found.state if found else 'absent'}",
            )
        if found.state != "completed":
            raise DriverError(
                f"The snapshot {snapshot} in {kept.region} is {found.state}.", detail=snapshot, retry=True
            )


def _by_name(access: Access, snapshot: str) -> Snapshot | None:
    """The one, asked for by its id: a listing may lag behind, and what a filter does not find is no answer."""
    try:
        answer = access.call("ec2", "describe_snapshots", SnapshotIds=[snapshot])
    except NotFound as error:
        if "InvalidSnapshot.NotFound" in error.detail:
            return None
        raise
    return next(map(Snapshot.of, answer["Snapshots"]), None)


def delete(access: Access, token: str, kept: KeptAt | None) -> None:
    """Remove what bears the token, and what ``kept`` names though its tag was taken away; absent is fine."""
    ids = {one.id for one in bearing(access, token)}
    if kept is not None:
        ids |= set(named(access, sorted(kept.parts.values())))
    for snapshot in sorted(ids):
        try:
            access.call("ec2", "delete_snapshot", SnapshotId=snapshot)
        except NotFound:
            continue
        except DriverError as error:
            if "InvalidSnapshot.InUse" in error.detail:
                sentence = (
                    f"The snapshot {snapshot} in {access.region} is used by an image (AMI). Deregister that first."
                )
                raise DriverError(sentence, detail=error.detail) from error
            raise


def owned(access: Access) -> Iterator[Owned]:
    """Every snapshot that the portal has made in the region."""
    wanted = tags.filters(tag_key=[tags.COPY])
    for found in access.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=wanted):
        one = Snapshot.of(found)
        yield Owned(one.tags[tags.COPY], one.id, one.size, one.state != "error")


def _marks(token: str, part: str) -> dict[str, str]:
    return {tags.COPY: token, tags.PART: part, "Name": f"HaaS backup {part}"}
