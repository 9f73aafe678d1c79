"""When an approved restore starts: at once, or in a maintenance window that IT names."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.errors import InvalidInput
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.words import exact_time
from restores.actions.moves import note
from restores.models import RestoreRequest
from restores.permissions import check_can_schedule

FARTHEST = timedelta(days=30)


def checked_start(start_at: datetime | None, now: datetime) -> datetime | None:
    """The moment to start at; None where it is at once. Raises InvalidInput naming ``start_at``."""
    if start_at is None or start_at <= now:
        if start_at is not None and start_at < now - timedelta(hours=1):
            raise InvalidInput(
                "That moment has passed. Choose one to come, or none to start at once.", field="start_at"
            )
        return None
    if start_at > now + FARTHEST:
        raise InvalidInput(
            "A restore is scheduled for the next 30 days at most. Choose an earlier moment.", field="start_at"
        )
    return start_at


def hand_over_at(request: RestoreRequest, start_at: datetime | None, now: datetime) -> None:
    """Have the approved request started at that moment, or at once. Call inside the transaction that saves it."""
    request.start_at = start_at
    request.resend_at = start_at or now + timedelta(seconds=settings.RESEND_AFTER_SECONDS)
    if start_at is None:
        hand_over("restores.restore", request.pk)


def reschedule(*, by: User, request: RestoreRequest, start_at: datetime | None, reason: str = "") -> RestoreRequest:
    """Start an approved restore at another moment; None: at once. Raises NotPermitted, Refused, InvalidInput."""
    now = timezone.now()
    with acting(by, reason or "scheduled"), transaction.atomic():
        locked = RestoreRequest.objects.select_for_update().get(pk=request.pk)
        check_can_schedule(by, locked)
        hand_over_at(locked, checked_start(start_at, now), now)
        locked.save()
        when = exact_time(locked.start_at, now) if locked.start_at else "at once"
        note(locked, by=by, now=now, text=f"{by} has it start {when}", reason=reason, news="Rescheduled")
    return locked
