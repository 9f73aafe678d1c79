"""A machine and its volumes, as EC2 describes them now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import DriverError, NotFound

GIB = 1 << 30


@dataclass(frozen=True)
class Volume:
    """One volume. ``device`` is where it is attached; empty when it is attached to nothing."""

    id: str
    device: str
    machine: str
    zone: str
    state: str  # EC2's: creating, available, in-use, deleting, error
    size: int  # GiB
    type: str
    iops: int | None
    throughput: int | None
    encrypted: bool
    snapshot: str  # what it was made of
    goes_with_machine: bool | None = None  # whether it is deleted when the machine is; None while attached to none
    tags: Mapping[str, str] = field(default_factory=dict)

    on_its_way: bool = False  # whether it is being attached
    of_many: bool = False  # whether several machines may have it at once

    @classmethod
    def of(cls, found: Mapping[str, Any], machine: str = "") -> Volume:
        """From EC2's description; where several machines have it, as that one does."""
        attached: Mapping[str, Any] = next(
            (
                one
                for one in found.get("Attachments") or ()
                if one.get("State") not in ("detached", "detaching") and machine in ("", one.get("InstanceId"))
            ),
            {},
        )
        return cls(
            id=found["VolumeId"],
            device=attached.get("Device", ""),
            machine=attached.get("InstanceId", ""),
            zone=found["AvailabilityZone"],
            state=found["State"],
            size=found["Size"],
            type=found.get("VolumeType", "standard"),
            iops=found.get("Iops"),
            throughput=found.get("Throughput"),
            encrypted=bool(found.get("Encrypted")),
            snapshot=found.get("SnapshotId") or "",
            on_its_way=attached.get("State") == "attaching",
            of_many=bool(found.get("MultiAttachEnabled")),
            goes_with_machine=attached.get("DeleteOnTermination"),
            tags=tags.read(found),
        )

    def entry(self) -> dict[str, Any]:
        """Its line in a manifest: what another one needs to be to take its place."""
        return {
            "device": self.device,
            "size": self.size,
            "type": self.type,
            "iops": self.iops if self.type in WITH_IOPS else None,
            "throughput": self.throughput if self.type in WITH_THROUGHPUT else None,
            "encrypted": self.encrypted,
            "zone": self.zone,
            "goes_with_machine": bool(self.goes_with_machine),
            "tags": dict(sorted(tags.own(self.tags).items())),
        }

    def facts(self) -> str:
        """The same without its tags, short enough for the value of one."""
        return json.dumps({key: value for key, value in self.entry().items() if key != "tags"}, separators=(",", ":"))


WITH_IOPS = frozenset({"gp3", "io1", "io2"})
"""Types of which IOPS can be chosen. Of the others EC2 tells a figure that follows from the size."""

WITH_THROUGHPUT = frozenset({"gp3"})


@dataclass(frozen=True)
class Machine:
    """One machine."""

    id: str
    state: str  # EC2's: pending, running, stopping, stopped, shutting-down, terminated
    zone: str
    name: str
    root_device: str
    tags: Mapping[str, str]
    described: Mapping[str, Any]  # all that EC2 says

    @property
    def is_gone(self) -> bool:
        """Whether it is terminated, or about to be."""
        return self.state in ("shutting-down", "terminated")


def machine(access: Access, machine_id: str) -> Machine:
    """The machine as it is now. Raises :class:`NotFound` when there is none, or it is terminated."""
    found = machine_if_there(access, machine_id)
    if found is None:
        raise NotFound(
            f"There is no machine {machine_id} in {access.region} of the AWS account {access.account.name}, or it is"
            " terminated.",
        )
    return found


def machine_if_there(access: Access, machine_id: str) -> Machine | None:
    """The machine as it is now; None when there is none, or it is terminated."""
    try:
        answer = access.call("ec2", "describe_instances", InstanceIds=[machine_id])
    except NotFound:
        return None
    for reservation in answer.get("Reservations") or ():
        for found in reservation.get("Instances") or ():
            made = machine_of(found)
            return None if made.is_gone else made
    return None


def machine_of(found: Mapping[str, Any]) -> Machine:
    """From EC2's description."""
    own = tags.read(found)
    return Machine(
        id=found["InstanceId"],
        state=found["State"]["Name"],
        zone=found.get("Placement", {}).get("AvailabilityZone", ""),
        name=own.get("Name", ""),
        root_device=found.get("RootDeviceName") or "",
        tags=own,
        described=found,
    )


def attached_to(access: Access, machine_id: str, device: str = "") -> list[Volume]:
    """The volumes of a machine, or only the one at that device, by device."""
    wanted = [{"Name": "attachment.instance-id", "Values": [machine_id]}]
    found = [Volume.of(one, machine_id) for one in access.pages("ec2", "describe_volumes", "Volumes", Filters=wanted)]
    mine = [one for one in found if one.machine == machine_id and device in ("", one.device)]
    return sorted(mine, key=lambda one: one.device)


def unshared(volumes: list[Volume]) -> list[Volume]:
    """The same; raises :class:`DriverError` where one of them may be attached to several machines at once."""
    if shared := sorted(one.id for one in volumes if one.of_many):
        raise DriverError(
            f"{', '.join(shared)} can be attached to several machines at once, and only one of them would stand still for a"
            " restore. Such volumes are not backed up here: back up what they hold."
        )
    return volumes


def volumes_bearing(access: Access, name: str) -> list[Volume]:
    """The volumes of a restore's ``name``, without those that are going."""
    wanted = tags.bearing(tags.RESTORE, name)
    found = [Volume.of(one) for one in access.pages("ec2", "describe_volumes", "Volumes", Filters=wanted)]
    return sorted((one for one in found if one.state not in ("deleting", "deleted")), key=lambda one: one.id)


def volumes(access: Access, ids: Sequence[str]) -> dict[str, Volume]:
    """Those volumes, by id; what is not there is not among them."""
    found: dict[str, Volume] = {}
    wanted = tags.filters(volume_id=ids)
    for one in access.pages("ec2", "describe_volumes", "Volumes", Filters=wanted) if ids else ():
        volume = Volume.of(one)
        if volume.state not in ("deleting", "deleted"):
            found[volume.id] = volume
    return found


def nothing_attached(machine_id: str, device: str) -> DriverError:
    """The error for a resource of which nothing is there to be backed up."""
    where = f"at {device} of the machine {machine_id}" if device else f"at the machine {machine_id}"
    return NotFound(f"There is no EBS volume {where}. What only lies on the machine itself cannot be backed up.")
