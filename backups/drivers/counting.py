"""Counts in the sentences of drivers. Pure; what pages count says portal.words, which drivers know nothing of."""

from __future__ import annotations


def counted(number: int, singular: str, plural: str = "") -> str:
    """ "1 table", "1,203 tables", "2 entries"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
