"""Charges: the finished restores that may be billed, each with its documented request, and the decision on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from portal.days import month_in_words
from portal.errors import InvalidInput, NotPermitted, PortalError
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission_somewhere
from portal.roles import Permission
from portal.rules import refusal
from portal.words import company_zone
from restores.actions.charges import adjust_charge, confirm_charge, reopen_charge, waive_charge
from restores.forms import DecideForm
from restores.models import Attempt, Charge, ChargeStatus
from restores.money_permissions import check_can_decide_charge, check_can_export, check_can_reopen_charge
from restores.views.fetching import charge_or_404, charges_seen_by, person
from restores.views.live import newest_restore
from restores.wording import request_sentence

OLDEST_FIRST = (Column("created_at"), Column("pk"))
LATEST_DECISION_FIRST = (Column("decided_at", descending=True), Column("pk", descending=True))
REVIEWED_AT_ONCE = 20
COLOURS = {
    ChargeStatus.TO_REVIEW: "waiting",
    ChargeStatus.CONFIRMED: "good",
    ChargeStatus.ADJUSTED: "good",
    ChargeStatus.WAIVED: "quiet",
    ChargeStatus.VOID: "quiet",
}


@dataclass(frozen=True)
class Record:
    """A charge with the documented request beside it."""

    charge: Charge
    sentence: SafeString
    attempt: Attempt | None
    took: timedelta | None
    colour: str
    refusal: str
    reopen_refusal: str
    form: DecideForm

    @property
    def may_decide(self) -> bool:
        """Whether this person may decide it now."""
        return not self.refusal


def _record(user: User, charge: Charge, form: DecideForm | None = None) -> Record:
    attempt = newest_restore(charge.request)
    ended = attempt.finished_at if attempt else None
    return Record(
        charge=charge,
        sentence=request_sentence(charge.request, timezone.now()),
        attempt=attempt,
        took=ended - attempt.started_at if attempt and ended and attempt.started_at else None,
        colour=COLOURS[ChargeStatus(charge.status)],
        refusal=refusal(check_can_decide_charge, user, charge),
        reopen_refusal=refusal(check_can_reopen_charge, user, charge),
        form=form or DecideForm(auto_id=f"id-charge-{charge.pk}-%s"),
    )


@require_GET
def charges(http: HttpRequest) -> HttpResponse:
    """What is to be reviewed, oldest first, and below what was decided, by month."""
    user = person(http)
    if not has_permission_somewhere(user, Permission.VIEW_CHARGES):
        raise NotPermitted("Charges are for account managers, the client itself and auditors.")
    seen = charges_seen_by(user)
    to_review = seen.filter(status=ChargeStatus.TO_REVIEW)
    decided = read_page(seen.exclude(status=ChargeStatus.TO_REVIEW), LATEST_DECISION_FIRST, http.GET)
    context = {
        "count": to_review.count(),
        "records": [_record(user, charge) for charge in to_review.order_by("created_at", "pk")[:REVIEWED_AT_ONCE]],
        "decided": decided,
        "months": _by_month(user, decided.rows),
        "exports": not refusal(check_can_export, user),
        "decides": has_permission_somewhere(user, Permission.DECIDE_CHARGES),
    }
    return render(http, "restores/charges.html", context)


def _by_month(user: User, rows: list[Charge]) -> list[tuple[str, list[Record]]]:
    def month(charge: Charge) -> str:
        return month_in_words(charge.decided_at.astimezone(company_zone()).date()) if charge.decided_at else ""

    return [(name, [_record(user, charge) for charge in group]) for name, group in groupby(rows, key=month)]


@require_GET
def charge(http: HttpRequest, pk: int) -> HttpResponse:
    """One charge."""
    return _show(http, charge_or_404(person(http), pk))


def _show(http: HttpRequest, found: Charge, form: DecideForm | None = None, status: int = 200) -> HttpResponse:
    return render(http, "restores/charge.html", {"record": _record(person(http), found, form)}, status=status)


@require_POST
def charge_confirm(http: HttpRequest, pk: int) -> HttpResponse:
    """Confirm that it is charged."""
    return _decide(http, pk, confirm_charge, "The charge for {} is confirmed.")


@require_POST
def charge_adjust(http: HttpRequest, pk: int) -> HttpResponse:
    """Charge less than was accepted."""
    return _decide(http, pk, adjust_charge, "The charge for {} is adjusted.", "amount")


@require_POST
def charge_reopen(http: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision back."""
    return _decide(http, pk, reopen_charge, "The charge for {} is open again.")


@require_POST
def charge_waive(http: HttpRequest, pk: int) -> HttpResponse:
    """Let the client off."""
    return _decide(http, pk, waive_charge, "The charge for {} is waived.")


def _decide(http: HttpRequest, pk: int, action: Any, done: str, *further: str) -> HttpResponse:
    found = charge_or_404(person(http), pk)
    form = DecideForm(http.POST, auto_id=f"id-charge-{pk}-%s")
    if not form.is_valid():
        return _show(http, found, form, 400)
    try:
        if "amount" in further and form.cleaned_data["amount"] is None:
            raise InvalidInput("Enter what is charged.", field="amount")
        entered = {name: form.cleaned_data[name] for name in ("reason", *further)}
        action(by=person(http), charge=found, **entered)
    except PortalError as error:
        form.show(error)
        return _show(http, charge_or_404(person(http), pk), form, error.status)
    messages.success(http, done.format(found.request.number))
    return redirect(reverse("charges"))
