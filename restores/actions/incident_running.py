"""Carrying an incident out: each confirmed row becomes an ordinary request, approved with the incident, in IT's order.

Safe to run twice, late, or by two at once: rows decide. A worker or a web server that dies in between is made up for by
the sweeper.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

import structlog
from django.db import transaction

from backups.drivers.base import Mode
from backups.models import Backup
from portal.history import acting
from portal.models import User
from portal.rules import refusal
from restores.actions.deciding import record_approval
from restores.actions.filing import new_request
from restores.actions.incident_choosing import UNCONFIRMED, choose_again, plan_digest_of
from restores.actions.incident_moves import note_incident
from restores.actions.moves import apply_move
from restores.actions.turns import hand_over_next, wake_those_behind
from restores.charging import Cause
from restores.incident_permissions import unfiled
from restores.incident_workflow import IncidentStatus
from restores.models import Incident, IncidentResource, RestoreRequest
from restores.permissions import check_restorable
from restores.workflow import Move, Status

log = structlog.get_logger(__name__)

A_TURN = 100
CHANGED = "It has changed since the list was confirmed: it lies elsewhere, or its backup is another one."


def sweep_incidents(now: datetime) -> None:
    """Keep unconfirmed lists current, file what was confirmed, wake workers for those whose turn it is."""
    for incident in Incident.objects.filter(status__in=[status.value for status in UNCONFIRMED]):
        choose_again(incident, now)
    for pk in Incident.objects.filter(status=IncidentStatus.RECOVERING.value).values_list("pk", flat=True):
        file_turn(pk, now, only_due=True)
    closed = RestoreRequest.objects.filter(status=Status.APPROVED.value, incident__isnull=False)
    for pk in (
        closed.exclude(incident__status=IncidentStatus.RECOVERING.value).values_list("incident", flat=True).distinct()
    ):
        hand_over_next(pk, now, only_due=True)  # one that failed was tried again after its incident was closed


def file_turn(incident_id: int, now: datetime, *, only_due: bool = False) -> None:
    """File the next rows that have no request yet, then wake workers."""
    incident = Incident.objects.select_related("confirmed_by").get(pk=incident_id)
    for row in unfiled(incident)[:A_TURN]:
        _file(incident, row.pk, now)
    hand_over_next(incident_id, now, only_due=only_due)


def _file(incident: Incident, row_id: int, now: datetime) -> None:
    by = incident.confirmed_by
    assert by is not None  # the database's own constraint: what recovers was confirmed
    with acting(by, incident.number), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        row = unfiled(locked).select_related("resource__application__client").filter(pk=row_id).first()
        if row is None or row.backup_id is None or locked.state is not IncidentStatus.RECOVERING:
            return
        backup = (
            Backup.objects.select_for_update(of=("self",))
            .select_related("resource__application__client")
            .get(pk=row.backup_id)
        )
        row.backup = backup
        if why_not := refusal(check_restorable, backup) or (CHANGED if plan_digest_of(row) != row.plan_digest else ""):
            _give_up(locked, row, why_not, now)
            return
        file_row(locked, row, by=by, now=now, text=f"{by} approved the plan by confirming {incident.number}")


def file_row(incident: Incident, row: IncidentResource, *, by: User, now: datetime, text: str) -> RestoreRequest:
    """File the row's request for its backup, and approve it: confirming was the approval of its plan.

    In the transaction that holds the incident and the backup, and checked both. ``text`` is how the request's timeline tells
    the approval.
    """
    assert row.backup is not None
    request = new_request(
        by=by,
        backup=row.backup,
        mode=Mode(row.mode),
        reason=f"{incident.number}: {incident.told_outside}",
        cause=Cause.INFRASTRUCTURE,
        now=now,
        incident=incident,
    )
    return apply_move(
        request,
        Move.APPROVE,
        by=by,
        now=now,
        text=text,
        alter=lambda locked: record_approval(locked, by=by, now=now),
    )


def _give_up(incident: Incident, row: IncidentResource, why_not: str, now: datetime) -> None:
    """One that cannot be restored any more is said, and holds up no other."""
    row.why_not = why_not
    row.save(update_fields=["why_not"])
    transaction.on_commit(partial(wake_those_behind, row.resource_id, now, but=incident.pk), robust=True)
    note_incident(
        incident, by=None, now=now, text=f"{row.resource} cannot be restored", reason=why_not, resource=row.resource
    )
    log.warning("incident.not_filed", incident=incident.number, resource=row.resource_id, why=why_not)
