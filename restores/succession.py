"""Which of a resource's restores in place comes first, and whose restored data is live. Rows decide, no clock does."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max, Q, QuerySet

from backups.drivers.base import Mode
from restores.incident_permissions import UNFINISHED, to_file
from restores.incident_workflow import IncidentStatus
from restores.models import Attempt, AttemptKind, AttemptStatus, Incident, RestoreRequest
from restores.targets import exclusive_target
from restores.workflow import Status

ENDED_BADLY = (AttemptStatus.FAILED, AttemptStatus.INTERRUPTED)


def replaced_since(request: RestoreRequest) -> RestoreRequest | None:
    """The latest request whose restored data has replaced what this one put in place; None while that is live, or never was.

    One that was undone has brought it back. One query, or none for what replaced nothing.
    """
    return all_replaced_since([request]).get(request.pk)


def all_replaced_since(requests: Iterable[RestoreRequest]) -> dict[int, RestoreRequest]:
    """The same of many, by the id of what was replaced. One query at most, where their attempts are fetched already.

    Only one attempt at a time runs on a target, so the order in which attempts were made is the order in which what they
    restored went live.
    """
    live = {request: attempt for request in requests if (attempt := _went_live(request)) is not None}
    if not live:
        return {}
    later = (
        Attempt.objects.filter(
            kind=AttemptKind.RESTORE,
            went_live_at__isnull=False,
            pk__gt=min(live.values()),
            request__resource__in={request.resource_id for request in live},
            request__mode=Mode.IN_PLACE.value,
        )
        .exclude(request__status=Status.UNDONE.value)
        .select_related("request__incident")
        .order_by("pk")
    )
    newest = {attempt.request.resource_id: attempt for attempt in later}
    return {
        request.pk: newest[request.resource_id].request
        for request, attempt in live.items()
        if request.resource_id in newest and _is_later(newest[request.resource_id], request, attempt)
    }


def _went_live(request: RestoreRequest) -> int | None:
    """The id of its newest attempt that put something in place which is not undone."""
    if request.restore_mode is not Mode.IN_PLACE or request.state is Status.UNDONE:
        return None
    restores = [one for one in request.attempts.all() if one.kind == AttemptKind.RESTORE]
    return max((one.pk for one in restores if one.went_live_at is not None), default=None)


def _is_later(newest: Attempt, request: RestoreRequest, attempt: int) -> bool:
    return newest.request_id != request.pk and newest.pk > attempt


def replaced_sentence(by: RestoreRequest) -> str:
    """What that means for whoever looks at the earlier one."""
    return f"{by.number} has replaced what it restored since."


def comes_first(request: RestoreRequest, moment: datetime) -> RestoreRequest | Incident | None:
    """What an approved request waits for, because it replaces the same live data before it; None when it may start."""
    return recovering_it(request) or earlier_approved(request, moment)


def running_there(request: RestoreRequest) -> RestoreRequest | None:
    """Another request that is carried out, or undone, on the same target now: there is one at a time."""
    running = Attempt.objects.filter(status=AttemptStatus.RUNNING, target=exclusive_target(request.plan))
    attempt = running.exclude(request=request).select_related("request").first()
    return attempt.request if attempt else None


def unsettled_there(request: RestoreRequest) -> RestoreRequest | None:
    """Another request of which an attempt left something on the same target that is still to be put right.

    To start before that would only use an approval up. After an attempt of its own the new one sees to it itself.
    """
    if request.restore_mode is Mode.EXPORT:  # it touches nothing there, and may be what is needed just then
        return None
    attempt = left_unsettled([exclusive_target(request.plan)]).exclude(request=request).first()
    return attempt.request if attempt else None


def left_unsettled(targets: Collection[str]) -> QuerySet[Attempt]:
    """The attempts that left something on one of those targets that is still to be put right, with their requests."""
    left = Attempt.objects.filter(target__in=targets, status__in=ENDED_BADLY, resend_at__isnull=False)
    return left.select_related("request").order_by("pk")


def recovering_it(request: RestoreRequest) -> Incident | None:
    """The incident that is about to restore the same resource in place, or does so now. Never for a request of an incident.

    What an emergency brings back comes first; an approval from before that starts nothing (:func:`approved_to_replace`).
    """
    if request.restore_mode is not Mode.IN_PLACE or request.incident_id:
        return None
    if hasattr(request, "recovering"):  # fetched for a whole list
        found: Incident | None = request.recovering
        return found
    return all_recovering([request.resource_id]).get(request.resource_id)


def all_recovering(resources: Collection[int]) -> dict[int, Incident]:
    """The same of many resources, by their ids. Two queries, and one more where there are any."""
    same = {"resource__in": resources, "mode": Mode.IN_PLACE.value}
    under_way = RestoreRequest.objects.filter(status__in=UNFINISHED, incident__isnull=False, **same)
    confirmed = to_file().filter(incident__status=IncidentStatus.RECOVERING.value, **same)
    pairs = [pair for rows in (under_way, confirmed) for pair in rows.order_by().values_list("resource", "incident")]
    incidents = Incident.objects.in_bulk({incident for _, incident in pairs}) if pairs else {}
    return {
        resource: incidents[incident] for resource, incident in sorted(pairs, reverse=True)
    }  # the first declared wins


def recovering_sentence(request: RestoreRequest, incident: Incident) -> str:
    """What that means for whoever would approve the request."""
    return f"{incident.number} brings {request.resource.name} back first. Decide about this request once that is done."


def earlier_approved(request: RestoreRequest, moment: datetime) -> RestoreRequest | None:
    """Another request that was approved to replace the same live data before this one was, and has not begun yet.

    What is scheduled for after ``moment`` holds up nobody before its time, and an incident's order is IT's own.
    """
    if request.restore_mode is not Mode.IN_PLACE or request.incident_id:
        return None
    approval = request.approvals.aggregate(newest=Max("pk"))["newest"]
    ordinary = to_replace_the_same(request).filter(status=Status.APPROVED.value, incident__isnull=True)
    due = ordinary.filter(Q(start_at__isnull=True) | Q(start_at__lte=moment))
    return due.filter(approved__lt=approval).first() if approval else None


def to_replace_the_same(request: RestoreRequest) -> QuerySet[Any]:
    """The other requests, approved or running, that replace the same live data, in the order of their approvals."""
    return to_replace([request.resource_id]).exclude(pk=request.pk)


def to_replace(resources: Collection[int] | QuerySet[Any]) -> QuerySet[Any]:
    """The requests, approved or running, that replace the live data of those resources, in the order of their approvals."""
    under_way = [Status.APPROVED.value, Status.RUNNING.value]
    found = RestoreRequest.objects.filter(resource__in=resources, mode=Mode.IN_PLACE.value, status__in=under_way)
    return found.annotate(approved=Max("approvals")).order_by("approved", "pk")


def approved_to_replace(resources: Collection[int] | QuerySet[Any]) -> QuerySet[Any]:
    """The ordinary requests, approved and not begun, that replace the live data of those resources.

    Their approvals end when an incident brings one of them back: IT decides anew, knowing that.
    """
    return to_replace(resources).filter(status=Status.APPROVED.value, incident__isnull=True)
