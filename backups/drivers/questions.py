"""Questions that are put to a restored database, and what counts as an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backups.drivers.base import DriverError, NotAnswered

SHOWN = 100
_TABLES = r"(\bfrom\b|\bjoin\b|\bfrom\b((?!\b(where|group|order|having|limit|window)\b)[^()])*,)[\s(]*"
_NO = frozenset({"", "0", "f", "false"})


def answer_of(row: Sequence[object] | None) -> str:
    """The sentence about the first row of what was answered. Raises :class:`NotAnswered` where that is none."""
    if row is None:
        raise NotAnswered("The question was answered with no row at all.")
    value = row[0] if row else None
    text = _text(value)
    if not value or text.lower() in _NO:
        said = "NULL" if value is None else f"“{text}”"
        raise NotAnswered(f"The question was answered with {said}, which counts as no.")
    return f"The question was answered with “{text if len(text) <= SHOWN else text[: SHOWN - 1] + '…'}”."


def names_database(name: str, question: str) -> bool:
    """Whether the question takes a table of that database, as in ``FROM shop.orders``.

    Anywhere else a name before a dot may be that of a table, or one that the question itself gives.
    """
    table = rf"(`{re.escape(name)}`|{re.escape(name)})\s*\."
    return bool(re.search(rf"{_TABLES}{table}", question, re.IGNORECASE))


def refused(message: str, detail: str) -> NotAnswered:
    """The error for a question that the server does not take; ``message`` is the server's."""
    first = (message.replace("\0", "").strip().splitlines() or ["no reason given"])[0].rstrip(".")
    return NotAnswered(f"The restored database refused the question: {first}.", detail=detail)


def too_late(seconds: float, detail: str) -> NotAnswered:
    """The error for a question that takes longer than it may."""
    return NotAnswered(f"The question was not answered within {seconds:g} s.", detail=detail)


def not_by_sql(noun: str) -> DriverError:
    """The error where there is nothing that a question could be put to."""
    return DriverError(f"A {noun} cannot be asked by SQL. Have a program look at it, or take the question out.")


def _text(value: object) -> str:
    """On one line, without NUL, which no database of ours takes. Bits come as bytes: without any that is set they are a zero."""
    if isinstance(value, bytes):
        return value.strip(b"\0").hex()
    return " ".join(str(value).replace("\0", "").split())
