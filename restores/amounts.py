"""Reading an amount of money that somebody typed or sent: understood in one way only, or refused in a sentence. Pure.

What one country writes for a thousand and a half, another reads as one and a half. So only plain digits with a point are
taken, the same on pages and over the API.
"""

from __future__ import annotations

import re
from decimal import Decimal

from moneyed import Money

from restores.pricing import decimals_of, rounded

PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
LIKE_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
MOST_DIGITS = 10
SHOWN = 20  # characters of what was entered


class NotAnAmount(ValueError):
    """It is not understood; the words say what to enter instead."""


def read_amount(text: str, places: int) -> Decimal:
    """The amount that the text is, with so many decimals at most. Raises :class:`NotAnAmount` for anything else."""
    text = text.strip()
    shown = f"“{text[:SHOWN]}{'…' if len(text) > SHOWN else ''}”"
    if not PLAIN.fullmatch(text):
        example = "1234.50" if places == 2 else "0.0125"
        raise NotAnAmount(
            f"{shown} is not read as an amount. Enter digits from 0 to 9 and at most one point, such as {example}: no commas,"
            " blanks, signs or letters."
        )
    whole, _, decimals = text.partition(".")
    if len(decimals) > places:
        raise NotAnAmount(f"{shown} has too many decimals. Enter {places} after the point at most.")
    if len(whole.lstrip("0")) > MOST_DIGITS:
        raise NotAnAmount(f"{shown} is too large. Enter {MOST_DIGITS} digits before the point at most.")
    if LIKE_THOUSANDS.fullmatch(text):
        raise NotAnAmount(f"{shown} may mean {whole}{decimals} or {text}0. Enter the one that you mean, just so.")
    return Decimal(text)


def written(number: float, places: int) -> str:
    """A number as :func:`read_amount` takes it: it was never typed as text, so that nothing in it is ambiguous."""
    text = f"{Decimal(str(number)):f}"
    whole, point, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(places, '0')}" if point else whole


def no_such_coin(amount: Decimal, currency: str) -> str:
    """Why that amount cannot be paid in the currency's coins, in a sentence; empty when it can."""
    money = Money(amount, currency)
    if rounded(money) == money:
        return ""
    decimals = decimals_of(currency)
    most = f"{decimals} decimals at most" if decimals else "no decimals"
    return f"{currency} has no coin that small. Enter an amount with {most}."
