"""What RDS keeps of backups: manual snapshots, which outlive their instance, and copies of them in other regions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import DamagedBackup, DriverError, NotFound, StillWorking
from backups.drivers.provider import KeptAt, Owned
from backups.drivers.rds.instance import GIB, SOON, Instance
from backups.drivers.rds.properties import DEFAULT
from backups.drivers.words import Progress

ASK_AGAIN = 30.0
LOST = frozenset({"failed", "deleting", "deleted"})


@dataclass(frozen=True)
class Snapshot:
    """One snapshot."""

    name: str
    arn: str
    instance: str  # the id of the instance that it is of
    status: str  # RDS's: creating, copying, available, failed
    percent: int
    size: int  # bytes: what is stored where RDS tells it, else of the instance's storage
    storage: int  # GiB, of the instance's storage
    version: str
    encrypted: bool
    key: str
    option_group: str
    tags: Mapping[str, str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Snapshot:
        """From RDS's description."""
        return cls(
            name=found["DBSnapshotIdentifier"].lower(),
            arn=found["DBSnapshotArn"],
            instance=found.get("DbiResourceId") or "",
            status=found.get("Status", "creating"),
            percent=found.get("PercentProgress") or 0,
            size=found.get("FullSnapshotSizeInBytes") or found.get("AllocatedStorage", 0) * GIB,
            storage=found.get("AllocatedStorage", 0),
            version=found.get("EngineVersion") or "",
            encrypted=bool(found.get("Encrypted")),
            key=found.get("KmsKeyId") or "",
            option_group=found.get("OptionGroupName") or "",
            tags=tags.read(found, "TagList"),
        )


def name_of(token: str) -> str:
    """What the snapshot of a copy is called: by its token alone, so that it is made once and found again. RDS has no filter
    for tags.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", token.lower()).strip("-")[:120].strip("-")
    return "-".join(filter(None, ("haas", readable, hashlib.sha256(token.encode()).hexdigest()[:12])))


def named(access: Access, name: str) -> Snapshot | None:
    """The snapshot of that name; None when there is none."""
    try:
        answer = access.call("rds", "describe_db_snapshots", DBSnapshotIdentifier=name)
    except NotFound:
        return None
    return next(map(Snapshot.of, answer["DBSnapshots"]), None)


def of_token(access: Access, token: str) -> Snapshot | None:
    """The snapshot that was made for a copy. Raises :class:`DriverError` when its name is taken by somebody else's."""
    found = named(access, name_of(token))
    if found is not None and found.tags.get(tags.COPY) != token:
        raise DriverError(
            f"There is a snapshot {found.name} in {access.region} that the portal has not made, or whose tags were changed."
            " Have somebody with access to the account look at it.",
            detail=found.arn,
        )
    return found


def begin(access: Access, found: Instance, token: str) -> None:
    """Have a snapshot made. Beginning twice is beginning once: by its name."""
    with _begun_already():
        access.call(
            "rds",
            "create_db_snapshot",
            DBInstanceIdentifier=found.name,
            DBSnapshotIdentifier=name_of(token),
            Tags=_marks(token, found.name),
        )


@contextmanager
def _begun_already() -> Iterator[None]:
    """Another's call, or one whose answer was lost, was first: that is as good."""
    try:
        yield
    except DriverError as error:
        if "DBSnapshotAlreadyExists" not in error.detail:
            raise


def completed(found: Snapshot, part: str, region: str, progress: Progress) -> KeptAt:
    """What is kept, once it is. Raises :class:`StillWorking` while RDS is at it."""
    if found.status in LOST:
        raise DriverError(
            f"RDS could not complete a snapshot in {region}. Try again; where it is encrypted see that the portal's role may"
            " use the key.",
            detail=f"{found.arn}: {found.status}",
            retry=True,
        )
    percent = 100 if found.status == "available" else min(found.percent, 100)
    done = found.size * percent // 100
    progress(done, found.size)
    if found.status != "available":
        sentence = f"RDS makes a snapshot of {part} in {region}: {percent} %."
        raise StillWorking(sentence, again_in=ASK_AGAIN, bytes_done=done, bytes_expected=found.size)
    return KeptAt(region, {part: found.name}, found.size)


def copy(here: Access, there: Access, kept: KeptAt, token: str, progress: Progress) -> KeptAt:
    """Have what ``kept`` names copied to the region of ``there``, from that of ``here``. Twice is once: by its name."""
    [(part, snapshot)] = kept.parts.items()
    begun = of_token(there, token)
    if begun is None:
        _begin_copy(here, there, part, snapshot, token)
        raise StillWorking(f"RDS copies a snapshot of {part} from {here.region} to {there.region}.", again_in=SOON)
    return completed(begun, part, there.region, progress)


def _begin_copy(here: Access, there: Access, part: str, snapshot: str, token: str) -> None:
    source = named(here, snapshot)
    if source is None:
        raise _lost(snapshot, "has no snapshot", here.region, "absent")
    key = there.account.regions[there.region].kms_key if there.region in there.account.regions else ""
    if source.encrypted and not key:
        raise DriverError(
            f"The snapshot of {part} is encrypted, and keys of {here.region} do not count in {there.region}. Set a key for that"
            f" region: “manage.py aws_account region {there.account.name} {there.region} --kms-key …”.",
            detail=source.arn,
        )
    more: dict[str, Any] = {"KmsKeyId": key} if key else {}
    if here.region != there.region:
        more["SourceRegion"] = here.region  # by it boto3 signs the request that the other region makes here
        if group := _same_option_group(there, source.option_group):
            more["OptionGroupName"] = group
    try:
        with _begun_already():
            there.call(
                "rds",
                "copy_db_snapshot",
                SourceDBSnapshotIdentifier=source.arn,
                TargetDBSnapshotIdentifier=name_of(token),
                Tags=_marks(token, part),
                **more,
            )
    except DriverError as error:
        if "option group" in error.detail.lower():
            raise DriverError(
                f"The option group {source.option_group} of {part} has options without which its snapshot is of no use, and"
                f" there is no such group in {there.region}. Make one there of the same name and options.",
                detail=error.detail,
            ) from error
        raise


def _same_option_group(there: Access, name: str) -> str:
    """The name, if such a group is there. Without one RDS copies, unless an option has to stay with the data."""
    if not name or name.startswith(DEFAULT):
        return ""
    try:
        there.call("rds", "describe_option_groups", OptionGroupName=name)
    except NotFound:
        return ""
    return name


def check(access: Access, kept: KeptAt) -> None:
    """See that the snapshot is there, complete."""
    for snapshot in kept.parts.values():
        found = named(access, snapshot)
        if found is None:
            raise _lost(snapshot, "has no snapshot", kept.region, "absent")
        if found.status in LOST:
            raise _lost(snapshot, "calls faulty the snapshot", kept.region, found.status)
        if found.status != "available":
            raise DriverError(
                f"The snapshot {snapshot} in {kept.region} is {found.status}.", detail=found.arn, retry=True
            )


def _lost(snapshot: str, what: str, region: str, status: str) -> DamagedBackup:
    return DamagedBackup(
        f"The stored backup is damaged: RDS {what} {snapshot} in {region}. Restore another backup.",
        detail=f"{snapshot}: {status}",
    )


def delete(access: Access, token: str, kept: KeptAt | None) -> None:
    """Remove the snapshot of the token, and what ``kept`` names though its tag was taken away; absent is fine."""
    begun = named(access, name_of(token))
    names = {begun.name} if begun is not None and begun.tags.get(tags.COPY) == token else set()
    for name in sorted(names | set(kept.parts.values() if kept is not None else ())):
        try:
            access.call("rds", "delete_db_snapshot", DBSnapshotIdentifier=name)
        except NotFound:
            continue


def owned(access: Access) -> Iterator[Owned]:
    """Every snapshot that the portal has made in the region."""
    for found in access.pages("rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual"):
        one = Snapshot.of(found)
        if tags.COPY in one.tags:
            yield Owned(one.tags[tags.COPY], one.name, one.size, one.status not in LOST)


def _marks(token: str, part: str) -> list[dict[str, str]]:
    return tags.written({tags.COPY: token, tags.PART: part})
