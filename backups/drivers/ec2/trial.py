"""Trying out restored volumes: they are attached to nothing, and found by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backups.drivers.base import DriverError, Place
from backups.drivers.ec2.machine import Volume, volumes_bearing
from backups.drivers.ec2.target import Target


def neutralise(target: Target, place: Place) -> list[str]:
    """See :meth:`Driver.neutralise`. A restore beside makes no machine."""
    if attached := [one for one in _volumes(target, place) if one.machine]:
        where = ", ".join(f"{one.id} at {one.machine}" for one in attached)
        raise DriverError(
            f"Somebody has attached what was restored only to be tried out: {where}. Detach it.", retry=True
        )
    return ["The volumes are attached to no machine, so nothing that is on them runs."]


def reach(target: Target, place: Place) -> Mapping[str, str]:
    """See :meth:`Driver.reach`."""
    found = _volumes(target, place)
    return {"volumes": ",".join(one.id for one in found), "region": target.access.region, "zone": found[0].zone}


def _volumes(target: Target, place: Place) -> Sequence[Volume]:
    found = volumes_bearing(target.access, place.beside)
    if not found:
        raise DriverError(f"There are no volumes of {place.beside}. Restore again.")
    return found
