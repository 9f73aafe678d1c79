"""Deciding on a request: approve, reject, cancel, try again, undo. POST only; a refusal comes back to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from portal.errors import PortalError
from portal.forms import SentenceForm
from restores.actions import consenting, deciding, stopping
from restores.actions.correcting import correct_cause
from restores.actions.keeping import extend_kept
from restores.actions.scheduling import reschedule
from restores.actions.undoing import request_undo
from restores.forms import ExtendForm, StartForm
from restores.models import RestoreRequest
from restores.views.acts import form_for
from restores.views.fetching import person, request_or_404
from restores.views.request_page import show_request
from restores.workflow import Move

Action = Callable[..., Any]


@require_POST
def request_approve(http: HttpRequest, pk: int) -> HttpResponse:
    """Approve the plan that was shown."""
    return _decide(http, pk, Move.APPROVE, deciding.approve, "{} is approved. The restore starts in a moment.")


@require_POST
def request_accept(http: HttpRequest, pk: int) -> HttpResponse:
    """Accept the estimate that was shown."""
    return _decide(
        http, pk, Move.ACCEPT, consenting.accept, "{}: the estimate is accepted. IT reviews the request now."
    )


@require_POST
def request_decline(http: HttpRequest, pk: int) -> HttpResponse:
    """Decline the estimate with a reason."""
    return _decide(http, pk, Move.DECLINE, consenting.decline, "{} is closed: the estimate was declined.")


@require_POST
def request_correct(http: HttpRequest, pk: int) -> HttpResponse:
    """Give it its true cause."""
    return _decide(http, pk, Move.CORRECT, correct_cause, "{}: the cause is corrected.")


@require_POST
def request_retry(http: HttpRequest, pk: int) -> HttpResponse:
    """Approve another attempt of the plan that was shown."""
    return _decide(http, pk, Move.RETRY, deciding.retry, "{}: another attempt starts in a moment.")


@require_POST
def request_reject(http: HttpRequest, pk: int) -> HttpResponse:
    """Reject with a reason."""
    return _decide(http, pk, Move.REJECT, deciding.reject, "{} is rejected. Nothing was restored.")


@require_POST
def request_cancel(http: HttpRequest, pk: int) -> HttpResponse:
    """Cancel with a reason."""
    return _decide(http, pk, Move.CANCEL, deciding.cancel, "{} is cancelled. Nothing more will be done.")


@require_POST
def request_stop(http: HttpRequest, pk: int) -> HttpResponse:
    """Stop it while it runs."""
    return _decide(http, pk, Move.STOP, stopping.request_stop, "{} is being stopped. The live data stays as it is.")


@require_POST
def request_schedule(http: HttpRequest, pk: int) -> HttpResponse:
    """Say when an approved restore starts."""
    return _arrange(http, pk, StartForm(http.POST), reschedule, "{}: when it starts is changed.")


@require_POST
def request_extend(http: HttpRequest, pk: int) -> HttpResponse:
    """Keep longer what the restore left."""
    return _arrange(http, pk, ExtendForm(http.POST), extend_kept, "{}: it is kept longer.")


def _arrange(http: HttpRequest, pk: int, form: SentenceForm, action: Action, done: str) -> HttpResponse:
    """Like a decision, for what moves no request: a refusal comes back above the page."""
    found = request_or_404(person(http), pk)
    if not form.is_valid():
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return show_request(http, found, status=400, sentence=said)
    try:
        action(by=person(http), request=found, **form.cleaned_data)
    except PortalError as error:
        return show_request(http, request_or_404(person(http), pk), status=error.status, sentence=error.sentence)
    messages.success(http, done.format(found.number))
    return redirect(found)


@require_POST
def request_undo_restore(http: HttpRequest, pk: int) -> HttpResponse:
    """Bring the replaced original back."""
    return _decide(http, pk, Move.UNDO, request_undo, "{}: the original is being brought back.")


def _decide(http: HttpRequest, pk: int, move: Move, action: Action, done: str) -> HttpResponse:
    """Do it and go back to the page with a message, or show the page again with the sentence beside what was typed."""
    found = request_or_404(person(http), pk)
    form = form_for(found, move, http.POST)
    if not form.is_valid():
        return show_request(http, found, {move: form}, status=400)
    try:
        action(by=person(http), request=found, **form.cleaned_data)
    except PortalError as error:
        found = request_or_404(person(http), pk)
        form = form_for(found, move, _over_todays_plan(http.POST, found))
        form.show(error)
        return show_request(http, found, {move: form}, status=error.status)
    messages.success(http, done.format(found.number))
    return redirect(found)


def _over_todays_plan(typed: QueryDict, found: RestoreRequest) -> QueryDict:
    """What was typed, with the digest of the plan that the page is about to show."""
    data = typed.copy()
    data["plan_digest"] = found.plan_digest
    return data
