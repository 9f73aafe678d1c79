"""Prices: the rate cards, from when they hold, and what is agreed with each client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from backups.kinds import KINDS
from portal.days import day_in_words
from portal.errors import PortalError
from portal.forms import Reason, ReasonForm, SentenceForm
from portal.models import Client, User
from portal.permissions import has_permission, visible
from portal.roles import Permission
from portal.rules import refusal
from portal.words import company_zone
from restores.actions.estimating import currency_of
from restores.actions.prices import let_off_limit_now, publish_card, set_agreement, withdraw_card
from restores.forms import Amount
from restores.models import Agreement, RateCard
from restores.money_permissions import check_can_manage_prices, check_can_see_prices
from restores.pricing import Rate
from restores.views.fetching import person

PRICES = (("flat", "Flat fee"), ("per_gib", "Per GiB"), ("per_hour", "Per hour"), ("usual_hours", "Usual hours"))
OTHERS = "other"
"""In the form's names, for the kinds that have no line of their own."""


class RateCardForm(SentenceForm):
    """A new rate card: a line of four numbers for each kind, and one for all others; empty lines are left out."""

    currency = forms.CharField(label="Currency", max_length=3, help_text="Its three letters, such as EUR.")
    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    let_off_limit = Amount(
        "An account manager lets off at most",
        "On one restore; beyond that an administrator decides. Empty: all of it.",
    )
    reason = Reason("Why?", "Kept with the prices.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for key in self._kinds():
            for name, label in PRICES:
                places = 2 if name == "usual_hours" else 4
                self.fields[f"{key}_{name}"] = Amount(label, places=places, size=8)

    @staticmethod
    def _kinds() -> list[str]:
        return [*sorted(KINDS), OTHERS]

    def lines(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Each kind's label with its four boxes."""
        labels = {**{kind: driver.label for kind, driver in KINDS.items()}, OTHERS: "All other kinds"}
        return [(labels[key], [self[f"{key}_{name}"] for name, _ in PRICES]) for key in self._kinds()]

    def rates(self) -> dict[str, Rate]:
        """What was entered, by kind."""
        found = {}
        for key in self._kinds():
            entered = {name: self.cleaned_data.get(f"{key}_{name}") for name, _ in PRICES}
            if any(value is not None for value in entered.values()):
                found["" if key == OTHERS else key] = Rate(
                    **{name: value or Decimal(0) for name, value in entered.items()}
                )
        return found


class AgreementForm(SentenceForm):
    """A client's currency and standing consent."""

    currency = forms.CharField(label="Currency", max_length=3)
    standing_limit = Amount(
        "Standing consent up to",
        "A restore up to this price needs no consent of its own. Empty: every one needs it.",
    )
    customer_number = forms.CharField(
        label="Customer number", required=False, max_length=40, help_text="In accounting: it stands in the exports."
    )
    reason = Reason("Why?", "For example: the client's letter of 3 November.")


@dataclass(frozen=True)
class Agreed:
    """What holds for one client."""

    client: Client
    currency: str
    agreement: Agreement | None


@require_GET
def prices(http: HttpRequest) -> HttpResponse:
    """The cards that hold or will, newest first, and the agreements with the clients that the person sees."""
    check_can_see_prices(person(http))
    return _show(http)


def _show(http: HttpRequest) -> HttpResponse:
    user, today = person(http), timezone.now().astimezone(company_zone()).date()
    agreed = _agreed(user)
    manages = not refusal(check_can_manage_prices, user)
    cards = RateCard.objects.prefetch_related("rates").select_related("published_by")
    if not has_permission(user, Permission.VIEW_REQUESTS, None):  # of one client or a few
        cards = cards.filter(currency__in={one.currency for one in agreed})
    rows, in_force = [], set()
    for card in cards:
        holds = card.valid_from <= today and card.currency not in in_force
        if holds:
            in_force.add(card.currency)
        state = "In force" if holds else "To come" if card.valid_from > today else "Over"
        rows.append(
            (card, state, [(KINDS[r.kind].label if r.kind else "All other kinds", r) for r in card.rates.all()])
        )
    context = {"cards": rows, "agreed": agreed, "manages": manages, "form": ReasonForm()}
    return render(http, "restores/prices.html", context)


def _agreed(user: User) -> list[Agreed]:
    clients = Client.objects.filter(visible(user, Permission.VIEW_REQUESTS, "pk")).select_related("agreement")
    default = currency_of(None)
    found = []
    for client in clients.order_by("name"):
        agreement = getattr(client, "agreement", None)
        found.append(Agreed(client, agreement.currency if agreement else default, agreement))
    return found


@require_http_methods(["GET", "POST"])
def rate_card_new(http: HttpRequest) -> HttpResponse:
    """Publish prices from a day on."""
    user = person(http)
    check_can_manage_prices(user)
    currency = currency_of(None)
    initial = {"currency": currency, "let_off_limit": let_off_limit_now(currency)}
    form = RateCardForm(http.POST or None, initial=initial)

    def publish(entered: dict[str, Any]) -> str:
        card = publish_card(
            by=user,
            currency=entered["currency"].strip().upper(),
            valid_from=entered["valid_from"],
            rates=form.rates(),
            let_off_limit=entered["let_off_limit"],
            reason=entered["reason"],
        )
        return f"The prices in {card.currency} hold from {day_in_words(card.valid_from)} on."

    return _asked(http, form, publish, "restores/rate_card.html", {"heads": PRICES})


@require_POST
def rate_card_withdraw(http: HttpRequest, pk: int) -> HttpResponse:
    """Take back a card that is not in force yet."""
    user = person(http)
    check_can_manage_prices(user)
    card = get_object_or_404(RateCard, pk=pk)
    withdraw_card(by=user, card=card, reason=http.POST.get("reason", ""))
    messages.success(http, f"The prices in {card.currency} from {day_in_words(card.valid_from)} on are withdrawn.")
    return redirect("prices")


@require_http_methods(["GET", "POST"])
def agreement(http: HttpRequest, client: int) -> HttpResponse:
    """What is agreed with one client."""
    user = person(http)
    check_can_manage_prices(user)
    found = get_object_or_404(Client.objects.select_related("agreement"), pk=client)
    known = getattr(found, "agreement", None)
    initial = {
        "currency": known.currency if known else currency_of(None),
        "standing_limit": known and known.standing_limit,
        "customer_number": known.customer_number if known else "",
    }

    def agree(entered: dict[str, Any]) -> str:
        set_agreement(
            by=user,
            client=found,
            currency=entered["currency"].strip().upper(),
            standing_limit=entered["standing_limit"],
            customer_number=entered["customer_number"],
            reason=entered["reason"],
        )
        return f"What is agreed with {found} is kept."

    return _asked(
        http, AgreementForm(http.POST or None, initial=initial), agree, "restores/agreement.html", {"client": found}
    )


def _asked(
    http: HttpRequest,
    form: SentenceForm,
    act: Callable[[dict[str, Any]], str],
    template: str,
    further: dict[str, Any],
) -> HttpResponse:
    """The page with its form; what was sent is done, and ``act`` says what came of it, or the form says why not."""
    status = 200
    if http.method == "POST":
        status = 400
        if form.is_valid():
            try:
                messages.success(http, act(form.cleaned_data))
                return redirect("prices")
            except PortalError as error:
                form.show(error)
                status = error.status
    return render(http, template, {"form": form, **further}, status=status)
