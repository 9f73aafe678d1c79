"""An incident over real directories, for the tests of its actions and of what befalls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backups.models import Resource
from restores.actions import incidents
from restores.actions.incident_choosing import digest_of
from restores.actions.performing import perform_restore
from restores.models import Incident
from tests.app.world import World

HAZARD = "The disk of host 7 is gone."


def declared(world: World, resources: list[Resource], **facts: Any) -> Incident:
    affected = Resource.objects.filter(pk__in=[one.pk for one in resources])
    return incidents.declare(by=world.it, hazard=HAZARD, resources=affected, **facts)


def confirmed(world: World, incident: Incident, *, by: str = "it2") -> Incident:
    return incidents.confirm(
        by=getattr(world, by), incident=incident, digest=digest_of(incident), typed_number=incident.number
    )


def work(queue: list[int]) -> None:
    while queue:
        perform_restore(queue.pop(0))


def states(incident: Incident) -> list[str]:
    rows = {one.resource_id: one.status for one in incident.restore_requests.all()}
    return [rows.get(row.resource_id, "-") for row in incident.affected.all()]


def page(resource: Resource) -> str:
    return (Path(resource.settings["path"]) / "sub" / "page.txt").read_text()
