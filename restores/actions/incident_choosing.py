"""Which backup each affected resource gets (R1): the latest good one, read where the hazard is not. Kept current until IT confirms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from backups.drivers.base import Mode
from backups.models import Backup, Copy, Resource, ResourceState
from restores.actions.incident_moves import settle_incident_pins
from restores.actions.planning import plan_for
from restores.charging import Cause
from restores.incident_workflow import IncidentStatus, list_digest
from restores.models import Incident, IncidentResource, RestoreRequest
from restores.plan import plan_digest
from restores.workflow import Status

UNCONFIRMED = (IncidentStatus.PROPOSED, IncidentStatus.OPEN)


@dataclass(frozen=True)
class Choice:
    """The id of a resource's backup, or why there is none."""

    backup: int | None
    why_not: str


def latest_backups(resources: Iterable[int], lost_region: str) -> dict[int, Choice]:
    """For each of the resources its latest good backup that can be read without the lost region. One query."""
    good = Backup.objects.good().filter(resource=OuterRef("pk")).order_by("-taken_at", "-pk")
    found = Resource.objects.filter(pk__in=list(resources)).annotate(
        latest=Subquery(good.filter(_readable(lost_region)).values("pk")[:1]), any_good=Exists(good)
    )
    return {
        pk: _choice(state, latest, any_good, lost_region)
        for pk, state, latest, any_good in found.values_list("pk", "state", "latest", "any_good")
    }


def next_backups(incident: Incident, resources: Iterable[int]) -> dict[int, Choice]:
    """For each of those of the incident the good backup to go on with when the one of its row brought nothing back. One query.

    By the rules of :func:`latest_backups`, without what was tried in this incident in vain. One taken since then comes
    only after all from before: it may hold what the hazard left.
    """
    of_incident = RestoreRequest.objects.filter(incident=incident)
    later = of_incident.filter(resource=OuterRef("resource"), pk__gt=OuterRef("pk"))
    in_vain = Q(status__in=[Status.FAILED.value, Status.UNDONE.value]) | Exists(later)  # or given up for another one
    tried = of_incident.filter(in_vain, backup=OuterRef("pk"))
    good = Backup.objects.good().filter(~Exists(tried), resource=OuterRef("resource")).order_by("-taken_at", "-pk")
    readable = good.filter(_readable(incident.lost_region)).values("pk")
    before = readable.filter(taken_at__lte=OuterRef("backup__taken_at"))
    found = incident.affected.filter(resource__in=list(resources)).annotate(
        next=Coalesce(Subquery(before[:1]), Subquery(readable[:1])), any_good=Exists(good)
    )
    return {
        pk: _choice(state, chosen, any_good, incident.lost_region, "other good")
        for pk, state, chosen, any_good in found.values_list("resource", "resource__state", "next", "any_good")
    }


def _readable(lost_region: str) -> Exists:
    return Exists(Copy.objects.present().filter(backup=OuterRef("pk")).exclude(region=lost_region))


def _choice(state: str, chosen: int | None, any_good: bool, lost_region: str, kind: str = "good") -> Choice:
    if state in (ResourceState.REMOVING, ResourceState.REMOVED):
        return Choice(None, "It was removed. Bring it back first if it is needed.")
    if chosen is not None:
        return Choice(chosen, "")
    if any_good and lost_region:
        return Choice(None, f"No copy of any {kind} backup of it can be read outside {lost_region}.")
    return Choice(None, f"There is no {kind} backup of it.")


def choose_again(incident: Incident, now: datetime) -> None:
    """Give each row of an unconfirmed incident the backup that is the latest by now, and move the pins along."""
    with transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        if locked.state not in UNCONFIRMED:
            return
        rows = list(locked.affected.all())
        choices = latest_backups([row.resource_id for row in rows], locked.lost_region)
        changed = [row for row in rows if _differs(row, choices[row.resource_id])]
        for row in changed:
            row.backup_id, row.why_not = choices[row.resource_id].backup, choices[row.resource_id].why_not
        IncidentResource.objects.bulk_update(changed, ["backup", "why_not"], batch_size=500)
        if changed:
            settle_incident_pins(locked, now)


def _differs(row: IncidentResource, choice: Choice) -> bool:
    return (row.backup_id, row.why_not) != (choice.backup, choice.why_not)


def plan_digest_of(row: IncidentResource, backup: Backup | None = None) -> str:
    """The digest of what would be done for that row now, from its backup or that one; empty where there is none."""
    backup = backup or row.backup
    return plan_digest(plan_for(backup, Mode(row.mode), Cause.INFRASTRUCTURE, None)) if backup else ""


def digest_of(incident: Incident) -> str:
    """The digest of the list as it stands: what a confirmation binds to. One query, however long the list."""
    rows = incident.affected.included().values_list(
        "resource", "resource__kind", "resource__locator", "backup", "backup__checksum", "mode"
    )
    return list_digest(incident.pk, incident.lost_region, incident.concurrency, list(rows))
