"""The page of a checkup: what is to be looked at, how far it is, what was found, who signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from checkups.actions.declaring import in_scope
from checkups.actions.recording import signatures_of
from checkups.actions.settling import meanwhile
from checkups.actions.signing import Standing, standing
from checkups.actions.watching import is_known_changed
from checkups.comparing import comparison_of, signed_before
from checkups.finding_filters import BY_CLIENT, CheckupFindingFilters
from checkups.happening import events_of, with_signatures
from checkups.models import Check, Checkup, CheckupFinding, Signature, Trial
from checkups.models.finding import FindingStatus
from checkups.permissions import sees_every_checkup
from checkups.results import levels_of, progress_of, results_of
from checkups.views.act import Bound
from checkups.views.checkup_acts import checkup_acts
from checkups.views.fetching import checkup_or_404, person
from checkups.workflow import Move, Status
from portal.models import User
from portal.paging import read_page
from portal.permissions import has_permission
from portal.roles import Permission
from portal.words import company_zone

A_PAGE = 50
FAILED_SHOWN = 20
EVENTS_SHOWN = 100
MOVING = (Status.RUNNING, Status.PAUSED)


@require_safe
def checkup_page(http: HttpRequest, pk: int) -> HttpResponse:
    """The page."""
    return show_checkup(http, checkup_or_404(person(http), pk))


@require_safe
def checkup_live(http: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, anew; nothing new of one that is about to begin. When its stage changes the whole page is loaded anew."""
    found = checkup_or_404(person(http), pk)
    if not is_moving(found) or http.GET.get("seen") != stage_of(found):
        return HttpResponseClientRefresh()
    if found.state is Status.PLANNED:
        return HttpResponse(status=204)
    findings = CheckupFinding.objects.visible_to(person(http)).filter(checkup=found)
    context = {
        "found": found,
        "stage": stage_of(found),
        "progress": progress_of(found, timezone.now()),
        "results": results_of(findings),
    }
    return render(http, "checkups/_progress.html", context)


def is_moving(found: Checkup) -> bool:
    """Whether its page changes without anybody doing anything: it runs, is paused, or its day has begun."""
    return found.state in MOVING or is_due(found)


def is_due(found: Checkup) -> bool:
    """Whether it is planned and its day has begun: it starts within minutes."""
    return found.state is Status.PLANNED and found.on <= timezone.now().astimezone(company_zone()).date()


def stage_of(found: Checkup) -> str:
    """Its status, or that its scope is still being written down: with each the whole page is another."""
    return "declaring" if found.state in MOVING and found.declared_at is None else found.status


def show_checkup(http: HttpRequest, found: Checkup, bound: Bound | None = None, *, status: int = 200) -> HttpResponse:
    """The page, with the forms that came back with an error open."""
    return render(http, "checkups/checkup.html", checkup_context(http, found, bound), status=status)


def to_sign(user: User, found: Checkup) -> Standing | None:
    """What waits for signatures, for those who may sign. Reading the whole record takes a while: for nobody else."""
    if found.state is Status.READY and has_permission(user, Permission.SIGN_CHECKUPS, None):
        return standing(found)
    return None


def checkup_context(http: HttpRequest, found: Checkup, bound: Bound | None) -> dict[str, Any]:
    """Everything the page shows, in a constant number of queries."""
    user, now = person(http), timezone.now()
    findings = CheckupFinding.objects.visible_to(user).filter(checkup=found)
    filters = CheckupFindingFilters(user, http.GET)
    inside, waits = sees_every_checkup(user), to_sign(user, found)
    acts = checkup_acts(user, found, bound, waits)
    return {
        "found": found,
        "inside": inside,
        "acts": acts,
        "may_sign": any(act.name == Move.SEAL and not act.refusal for act in acts),
        "standing": waits,
        "stage": stage_of(found),
        "due": is_due(found),
        "changed": is_known_changed(found),
        "signatures": signatures_of(found) if found.sealed_at else found.signatures.order_by("pk"),
        "results": results_of(findings),
        "progress": progress_of(found, now) if found.state in MOVING and inside else None,
        "levels": levels_of(findings),
        "filters": filters,
        "page": read_page(
            filters.apply(findings).prefetch_related(_checks()), BY_CLIENT, http.GET, size=A_PAGE
        ) if found.started_at else None,
        "failed": _failed(findings),
        "comparison": comparison_of(found) if inside and found.finished_at and signed_before(found) else None,
        **(_inside(found, waits, now) if inside else {}),
    }  # fmt: skip


def _checks() -> Prefetch[Any, Any, Any]:
    return Prefetch("checks", Check.objects.order_by("pk"))


def _failed(findings: Any) -> list[CheckupFinding]:
    """The first of those that failed and stayed so, each with its failed checks and how they were tried."""
    tried = Prefetch("trials", Trial.objects.order_by("-pk"))
    checks = Check.objects.filter(status="failed").order_by("pk").prefetch_related(tried)
    failed = findings.filter(status=FindingStatus.FAILED).select_related("task__owner")
    return list(failed.prefetch_related(Prefetch("checks", checks)).order_by("client", "name", "pk")[:FAILED_SHOWN])


def _inside(found: Checkup, waits: Standing | None, now: datetime) -> dict[str, Any]:
    """What only those see who see all of it."""
    events, signatures = list(events_of(found)), list(found.signatures.order_by("pk"))
    finished = next((event for event in reversed(events) if event.move == Move.FINISH.value), None)
    if found.state in MOVING:
        changed = meanwhile(found, now)
    else:
        changed = finished.reason if finished else ""
    return {
        "events": with_signatures(events, signatures, _digest(found, signatures, waits))[-EVENTS_SHOWN:],
        "meanwhile": changed,
        "in_scope": in_scope().count() if found.state is Status.PLANNED else None,
        "ahead": Checkup.objects.filter(status=Status.RUNNING.value).first() if is_due(found) else None,
    }


def _digest(found: Checkup, signatures: list[Signature], waits: Standing | None) -> str | None:
    """Under which signatures count, as last worked out; empty: none do; None: it is being worked out."""
    if found.sealed_at:
        return signatures[-1].sha256
    if found.state is not Status.READY:
        return ""
    return (waits.digest if waits else found.content_sha256) or None
