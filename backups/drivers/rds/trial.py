"""Trying out a restored instance: it is taken off the internet, and found by its own endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from backups.aws import tags
from backups.drivers.base import Place, StillWorking
from backups.drivers.rds.instance import SOON, Instance, instance, mark, see_ready
from backups.drivers.rds.restore import see_own, yes
from backups.drivers.rds.target import Target

STILL_RUNS = (
    "What is scheduled or subscribed to inside of it (events, pg_cron, agent jobs, subscriptions) runs as in the original: RDS"
    " has no switch for that. Its security groups say whom it reaches."
)


def neutralise(target: Target, place: Place) -> list[str]:
    """See :meth:`Driver.neutralise`. That it is no longer public is noted on it, so that verify() does not miss it."""
    found = _own(target, place)
    said = ["It has an endpoint of its own, which no application knows, and no read replicas."]
    if found.described.get("PubliclyAccessible"):
        if tags.CLOSED not in found.tags:
            see_ready(found, "be taken off the internet")
            mark(target.access, found, **{tags.CLOSED: yes(True)})
        target.access.call(
            "rds",
            "modify_db_instance",
            DBInstanceIdentifier=found.name,
            ApplyImmediately=True,
            PubliclyAccessible=False,
        )
        raise StillWorking(f"RDS takes {found.name} off the internet.", again_in=SOON)
    closed = "The original can be reached from the internet; this one cannot." if tags.CLOSED in found.tags else ""
    return [*said, closed or "It cannot be reached from the internet.", STILL_RUNS]


def reach(target: Target, place: Place) -> Mapping[str, str]:
    """See :meth:`Driver.reach`."""
    described = _own(target, place).described
    endpoint = described.get("Endpoint") or {}
    return {
        "instance": place.beside,
        "region": target.access.region,
        "host": str(endpoint.get("Address") or ""),
        "port": str(endpoint.get("Port") or ""),
        "database": str(described.get("DBName") or ""),
        "user": str(described.get("MasterUsername") or ""),
    }


def _own(target: Target, place: Place) -> Instance:
    found = instance(target.access, place.beside)
    see_own(found, place.beside)
    return found
