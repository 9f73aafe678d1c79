"""Taking a backup: the snapshots of all volumes in one moment, and a description of what they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from backups.aws import tags
from backups.drivers.base import DriverError, Sink, StillWorking, Taken
from backups.drivers.counting import counted
from backups.drivers.ec2 import snapshots
from backups.drivers.ec2.machine import (
    GIB,
    Machine,
    Volume,
    attached_to,
    machine,
    machine_if_there,
    nothing_attached,
    unshared,
)
from backups.drivers.ec2.snapshots import SHOWN_AFTER, Snapshot
from backups.drivers.ec2.target import Target
from backups.drivers.words import Progress


def take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Begin the snapshots, or go on with those that were begun for the same token, and describe what they hold.

    Once each snapshot bears the facts of its volume, machine and volumes may go: the backup is made all the same.
    """
    begun = _noted(target, _whole(target, snapshots.bearing(target.access, sink.token)))
    found = machine_if_there(target.access, target.machine) if begun else machine(target.access, target.machine)
    volumes = unshared(attached_to(target.access, target.machine, target.device)) if found else []
    if not begun:
        if not volumes:
            raise nothing_attached(target.machine, target.device)
        _begin(target, sink.token, volumes)
        raise StillWorking(f"AWS makes snapshots of {target.words}.", again_in=20)
    kept = snapshots.completed(begun, target.access.region, progress)
    live = {one.id: one for one in volumes}
    entries = [_entry(one, live.get(one.volume)) for one in begun]
    for entry in entries:
        sink.record(entry)
    sink.write(_description(found, entries))
    size = sum(entry["size"] for entry in entries)
    return Taken(
        source_bytes=size * GIB,
        summary={"volumes": len(entries), "GiB": size},
        warnings=_warnings(target, found, begun, live),
        kept=kept,
    )


def _entry(one: Snapshot, volume: Volume | None) -> dict[str, Any]:
    """The line of a snapshot's volume as it was when that was noted, wherever it is by now.

    Its tags are those of now; of one that is not attached any more none are known: on the snapshot they would have had
    others' rules take it for one of theirs.
    """
    return {**json.loads(one.tags[tags.FACTS]), "tags": volume.entry()["tags"] if volume else {}}


def _whole(target: Target, begun: list[Snapshot]) -> list[Snapshot]:
    """All that were made, each volume's once. EC2 shows what was just made a moment later, and one by one."""
    if not begun:
        return begun
    if len({one.volume for one in begun}) < len(begun):
        raise DriverError(
            f"AWS made the snapshots of {target.words} more than once, so they are not of one moment. Try again.",
            retry=True,
        )
    if len(begun) > begun[0].together:
        raise DriverError(
            f"A volume was attached to {target.machine} just as AWS began the snapshots, so it is not known what it was like."
            " Try again.",
            retry=True,
        )
    if len(begun) < begun[0].together:
        if max(one.started for one in begun) < datetime.now(UTC) - SHOWN_AFTER:
            raise DriverError(
                f"AWS has {len(begun)} of {begun[0].together} snapshots of {target.words}: somebody has deleted one, or a volume"
                " was taken off as they were begun. Try again.",
                retry=True,
            )
        raise StillWorking(f"AWS shows {len(begun)} of {begun[0].together} snapshots of {target.words}.", again_in=5)
    return begun


def _begin(target: Target, token: str, volumes: list[Volume]) -> None:
    """All volumes of a machine in one moment, by one call; or that of the one device."""
    ours = {tags.COPY: token, tags.OF: str(len(volumes))}
    if not target.device:
        target.access.call(
            "ec2",
            "create_snapshots",
            once=True,
            InstanceSpecification={"InstanceId": target.machine, "ExcludeBootVolume": False},
            Description=snapshots.DESCRIPTION,
            TagSpecifications=tags.specification("snapshot", ours),
        )
        return
    target.access.call(
        "ec2",
        "create_snapshot",
        once=True,
        VolumeId=volumes[0].id,
        Description=snapshots.DESCRIPTION,
        TagSpecifications=tags.specification("snapshot", ours),
    )


def _noted(target: Target, begun: list[Snapshot]) -> list[Snapshot]:
    """The snapshots with the device that each is of, noted on it with its volume's facts as soon as it is seen."""
    unknown = [one for one in begun if not one.part or tags.FACTS not in one.tags]
    if not unknown:
        return begun
    noted = {one.id: one for one in begun}
    live = {one.id: one for one in attached_to(target.access, target.machine)}
    for one in unknown:
        if one.volume not in live:
            raise DriverError(
                f"While AWS made the snapshots the volume {one.volume} was taken off {target.machine}, so it is not known what"
                " it was like. Try again.",
                retry=True,
            )
        volume = live[one.volume]
        ours = {tags.PART: volume.device, tags.FACTS: volume.facts()}
        target.access.call("ec2", "create_tags", Resources=[one.id], Tags=tags.written(ours))
        noted[one.id] = replace(one, part=volume.device, tags={**one.tags, **ours})
    return sorted(noted.values(), key=lambda one: (one.part, one.id))


def _description(found: Machine | None, entries: list[dict[str, Any]]) -> bytes:
    """All that EC2 says of the machine, for people who have to build it anew; nothing of one that is gone."""
    value = {"machine": found.described if found else None, "volumes": entries}
    return json.dumps(value, indent=1, default=str, sort_keys=True).encode() + b"\n"


def _warnings(
    target: Target, found: Machine | None, begun: list[Snapshot], live: Mapping[str, Volume]
) -> tuple[str, ...]:
    warnings = []
    if gone := [one.part for one in begun if one.volume not in live]:
        what = "The machine was terminated" if found is None else f"What was at {', '.join(gone)} was taken off"
        warnings.append(f"{what} while AWS made the snapshots. They are whole; the volumes' tags are not known.")
    later = {one.device for one in live.values() if one.id not in {taken.volume for taken in begun}}
    if later:
        warnings.append(f"Attached after the snapshots were begun, and not in this backup: {', '.join(sorted(later))}.")
    if found is not None and found.state == "running":
        disks = "the disk" if target.device else "its disks"
        warnings.append(
            f"The machine ran meanwhile: the backup is what {disks} held in one moment, as after a power cut."
        )
    return tuple(warnings)


def said_of(volumes: list[Volume]) -> str:
    """ "2 volumes, 30 GiB"."""
    return f"{counted(len(volumes), 'volume')}, {sum(one.size for one in volumes):,} GiB"
