"""Filing a request (R2): documented, for one good backup, with its cause and what that means for the charge."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from backups.drivers.base import Mode
from backups.kinds import driver_of
from backups.models import Backup
from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason, visible_text
from restores.actions.consenting import settle_consent
from restores.actions.estimating import estimate_for
from restores.actions.moves import expiry_of
from restores.actions.parts import measured
from restores.actions.pinned import settle_pin
from restores.actions.planning import plan_for
from restores.actions.telling import tell_move
from restores.charging import Cause, classify
from restores.details import DETAIL_LIMITS, NO_DETAILS, Details
from restores.models import Event, Incident, RestoreRequest
from restores.part import Picked
from restores.permissions import check_can_file, check_restorable
from restores.plan import PLACES
from restores.workflow import TABLE, Move, Status

UNDER_WAY = [Status.SUBMITTED.value, Status.AWAITING_CONSENT.value, Status.APPROVED.value, Status.RUNNING.value]
REASON_MISSING = "Say what happened and why the restore is needed: it is kept with the request."


def file_request(
    *,
    by: User,
    backup: Backup,
    mode: Mode,
    reason: str,
    cause: Cause,
    accepts: str = "",
    part: Collection[str] | None = None,
    details: Details = NO_DETAILS,
) -> RestoreRequest:
    """File a request for exactly that backup. From now on the backup is pinned until the request is closed.

    ``part`` are the keys of what alone is wanted; without it everything is.

    ``accepts`` is the price that ``by`` has read and accepts, such as "45.00 EUR"; where it is another one by now, or they
    may not accept it, the request waits for the client's consent.

    ``reason`` says what happened; ``details`` what else is known of it. ``part`` are the keys of what alone is wanted.

    Raises NotPermitted or Refused (by the rule), InvalidInput naming ``reason``, one of the details, ``backup``, ``mode`` or
    ``part``.
    """
    check_can_file(by, backup.resource)
    reason, details = checked_reason(reason, REASON_MISSING), checked_details(details)
    _check_possible(backup, mode)
    picked = None
    if part is not None:
        check_restorable(backup)
        picked = measured(backup, part, mode)
    now = timezone.now()
    with acting(by, reason), transaction.atomic():
        locked = (
            Backup.objects.select_for_update(of=("self",)).select_related("resource__application").get(pk=backup.pk)
        )
        check_restorable(locked)
        _check_not_asked_for(by, locked, mode, picked)
        request = new_request(
            by=by, backup=locked, mode=mode, reason=reason, cause=cause, now=now, details=details, picked=picked
        )
        settled = settle_consent(request, now=now, by=by, accepts=accepts)
        filing = TABLE[None, Move.FILE]
        if settled.state is filing.to:  # else the client was told that it waits for them
            tell_move(settled, Move.FILE, None, by=by, now=now, text=filing.event.format(by=by))
    return settled


def new_request(
    *,
    by: User,
    backup: Backup,
    mode: Mode,
    reason: str,
    cause: Cause,
    now: datetime,
    details: Details = NO_DETAILS,
    picked: Picked | None = None,
    incident: Incident | None = None,
) -> RestoreRequest:
    """Write a request for that backup, pin it and begin the timeline; in the transaction that locked and checked it."""
    filing = TABLE[None, Move.FILE]
    request = RestoreRequest.objects.create(
        client=backup.resource.client,
        resource=backup.resource,
        backup=backup,
        incident=incident,
        mode=mode.value,
        reason=reason,
        **details.fields(),
        cause=cause.value,
        classification=classify(cause).value,
        plan=plan_for(backup, mode, cause, estimate_for(backup, cause, now, picked), picked),
        status=filing.to.value,
        status_changed_at=now,
        expires_at=expiry_of(filing.to, now),
        filed_at=now,
        filed_by=by,
    )
    settle_pin(request)
    Event.objects.create(
        request=request,
        at=now,
        by=by,
        move=Move.FILE.value,
        to_status=request.status,
        text=filing.event.format(by=by),
        reason=reason,
    )
    return request


def checked_details(details: Details) -> Details:
    """The details without blanks around them. Raises :class:`InvalidInput` naming the one that is too long."""
    said = {name: visible_text(text) for name, text in details.fields().items()}
    for name, text in said.items():
        if len(text) > DETAIL_LIMITS[name]:
            most = f"{DETAIL_LIMITS[name]:,} characters at most"
            raise InvalidInput(f"That is too long: {most}. Attach a file with the rest once it is filed.", field=name)
    return Details(**said)


def _check_possible(backup: Backup, mode: Mode) -> None:
    driver = driver_of(backup.resource.kind)
    if mode not in driver.modes:
        why = ": its provider keeps it, and hands it out to nobody" if mode is Mode.EXPORT else ""
        raise InvalidInput(
            f"A backup of a {driver.noun} cannot be restored {PLACES[mode]}{why}. Have it restored beside the live one.",
            field="mode",
        )


def _check_not_asked_for(by: User, backup: Backup, mode: Mode, picked: Picked | None) -> None:
    """The same person asks for the same once: a page gone back to, a form sent again. Another part is not the same."""
    alike = RestoreRequest.objects.filter(filed_by=by, backup=backup, mode=mode.value, status__in=UNDER_WAY)
    same = next((request for request in alike if request.picked == picked), None)
    if same is not None:
        raise Refused(f"You have asked for exactly this already: {same.number}. Follow it there, or cancel it first.")
