"""Retention: its runs, what each deletes and why, a person's decision about a stopped one, and what would go next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions.belief import policy_moment
from backups.actions.retaining import decide_run, run_retention
from backups.condition import condition_of_run
from backups.models import Deletion, Resource, RetentionRun
from backups.permissions import check_can_decide_run, check_can_run_retention, check_can_view_compliance
from backups.upcoming import Upcoming, upcoming_deletions
from backups.views.resources import signed_in
from backups.views.retention_run import decision_form, run_page
from backups.wording import run_sentence
from portal.errors import InvalidInput
from portal.forms import ReasonForm
from portal.paging import Column, read_page
from portal.permissions import has_permission_somewhere
from portal.roles import Permission
from portal.rules import refusal
from portal.words import counted

NEWEST_FIRST = (Column("planned_at", descending=True), Column("id", descending=True))
RUNS_A_PAGE = 30


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """The runs, newest first."""
    check_can_view_compliance(request.user)
    page = read_page(_all_runs(), NEWEST_FIRST, request.GET, size=RUNS_A_PAGE)
    return render(request, "backups/retention.html", {"page": page, "rows": _rows(page.rows)})


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: what it deletes, and what became of that."""
    check_can_view_compliance(request.user)
    return _shown(request, get_object_or_404(_all_runs(), pk=pk))


@require_POST
def carry_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a stopped run delete what it planned."""
    return _decide(request, pk, carry_on=True)


@require_POST
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a stopped run: nothing of its plan is deleted."""
    return _decide(request, pk, carry_on=False)


@require_http_methods(["GET", "HEAD", "POST"])
def upcoming(request: HttpRequest) -> HttpResponse:
    """What would go now; and the button that lets it go."""
    check_can_view_compliance(request.user)
    if request.method == "POST":
        made = run_retention(by=signed_in(request))
        return redirect(made)
    now = timezone.now()
    moment = policy_moment(now)
    found = upcoming_deletions(moment, at_home_only=moment < now)
    context = {
        "leapt_from": moment if moment < now else None,
        "upcoming": found,
        "rows": _whose(found),
        "verb": f"Delete {counted(found.copies, 'copy', 'copies')} now" if found.complete else "Run retention now",
        "may_run": has_permission_somewhere(request.user, Permission.RUN_RETENTION),
        "why_not_run": refusal(check_can_run_retention, request.user) or _nothing(found),
    }
    return render(request, "backups/retention_next.html", context)


def _all_runs() -> Any:
    return RetentionRun.objects.select_related("resource__application__client", "decided_by")


def _decide(request: HttpRequest, pk: int, *, carry_on: bool) -> HttpResponse:
    check_can_view_compliance(request.user)
    found, user = get_object_or_404(_all_runs(), pk=pk), signed_in(request)
    check_can_decide_run(user, found)
    form = decision_form(carry_on, request.POST)
    if not form.is_valid():
        return _shown(request, found, form, carry_on)
    try:
        decide_run(by=user, run=found, carry_on=carry_on, reason=form.cleaned_data["reason"])
    except InvalidInput as error:
        form.show(error)
        return _shown(request, found, form, carry_on)
    done = "The run goes on: each copy is looked at once more before it goes." if carry_on else "Nothing was deleted."
    messages.success(request, done)
    return redirect(found)


def _shown(
    request: HttpRequest, found: RetentionRun, form: ReasonForm | None = None, carry_on: bool = False
) -> HttpResponse:
    forms = {"carry_on_form" if carry_on else "refuse_form": form} if form else {}
    context = run_page(signed_in(request), found, request.GET) | forms
    return render(request, "backups/retention_run.html", context, status=400 if form else 200)


def _rows(found: Sequence[RetentionRun]) -> list[dict[str, Any]]:
    """Each run with what was deleted of it and what was kept after all; one query for all."""
    counts: dict[int, dict[str, int]] = {}
    numbers = Deletion.objects.filter(run__in=[one.pk for one in found]).values_list("run", "status")
    for pk, status, number in numbers.annotate(number=Count("pk")).order_by():
        counts.setdefault(pk, {})[status] = number
    return [
        {
            "run": one,
            "condition": condition_of_run(one),
            "counts": counts.get(one.pk, {}),
            "sentence": run_sentence(one),
        }
        for one in found
    ]


def _whose(found: Upcoming) -> list[dict[str, Any]]:
    """What is shown of it, each with its client."""
    resources = Resource.objects.filter(pk__in={going.resource for going in found.shown})
    clients = dict(resources.values_list("pk", "application__client__name"))
    return [{"going": going, "client": clients.get(going.resource, "")} for going in found.shown]


def _nothing(found: Upcoming) -> str:
    return "" if found.copies or not found.complete else "Nothing is to be deleted now."
