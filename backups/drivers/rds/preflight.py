"""What is looked at before a restore: refuse early, in words, what cannot end well."""

from __future__ import annotations

from backups.aws.access import Access
from backups.drivers.base import Artefact, DriverError, Mode, NotFound, Place, StillWorking
from backups.drivers.provider import KeptAt
from backups.drivers.rds import groups, snapshots
from backups.drivers.rds.instance import Instance, instance_if_there, see_ready, unfit
from backups.drivers.rds.properties import Entry
from backups.drivers.rds.restore import entry_in, kept_of
from backups.drivers.rds.target import Target

USABLE_KEYS = frozenset({"Enabled", ""})


def preflight(target: Target, place: Place, mode: Mode, artefact: Artefact) -> list[str]:
    """A sentence per thing that was found right, or that people should know before."""
    if mode is Mode.EXPORT:
        raise DriverError("Snapshots cannot be downloaded. Restore the instance beside the live one instead.")
    kept, entry = kept_of(artefact), entry_in(artefact)
    _check_region(target, kept)
    snapshots.check(target.access, kept)
    said = [f"The snapshot {', '.join(kept.parts.values())} in {kept.region}, complete."]
    said += _check_key(target.access, kept)
    if not groups.is_elsewhere(target.access, entry):
        if missing := [f"the {what} {entry[what]}" for what in groups.missing(target.access, entry)]:
            raise DriverError(
                f"The instance was set up with what is not there any more: {', '.join(missing)}. RDS would give it a default"
                " instead. Make it again under the same name."
            )
        said.append("Its subnet group, parameter group and option group are there.")
    entry, other_groups = groups.with_those_there(target, entry)
    said.append(other_groups or "Its security groups are there.")
    said += _check_room(target.access, entry)
    said += _offered(target.access, entry)
    if entry.get("password in Secrets Manager"):
        said.append(
            "The restored instance gets a master password of its own in Secrets Manager, under a name of its own."
        )
    found = instance_if_there(target.access, target.name)
    if mode is Mode.IN_PLACE:
        said += _in_place(target, found)
    return said


def _check_region(target: Target, kept: KeptAt) -> None:
    if kept.region != target.access.region:
        raise DriverError(
            f"The only copy is in {kept.region}, and {target.name} is needed in {target.access.region}. The portal brings the"
            " copy home by itself; try again when the backup's page shows it there.",
            retry=True,
        )


def _check_key(access: Access, kept: KeptAt) -> list[str]:
    """Without its key a snapshot is of no use, and RDS says so only an hour later."""
    said = []
    for name in kept.parts.values():
        found = snapshots.named(access, name)
        if found is None or not found.key:
            continue
        try:
            state = access.call("kms", "describe_key", KeyId=found.key)["KeyMetadata"].get("KeyState", "")
        except NotFound:
            state = "not there any more"
        except StillWorking:
            raise
        except DriverError as error:  # some keys show themselves to nobody; that RDS may use it is another matter
            said.append(f"Whether the key of the snapshot can be used was not seen. {error.sentence}")
            continue
        if state not in USABLE_KEYS:
            raise DriverError(
                f"The key {found.key}, with which the snapshot is encrypted, is {state}. Have it enabled, or its deletion"
                " cancelled; without it nothing of the backup can be read."
            )
        said.append("The snapshot is encrypted, and its key is enabled.")
    return said


def _check_room(access: Access, entry: Entry) -> list[str]:
    """The account's own limits, which would be said only after the snapshot was looked for."""
    quotas = {
        one["AccountQuotaName"]: (one.get("Used", 0), one.get("Max", 0))
        for one in access.call("rds", "describe_account_attributes")["AccountQuotas"]
    }
    for quota, what, more in (("DBInstances", "database instances", 1), ("AllocatedStorage", "GiB", entry["size"])):
        used, most = quotas.get(quota, (0, 0))
        if most and used + more > most:
            raise DriverError(
                f"The AWS account {access.account.name} has {used:,} of {most:,} {what} in {access.region}, and the restored"
                f" instance needs {more:,} beside the live one. Have the limit raised, or remove what is not needed.",
                retry=True,
            )
    return ["The account has room for one more instance."]


def _offered(access: Access, entry: Entry) -> list[str]:
    offered = access.call(
        "rds",
        "describe_orderable_db_instance_options",
        Engine=entry["engine"],
        EngineVersion=entry["version"],
        DBInstanceClass=entry["class"],
    )["OrderableDBInstanceOptions"]
    if offered:
        return [f"RDS offers {entry['engine']} {entry['version']} on {entry['class']}."]
    return [
        f"RDS does not offer {entry['engine']} {entry['version']} on {entry['class']} any more. It may refuse to make the"
        " instance, or make it of a later version; a later one than the next of the same kind is not accepted."
    ]


def _in_place(target: Target, found: Instance | None) -> list[str]:
    if found is None:
        return [f"No instance is called {target.name} now; the restored one is given that name."]
    if why := unfit(found):
        raise DriverError(f"The instance {found.name} cannot be replaced. {why} Restore beside instead.")
    see_ready(found, "be renamed")
    said = [
        f"{found.name} ({found.id}) is {found.status}. It is renamed and kept, protected from deletion; the restored instance takes"
        " its name. Between the two renamings, some minutes, no instance has the name.",
        "Applications are cut off meanwhile, and DNS takes some more minutes to lead the endpoint to the restored instance.",
    ]
    if found.replicas:
        said.append(
            f"Its read replicas stay with the original, which nobody writes to then: {', '.join(found.replicas)}. Make them"
            " anew of the restored one."
        )
    if pending := sorted(found.described.get("PendingModifiedValues") or ()):
        said.append(f"Changes that wait for its maintenance window are made as it is renamed: {', '.join(pending)}.")
    return said
