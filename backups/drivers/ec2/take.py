"""Taking a backup: the snapshots of all volumes in one moment, and a description of what they are of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from backups.aws import tags
from backups.drivers.base import DriverError, Sink, StillWorking, Taken
from backups.drivers.counting import counted
from backups.drivers.ec2 import snapshots
from backups.drivers.ec2.machine import GIB, Machine, Volume, attached_to, machine, nothing_attached, unshared
from backups.drivers.ec2.snapshots import Snapshot
from backups.drivers.ec2.target import Target
from backups.drivers.words import Progress


def take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Begin the snapshots, or go on with those that were begun for the same token, and describe what they hold."""
    begun = _noted(target, _whole(target, snapshots.bearing(target.access, sink.token)))
    found = machine(target.access, target.machine)
    volumes = unshared(attached_to(target.access, target.machine, target.device))
    if not volumes and not begun:
        raise nothing_attached(target.machine, target.device)
    if not begun:
        _begin(target, sink.token, volumes)
        raise StillWorking(f"AWS makes snapshots of {target.words}.", again_in=5)
    kept = snapshots.completed(begun, target.access.region, progress)
    by_device = {one.device: one for one in volumes}
    of = {one.part: one.volume for one in begun}
    if missing := sorted(part for part in kept.parts if part not in by_device or by_device[part].id != of[part]):
        raise DriverError(
            f"While AWS made the snapshots the volume at {', '.join(missing)} was taken off {target.machine}, so it is not"
            " known what it was like. Try again.",
            retry=True,
        )
    for part in sorted(kept.parts):
        sink.record(by_device[part].entry())
    description = _description(found, [by_device[part] for part in sorted(kept.parts)])
    sink.write(description)
    return Taken(
        source_bytes=sum(by_device[part].size for part in kept.parts) * GIB,
        summary={"volumes": len(kept.parts), "GiB": sum(by_device[part].size for part in kept.parts)},
        warnings=_warnings(target, found, set(by_device) - set(kept.parts)),
        kept=kept,
    )


def _whole(target: Target, begun: list[Snapshot]) -> list[Snapshot]:
    """All that were made, each volume's once. EC2 shows what was just made a moment later, and one by one."""
    if not begun:
        return begun
    if len({one.volume for one in begun}) < len(begun) or len(begun) > begun[0].together:
        raise DriverError(
            f"AWS made the snapshots of {target.words} more than once, so they are not of one moment. Try again.",
            retry=True,
        )
    if len(begun) < begun[0].together:
        raise StillWorking(f"AWS shows {len(begun)} of {begun[0].together} snapshots of {target.words}.", again_in=5)
    return begun


def _begin(target: Target, token: str, volumes: list[Volume]) -> None:
    """All volumes of a machine in one moment, by one call; or that of the one device."""
    marks = tags.specification(
        "snapshot", {tags.COPY: token, tags.OF: str(len(volumes)), "Name": f"HaaS backup {target.words}"}
    )
    if not target.device:
        target.access.call(
            "ec2",
            "create_snapshots",
            once=True,
            InstanceSpecification={"InstanceId": target.machine, "ExcludeBootVolume": False},
            Description=snapshots.DESCRIPTION,
            TagSpecifications=marks,
        )
        return
    target.access.call(
        "ec2",
        "create_snapshot",
        once=True,
        VolumeId=volumes[0].id,
        Description=snapshots.DESCRIPTION,
        TagSpecifications=marks,
    )


def _noted(target: Target, begun: list[Snapshot]) -> list[Snapshot]:
    """The snapshots with the device that each is of, noted on it as soon as it is seen."""
    unknown = [one for one in begun if not one.part]
    if not unknown:
        return begun
    devices = {one.id: one.device for one in attached_to(target.access, target.machine)}
    for one in unknown:
        if one.volume not in devices:
            raise DriverError(
                f"While AWS made the snapshots the volume {one.volume} was taken off {target.machine}. Try again.",
                retry=True,
            )
        target.access.call(
            "ec2", "create_tags", Resources=[one.id], Tags=tags.written({tags.PART: devices[one.volume]})
        )
    return [replace(one, part=one.part or devices[one.volume]) for one in begun]


def _description(found: Machine, volumes: list[Volume]) -> bytes:
    """All that EC2 says of the machine, for people who have to build it anew."""
    value: dict[str, Any] = {
        "machine": found.described,
        "volumes": [one.entry() for one in volumes],
    }
    return json.dumps(value, indent=1, default=str, sort_keys=True).encode() + b"\n"


def _warnings(target: Target, found: Machine, later: set[str]) -> tuple[str, ...]:
    warnings = []
    if later:
        warnings.append(f"Attached after the snapshots were begun, and not in this backup: {', '.join(sorted(later))}.")
    if found.state == "running":
        warnings.append(
            "The machine ran meanwhile: the backup is what its disks held in one moment, as after a power cut."
            if not target.device
            else "The machine ran meanwhile: the backup is what the disk held in one moment, as after a power cut."
        )
    return tuple(warnings)


def said_of(volumes: list[Volume]) -> str:
    """ "2 volumes, 30 GiB"."""
    return f"{counted(len(volumes), 'volume')}, {sum(one.size for one in volumes):,} GiB"
