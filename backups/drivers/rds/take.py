"""Taking a backup: a manual snapshot, and a description of the instance that it is of."""

from __future__ import annotations

import json

from backups.drivers.base import DriverError, Sink, StillWorking, Taken
from backups.drivers.rds import snapshots
from backups.drivers.rds.instance import GIB, Instance, instance, see_fit, see_ready
from backups.drivers.rds.properties import entry_of
from backups.drivers.rds.snapshots import Snapshot
from backups.drivers.rds.target import Target
from backups.drivers.words import Progress


def take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Begin the snapshot, or go on with the one that was begun for the same token, and describe what it is of."""
    begun = snapshots.of_token(target.access, sink.token)
    found = instance(target.access, target.name)
    if begun is None:
        see_fit(found)
        see_ready(found, "have a snapshot made of it")
        snapshots.begin(target.access, found, sink.token)
        raise StillWorking(f"RDS makes a snapshot of {target.name}.", again_in=15)
    _see_same(found, begun)
    kept = snapshots.completed(begun, target.name, target.access.region, progress)
    sink.record(entry_of(found.described))
    sink.write(json.dumps(found.described, indent=1, default=str, sort_keys=True).encode() + b"\n")
    return Taken(
        source_bytes=found.size * GIB,
        summary={"instances": 1, "GiB": found.size},
        kept=kept,
    )


def _see_same(found: Instance, begun: Snapshot) -> None:
    if begun.instance != found.id:
        raise DriverError(
            f"While RDS made the snapshot another instance took the name {found.name}, so it is not known what the one in the"
            " snapshot was like. Try again.",
            detail=f"{begun.name} is of {begun.instance}; {found.name} is {found.id}",
            retry=True,
        )
    if (begun.version, begun.storage) != (found.version, found.size):
        raise DriverError(
            f"While RDS made the snapshot the version or the size of {found.name} was changed, so it is described otherwise"
            " than it was. Try again.",
            detail=f"{begun.version}, {begun.storage} GiB; now {found.version}, {found.size} GiB",
            retry=True,
        )
