"""Building volumes from snapshots beside the live ones, and comparing them with what was backed up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import Artefact, DamagedBackup, DriverError, NotAsBackedUp, Place, StillWorking, Verified
from backups.drivers.counting import counted
from backups.drivers.ec2.machine import GIB, Volume, machine_if_there, volumes_bearing
from backups.drivers.ec2.snapshots import SHOWN_AFTER
from backups.drivers.ec2.target import Target
from backups.drivers.provider import KeptAt
from backups.drivers.words import Progress

COMPARED = ("size", "type", "iops", "throughput", "encrypted", "tags")

Entry = Mapping[str, Any]


def restore(target: Target, place: Place, artefact: Artefact, progress: Progress) -> None:
    """A volume of each snapshot, in the machine's zone. Those of this place that stand already are taken as they are."""
    kept, entries = kept_of(artefact), list(artefact.manifest())
    read_description(artefact)
    if unkept := sorted({entry["device"] for entry in entries} - set(kept.parts)):
        raise DamagedBackup(
            f"The stored backup is damaged: there is no snapshot for {', '.join(unkept)}. Restore another backup."
        )
    zone = zone_of(target, entries)
    standing = by_device(volumes_bearing(target.access, place.beside))
    for entry in entries:
        if entry["device"] not in standing:
            _check_not_dropped(entry, _create(target.access, place, entry, kept, zone))
    volumes = volumes_bearing(target.access, place.beside)
    total = sum(entry["size"] for entry in entries) * GIB
    if failed := [one.id for one in volumes if one.state == "error"]:
        raise DriverError(
            "AWS could not make a volume of the snapshot. Try again; where it is encrypted see that the portal's role may"
            " use the key.",
            detail=", ".join(failed),
            retry=True,
        )
    ready = [one for one in volumes if one.state in ("available", "in-use")]
    progress(sum(one.size for one in ready) * GIB, total)
    if len(ready) < len(entries):
        raise StillWorking(f"AWS makes {counted(len(entries), 'volume')} of the snapshots.", again_in=5)


def _check_not_dropped(entry: Entry, made: Mapping[str, Any]) -> None:
    """EC2 takes away a volume whose key it may not use, and never says so; asked again it names the one it had made."""
    if made["CreateTime"] < datetime.now(UTC) - SHOWN_AFTER:
        raise DriverError(
            f"AWS made the volume {made['VolumeId']} for {entry['device']} and took it away again. That happens where its"
            " snapshot is encrypted with a key that the portal's role may not use: let it, then start a new restore.",
            detail=f"{made['VolumeId']}: made {made['CreateTime']}, not listed",
        )


def _create(access: Access, place: Place, entry: Entry, kept: KeptAt, zone: str) -> dict[str, Any]:
    """What EC2 says of the volume: of the one that it made before, where it was asked before."""
    marks = {"Name": f"{place.beside} {entry['device']}", **entry["tags"]}
    marks |= {tags.RESTORE: place.beside, tags.PART: entry["device"], tags.GOES: _yes(entry["goes_with_machine"])}
    chosen: dict[str, Any] = {"Iops": entry["iops"], "Throughput": entry["throughput"]}
    return access.call(
        "ec2",
        "create_volume",
        SnapshotId=kept.parts[entry["device"]],
        AvailabilityZone=zone,
        Size=entry["size"],
        VolumeType=entry["type"],
        TagSpecifications=tags.specification("volume", marks),
        ClientToken=hashlib.sha256(f"{place.beside} {entry['device']}".encode()).hexdigest(),
        **{key: value for key, value in chosen.items() if value},
        **({"Encrypted": True} if entry["encrypted"] else {}),
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def verify(target: Target, place: Place, artefact: Artefact, progress: Progress) -> Verified:
    """Each volume is of the snapshot that it should be of, and like the one that was backed up. EC2 shows no contents."""
    kept, entries = kept_of(artefact), list(artefact.manifest())
    standing = by_device(volumes_bearing(target.access, place.beside))
    differences = [] if set(kept.parts) == {entry["device"] for entry in entries} else ["other devices than snapshots"]
    differences += [f"{device}: not in the backup" for device in sorted(set(standing) - set(kept.parts))]
    done = 0
    for entry in entries:
        done += entry["size"] * GIB
        progress(done, None)
        differences += _differences(entry, standing.get(entry["device"]), kept)
    if differences:
        raise NotAsBackedUp(
            f"What was restored differs from the backup in {counted(len(differences), 'place')}. Nothing live was touched.",
            detail="\n".join(differences[:50]),
        )
    size = sum(entry["size"] for entry in entries)
    named = ", ".join(f"{standing[entry['device']].id} for {entry['device']}" for entry in entries)
    return Verified(
        f"{counted(len(entries), 'volume')}, {size:,} GiB, of the right snapshots: size, type, IOPS, encryption and tags as"
        f" they were ({named}). AWS shows nobody what is in them, so that was not compared.",
        {"volumes": len(entries), "GiB": size},
    )


def _differences(entry: Entry, volume: Volume | None, kept: KeptAt) -> list[str]:
    device = entry["device"]
    if volume is None:
        return [f"{device}: no volume"]
    if volume.snapshot != kept.parts.get(device):
        return [f"{device}: of {volume.snapshot or 'no snapshot'} instead of {kept.parts.get(device)}"]
    now = volume.entry()
    now["tags"] = {
        key: value for key, value in now["tags"].items() if key in entry["tags"]
    }  # others may be added by rule
    return [
        f"{device}: {name} is {now[name]} instead of {entry[name]}"
        for name in COMPARED
        if now[name] != entry[name] and not (name == "encrypted" and now[name])  # encrypted is never worse
    ]


def by_device(volumes: Sequence[Volume]) -> dict[str, Volume]:
    """A restore's volumes, by the device that each is for; of two the first made counts."""
    return {one.tags.get(tags.PART, ""): one for one in sorted(volumes, key=lambda one: one.id, reverse=True)}


def kept_of(artefact: Artefact) -> KeptAt:
    """What EC2 keeps of the backup."""
    if artefact.kept is None:
        raise DamagedBackup("The portal does not know which snapshots belong to this backup. Restore another backup.")
    return artefact.kept


def read_description(artefact: Artefact) -> None:
    """Read all that is stored of the backup: the snapshots are only believed with a description that holds."""
    with artefact.open() as description:
        while description.read(1 << 16):
            pass


def zone_of(target: Target, entries: Sequence[Entry]) -> str:
    """Where the volumes have to be: in the machine's zone; where there is no machine any more, in the one they were in.

    In a region where they have never been, any will do.
    """
    found = machine_if_there(target.access, target.machine)
    zone = found.zone if found else str(entries[0]["zone"])
    if zone.startswith(target.access.region):
        return zone
    usable = tags.filters(state=["available"], zone_type=["availability-zone"])
    zones = target.access.call("ec2", "describe_availability_zones", Filters=usable)["AvailabilityZones"]
    return min(str(one["ZoneName"]) for one in zones)
