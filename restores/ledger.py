"""The lines of an export of charges, as accounting reads them. Pure.

Every cell is text, amounts with a point and the currency's decimals, days as ISO 8601. No cell is taken for a formula.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from moneyed import Money

from restores.pricing import plain_amount

COLUMNS = (
    "export", "line", "day", "customer_number", "customer", "reference", "charge", "description", "cause", "amount",
    "currency", "decided_by",
)  # fmt: skip
RISKY = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Entry:
    """One charge that is billed. ``day`` is the company's day of the decision."""

    charge: int
    day: date
    customer_number: str
    customer: str
    reference: str
    resource: str
    cause: str
    amount: Money
    decided_by: str


def lines_of(export: str, entries: Iterable[Entry]) -> list[list[str]]:
    """The lines, by customer, then day, then charge: the same whenever they are made."""
    ordered = sorted(entries, key=lambda one: (one.customer_number, one.customer, one.day, one.charge))
    return [
        [
            export,
            str(place),
            one.day.isoformat(),
            _safe(one.customer_number),
            _safe(one.customer),
            one.reference,
            f"CH-{one.charge}",
            _safe(f"Restore of {one.resource}"),
            _safe(one.cause),
            plain_amount(one.amount),
            one.amount.currency.code,
            _safe(one.decided_by),
        ]
        for place, one in enumerate(ordered, 1)
    ]


def totals_of(entries: Iterable[Entry]) -> dict[str, Money]:
    """The sums by currency."""
    totals: dict[str, Money] = {}
    for one in entries:
        code = one.amount.currency.code
        totals[code] = totals.get(code, Money(Decimal(0), code)) + one.amount
    return dict(sorted(totals.items()))


def as_csv(lines: Sequence[Sequence[str]]) -> bytes:
    """The file: UTF-8, commas, CRLF, a line of column names first."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    writer.writerows(lines)
    return written.getvalue().encode()


def checksum_of(lines: Sequence[Sequence[str]]) -> str:
    """SHA-256 of the CSV, hexadecimal."""
    return hashlib.sha256(as_csv(lines)).hexdigest()


def _safe(text: str) -> str:
    one_line = " ".join(text.split())
    return f"'{one_line}" if one_line.startswith(RISKY) else one_line
