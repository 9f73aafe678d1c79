"""What was decided about charges, month by month: totals per client, and by cause, for pages. Amounts never mix currencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from moneyed import Money

from portal.days import month_in_words, months_later

SHOWN = 12


@dataclass(frozen=True)
class Decided:
    """The decisions of one client in one month, currency and cause. ``month`` is its first day."""

    month: date
    client: str
    currency: str
    cause: str
    restores: int
    charged: Decimal
    let_off: Decimal


@dataclass
class Total:
    """What was charged and let off, in one currency."""

    restores: int = 0
    charged: Money | None = None
    let_off: Money | None = None

    def add(self, one: Decided) -> None:
        """Count it in."""
        self.restores += one.restores
        if one.currency:
            charged, let_off = Money(one.charged, one.currency), Money(one.let_off, one.currency)
            self.charged = self.charged + charged if self.charged else charged
            self.let_off = self.let_off + let_off if self.let_off else let_off


@dataclass
class Month:
    """One month: a total for each client and currency."""

    first: date
    clients: dict[tuple[str, str], Total] = field(default_factory=lambda: defaultdict(Total))

    @property
    def label(self) -> str:
        """Its name."""
        return month_in_words(self.first)

    @property
    def rows(self) -> list[tuple[str, Total]]:
        """Clients by name, each as often as it has currencies."""
        return [(client, total) for (client, _), total in sorted(self.clients.items())]


def by_month(decisions: Iterable[Decided]) -> list[Month]:
    """The months in which something was decided, the latest first."""
    months: dict[date, Month] = {}
    for one in decisions:
        months.setdefault(one.month, Month(one.month)).clients[one.client, one.currency].add(one)
    return [months[first] for first in sorted(months, reverse=True)]


def by_cause(decisions: Iterable[Decided]) -> list[tuple[str, str, Total, list[int]]]:
    """For each cause and currency: its total, and how many restores each of the last twelve months had, oldest first."""
    decided = list(decisions)
    if not decided:
        return []
    months = last_months(max(one.month for one in decided))
    totals: dict[tuple[str, str], Total] = defaultdict(Total)
    counts: dict[tuple[str, str], dict[date, int]] = defaultdict(lambda: dict.fromkeys(months, 0))
    for one in decided:
        key = one.cause, one.currency
        totals[key].add(one)
        if one.month in counts[key]:
            counts[key][one.month] += one.restores
    ordered = sorted(totals, key=lambda key: (-totals[key].restores, key))
    return [
        (cause, currency, totals[cause, currency], list(counts[cause, currency].values()))
        for cause, currency in ordered
    ]


def last_months(last: date) -> list[date]:
    """The first days of the twelve months up to that one, the oldest first."""
    return [months_later(last.replace(day=1), -back) for back in range(SHOWN - 1, -1, -1)]
