"""Declaring an incident, taking on or dismissing a proposal, arranging its list, confirming it, closing it (R1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Resource
from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from restores.actions.deciding import cancel
from restores.actions.incident_choosing import choose_again, digest_of, latest_backups, plan_digest_of
from restores.actions.incident_moves import apply_incident_move, note_incident, open_record, settle_incident_pins
from restores.actions.incident_running import file_turn
from restores.actions.turns import wake_those_behind
from restores.incident_permissions import (
    check_can_change_list,
    check_can_close,
    check_can_confirm,
    check_can_declare,
    check_can_dismiss,
    check_can_propose,
    check_can_take_on,
    check_can_take_out,
)
from restores.incident_workflow import IncidentMove, IncidentStatus
from restores.models import Incident, IncidentResource, IncidentSource, RestoreRequest
from restores.models.incident import INCIDENT_MODES, MOST_AT_ONCE
from restores.workflow import Status

MOST_RESOURCES = 5000
AT_ONCE = 2
HAZARD_MISSING = "Say what happened: it is kept with the incident, and the people of the clients concerned read it."
LIST_CHANGED = "The list is not the one you looked at: a backup, a resource or the order has changed. Read it again."


def affected_by(
    *, region: str = "", applications: Collection[int] = (), resources: Collection[int] = ()
) -> QuerySet[Resource]:
    """The resources that a hazard affects: everything at home in a region, of applications, and single ones."""
    wanted = Q(application__in=applications) | Q(pk__in=resources)
    if region:
        wanted |= Q(home_region=region)
    return Resource.objects.standing().filter(wanted)


def named_as_affected(
    *, region: str = "", applications: Collection[int] = (), resources: Collection[int] = ()
) -> QuerySet[Resource]:
    """:func:`affected_by`, for what somebody named one by one: what is left out in silence would never be restored.

    Raises :class:`InvalidInput` naming ``applications`` or ``resources`` when there is nothing to restore of one of them.
    """
    standing = Resource.objects.standing()
    in_them = standing.filter(application__in=applications).values_list("application", flat=True)
    _check_all_there("applications", applications, in_them)
    _check_all_there("resources", resources, standing.filter(pk__in=resources).values_list("pk", flat=True))
    return affected_by(region=region, applications=applications, resources=resources)


def _check_all_there(field: str, named: Collection[int], there: Iterable[int]) -> None:
    if missing := sorted(set(named) - set(there)):
        raise InvalidInput(
            f"There is nothing to restore of {field} {', '.join(map(str, missing[:5]))}: removed, or never there."
            " Correct the list, then send all of it again.",
            field=field,
        )


def declare(
    *,
    by: User,
    hazard: str,
    resources: QuerySet[Resource],
    lost_region: str = "",
    began_at: datetime | None = None,
    concurrency: int = AT_ONCE,
    propose: bool = False,
) -> Incident:
    """Declare a hazard with what it affects; production first. Their latest good backups are pinned from now on.

    ``lost_region`` is a region that is the hazard itself. ``propose``: a person of IT has to look first; all that a
    service account may do. Raises NotPermitted, InvalidInput naming ``hazard``, ``resources``, ``began_at`` or
    ``concurrency``.
    """
    (check_can_propose if propose else check_can_declare)(by)
    now = timezone.now()
    hazard = checked_reason(hazard, HAZARD_MISSING) if hazard.strip() else _missing_hazard()
    began_at = _checked_begin(began_at or now, now)
    move = IncidentMove.PROPOSE if propose else IncidentMove.DECLARE
    status = IncidentStatus.PROPOSED if propose else IncidentStatus.OPEN
    with acting(by, hazard), transaction.atomic():
        incident = Incident.objects.create(
            status=status.value, status_changed_at=now, source=IncidentSource.PERSON, hazard=hazard,
            lost_region=lost_region, concurrency=_checked_concurrency(concurrency), began_at=began_at, declared_at=now,
            declared_by=by,
        )  # fmt: skip
        if not add_affected(incident, resources):
            raise InvalidInput("Nothing is affected: choose a region, applications or resources.", field="resources")
        open_record(incident, move, by=by)
    return incident


def _missing_hazard() -> str:
    raise InvalidInput(HAZARD_MISSING, field="hazard")


def _checked_begin(began_at: datetime, now: datetime) -> datetime:
    if began_at > now:
        raise InvalidInput("The hazard cannot have begun in the future.", field="began_at")
    return began_at


def _checked_concurrency(concurrency: int) -> int:
    if not 1 <= concurrency <= MOST_AT_ONCE:
        raise InvalidInput(f"Let 1 to {MOST_AT_ONCE} restores run at once.", field="concurrency")
    return concurrency


def add_affected(incident: Incident, resources: QuerySet[Resource]) -> int:
    """Append those that are not in its list yet, production first; how many. In the transaction that holds the incident."""
    there = list(incident.affected.values_list("resource", "position"))
    new = resources.exclude(pk__in=[pk for pk, _ in there]).order_by("name", "pk")
    found = sorted(new.values_list("pk", "environment")[: MOST_RESOURCES + 1], key=lambda one: one[1] != "production")
    if len(there) + len(found) > MOST_RESOURCES:
        raise InvalidInput(
            f"An incident holds {MOST_RESOURCES:,} resources at most. Declare several, the most urgent first.",
            field="resources",
        )
    choices = latest_backups([pk for pk, _ in found], incident.lost_region)
    last = max((position for _, position in there), default=0)
    IncidentResource.objects.bulk_create(
        [
            IncidentResource(
                incident=incident, resource_id=pk, position=last + number, backup_id=choices[pk].backup,
                why_not=choices[pk].why_not,
            )
            for number, (pk, _) in enumerate(found, 1)
        ],
        batch_size=500,
    )  # fmt: skip
    return len(found)


def take_on(*, by: User, incident: Incident) -> Incident:
    """Say that a proposal is a hazard: from now on its recovery only adds to the record."""
    return apply_incident_move(
        incident,
        IncidentMove.TAKE_ON,
        by=by,
        now=timezone.now(),
        check=lambda locked: check_can_take_on(by, locked),
    )


def dismiss(*, by: User, incident: Incident, reason: str) -> Incident:
    """Say that a proposal is no hazard."""
    return apply_incident_move(
        incident,
        IncidentMove.DISMISS,
        by=by,
        now=timezone.now(),
        reason=reason,
        check=lambda locked: check_can_dismiss(by, locked),
    )


def extend(*, by: User, incident: Incident, resources: QuerySet[Resource]) -> int:
    """Add what turned out to be affected as well, at the end of the list; how many. Before it is confirmed.

    Raises NotPermitted or Refused by the rule, InvalidInput naming ``resources``.
    """
    now = timezone.now()
    with acting(by, "extended"), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        check_can_change_list(by, locked)
        added = add_affected(locked, resources)
        if not added:
            raise InvalidInput("Choose applications or resources that are not in the list yet.", field="resources")
        settle_incident_pins(locked, now)
        note_incident(locked, by=by, now=now, text=f"{by} added to the list")
    return added


def arrange(
    *,
    by: User,
    incident: Incident,
    concurrency: int | None = None,
    order: Mapping[int, int] | None = None,
    modes: Mapping[int, str] | None = None,
) -> Incident:
    """Set how many run at once, and by resource the place in the order and the mode. What is not named stays as it is."""
    order, modes = order or {}, modes or {}
    with acting(by, "arranged"), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        check_can_change_list(by, locked)
        rows = {row.resource_id: row for row in locked.affected.all()}
        if unknown := (set(order) | set(modes)) - set(rows):
            raise InvalidInput(f"Resource {min(unknown)} is not in this incident.", field="order")
        if any(mode not in INCIDENT_MODES for mode in modes.values()):
            raise InvalidInput("A resource is restored in place or beside.", field="modes")
        wanted = sorted(rows.values(), key=lambda row: _place(row, order.get(row.resource_id, row.position)))
        for place, row in enumerate(wanted, 1):
            row.position, row.mode = place, Mode(modes.get(row.resource_id, row.mode)).value
        IncidentResource.objects.bulk_update(wanted, ["position", "mode"], batch_size=500)
        if concurrency is not None:
            locked.concurrency = _checked_concurrency(concurrency)
            locked.save()
        note_incident(locked, by=by, now=timezone.now(), text=f"{by} arranged the list")
    return locked


def _place(row: IncidentResource, wanted: int) -> tuple[int, int, int, int]:
    """For sorting: who moves up to a place comes before whoever was there, who moves down after them."""
    return wanted, (wanted > row.position) - (wanted < row.position), row.position, row.pk


def needs_typed_number(incident: Incident) -> bool:
    """Whether confirming it needs its number typed: live data of production would be replaced."""
    rows = incident.affected.included().filter(backup__isnull=False)
    return rows.filter(mode=Mode.IN_PLACE.value, resource__environment="production").exists()


def check_typed_number(incident: Incident, typed_number: str) -> None:
    """Raises InvalidInput naming ``typed_number`` unless it is the incident's."""
    if typed_number.strip().upper() != incident.number:
        raise InvalidInput(
            f"Type {incident.number} to confirm: live data of production is replaced.", field="typed_number"
        )


def confirm(*, by: User, incident: Incident, digest: str, typed_number: str = "") -> Incident:
    """The one confirmation: approve exactly the list whose digest the person read, and start its restores.

    It is the approval of each of its plans. Raises NotPermitted or Refused by the rule; Refused when the list is another
    one by now, or nothing in it can be restored; InvalidInput naming ``typed_number``.
    """
    now = timezone.now()
    check_can_confirm(by, Incident.objects.select_related("confirmed_by").get(pk=incident.pk))
    choose_again(incident, now)

    def check(locked: Incident) -> None:
        check_can_confirm(by, locked)
        if digest != digest_of(locked):
            raise Refused(LIST_CHANGED)
        if needs_typed_number(locked):
            check_typed_number(locked, typed_number)

    def alter(locked: Incident) -> None:
        locked.confirmed_at, locked.confirmed_by, locked.confirmed_digest = now, by, digest
        rows = list(
            locked.affected.included().select_related("backup__resource", "resource").filter(backup__isnull=False)
        )
        for row in rows:
            row.plan_digest = plan_digest_of(row)
        IncidentResource.objects.bulk_update(rows, ["plan_digest"], batch_size=500)

    confirmed = apply_incident_move(incident, IncidentMove.CONFIRM, by=by, now=now, check=check, alter=alter)
    file_turn(confirmed.pk, now)
    return confirmed


def take_out(*, by: User, incident: Incident, resource: int, reason: str) -> IncidentResource:
    """Take one resource out: it is skipped, and what waits for it is cancelled. One that runs is left to end.

    Raises NotPermitted or Refused by the rule, InvalidInput naming ``resource`` or ``reason``.
    """
    now = timezone.now()
    with acting(by, reason), transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        check_can_take_out(by, locked)
        row = locked.affected.included().select_related("resource").filter(resource=resource).first()
        if row is None:
            raise InvalidInput("That resource is not in the list, or was taken out already.", field="resource")
        reason = checked_reason(reason, "Say why it is taken out: it is kept with the incident.")
        request = RestoreRequest.objects.filter(incident=locked, resource=resource).order_by("pk").last()
        if request is not None and request.state in (Status.COMPLETED, Status.UNDONE):
            raise Refused(f"{row.resource} is restored already. Undo it on the page of {request.number} if need be.")
        if request is not None and not request.facts.final:
            cancel(by=by, request=request, reason=reason)
        row.excluded_at, row.excluded_by, row.excluded_reason = now, by, reason
        row.save()
        transaction.on_commit(partial(wake_those_behind, resource, now, but=locked.pk), robust=True)
        settle_incident_pins(locked, now)
        note_incident(
            locked, by=by, now=now, text=f"{by} took {row.resource} out", reason=reason, resource=row.resource
        )
    return row


def close(*, by: User, incident: Incident, reason: str) -> Incident:
    """Close it with a reason, once nothing of it waits or runs. What it pinned is let go; its requests keep their own pins."""
    return apply_incident_move(
        incident,
        IncidentMove.CLOSE,
        by=by,
        now=timezone.now(),
        reason=reason,
        check=lambda locked: check_can_close(by, locked),
    )
