"""Mail about requests: HTML and text, in the words of their pages.

Nothing in it is secret: no locator, no technical detail, no price, and nothing that people typed; all that is behind
the link, for those who may see it then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from django.core.mail import EmailMultiAlternatives
from django.db.models import Model
from django.urls import reverse

from portal.days import day_in_words
from portal.models import User
from portal.telling import letter
from portal.words import exact_time
from restores.actions.digesting import Digest, Some
from restores.models import Attempt, Charge, ChargeStatus, Notice, RestoreRequest, Why
from restores.succession import recovering_it
from restores.wording import (
    KEPT_WORDS,
    YOUR_TURN,
    next_in_full,
    plain_sentence,
    request_sentence,
    turn_of,
)

One = TypeVar("One", bound=Model)


def notice_letter(notices: Sequence[Notice], now: datetime) -> EmailMultiAlternatives:
    """The mail of what one person is told of one request, in its order. The request's mails form one thread."""
    incident = recovering_it(notices[0].request)
    for one in notices:
        one.request.recovering = incident  # type: ignore[attr-defined]  # for the words
    notice = _chief(notices)
    request = notice.request
    charge = request.charge if notice.why == Why.CHARGE else None
    context: dict[str, Any] = {
        "notice": notice,
        "said": [text for text, _ in groupby(one.text.rstrip(".") for one in notices)],
        "request": request,
        "sentence": request_sentence(request, now),
        "plain_sentence": plain_sentence(request, now),
        "turn": YOUR_TURN if charge else turn_of(request, notice.person),
        "next": "Confirm the charge or waive it, with a reason."
        if charge
        else next_in_full(request, now, notice.person),
        "path": reverse("charge", args=[charge.pk]) if charge else request.get_absolute_url(),
        "reason": notice.get_why_display(),
    }
    subject = f"[{request.number}] {notice.headline}: {request.resource.name}"
    return letter("notice", context, to=notice.person.email, subject=subject, thread=request.number)


def _chief(notices: Sequence[Notice]) -> Notice:
    """The one that the letter's subject is about: the last that asks something of the reader still, or just the last."""
    return next((one for one in reversed(notices) if _still_asks(one)), notices[-1])


def _still_asks(notice: Notice) -> bool:
    if notice.why == Why.CHARGE:
        return notice.request.charge.status == ChargeStatus.TO_REVIEW
    return notice.why == Why.TURN and turn_of(notice.request, notice.person) == YOUR_TURN


@dataclass(frozen=True)
class Row:
    """One line of a digest."""

    number: str
    path: str
    about: str
    what: str


@dataclass(frozen=True)
class Part:
    """One part of a digest: its lines, and how many ``more`` there are."""

    title: str
    rows: list[Row]
    more: int


def digest_letter(person: User, digest: Digest, now: datetime) -> EmailMultiAlternatives:
    """The mail of one morning."""
    waiting = digest.waiting.number + digest.charges.number
    parts = [
        _part("Waiting for you", digest.waiting, _row),
        _part("Charges to review", digest.charges, _charge_row),
        _part("Since yesterday", digest.ran, _row),
        _part("Removed soon, unless IT keeps it longer", digest.ending, lambda one: _ending_row(one, now)),
    ]
    context = {"parts": [part for part in parts if part.rows], "day": day_in_words(digest.day)}
    subject = f"Restores: {waiting} waiting for you" if waiting else "Restores: nothing waits for you"
    return letter("morning", context, to=person.email, subject=subject)


def _part(title: str, found: Some[One], row: Callable[[One], Row]) -> Part:
    return Part(title, [row(one) for one in found.first], found.more)


def _row(request: RestoreRequest) -> Row:
    return Row(request.number, request.get_absolute_url(), _about(request), request.facts.label)


def _charge_row(charge: Charge) -> Row:
    return Row(charge.request.number, reverse("charge", args=[charge.pk]), _about(charge.request), "A charge to review")


def _ending_row(attempt: Attempt, now: datetime) -> Row:
    request = attempt.request
    assert attempt.kept_until is not None  # by the query that found it
    what = f"{KEPT_WORDS[request.restore_mode]} goes after {exact_time(attempt.kept_until, now)}"
    return Row(request.number, request.get_absolute_url(), _about(request), what)


def _about(request: RestoreRequest) -> str:
    return f"{request.resource.name} of {request.client}"
