"""Whose turn it is among an incident's requests: in IT's order, so many at once. Rows decide, messages only wake workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery

from portal.handover import LONGEST_WAIT, hand_over
from restores.incident_workflow import up_next
from restores.models import Attempt, AttemptStatus, Incident, IncidentResource, RestoreRequest
from restores.succession import left_unsettled
from restores.targets import exclusive_target
from restores.workflow import Status

MOST_WOKEN = 20
"""The others are found by the sweeper, as is everybody whose message was lost."""


def requests_in_order(incident_id: int) -> QuerySet[RestoreRequest]:
    """The incident's requests in IT's order."""
    place = IncidentResource.objects.filter(incident=incident_id, resource=OuterRef("resource"))
    return (
        RestoreRequest.objects.filter(incident=incident_id)
        .annotate(place=Subquery(place.values("position")[:1]))
        .order_by(F("place").asc(nulls_last=True), "pk")
    )


def whose_turn(incident_id: int) -> list[int]:
    """The approved requests of the incident that may start now, by id; none while as many run as IT allowed."""
    limit = Incident.objects.values_list("concurrency", flat=True).get(pk=incident_id)
    ours = requests_in_order(incident_id)
    waiting = [
        (pk, exclusive_target(plan)) for pk, plan in ours.filter(status=Status.APPROVED.value).values_list("pk", "plan")
    ]
    running = ours.filter(status=Status.RUNNING.value).count()
    targets = [target for _, target in waiting]
    busy = Attempt.objects.filter(status=AttemptStatus.RUNNING, target__in=targets).values_list("target", flat=True)
    left = set(left_unsettled(targets).values_list("target", "request"))
    free = [(pk, target) for pk, target in waiting if not any(there == target and whose != pk for there, whose in left)]
    return up_next(free, set(busy), limit - running)


def hand_over_next(incident_id: int, now: datetime, *, only_due: bool = False) -> None:
    """Wake workers for those whose turn it is; with ``only_due`` for those of whom nobody has heard for long enough."""
    for request in RestoreRequest.objects.filter(pk__in=whose_turn(incident_id)):
        if not only_due or _is_due(request, now):
            again = now + timedelta(seconds=settings.RESEND_AFTER_SECONDS)
            RestoreRequest.objects.filter(pk=request.pk).update(resend_at=again)
            hand_over("restores.restore_first", request.pk)


def wake_those_behind(resource: int, now: datetime, *, but: int | None = None) -> None:
    """Wake workers for what was approved and waited for somebody to be done with that resource.

    ``but`` is an incident that hands on its own turns.
    """
    behind = RestoreRequest.objects.filter(resource=resource, status=Status.APPROVED.value)
    due = behind.filter(Q(start_at__isnull=True) | Q(start_at__lte=now), incident__isnull=True)
    in_order = due.annotate(approved=Max("approvals")).order_by("approved", "pk")
    for pk in in_order.values_list("pk", flat=True)[:MOST_WOKEN]:
        hand_over("restores.restore", pk)
    others = behind.filter(incident__isnull=False).exclude(incident=but)
    for incident in others.values_list("incident", flat=True).distinct():
        hand_over_next(incident, now)


def _is_due(request: RestoreRequest, now: datetime) -> bool:
    """A date far ahead was written by a clock that was wrong."""
    return request.resend_at is None or request.resend_at <= now or request.resend_at > now + LONGEST_WAIT
