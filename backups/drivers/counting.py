"""Counts in the sentences of drivers. Pure; what pages count says portal.words, which drivers know nothing of."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, singular: str, plural: str = "") -> str:
    """ "1 table", "1,203 tables", "2 entries"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def megabytes(size: int) -> str:
    """A size as people write it."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= step:
            return f"{size / step:.{0 if size >= 10 * step else 1}f} {unit}"
    return counted(size, "byte")
