"""Consent: what may be charged runs only once the client has accepted its price. Nobody is billed by surprise."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from moneyed import Money

from portal.errors import Refused
from portal.models import Client, User
from portal.permissions import has_permission
from portal.roles import Permission
from restores.actions.moves import apply_move, note
from restores.actions.telling import WITH_OWNERS
from restores.models import Agreement, Consent, ConsentKind, RestoreRequest
from restores.permissions import check_can_accept, check_can_decline
from restores.pricing import covers, in_money
from restores.workflow import Move, Status

NOT_WHAT_WAS_READ = "The price is not the one you read. Read it again, then decide."


def accept(*, by: User, request: RestoreRequest, plan_digest: str) -> RestoreRequest:
    """Accept the price of exactly the plan whose digest the person read.

    Raises NotPermitted or Refused by the rule, and Refused when the plan is another one by now.
    """
    now = timezone.now()

    def check(locked: RestoreRequest) -> None:
        check_can_accept(by, locked)
        if plan_digest != locked.plan_digest:
            raise Refused(NOT_WHAT_WAS_READ)

    def alter(locked: RestoreRequest) -> None:
        price = locked.price
        assert price is not None  # else it would not wait for consent
        _record(locked, ConsentKind.PERSON, price, now, by=by)

    return apply_move(request, Move.ACCEPT, by=by, now=now, check=check, alter=alter)


def decline(*, by: User, request: RestoreRequest, reason: str) -> RestoreRequest:
    """Decline the price: the request is closed, and nothing is restored."""
    return apply_move(
        request,
        Move.DECLINE,
        by=by,
        now=timezone.now(),
        reason=reason,
        check=lambda locked: check_can_decline(by, locked),
    )


def is_consented(request: RestoreRequest) -> bool:
    """Whether the price needs no consent, or has it: one that stands and was given for as much, or more."""
    price = request.price
    if price is None or not price.amount:
        return True
    return any(consent.stands and covers(consent.money, price) for consent in request.consents.all())


def settle_consent(
    request: RestoreRequest, *, now: datetime, by: User | None = None, accepts: str = ""
) -> RestoreRequest:
    """Bring a request that was filed or corrected to where its price belongs, in the transaction that changed it.

    ``by`` filed or corrected it; ``accepts`` is the price that they read and accepted while filing it.
    """
    price = request.price
    if price is not None and not is_consented(request):
        limit = _standing_limit(request)
        if by is not None and accepts == price_words(price) and may_accept(by, request.client):
            _record(request, ConsentKind.PERSON, price, now, by=by)
            note(request, by=by, now=now, text=f"{by} accepted the estimate of {in_money(price)}")
        elif limit is not None and covers(limit, price):
            _record(request, ConsentKind.STANDING, price, now)
            said = f"The standing consent up to {in_money(limit)} covers the estimate of {in_money(price)}"
            used = "Standing consent used"
            told = "The standing consent covers the estimate"
            note(request, by=None, led_by=by, now=now, text=said, news=used, audience=WITH_OWNERS, told=told)
    if is_consented(request):
        return apply_move(request, Move.RELEASE, by=None, led_by=by, now=now) if _awaits(request) else request
    if request.state is Status.SUBMITTED:
        return apply_move(request, Move.QUOTE, by=None, led_by=by, now=now)
    return request


def may_accept(person: User, client: Client) -> bool:
    """Whether they accept prices for the client."""
    return not person.is_service_account and has_permission(person, Permission.ACCEPT_ESTIMATES, client)


def price_words(price: Money) -> str:
    """The price as forms and the API send it back: "45.00 EUR"."""
    return f"{price.amount} {price.currency.code}"


def _awaits(request: RestoreRequest) -> bool:
    return request.state is Status.AWAITING_CONSENT


def _standing_limit(request: RestoreRequest) -> Money | None:
    agreement = Agreement.objects.filter(client=request.client).first()
    return agreement.limit if agreement else None


def _record(request: RestoreRequest, kind: ConsentKind, price: Money, now: datetime, *, by: User | None = None) -> None:
    Consent.objects.create(
        request=request,
        kind=kind,
        amount=price.amount,
        currency=price.currency.code,
        plan_digest=request.plan_digest,
        given_at=now,
        given_by=by,
    )
