"""Fetching what a page is about through what the person may see: a stranger gets 404."""

from __future__ import annotations

from typing import cast

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from backups.models import Copy, Resource
from portal.models import User
from restores.models import Charge, RestoreRequest
from restores.workflow import STATUSES, Turn

UNDER_WAY = Q(status__in=[status.value for status, facts in STATUSES.items() if facts.turn in (Turn.IT, Turn.PORTAL)])
"""The condition for requests that wait for IT or run."""


def person(http: HttpRequest) -> User:
    """Who asks. The sign-in middleware has seen to it that it is somebody."""
    return cast(User, http.user)


def requests_seen_by(user: User) -> QuerySet[RestoreRequest]:
    """The requests that the person may see, with all that their sentences need."""
    return RestoreRequest.objects.visible_to(user).select_related(
        "client", "resource__application__client", "backup__resource", "filed_by", "decided_by", "incident"
    )


def request_or_404(user: User, pk: int) -> RestoreRequest:
    """One request with its attempts, steps and the present copies of its backup."""
    found = requests_seen_by(user).prefetch_related(
        "attempts__steps",
        "attempts__asked_by",
        Prefetch("backup__copies", Copy.objects.present(), to_attr="present_copies"),
    )
    return get_object_or_404(found, pk=pk)


def resource_or_404(user: User, pk: int) -> Resource:
    """One resource with its client."""
    return get_object_or_404(Resource.objects.visible_to(user).select_related("application__client"), pk=pk)


def charge_or_404(user: User, pk: int) -> Charge:
    """One charge with its request."""
    return get_object_or_404(charges_seen_by(user), pk=pk)


def charges_seen_by(user: User) -> QuerySet[Charge]:
    """The charges that the person may see, with the documented request of each."""
    return (
        Charge.objects.visible_to(user)
        .select_related(
            "client",
            "decided_by",
            "request__client",
            "request__resource__application__client",
            "request__backup__resource",
            "request__filed_by",
            "request__decided_by",
        )
        .prefetch_related("request__attempts")
    )
