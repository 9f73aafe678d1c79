"""Which of a resource's restores in place is the one whose data is live."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from backups.drivers.base import Mode
from restores.models import Attempt, AttemptKind, RestoreRequest
from restores.workflow import Status


def replaced_since(request: RestoreRequest) -> RestoreRequest | None:
    """The latest request whose restored data has replaced what this one put in place; None while that is live, or never was.

    One that was undone has brought it back. One query, or none for what replaced nothing.
    """
    live = [one.went_live_at for one in request.attempts.all() if one.kind == AttemptKind.RESTORE and one.went_live_at]
    if not live or request.restore_mode is not Mode.IN_PLACE or request.state is Status.UNDONE:
        return None
    later = (
        Attempt.objects.filter(
            kind=AttemptKind.RESTORE,
            went_live_at__gt=max(live),
            request__resource=request.resource_id,
            request__mode=Mode.IN_PLACE.value,
        )
        .exclude(request=request)
        .exclude(request__status=Status.UNDONE.value)
        .select_related("request")
        .order_by("-went_live_at")
        .first()
    )
    return later.request if later else None


def replaced_sentence(by: RestoreRequest) -> str:
    """What that means for whoever looks at the earlier one."""
    return f"{by.number} has replaced what it restored since."


def earlier_approved(request: RestoreRequest, moment: datetime) -> RestoreRequest | None:
    """Another request that was approved to replace the same live data before this one was, and has not begun yet.

    What is scheduled for after ``moment`` holds up nobody before its time, and an incident's order is IT's own.
    """
    if request.restore_mode is not Mode.IN_PLACE or request.incident_id or request.decided_at is None:
        return None
    ordinary = to_replace_the_same(request).filter(status=Status.APPROVED.value, incident__isnull=True)
    due = ordinary.filter(Q(start_at__isnull=True) | Q(start_at__lte=moment))
    return due.filter(decided_at__lt=request.decided_at).order_by("decided_at").first()


def to_replace_the_same(request: RestoreRequest) -> QuerySet[RestoreRequest]:
    """The other requests, approved or running, that replace the same live data."""
    under_way = [Status.APPROVED.value, Status.RUNNING.value]
    others = RestoreRequest.objects.filter(resource=request.resource_id, mode=Mode.IN_PLACE.value, status__in=under_way)
    return others.exclude(pk=request.pk).order_by("decided_at", "pk")
