"""The one function that changes an incident's status, and the pins that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from backups.actions.pinning import pin_exactly
from backups.models import Resource
from portal.errors import Refused
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from restores.actions.telling import tell_channels
from restores.incident_workflow import (
    INCIDENT_STATUSES,
    INCIDENT_TABLE,
    IncidentMove,
    incident_refusal,
    incident_transition,
)
from restores.models import Incident, IncidentEvent

IncidentHook = Callable[[Incident], None]

REASON_MISSING = "Say why: the reason is kept with the incident."


def _nothing(incident: Incident) -> None:
    """The hook that does nothing."""


def open_record(incident: Incident, move: IncidentMove, *, by: User | None, text: str = "") -> None:
    """Write the first line of a new incident's record, and pin what it refers to. Call it where the row is made."""
    event = text or INCIDENT_TABLE[None, move].event.format(by=by)
    IncidentEvent.objects.create(
        incident=incident,
        at=incident.declared_at,
        by=by,
        move=move.value,
        to_status=incident.status,
        text=event,
        reason=incident.told_outside,  # the monitoring’s own words stay inside the company
    )
    settle_incident_pins(incident, incident.declared_at)
    tell_channels(
        now=incident.declared_at,
        title=f"[{incident.number}] {incident.facts.label}",
        text=incident.facts.next,
        path=incident.get_absolute_url(),
    )
    hand_over("restores.tell_incident", incident.pk)


def apply_incident_move(
    incident: Incident,
    move: IncidentMove,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    text: str = "",
    check: IncidentHook = _nothing,
    alter: IncidentHook = _nothing,
) -> Incident:
    """Move the incident, in one transaction: lock, check against the locked row, save, append the event, settle the pins.

    As for requests: ``check(locked)`` raises when this person may not, ``alter(locked)`` writes what belongs to the move.
    """
    with acting(by, reason or move.value), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        check(locked)
        step = incident_transition(locked.state, move)
        if step is None:
            raise Refused(incident_refusal(locked.state, move))
        if step.needs_reason:
            reason = checked_reason(reason, REASON_MISSING)
        came_from = locked.status
        locked.status, locked.status_changed_at = step.to.value, now
        if INCIDENT_STATUSES[step.to].final:
            locked.closed_at, locked.closed_by, locked.close_reason = now, by, reason
        alter(locked)
        locked.save()
        IncidentEvent.objects.create(
            incident=locked,
            at=now,
            by=by,
            move=move.value,
            from_status=came_from,
            to_status=locked.status,
            text=text or step.event.format(by=by),
            reason=reason.strip(),
        )
        settle_incident_pins(locked, now)
    return locked


def note_incident(
    incident: Incident,
    *,
    by: User | None,
    now: datetime,
    text: str,
    reason: str = "",
    resource: Resource | None = None,
) -> None:
    """Append to the record what changes no status; with a ``resource`` it is told only to those who see that one."""
    IncidentEvent.objects.create(
        incident=incident,
        resource=resource,
        at=now,
        by=by,
        move="note",
        from_status=incident.status,
        to_status=incident.status,
        text=text,
        reason=reason,
    )


def settle_incident_pins(incident: Incident, now: datetime) -> None:
    """From its first line to its closure exactly the backups that the incident refers to are pinned by it (floor 2)."""
    wanted: list[int] = []
    if not incident.facts.final:
        included = incident.affected.included().filter(backup__isnull=False)
        wanted = list(included.values_list("backup", flat=True))
    pin_exactly(incident.number, wanted, now=now)
