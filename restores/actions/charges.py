"""Deciding what is billed: an account manager confirms, adjusts or waives, always with a reason, until it is exported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from moneyed import Money

from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from portal.reasons import telling_reason
from restores.actions.moves import note
from restores.actions.telling import WITH_OWNERS, tell_of_charge
from restores.amounts import no_such_coin
from restores.charging import Classification
from restores.models import Charge, ChargeStatus, RateCard, RestoreRequest
from restores.money_permissions import check_can_decide_charge, check_can_let_off, check_can_reopen_charge
from restores.pricing import in_money

REASON_MISSING = "Say why: every decision about money is kept with its reason."
NEWS = {
    ChargeStatus.CONFIRMED: "Charge confirmed",
    ChargeStatus.ADJUSTED: "Charge adjusted",
    ChargeStatus.WAIVED: "Charge waived",
}
NO_PRICE = "No price was accepted for this restore, so it cannot be charged. Waive it."


def open_charge(request: RestoreRequest, now: datetime) -> None:
    """Put a finished restore that may be charged before the account manager. Call inside the move's transaction."""
    if request.classification != Classification.BILLABLE:
        return
    price = request.price
    accepted = {"estimated": price.amount, "currency": price.currency.code} if price else {}
    charge, opened = Charge.objects.get_or_create(
        request=request, defaults={"client": request.client, "created_at": now, **accepted}
    )
    if opened:
        tell_of_charge(charge, now=now)


def void_charge(request: RestoreRequest, *, by: User, now: datetime, reason: str) -> None:
    """The cause was corrected to one that is free: nothing is charged. Call inside the move's transaction."""
    charge = Charge.objects.select_for_update(of=("self",)).filter(request=request).first()
    if charge is not None:
        charge.status, charge.amount = ChargeStatus.VOID, None
        charge.decided_at, charge.decided_by, charge.reason = now, by, reason.strip()
        charge.save()


def confirm_charge(*, by: User, charge: Charge, reason: str) -> Charge:
    """Charge what the client accepted. Raises NotPermitted, Refused, or InvalidInput without a reason."""

    def decide(locked: Charge) -> str:
        if locked.estimated is None:
            raise Refused(NO_PRICE)
        locked.status, locked.amount = ChargeStatus.CONFIRMED, locked.estimated
        return f"{by} confirmed the charge of {_named(locked)}"

    return _decide(by, charge, reason, decide)


def adjust_charge(*, by: User, charge: Charge, amount: Decimal, reason: str) -> Charge:
    """Charge less than was accepted. Raises NotPermitted beyond the limit, InvalidInput naming ``amount`` or ``reason``."""

    def decide(locked: Charge) -> str:
        if locked.estimated is None:
            raise Refused(NO_PRICE)
        if not amount.is_finite() or amount <= 0:
            raise InvalidInput("Enter what is charged. To charge nothing, waive it.", field="amount")
        if sentence := no_such_coin(amount, locked.currency):
            raise InvalidInput(sentence, field="amount")
        if amount > locked.estimated:
            raise InvalidInput(
                f"The client accepted {in_money(Money(locked.estimated, locked.currency))}: it is never charged more.",
                field="amount",
            )
        if amount == locked.estimated:
            raise InvalidInput("That is what was accepted: confirm it.", field="amount")
        check_can_let_off(by, locked, locked.estimated - amount, _limit(locked))
        locked.status, locked.amount = ChargeStatus.ADJUSTED, amount
        return f"{by} adjusted the charge from {in_money(Money(locked.estimated, locked.currency))} to {_named(locked)}"

    return _decide(by, charge, reason, decide)


def waive_charge(*, by: User, charge: Charge, reason: str) -> Charge:
    """Let the client off. Raises NotPermitted beyond the limit, Refused, or InvalidInput without a reason."""

    def decide(locked: Charge) -> str:
        if locked.estimated is not None:
            check_can_let_off(by, locked, locked.estimated, _limit(locked))
        of = f" of {in_money(Money(locked.estimated, locked.currency))}" if locked.estimated is not None else ""
        locked.status, locked.amount = ChargeStatus.WAIVED, None
        return f"{by} waived the charge{of}"

    return _decide(by, charge, reason, decide)


def reopen_charge(*, by: User, charge: Charge, reason: str) -> Charge:
    """Take a decision back, as long as it was not exported."""
    now = timezone.now()
    with acting(by, reason.strip()), transaction.atomic():
        _lock_request(charge)
        locked = Charge.objects.select_for_update(of=("self",)).select_related("request").get(pk=charge.pk)
        check_can_reopen_charge(by, locked)
        if locked.estimated is not None:  # what only an administrator let off, only an administrator takes back
            off = locked.estimated - (locked.amount or 0)
            check_can_let_off(by, locked, off, _limit(locked), act="reopen")
        reason = telling_reason(reason, REASON_MISSING)
        was = f"{_named(locked)}, {locked.get_status_display().lower()}" if locked.charged else "waived"
        locked.status, locked.amount = ChargeStatus.TO_REVIEW, None
        locked.decided_at, locked.decided_by, locked.reason = None, None, ""
        locked.save()
        note(
            locked.request,
            by=by,
            now=now,
            text=f"{by} reopened the charge ({was})",
            reason=reason,
            news="Charge reopened",
            audience=WITH_OWNERS,
            told=f"{by} reopened the charge",
        )
    return locked


def _decide(by: User, charge: Charge, reason: str, decide: Callable[[Charge], str]) -> Charge:
    now = timezone.now()
    with acting(by, reason.strip()), transaction.atomic():
        _lock_request(charge)
        locked = Charge.objects.select_for_update(of=("self",)).select_related("request", "client").get(pk=charge.pk)
        check_can_decide_charge(by, locked)
        reason = telling_reason(reason, REASON_MISSING)
        said = decide(locked)
        locked.decided_at, locked.decided_by, locked.reason = now, by, reason
        locked.save()
        news = NEWS[ChargeStatus(locked.status)]
        told = f"{by} {locked.get_status_display().lower()} the charge"
        note(locked.request, by=by, now=now, text=said, reason=reason, news=news, audience=WITH_OWNERS, told=told)
    return locked


def _named(charge: Charge) -> str:
    assert charge.charged is not None
    return in_money(charge.charged)


def _lock_request(charge: Charge) -> None:
    """The request first, then its charge: so does whoever corrects a cause."""
    RestoreRequest.objects.select_for_update(of=("self",)).get(pk=charge.request_id)


def _limit(charge: Charge) -> Decimal | None:
    """How much an account manager may let off, by the card that the price was made by."""
    estimate = charge.request.estimate
    card = RateCard.objects.filter(pk=estimate.card).first() if estimate else None
    return card.let_off_limit if card else None
