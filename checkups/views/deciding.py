"""Deciding about a checkup: change, take back, pause, resume, cancel, sign. POST only; a refusal comes back to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_POST

from checkups.actions import dates, running, signing
from checkups.models import Checkup
from checkups.permissions import check_can_manage, check_can_sign
from checkups.views.act import do
from checkups.views.checkup import show_checkup
from checkups.views.checkup_acts import form_of
from checkups.views.fetching import checkup_or_404, person
from checkups.workflow import Move
from portal.forms import SentenceForm


@require_POST
def change(http: HttpRequest, pk: int) -> HttpResponse:
    """Another date, or another share."""
    return _decide(http, pk, Move.CHANGE, dates.change_date, "The checkup is changed.")


@require_POST
def withdraw(http: HttpRequest, pk: int) -> HttpResponse:
    """Take the date back."""
    return _decide(http, pk, Move.WITHDRAW, dates.withdraw, "{} is taken back. See whether the year has two dates.")


@require_POST
def pause(http: HttpRequest, pk: int) -> HttpResponse:
    """Begin nothing more for now."""
    return _decide(http, pk, Move.PAUSE, running.pause, "{} is paused. What is being tried is carried to its end.")


@require_POST
def resume(http: HttpRequest, pk: int) -> HttpResponse:
    """Go on."""
    return _decide(http, pk, Move.RESUME, running.resume, "{} goes on.")


@require_POST
def check_again(http: HttpRequest, pk: int) -> HttpResponse:
    """Have all that could not be tried tried once more."""
    said = "What could not be tried is tried again as workers are free."
    return _decide(http, pk, Move.CHECK_AGAIN, running.check_untried_again, said)


@require_POST
def cancel(http: HttpRequest, pk: int) -> HttpResponse:
    """Give it up."""
    return _decide(http, pk, Move.CANCEL, running.cancel, "{} is cancelled. The year needs another date.")


@require_POST
def sign(http: HttpRequest, pk: int) -> HttpResponse:
    """Put one's name to what the page showed."""
    found = checkup_or_404(person(http), pk)
    check_can_sign(person(http), found, [])
    typed = form_of(found, Move.SEAL, http.POST)

    def back(form: SentenceForm, status: int) -> HttpResponse:
        """The page as it is now, and with it the digest of what it shows."""
        again = form_of(found, Move.SEAL, _over_todays_record(http.POST, found))
        again.full_clean()
        again.errors.update(form.errors)
        return show_checkup(http, checkup_or_404(person(http), pk), {Move.SEAL.value: again}, status=status)

    def act() -> Checkup:
        return signing.sign(by=person(http), checkup=found, **typed.cleaned_data)

    return do(http, typed, act, back, f"{found.number} carries your signature.", found)


def _over_todays_record(typed: QueryDict, found: Checkup) -> QueryDict:
    data = typed.copy()
    data["digest"] = signing.standing(found).digest
    return data


def _decide(http: HttpRequest, pk: int, move: Move, action: Callable[..., Any], done: str) -> HttpResponse:
    found = checkup_or_404(person(http), pk)
    check_can_manage(person(http))
    form = form_of(found, move, http.POST)

    def back(form: SentenceForm, status: int) -> HttpResponse:
        return show_checkup(http, checkup_or_404(person(http), pk), {move.value: form}, status=status)

    def act() -> Any:
        return action(by=person(http), checkup=found, **form.cleaned_data)

    return do(http, form, act, back, done.format(found.number), found)
