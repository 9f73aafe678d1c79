"""Putting restored volumes in the place of the live ones, and back. The machine stands still from the first step to the last.

There is no one step in which EC2 exchanges volumes. But a machine that is stopped writes nothing, so whatever is cut short
leaves both sets of volumes whole, and :func:`standing` tells what is attached: to go on and to go back are always possible.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from backups.aws import tags
from backups.drivers.base import DriverError, NotFound, Place, Standing, StillWorking
from backups.drivers.counting import counted
from backups.drivers.ec2.machine import (
    Machine,
    Volume,
    attached_to,
    machine,
    machine_if_there,
    volumes,
    volumes_bearing,
)
from backups.drivers.ec2.restore import by_device
from backups.drivers.ec2.target import Target
from backups.drivers.exchanging import InTheWay, see_still_held, tried_again

SOON = 5.0
STOPPED_BY_US = "Client.UserInitiatedShutdown"


def identify(target: Target, place: Place) -> Place:
    """The same place with the ids of both sets of volumes, by device."""
    if place.identity:
        return place
    restored = {device: one.id for device, one in by_device(volumes_bearing(target.access, place.beside)).items()}
    if not restored:
        raise DriverError(f"There are no volumes of {place.beside}. Start a new restore.")
    live = {one.device: one.id for one in attached_to(target.access, target.machine, target.device)}
    original = {device: live[device] for device in sorted(restored) if device in live}
    return replace(place, identity={"original": _written(original), "restored": _written(restored)})


def _written(ids: Mapping[str, str]) -> str:
    return json.dumps(ids, sort_keys=True) if ids else ""


def originals(place: Place) -> dict[str, str]:
    """The ids of what was live before, by device; empty before identify()."""
    return dict(json.loads(place.identity.get("original") or "{}"))


def restored(place: Place) -> dict[str, str]:
    """The ids of what was restored, by device; empty before identify()."""
    return dict(json.loads(place.identity.get("restored") or "{}"))


def standing(target: Target, place: Place) -> Standing:
    """By the ids of what is attached at the devices of the restore."""
    new, old = restored(place), originals(place)
    if not new:
        return Standing.ORIGINAL
    live = _live(target)
    now = {device: live[device] for device in new if device in live}
    if now == new:
        return Standing.RESTORED
    if now == old:
        return Standing.ORIGINAL
    known = set(new.values()) | set(old.values())
    return Standing.NOTHING if set(now.values()) <= known else Standing.UNKNOWN


def _live(target: Target) -> dict[str, str]:
    return {one.device: one.id for one in attached_to(target.access, target.machine, target.device)}


def stop_writers(target: Target, place: Place) -> str:
    """Stop the machine. What ran is started again by resume_writers(), whatever happens in between."""
    found = machine_if_there(target.access, target.machine)
    if found is None:
        return "There is no machine any more that could write."
    if _is_stopped(found):
        return f"{_called(found)} stands still."
    if found.state in ("running", "pending") and found.tags.get(tags.STOPPED) != place.beside:
        marks = tags.written({tags.STOPPED: place.beside})
        target.access.call("ec2", "create_tags", Resources=[found.id], Tags=marks)
    if found.state == "running":
        target.access.call("ec2", "stop_instances", InstanceIds=[found.id])
        found = machine(target.access, target.machine)
        if _is_stopped(found):
            return f"{_called(found)} was stopped."
    raise StillWorking(f"{_called(found)} is being stopped.", again_in=SOON)


def _is_stopped(found: Machine) -> bool:
    return found.state == "stopped"


def _called(found: Machine) -> str:
    return f"The machine {found.name} ({found.id})" if found.name else f"The machine {found.id}"


def swap(target: Target, place: Place) -> None:
    """The restored volumes attached where the originals were; those stand beside, marked for this restore."""
    new = restored(place)
    if not new:
        raise DriverError("It is not known what was restored, so nothing was exchanged. Start a new restore.")
    _check_there(target, new)
    with tried_again():
        _exchange(target, place, new, originals(place))


def swap_back(target: Target, place: Place) -> None:
    """The originals attached again; where nothing had been attached, nothing is."""
    old = originals(place)
    _check_there(target, old)
    with tried_again():
        _exchange(target, place, old, restored(place))


def _check_there(target: Target, wanted: Mapping[str, str]) -> None:
    with tried_again():
        there = volumes(target.access, sorted(wanted.values()))
    if missing := sorted(set(wanted.values()) - set(there)):
        raise DriverError(
            f"{counted(len(missing), 'volume')} to be attached to {target.machine} is not there any more"
            f" ({', '.join(missing)}), so nothing was touched."
        )


def _exchange(target: Target, place: Place, wanted: Mapping[str, str], away: Mapping[str, str]) -> None:
    """Take off what is in the way, put on what is wanted. Every call looks first, so that it goes on wherever it was cut."""
    live = _live(target)
    if {device: live.get(device) for device in {**wanted, **away}} == {
        device: wanted.get(device) for device in {**wanted, **away}
    }:
        _see_attached(target, place, wanted)
        return
    ours = set(wanted.values()) | set(away.values())
    if strangers := sorted(
        live[device] for device in {**wanted, **away} if live.get(device) and live[device] not in ours
    ):
        raise InTheWay(
            f"Something else is attached to {target.machine} now ({', '.join(strangers)}), so nothing was touched."
            " A later restore may have replaced it."
        )
    see_still_held()
    stop_writers(target, place)
    for device, volume in sorted(away.items()):
        if live.get(device) == volume:
            _detach(target, place, volume)
    there = volumes(target.access, sorted({*away.values(), *wanted.values()}))
    leaving = [there[volume] for volume in away.values() if volume in there]
    if going := sorted(one.id for one in leaving if one.state == "in-use" and one.machine in ("", target.machine)):
        raise StillWorking(f"{', '.join(going)}: being taken off {target.machine}.", again_in=SOON)
    for device, volume in sorted(wanted.items()):
        if live.get(device) != volume:
            _attach(target, device, there[volume])
    _see_attached(target, place, wanted)


def _detach(target: Target, place: Place, volume: str) -> None:
    """Mark it first: an original that lies about unmarked would be nobody's."""
    name = place.kept if volume in originals(place).values() else place.beside
    goes = volumes(target.access, [volume])[volume].goes_with_machine
    marks = tags.written({tags.RESTORE: name, tags.GOES: "yes" if goes else "no"})
    target.access.call("ec2", "create_tags", Resources=[volume], Tags=marks)
    target.access.call("ec2", "detach_volume", VolumeId=volume, InstanceId=target.machine)


def _attach(target: Target, device: str, volume: Volume) -> None:
    if volume.state == "in-use" and (volume.machine, volume.device) == (target.machine, device):
        return  # on its way
    if volume.state == "in-use" and volume.machine:
        raise InTheWay(
            f"{volume.id} is attached elsewhere ({volume.machine} {volume.device}), so it was not attached to {target.machine}."
            " Take it off there, then try again."
        )
    if volume.state != "available":
        raise StillWorking(f"{volume.id} is {volume.state}.", again_in=SOON)
    target.access.call("ec2", "attach_volume", VolumeId=volume.id, InstanceId=target.machine, Device=device)


def _see_attached(target: Target, place: Place, wanted: Mapping[str, str]) -> None:
    """All are attached, and go with the machine if they did; EC2 attaches them as those that stay."""
    live = {one.device: one for one in attached_to(target.access, target.machine, target.device)}
    if any(
        device not in live or live[device].id != volume or live[device].on_its_way for device, volume in wanted.items()
    ):
        raise StillWorking(f"Volumes are being attached to {target.machine}.", again_in=SOON)
    for device in wanted:
        if live[device].tags.get(tags.GOES) == "yes" and live[device].goes_with_machine is False:
            mapping = [{"DeviceName": device, "Ebs": {"DeleteOnTermination": True}}]
            target.access.call(
                "ec2", "modify_instance_attribute", InstanceId=target.machine, BlockDeviceMappings=mapping
            )
    _unmark(target, place)


def _unmark(target: Target, place: Place) -> None:
    """What is live bears nothing of the restore: with its name it would be removed with it, once the machine is gone.

    Whether it goes with the machine stays noted until it does.
    """
    ours = {*originals(place).values(), *restored(place).values()}
    for one in attached_to(target.access, target.machine, target.device):
        borne = [tags.RESTORE] if one.tags.get(tags.RESTORE) in (place.beside, place.kept) else []
        noted = one.tags.get(tags.GOES) if one.id in ours else None
        if noted is not None and not (noted == "yes" and one.goes_with_machine is False):
            borne.append(tags.GOES)
        if borne:
            target.access.call("ec2", "delete_tags", Resources=[one.id], Tags=[{"Key": key} for key in borne])


def resume_writers(target: Target, place: Place) -> None:
    """Start the machine, if it is this restore that stopped it."""
    found = machine_if_there(target.access, target.machine)
    if found is None:
        return
    _unmark(target, place)
    if found.tags.get(tags.STOPPED) != place.beside:
        return
    if found.state in ("stopping", "pending"):
        raise StillWorking(f"{_called(found)} is {found.state}.", again_in=SOON)
    if found.state == "stopped":
        attached = place.kept if standing(target, place) is Standing.ORIGINAL else place.beside
        _check_can_start(found, attached)
        marks = tags.written({tags.STARTED: attached})
        target.access.call("ec2", "create_tags", Resources=[found.id], Tags=marks)
        target.access.call("ec2", "start_instances", InstanceIds=[found.id])
        found = machine(target.access, target.machine)
        if found.state != "running":
            raise StillWorking(f"{_called(found)} is being started.", again_in=SOON)
    target.access.call("ec2", "delete_tags", Resources=[found.id], Tags=[{"Key": tags.STOPPED}, {"Key": tags.STARTED}])


def _check_can_start(found: Machine, attached: str) -> None:
    """A start with the same volumes that has failed would fail again; EC2 tells why in the reason for its standing still."""
    reason = found.described.get("StateReason") or {}
    if found.tags.get(tags.STARTED) == attached and reason.get("Code", STOPPED_BY_US) != STOPPED_BY_US:
        raise DriverError(
            f"{_called(found)} was started and stopped again by itself: {reason.get('Message') or reason['Code']}. Its volumes"
            " are attached. See to the reason and start it in AWS.",
            detail=f"{reason['Code']} · {found.described.get('StateTransitionReason', '')}",
        )


def health(target: Target, place: Place) -> str:
    """Each device has the restored volume, and it goes with the machine as the original did."""
    if standing(target, place) is not Standing.RESTORED:
        raise DriverError(f"At {target.words} is not what was restored. See what is attached there.")
    attached = ", ".join(f"{volume} at {device}" for device, volume in sorted(restored(place).items()))
    return f"{target.machine} has the restored volumes: {attached}."


def discard(target: Target, place: Place, name: str) -> None:
    """Delete the volumes of this restore that ``name`` stands for, if they are attached to nothing."""
    if name not in (place.beside, place.kept) or name == place.live:
        raise DriverError(f"“{name}” is not a name of this restore, so nothing was removed.")
    now = standing(target, place)
    if (now, name) in ((Standing.RESTORED, place.beside), (Standing.ORIGINAL, place.kept)):
        return  # they are live, and not beside
    cut_short = now is Standing.NOTHING or (now is Standing.UNKNOWN and not _is_complete(target, place))
    if (
        cut_short and machine_if_there(target.access, target.machine) is not None
    ):  # else there is no way back to keep open
        raise DriverError("Volumes are missing at the machine, so none was removed. IT has to look.")
    marked = {one.id for one in volumes_bearing(target.access, name)}
    going = marked if name == place.beside else marked & set(originals(place).values())
    for volume in volumes(target.access, sorted(going)).values():
        if volume.machine:
            continue  # somebody has attached it: it is in use, and theirs now
        try:
            target.access.call("ec2", "delete_volume", VolumeId=volume.id)
        except NotFound:
            continue


def _is_complete(target: Target, place: Place) -> bool:
    """Whether something is attached at every device of the restore: where that is others', a later restore put it there."""
    return set(restored(place)) <= set(_live(target))
