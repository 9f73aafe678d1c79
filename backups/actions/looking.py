"""Looking whether resources still are where they were. Two sightings of nothing in a row flag one; nothing is removed."""

from __future__ import annotations

import structlog
from django.db import transaction

from backups.actions.locking import locked_resource
from backups.drivers.base import DriverError, NotFound
from backups.kinds import KINDS, driver_of
from backups.models import Resource, ResourceState
from portal.handover import hand_over
from portal.history import acting

log = structlog.get_logger(__name__)

SIGHTINGS = 2


def look_for_all() -> None:
    """Have every resource looked for, each by a short task of its own, unless its kind is looked for by listing."""
    listed = [kind for kind, driver in KINDS.items() if driver.discovery is not None]  # all at once: see discovering
    for pk in (
        Resource.objects.backed_up().exclude(kind__in=listed).order_by("pk").values_list("pk", flat=True).iterator()
    ):
        hand_over("backups.look", pk)


def look_for(resource_id: int) -> None:
    """Look for one resource where it was. A look that fails says nothing, so nothing changes then."""
    resource = Resource.objects.backed_up().filter(pk=resource_id).first()
    if resource is None:
        return
    try:
        driver_of(resource.kind).check(resource.settings)
    except NotFound as error:
        note_sighting(resource, there=False, said=error.sentence)
    except DriverError as error:
        log.info("look.failed", resource=resource.pk, why=error.sentence)
    else:
        note_sighting(resource, there=True, said="")


def note_sighting(resource: Resource, *, there: bool, said: str) -> None:
    """Count what was seen; flag at the second miss in a row, and take the flag away when it is there again."""
    with transaction.atomic():
        locked = locked_resource(resource.pk)
        if locked.state not in (ResourceState.ACTIVE, ResourceState.VANISHED):
            return
        missed = 0 if there else min(locked.missed_sightings + 1, SIGHTINGS)
        if missed != locked.missed_sightings:
            Resource.objects.filter(pk=locked.pk).update(missed_sightings=missed)  # a count, not in the history
        state = ResourceState.VANISHED if missed >= SIGHTINGS else ResourceState.ACTIVE
        if state == locked.state:
            return
        locked.state, locked.missed_sightings = state, missed
        with acting(None, said or "it is where it was again"):
            locked.save()
        hand_over("backups.audit_resource", locked.pk)
