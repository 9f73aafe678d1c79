"""The page of one resource in a checkup: each backup that was checked, each try with its steps, the task."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from checkups.models import CheckStatus, CheckupFinding, TrialStatus
from checkups.permissions import sees_every_checkup
from checkups.views.act import Bound
from checkups.views.fetching import finding_or_404, person
from checkups.views.finding_acts import finding_acts
from portal.permissions import has_permission
from portal.roles import Permission
from portal.words import company_zone

UNDER_WAY = (CheckStatus.WAITING, CheckStatus.RUNNING)


@require_safe
def finding_page(http: HttpRequest, pk: int, finding: int) -> HttpResponse:
    """The page."""
    return show_finding(http, finding_or_404(person(http), pk, finding))


@require_safe
def finding_live(http: HttpRequest, pk: int, finding: int) -> HttpResponse:
    """Its checks anew, as long as something of them waits or runs; when that is over the whole page is loaded anew."""
    found = finding_or_404(person(http), pk, finding)
    if not is_moving(found):
        return HttpResponseClientRefresh()
    return render(http, "checkups/_checks.html", checks_context(http, found))


def is_moving(found: CheckupFinding) -> bool:
    """Whether something of it waits or runs."""
    return any(check.status in UNDER_WAY for check in found.checks.all())


def checks_context(http: HttpRequest, found: CheckupFinding) -> dict[str, Any]:
    """What its checks show."""
    inside = sees_every_checkup(person(http))
    return {
        "found": found,
        "checks": found.checks.all(),
        "moving": is_moving(found) and not found.checkup.facts.final,
        "inside": inside,
        "technical": inside and has_permission(person(http), Permission.VIEW_TECHNICAL, found.client_ref),
        "running": TrialStatus.RUNNING,
    }


def show_finding(
    http: HttpRequest, found: CheckupFinding, bound: Bound | None = None, *, status: int = 200
) -> HttpResponse:
    """The page, with the forms that came back with an error open."""
    user = person(http)
    shown = checks_context(http, found)
    inside = shown["inside"]
    task = getattr(found, "task", None) if inside else None
    today = timezone.now().astimezone(company_zone()).date()
    context = {
        **shown,
        "task": task,
        "acts": finding_acts(user, found, task, bound),
        "late": task is not None and task.done_at is None and task.due_on < today,
        "events": found.events.order_by("pk") if inside else [],
    }
    return render(http, "checkups/finding.html", context, status=status)
