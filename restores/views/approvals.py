"""IT's queue: what waits for a decision, with what to look at twice before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from backups.drivers.base import Mode
from backups.kinds import driver_of
from backups.models import Copy
from backups.proof import Proof
from portal.errors import NotPermitted
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission_somewhere, visible
from portal.roles import Permission
from portal.rules import refusal
from portal.words import span_in_words
from restores.actions.deciding import check_approvable
from restores.models import RestoreRequest
from restores.permissions import why_unusable
from restores.picking import best_proof
from restores.plan import loss_window
from restores.succession import all_recovering
from restores.views.fetching import UNDER_WAY, person, requests_seen_by
from restores.wording import request_sentence
from restores.workflow import Status, Turn, statuses_of

LARGE_LOSS_HOURS = 24
OLDEST_FIRST = (Column("filed_at"), Column("pk"))
ITS_TURN = statuses_of(Turn.IT)


@dataclass(frozen=True)
class Waiting:
    """One request in IT's queue. ``marks`` are its risks as (words, colour); ``refusal`` why this person cannot approve.

    ``interrupts``: what applications notice of it; empty where nothing live is replaced.
    """

    found: RestoreRequest
    sentence: SafeString
    interrupts: str
    marks: list[tuple[str, str]]
    refusal: str


@require_GET
def approvals(http: HttpRequest) -> HttpResponse:
    """IT's queue, oldest first: what waits for a decision, and what failed and waits for another."""
    user, now = person(http), timezone.now()
    if not has_permission_somewhere(user, Permission.DECIDE_REQUESTS):
        raise NotPermitted("Only IT approves restores. Your requests are listed under Requests.")
    page = read_page(_queue(user), OLDEST_FIRST, http.GET)
    emergencies = all_recovering([found.resource_id for found in page.rows])
    for found in page.rows:
        found.recovering = emergencies.get(found.resource_id)  # type: ignore[attr-defined]  # for the rule
    waiting = [_waiting(user, found, now) for found in page.rows]
    return render(http, "restores/approvals.html", {"page": page, "waiting": waiting})


def _queue(user: User) -> QuerySet[RestoreRequest]:
    others = RestoreRequest.objects.filter(UNDER_WAY, resource=OuterRef("resource")).exclude(pk=OuterRef("pk"))
    return (
        requests_seen_by(user)
        .filter(visible(user, Permission.DECIDE_REQUESTS, "client"), status__in=ITS_TURN)
        .annotate(has_others=Exists(others))
        .prefetch_related("attempts", Prefetch("backup__copies", Copy.objects.present(), to_attr="present_copies"))
    )


def _waiting(user: User, found: RestoreRequest, now: datetime) -> Waiting:
    why_not = refusal(check_approvable, user, found) if found.state is Status.SUBMITTED else ""
    interrupts = driver_of(found.resource.kind).interrupts if found.restore_mode is Mode.IN_PLACE else ""
    return Waiting(found, request_sentence(found, now), interrupts, _marks(found, now), why_not)


def _marks(found: RestoreRequest, now: datetime) -> list[tuple[str, str]]:
    """What to look at twice before approving."""
    loss = loss_window(found.backup.taken_at or now, now)
    proof = best_proof(found.backup.present_copies)  # type: ignore[attr-defined]  # prefetched
    unusable = why_unusable(found.backup)
    replaces = found.restore_mode is Mode.IN_PLACE
    marks: list[tuple[bool, str, str]] = [
        (found.state is Status.FAILED, "An attempt failed", "bad"),
        (replaces, "Replaces live data", "bad"),
        (found.resource.is_production, "Production", "waiting"),
        (replaces and loss.total_seconds() > LARGE_LOSS_HOURS * 3600, f"Loses {span_in_words(loss)}", "waiting"),
        (bool(found.has_others), "Another request on it", "waiting"),  # type: ignore[attr-defined]  # prefetched
        (bool(unusable), "Backup cannot be used", "bad"),
        (not unusable and proof <= Proof.PRESENT, "Backup not proven yet", "waiting"),
    ]
    return [(words, colour) for holds, words, colour in marks if holds]
