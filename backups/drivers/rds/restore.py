"""Building an instance from a snapshot beside the live one, like the original in everything, and comparing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import (
    Artefact,
    DamagedBackup,
    DriverError,
    NotAsBackedUp,
    NotFound,
    Place,
    StillWorking,
    Verified,
)
from backups.drivers.counting import counted
from backups.drivers.provider import KeptAt
from backups.drivers.rds.groups import is_elsewhere, with_those_there
from backups.drivers.rds.instance import GIB, SOON, Instance, instance, instance_if_there, mark, see_ready
from backups.drivers.rds.properties import Entry, changes, differences, entry_of, number_compared, restore_arguments
from backups.drivers.rds.target import Target
from backups.drivers.words import Progress

CHANGED, RESTARTED = "changed", "restarted"


def restore(target: Target, place: Place, artefact: Artefact, progress: Progress) -> None:
    """An instance of the snapshot under the restore's own name; one of this place that stands already is gone on with."""
    kept = kept_of(artefact)
    [(_, snapshot)] = kept.parts.items()
    recorded = entry_in(artefact)
    read_description(artefact)
    entry, _ = with_those_there(target, recorded)
    found = instance_if_there(target.access, place.beside)
    if found is None:
        with _not_built_there(target, recorded):
            _create(target.access, place, entry, snapshot)
        raise StillWorking(f"RDS makes an instance of {target.name}'s snapshot.", again_in=SOON)
    see_own(found, place.beside)
    see_ready(found, "be given what the original had")
    progress(0, entry["size"] * GIB)
    _fit(target.access, found, entry)
    progress(entry["size"] * GIB, entry["size"] * GIB)


@contextmanager
def _not_built_there(target: Target, entry: Entry) -> Iterator[None]:
    """What RDS refuses in a region where the original has never been says nothing against the copy in it."""
    try:
        yield
    except (DamagedBackup, StillWorking):
        raise
    except DriverError as error:
        if error.retry or not is_elsewhere(target.access, entry):
            raise
        raise DriverError(
            f"RDS could not make an instance of {target.name} in {target.access.region}, where it has never been, so of that copy"
            f" it is only known that it is present. A default network (VPC) there, or a subnet group of the original's name, is"
            f" what is missing mostly. {error.sentence}",
            detail=error.detail,
        ) from error


def _create(access: Access, place: Place, entry: Entry, snapshot: str) -> None:
    """Everything is said: RDS would give a group of its own for each that is not."""
    marks = {**entry["tags"], tags.RESTORE: place.beside, tags.PART: snapshot}
    marks[tags.PROTECTED] = yes(entry["deletion protection"])
    try:
        access.call(
            "rds",
            "restore_db_instance_from_db_snapshot",
            DBInstanceIdentifier=place.beside,
            DBSnapshotIdentifier=snapshot,
            DeletionProtection=False,
            Tags=tags.written(marks),
            **restore_arguments(entry),
        )
    except NotFound as error:
        if "DBSnapshotNotFound" in error.detail:
            raise DamagedBackup(
                f"The stored backup is damaged: RDS has no snapshot {snapshot} in {access.region}. Restore another backup.",
                detail=error.detail,
            ) from error
        raise DriverError(
            f"Something that the original was set up with is not there any more. {error.sentence} Make it again under the same"
            " name, then start a new restore.",
            detail=error.detail,
        ) from error
    except DriverError as error:
        if "DBInstanceAlreadyExists" not in error.detail:  # else the answer to an earlier call was lost
            raise


def _fit(access: Access, found: Instance, entry: Entry) -> None:
    """What RDS does not bring back from a snapshot. Noted on the instance, so that each part is asked for once."""
    stage = found.tags.get(tags.FITTED, "")
    if not stage:
        for feature, role in entry.get("roles") or ():
            if [feature, role] not in entry_of(found.described)["roles"]:
                access.call(
                    "rds",
                    "add_role_to_db_instance",
                    DBInstanceIdentifier=found.name,
                    RoleArn=role,
                    FeatureName=feature,
                )
        if wanted := changes(found.described, entry):
            access.call("rds", "modify_db_instance", DBInstanceIdentifier=found.name, ApplyImmediately=True, **wanted)
        mark(access, found, **{tags.FITTED: CHANGED})
        raise StillWorking(f"RDS gives {found.name} the rest of what the original had.", again_in=SOON)
    if found.described.get("PendingModifiedValues"):
        raise StillWorking(f"RDS gives {found.name} the rest of what the original had.", again_in=SOON)
    if stage != RESTARTED and _waits_for_restart(found.described):
        access.call("rds", "reboot_db_instance", DBInstanceIdentifier=found.name)
        mark(access, found, **{tags.FITTED: RESTARTED})
        raise StillWorking(f"{found.name} is restarted, so that its parameters count.", again_in=SOON)


def _waits_for_restart(described: Mapping[str, Any]) -> bool:
    return any(one.get("ParameterApplyStatus") == "pending-reboot" for one in described.get("DBParameterGroups") or ())


def yes(value: object) -> str:
    """How a tag says it."""
    return "yes" if value else "no"


def see_own(found: Instance, name: str) -> None:
    """Raises :class:`DriverError` when what has a name of the restore is not of it."""
    if found.tags.get(tags.RESTORE) != name:
        raise DriverError(
            f"There is an instance {found.name} that is not of this restore, so it was not touched. See who has made it.",
            detail=found.arn,
        )


def verify(target: Target, place: Place, artefact: Artefact, progress: Progress) -> Verified:
    """It is of the right snapshot, and in every property like the instance that was backed up. RDS shows no contents."""
    kept = kept_of(artefact)
    entry, other_groups = with_those_there(target, entry_in(artefact))
    found = instance(target.access, place.beside)
    see_own(found, place.beside)
    closed = entry.get("public") and tags.CLOSED in found.tags
    if closed:
        entry = {**entry, "public": False}
    wrong = [f"{name}: {now} instead of {wanted}" for name, now, wanted in differences(found.described, entry)]
    later = _later_version(found, entry)
    if later:
        wrong = [one for one in wrong if not one.startswith("version: ")]
    if found.tags.get(tags.PART) not in kept.parts.values():
        wrong.append(f"snapshot: {found.tags.get(tags.PART)} instead of {', '.join(kept.parts.values())}")
    progress(entry["size"] * GIB, None)
    if wrong:
        raise NotAsBackedUp(
            f"What was restored differs from the backup in {counted(len(wrong), 'place')}. Nothing live was touched.",
            detail="\n".join(wrong[:50]),
        )
    number = number_compared(entry)
    snapshot = found.tags[tags.PART]
    sentences = (
        f"The instance {found.name} ({found.id}), {found.words}, of the snapshot {snapshot}: {number:,} properties as they were,"
        " among them class, storage, network, groups, port and tags.",
        later,
        other_groups,
        "It was taken off the internet, unlike the original." if closed else "",
        "RDS shows nobody what is in it, so no rows were compared.",
    )
    return Verified(
        " ".join(filter(None, sentences)),
        {"instances": 1, "GiB": found.size, "properties": number},
    )


def _later_version(found: Instance, entry: Entry) -> str:
    """RDS brings no version back that it has withdrawn, but the next one of the same kind."""
    before, now = str(entry.get("version", "")), found.version
    same_kind = before.rpartition(".")[0] == now.rpartition(".")[0] != ""
    if before == now or not same_kind or not _number(now) > _number(before):
        return ""
    return f"RDS made it of version {now}, after {before}."


def _number(version: str) -> int:
    last = version.rpartition(".")[2]
    return int(last) if last.isdigit() else -1


def kept_of(artefact: Artefact) -> KeptAt:
    """What RDS keeps of the backup."""
    if artefact.kept is None or len(artefact.kept.parts) != 1:
        raise DamagedBackup("The portal does not know which snapshot belongs to this backup. Restore another backup.")
    return artefact.kept


def entry_in(artefact: Artefact) -> Entry:
    """The manifest's one line."""
    entries = list(artefact.manifest())
    if len(entries) != 1:
        raise NotAsBackedUp(
            f"The manifest describes {counted(len(entries), 'instance')} instead of one, so nothing could be compared."
        )
    return entries[0]


def read_description(artefact: Artefact) -> None:
    """Read all that is stored of the backup: the snapshot is only believed with a description that holds."""
    with artefact.open() as description:
        while description.read(1 << 16):
            pass
