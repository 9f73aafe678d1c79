"""What a restore costs by a rate card: an estimate, frozen into the plan that the client accepts. Pure and exact.

Amounts are :class:`moneyed.Money`: decimal, never binary, and adding two currencies is an error. What is measured (GiB,
hours) is rounded when it is measured, lines are exact, and the total alone is rounded to the currency's smallest coin,
once, half up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from moneyed import CurrencyDoesNotExist, Money, get_currency

GIB = Decimal(2**30)
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Rate:
    """The prices of one kind of resource, in the card's currency; ``usual_hours`` is the work that a restore takes."""

    flat: Decimal = Decimal(0)
    per_gib: Decimal = Decimal(0)
    per_hour: Decimal = Decimal(0)
    usual_hours: Decimal = Decimal(0)


@dataclass(frozen=True)
class Line:
    """One part of the price: so much of something at a price each. ``amount`` is exact."""

    what: str
    quantity: Decimal
    unit: str
    price: Money

    @property
    def amount(self) -> Money:
        """Quantity times price."""
        return self.price * self.quantity


@dataclass(frozen=True)
class Estimate:
    """The price of one restore. ``card`` is the id of the rate card it was worked out by."""

    card: int
    lines: tuple[Line, ...]
    total: Money

    def as_json(self) -> dict[str, Any]:
        """Plain values for the plan; :meth:`from_json` reads them back. Decimals as strings, so that none is a float."""
        return {
            "card": self.card,
            "currency": self.total.currency.code,
            "total": str(self.total.amount),
            "lines": [
                {"what": line.what, "quantity": str(line.quantity), "unit": line.unit, "price": str(line.price.amount)}
                for line in self.lines
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Estimate:
        """The estimate that :meth:`as_json` wrote."""
        currency = value["currency"]
        lines = tuple(
            Line(line["what"], Decimal(line["quantity"]), line["unit"], Money(Decimal(line["price"]), currency))
            for line in value["lines"]
        )
        return cls(value["card"], lines, Money(Decimal(value["total"]), currency))


def work_out(rate: Rate, currency: str, *, card: int, size: int) -> Estimate:
    """The estimate for restoring ``size`` bytes (before compression). Parts that cost nothing have no line."""
    gib = (Decimal(size) / GIB).quantize(HUNDREDTH, ROUND_HALF_UP)
    lines = [
        Line("Flat fee", Decimal(1), "restore", Money(rate.flat, currency)),
        Line("Data", gib, "GiB", Money(rate.per_gib, currency)),
        Line("Work", rate.usual_hours, "hours", Money(rate.per_hour, currency)),
    ]
    charged = tuple(line for line in lines if line.amount.amount)
    return Estimate(card, charged, rounded(sum((line.amount for line in charged), Money(0, currency))))


def rounded(money: Money) -> Money:
    """To the currency's smallest coin, half up."""
    return Money(money.amount.quantize(_coin(money), ROUND_HALF_UP), money.currency)


def in_money(money: Money) -> str:
    """ "EUR 1,234.50": the currency's code, for signs are ambiguous; as many decimals as its coins have, or it needs."""
    coin = _coin(money)
    shown = money.amount.quantize(coin)
    return f"{money.currency.code}\N{NO-BREAK SPACE}{shown if shown == money.amount else money.amount.normalize():,f}"


def plain_amount(money: Money) -> str:
    """ "1234.50": for machines, with the currency's decimals."""
    return f"{rounded(money).amount:f}"


def _coin(money: Money) -> Decimal:
    return (Decimal(1) / money.currency.sub_unit).normalize()


def decimals_of(currency: str) -> int:
    """How many decimals the currency's smallest coin has: 2 for EUR, 0 for JPY."""
    return max(0, -int(_coin(Money(1, currency)).as_tuple().exponent))


def covers(accepted: Money, price: Money) -> bool:
    """Whether who accepted the one has accepted the other: the same currency, and no more."""
    return accepted.currency == price.currency and accepted.amount >= price.amount


def is_currency(code: str) -> bool:
    """Whether there is a currency of that code (ISO 4217), of hundredths at most: amounts are kept with two decimals."""
    try:
        return get_currency(code).sub_unit <= 100
    except CurrencyDoesNotExist:
        return False
