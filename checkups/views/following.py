"""Seeing to what a checkup found: check again, hand on, done. POST only; a refusal comes back to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from checkups.actions.following import close_task, hand_on
from checkups.actions.running import check_again
from checkups.models import CheckupFinding, Task
from checkups.permissions import check_can_manage
from checkups.views.act import do
from checkups.views.fetching import finding_or_404, person
from checkups.views.finding import show_finding
from checkups.views.finding_acts import AGAIN, DONE, HAND_ON, form_of
from portal.forms import SentenceForm


@require_POST
def again(http: HttpRequest, pk: int, finding: int) -> HttpResponse:
    """Have what failed tried once more."""

    def act(found: CheckupFinding, which: str, reason: str) -> None:
        check_again(by=person(http), finding=found, newest=which == "newest", reason=reason)

    return _see_to(http, pk, finding, AGAIN, act, "It is checked again as soon as a worker is free.")


@require_POST
def handed_on(http: HttpRequest, pk: int, finding: int) -> HttpResponse:
    """Give its task to somebody else, or more time."""

    def act(found: CheckupFinding, **entered: Any) -> None:
        hand_on(by=person(http), task=_task_of(found), **entered)

    return _see_to(http, pk, finding, HAND_ON, act, "The task is handed on.")


@require_POST
def done(http: HttpRequest, pk: int, finding: int) -> HttpResponse:
    """Say how its task ended."""

    def act(found: CheckupFinding, outcome: str) -> None:
        close_task(by=person(http), task=_task_of(found), outcome=outcome)

    return _see_to(http, pk, finding, DONE, act, "The task is done.")


def _task_of(found: CheckupFinding) -> Task:
    task: Task | None = getattr(found, "task", None)
    if task is None:
        raise Http404
    return task


def _see_to(
    http: HttpRequest, pk: int, finding: int, name: str, action: Callable[..., None], said: str
) -> HttpResponse:
    user = person(http)
    found = finding_or_404(user, pk, finding)
    check_can_manage(user)
    form = form_of(found, name, http.POST)

    def back(bound: SentenceForm, status: int) -> HttpResponse:
        return show_finding(http, finding_or_404(user, pk, finding), {name: bound}, status=status)

    where = reverse("checkup_finding", args=[pk, finding])
    return do(http, form, lambda: action(found, **form.cleaned_data), back, said, where)
