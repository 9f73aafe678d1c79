"""What is looked at before a restore: refuse early, in words, what cannot end well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backups.drivers.base import Artefact, DriverError, Mode, Place
from backups.drivers.counting import counted
from backups.drivers.ec2 import snapshots
from backups.drivers.ec2.machine import Machine, attached_to, machine_if_there, unshared
from backups.drivers.ec2.restore import kept_of, zone_of
from backups.drivers.ec2.target import Target
from backups.drivers.provider import KeptAt

GROUP = "aws:autoscaling:groupName"


def preflight(target: Target, place: Place, mode: Mode, artefact: Artefact) -> list[str]:
    """A sentence per thing that was found right."""
    if mode is Mode.EXPORT:
        raise DriverError("Snapshots cannot be downloaded. Restore the volumes beside the live ones instead.")
    kept, entries = kept_of(artefact), list(artefact.manifest())
    _check_region(target, kept)
    snapshots.check(target.access, kept)
    said = [f"{counted(len(kept.parts), 'snapshot')} in {kept.region}, complete."]
    found = machine_if_there(target.access, target.machine)
    if mode is Mode.IN_PLACE:
        said += _in_place(target, found, entries)
    elif found is None:
        said.append(
            f"There is no machine {target.machine} in {kept.region}; the volumes are made in {zone_of(target, entries)}."
        )
    return said


def _check_region(target: Target, kept: KeptAt) -> None:
    if kept.region != target.access.region:
        raise DriverError(
            f"The only copy is in {kept.region}, and volumes for {target.machine} are needed in {target.access.region}."
            " The portal brings the copy home by itself; try again when the backup's page shows it there.",
            retry=True,
        )


def _in_place(target: Target, found: Machine | None, entries: Sequence[Any]) -> list[str]:
    if found is None:
        raise DriverError(
            f"The machine {target.machine} is not there any more, so nothing can be put in its place. Restore beside: then the"
            " volumes stand ready to be attached to a new machine."
        )
    _check_can_be_stopped(found)
    _check_no_own_disks(target, found)
    wanted = {entry["device"] for entry in entries}
    live = {one.device for one in unshared(attached_to(target.access, target.machine, target.device))}
    said = [f"The machine {found.name or found.id} is {found.state}; it stands still while volumes are exchanged."]
    if later := sorted(live - wanted):
        said.append(f"Attached since the backup, and left as they are: {', '.join(later)}.")
    if gone := sorted(wanted - live):
        said.append(f"Nothing is attached at {', '.join(gone)} now; the restored volumes come there.")
    address = found.described.get("PublicIpAddress")
    owner = (found.described.get("NetworkInterfaces") or [{}])[0].get("Association", {}).get("IpOwnerId", "amazon")
    if found.state == "running" and address and owner == "amazon":
        said.append(f"Its public address {address} changes as it is stopped and started.")
    return said


def _check_no_own_disks(target: Target, found: Machine) -> None:
    """Disks of the host itself are empty after a stop, and no snapshot has ever held them."""
    kind = found.described.get("InstanceType", "")
    answer = target.access.call("ec2", "describe_instance_types", InstanceTypes=[kind])
    if any(one.get("InstanceStorageSupported") for one in answer["InstanceTypes"]):
        raise DriverError(
            f"The machine {found.id} ({kind}) has disks of its host, which are empty once it was stopped, and which no backup"
            " holds. Restore beside instead, and exchange the volumes by hand when what is on those disks is safe."
        )


def _check_can_be_stopped(found: Machine) -> None:
    if group := found.tags.get(GROUP):
        raise DriverError(
            f"The machine {found.id} belongs to the Auto Scaling group {group}, which would replace it as soon as it stands"
            " still. Put it on standby there first."
        )
    if found.described.get("InstanceLifecycle") == "spot":
        raise DriverError(
            f"The machine {found.id} is a spot instance: once stopped it may not start again. Restore beside instead."
        )
    if found.described.get("RootDeviceType", "ebs") != "ebs":
        raise DriverError(
            f"The root disk of the machine {found.id} is not an EBS volume, so it cannot be stopped. Restore beside instead."
        )
    if found.state not in ("running", "stopped", "stopping"):
        raise DriverError(
            f"The machine {found.id} is {found.state}. Try again when it runs or stands still.", retry=True
        )
