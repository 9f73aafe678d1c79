"""What was charged in twelve months, as the coordinates of a bar chart with a scale of round figures. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from moneyed import Money

from portal.days import month_in_words
from restores.months import Decided, last_months
from restores.pricing import decimals_of

WIDTH, HEIGHT = 480, 250
TOP, FOOT, RIGHT, GAP = 30, 40, 4, 8
DIGIT = 9.5
"""How wide a digit of the scale is at most, in the chart's units: on a phone its letters are larger."""
MOST_STEPS = 5
NEXT = {1: Decimal(2), 2: Decimal("2.5"), 5: Decimal(2)}
"""From one round step to the next: 1, 2, 5, 10."""


@dataclass(frozen=True)
class Tick:
    """One line of the scale."""

    y: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One month: its bar in the chart's units, the letters at its foot, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    year: str
    month: str
    amount: Money


@dataclass(frozen=True)
class Chart:
    """Twelve months in one currency, the oldest first."""

    currency: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    left: float
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - FOOT
    right: int = WIDTH - RIGHT


def charts(decisions: Iterable[Decided], this_month: date) -> list[Chart]:
    """A chart for each currency in which something was charged in the last twelve months."""
    months = last_months(this_month)
    sums: dict[str, dict[date, Decimal]] = {}
    for one in decisions:
        if one.month in months and one.charged:
            sums.setdefault(one.currency, dict.fromkeys(months, Decimal(0)))[one.month] += one.charged
    return [_chart(currency, found) for currency, found in sorted(sums.items())]


def scale(highest: Decimal, smallest: Decimal) -> list[Decimal]:
    """Round figures from 0 to the first that is not below ``highest``, five steps at most, none below ``smallest``."""
    step = smallest
    while step * MOST_STEPS < highest:
        step = (step * NEXT[step.as_tuple().digits[0]]).normalize()
    figures = [Decimal(0)]
    while figures[-1] < highest:
        figures.append(figures[-1] + step)
    return figures


def _chart(currency: str, sums: dict[date, Decimal]) -> Chart:
    decimals = decimals_of(currency)
    figures = scale(max(sums.values()), Decimal(1).scaleb(-decimals))
    base, room = HEIGHT - FOOT, HEIGHT - FOOT - TOP
    whole = all(figure == figure.to_integral_value() for figure in figures)
    labels = [f"{figure:,.{0 if whole else decimals}f}" for figure in figures]
    left = 6 + DIGIT * max(4, *map(len, labels))  # four for the currency above them
    slot = (WIDTH - RIGHT - left) / len(sums)

    def high(amount: Decimal) -> float:
        return round(float(amount / figures[-1]) * room, 1)

    ticks = tuple(Tick(round(base - high(figure), 1), label) for figure, label in zip(figures, labels, strict=True))
    bars = []
    for place, (month, amount) in enumerate(sums.items()):
        x = left + place * slot
        bars.append(
            Bar(
                x=round(x + GAP / 2, 1),
                y=round(base - high(amount), 1),
                width=round(slot - GAP, 1),
                height=high(amount),
                middle=round(x + slot / 2, 1),
                label=f"{month:%b}",
                year=f"{month:%Y}" if month.month == 1 or (place == 0 and month.month != 12) else "",
                month=month_in_words(month),
                amount=Money(amount, currency),
            )
        )
    return Chart(currency, tuple(bars), ticks, left)
