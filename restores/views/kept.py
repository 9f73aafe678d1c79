"""What restores have left for a while: replaced originals, what stands beside, exports; each with its end."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from backups.drivers.base import Mode
from portal.paging import Column, read_page
from portal.permissions import visible
from portal.roles import Permission
from restores.models import Attempt, AttemptKind
from restores.views.fetching import person
from restores.wording import KEPT_WORDS

SOONEST_FIRST = (Column("kept_until"), Column("pk"))


@dataclass(frozen=True)
class Kept:
    """One thing that is kept. ``going``: it was said that it goes soon."""

    attempt: Attempt
    what: str
    where: str
    going: bool


@require_GET
def kept(http: HttpRequest) -> HttpResponse:
    """What is kept of requests that the person may see, what goes first at the top."""
    user, now = person(http), timezone.now()
    standing = Attempt.objects.filter(
        visible(user, Permission.VIEW_REQUESTS, "request__client"),
        kind=AttemptKind.RESTORE,
        kept_until__gt=now,
        tidied_at__isnull=True,
    ).select_related("request__client", "request__resource")
    page = read_page(standing, SOONEST_FIRST, http.GET)
    return render(http, "restores/kept.html", {"page": page, "kept": [_kept(attempt) for attempt in page.rows]})


def _kept(attempt: Attempt) -> Kept:
    mode = attempt.request.restore_mode
    undone = mode is Mode.IN_PLACE and attempt.went_live_at is None
    return Kept(
        attempt=attempt,
        what="What had been restored" if undone else KEPT_WORDS[mode],
        where=attempt.place.get("beside", "") if mode is Mode.BESIDE else "",
        going=attempt.warned_at is not None,
    )
