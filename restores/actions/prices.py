"""Rate cards and what is agreed with clients: set by an administrator, always with a reason, never backwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.kinds import KINDS
from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import Client, User
from portal.reasons import telling_reason
from portal.words import company_zone
from restores.amounts import no_such_coin
from restores.models import Agreement, Rate, RateCard
from restores.money_permissions import check_can_manage_prices
from restores.pricing import Rate as RateFacts
from restores.pricing import is_currency

HIGHEST = Decimal(1_000_000)
REASON_MISSING = "Say why: the reason is kept with the prices."


def publish_card(
    *,
    by: User,
    currency: str,
    valid_from: date,
    rates: Mapping[str, RateFacts],
    reason: str,
    let_off_limit: Decimal | None = None,
) -> RateCard:
    """Publish the prices of a currency from that day on. ``rates`` by kind; "" stands for all other kinds.

    ``let_off_limit``: the most that an account manager lets a client off on one restore; None: all of it.

    Raises NotPermitted, or InvalidInput naming ``currency``, ``valid_from``, ``rates`` or ``reason``.
    """
    check_can_manage_prices(by)
    reason = telling_reason(reason, REASON_MISSING)
    _check_currency(currency)
    now = timezone.now()
    if valid_from < now.astimezone(company_zone()).date():
        raise InvalidInput(
            "A price never changes backwards: estimates were made by the old one. Choose today or a later day.",
            field="valid_from",
        )
    _check_rates(rates)
    _check_limit(let_off_limit, currency, "let_off_limit")
    try:
        with acting(by, reason), transaction.atomic():
            card = RateCard.objects.create(
                currency=currency,
                valid_from=valid_from,
                let_off_limit=let_off_limit,
                published_at=now,
                published_by=by,
                reason=reason,
            )
            Rate.objects.bulk_create(
                Rate(
                    card=card,
                    kind=kind,
                    flat=rate.flat,
                    per_gib=rate.per_gib,
                    per_hour=rate.per_hour,
                    usual_hours=rate.usual_hours,
                )
                for kind, rate in sorted(rates.items())
            )
    except IntegrityError as error:
        raise InvalidInput(
            f"There is a rate card in {currency} from that day on already. Choose another day, or withdraw that card.",
            field="valid_from",
        ) from error
    return card


def let_off_limit_now(currency: str) -> Decimal | None:
    """What the newest card of that currency lets an account manager let off at most; None: all of it, or there is no card."""
    return (
        RateCard.objects.filter(currency=currency)
        .order_by("-valid_from")
        .values_list("let_off_limit", flat=True)
        .first()
    )


def withdraw_card(*, by: User, card: RateCard, reason: str) -> None:
    """Take back a card that is not in force yet. Raises NotPermitted, InvalidInput, Refused once it is."""
    check_can_manage_prices(by)
    reason = telling_reason(reason, REASON_MISSING)
    with acting(by, reason), transaction.atomic():
        locked = RateCard.objects.select_for_update().filter(pk=card.pk).first()
        if locked is None:
            raise Refused("This rate card was withdrawn already.")
        if locked.valid_from <= timezone.now().astimezone(company_zone()).date():
            raise Refused("This rate card is in force: estimates were made by it. Publish another one.")
        locked.delete()


def set_agreement(
    *,
    by: User,
    client: Client,
    currency: str,
    standing_limit: Decimal | None,
    reason: str,
    customer_number: str = "",
) -> Agreement:
    """Set a client's currency, and up to which price consent is given in advance (None: never).

    Estimates that were made stay as they are. Raises NotPermitted, or InvalidInput naming the field.
    """
    check_can_manage_prices(by)
    reason = telling_reason(reason, REASON_MISSING)
    _check_currency(currency)
    _check_limit(standing_limit, currency, "standing_limit")
    with acting(by, reason), transaction.atomic():
        Client.objects.select_for_update().get(pk=client.pk)
        agreement = Agreement.objects.filter(client=client).first() or Agreement(client=client)
        before, same = agreement.currency, agreement.standing_limit == standing_limit
        if agreement.pk and standing_limit and same and before != currency:
            raise InvalidInput(
                f"The standing consent was given in {before}: the same number in {currency} is another price. Leave it empty"
                f" now, and enter what the client agrees to in {currency} afterwards.",
                field="standing_limit",
            )
        agreement.currency, agreement.standing_limit = currency, standing_limit
        agreement.customer_number = customer_number.strip()
        agreement.save()
    return agreement


def _check_currency(currency: str) -> None:
    if not is_currency(currency):
        raise InvalidInput("That is no currency. Enter its three letters, such as EUR.", field="currency")


def _check_limit(limit: Decimal | None, currency: str, field: str) -> None:
    if limit is None:
        return
    if not _is_amount(limit):
        raise InvalidInput(f"The limit is not an amount from 0 to {HIGHEST:,}.", field=field)
    if sentence := no_such_coin(limit, currency):
        raise InvalidInput(sentence, field=field)


def _check_rates(rates: Mapping[str, RateFacts]) -> None:
    if not rates:
        raise InvalidInput("Enter at least one price. A card of zeros makes everything free.", field="rates")
    for kind, rate in rates.items():
        if kind and kind not in KINDS:
            raise InvalidInput(f"There is no resource kind “{kind}”.", field="rates")
        if not all(_is_amount(price) for price in (rate.flat, rate.per_gib, rate.per_hour, rate.usual_hours)):
            raise InvalidInput(f"Prices and hours are numbers from 0 to {HIGHEST:,}.", field="rates")
        if rate.usual_hours >= 1000:
            raise InvalidInput("A restore takes fewer than 1,000 hours of work.", field="rates")


def _is_amount(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value <= HIGHEST
