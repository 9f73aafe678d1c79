"""Going on with the next good backup where a resource of an incident did not come back from the confirmed one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup
from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from portal.rules import refusal
from portal.words import exact_time
from restores.actions.deciding import cancel
from restores.actions.incident_choosing import next_backups, plan_digest_of
from restores.actions.incident_moves import note_incident, settle_incident_pins
from restores.actions.incident_running import file_row
from restores.actions.incidents import check_typed_number
from restores.actions.turns import hand_over_next
from restores.incident_permissions import check_can_restore_next, check_is_stuck
from restores.models import Incident, IncidentResource, RestoreRequest
from restores.permissions import check_can_cancel, check_restorable

PLAN_CHANGED = "The backup is not the one you looked at, or the resource has changed. Read it again, then confirm it."


@dataclass(frozen=True)
class NextBackup:
    """With what a row would go on: its backup and the digest to confirm, or in ``why_not`` why it cannot."""

    backup: Backup | None
    digest: str
    needs_typed_number: bool
    why_not: str


def next_of_rows(
    user: User, incident: Incident, rows: Iterable[tuple[IncidentResource, RestoreRequest | None]]
) -> dict[int, NextBackup]:
    """For each resource whose turn has passed without bringing it back what can be done. In two queries, however many.

    ``rows`` are the incident's, each with its newest request; empty for who may not do it, or when it is too late.
    """
    if refusal(check_can_restore_next, user, incident):
        return {}
    stuck = {row.resource_id: (row, request) for row, request in rows if not refusal(check_is_stuck, row, request)}
    if not stuck:
        return {}
    choices = next_backups(incident, stuck)
    wanted = [choice.backup for choice in choices.values() if choice.backup is not None]
    backups = Backup.objects.select_related("resource__application__client").in_bulk(wanted)
    found = {}
    for pk, (row, request) in stuck.items():
        backup = backups.get(choices[pk].backup or 0)
        why_not = choices[pk].why_not or _why_not_closed(user, request)
        found[pk] = _next(row, backup, why_not)
    return found


def _next(row: IncidentResource, backup: Backup | None, why_not: str) -> NextBackup:
    if backup is None or why_not:
        return NextBackup(None, "", False, why_not)
    replaces = row.mode == Mode.IN_PLACE and row.resource.is_production
    return NextBackup(backup, plan_digest_of(row, backup), replaces, "")


def _why_not_closed(user: User, request: RestoreRequest | None) -> str:
    """Its request is closed first: not while it is not known what it left, nor when its data is live."""
    return "" if request is None or request.facts.final else refusal(check_can_cancel, user, request)


def restore_next(*, by: User, incident: Incident, resource: int, digest: str, typed_number: str = "") -> RestoreRequest:
    """Go on with the next good backup of one resource: close the request that failed, file and approve another one.

    ``digest`` is of the plan that the person read. Raises NotPermitted or Refused by the rules; Refused when the plan is
    another one by now, or no other backup is good; InvalidInput naming ``resource`` or ``typed_number``.
    """
    now = timezone.now()
    with acting(by, incident.number), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        check_can_restore_next(by, locked)
        row = locked.affected.select_related("resource__application__client").filter(resource=resource).first()
        if row is None:
            raise InvalidInput("That resource is not in this incident.", field="resource")
        requests = RestoreRequest.objects.select_for_update().filter(incident=locked, resource=resource)
        before = requests.order_by("pk").last()
        check_is_stuck(row, before)
        offered = next_of_rows(by, locked, [(row, before)])[resource]
        if offered.backup is None:
            raise Refused(offered.why_not)
        backup = Backup.objects.select_for_update().get(pk=offered.backup.pk)
        check_restorable(backup)
        if digest != offered.digest:
            raise Refused(PLAN_CHANGED)
        if offered.needs_typed_number:
            check_typed_number(locked, typed_number)
        made = _go_on(locked, row, before, offered, by, now)
    hand_over_next(locked.pk, now)
    return made


def _go_on(
    incident: Incident,
    row: IncidentResource,
    before: RestoreRequest | None,
    offered: NextBackup,
    by: User,
    now: datetime,
) -> RestoreRequest:
    backup = offered.backup
    assert backup is not None
    assert backup.taken_at is not None  # good ones are taken
    when = exact_time(backup.taken_at)
    if before is not None and not before.facts.final:
        cancel(by=by, request=before, reason=f"{incident.number} goes on with the next good backup, of {when}.")
    row.backup, row.why_not, row.plan_digest = backup, "", offered.digest
    row.save(update_fields=["backup", "why_not", "plan_digest"])
    text = f"{by} approved the plan by confirming the next good backup in {incident.number}"
    made = file_row(incident, row, by=by, now=now, text=text)
    settle_incident_pins(incident, now)
    instead = f"{made.number} instead of {before.number}." if before is not None else f"{made.number} restores it."
    note_incident(
        incident,
        by=by,
        now=now,
        text=f"{by} goes on with the next good backup of {row.resource}, of {when}",
        reason=instead,
        resource=row.resource,
    )
    return made
