"""The company's year of checkups (B5): two dates, set ahead, and who is reminded when. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from portal.days import short_day

PER_YEAR = 2

REMIND_BEFORE = (30, 7, 1)
"""Days before a date on which people are reminded of it."""

SIGN_WITHIN = timedelta(days=14)
"""How long after its date a checkup may take until it is overdue."""

AHEAD = timedelta(days=184)
"""From so long before its end on, the next year's dates are missed as well."""


def years_lacking(dates: Collection[date], today: date) -> list[tuple[int, int]]:
    """The years that lack dates now, each with how many it has: this year, and the next one when it is near.

    A year needs two dates now, not in December.
    """
    years = [today.year] + ([today.year + 1] if (today + AHEAD).year > today.year else [])
    lacking = []
    for year in years:
        had = sum(one.year == year for one in dates)
        if had < PER_YEAR:
            lacking.append((year, had))
    return lacking


def lacking_in_words(year: int, had: int) -> str:
    """What is missing in that year."""
    number = "no date" if had == 0 else "only one date"
    return f"{year} has {number} for a checkup; two are required."


_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def number_in_words(number: int) -> str:
    """ "three"; figures for what is beyond any company."""
    return _NUMBERS.get(number, str(number))


def set_in_words(on: date, today: date, had: int) -> str:
    """What follows from setting that date: who is reminded when, from now on. ``had`` are the dates of its year, with it."""
    said = f"The date is set. {_reminders_in_words(on, today)}"
    if had > PER_YEAR:
        said += f" {on.year} has {number_in_words(had)} dates now; two are required."
    return said


def _reminders_in_words(on: date, today: date) -> str:
    if on <= today:
        return "It starts within minutes."
    due = reminder_due(on, today, None)
    later = [days for days in REMIND_BEFORE if due is None or days < due]
    times = [] if due is None else ["now"]
    times += [f"{days} days" if days > 1 else "a day" for days in later]
    before = " before" if later else ""
    return f"IT is reminded {_listed(times)}{before}."


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def reminder_due(on: date, today: date, reminded: int | None) -> int | None:
    """The days before ``on`` of which people should be reminded today, when they were not yet.

    ``reminded`` is the last one that was sent. After an outage only the nearest is sent.
    """
    left = (on - today).days
    due = [days for days in REMIND_BEFORE if left <= days]
    if left < 0 or not due or (reminded is not None and reminded <= min(due)):
        return None
    return min(due)


def overdue_in_words(on: date, today: date, *, begun: bool) -> str:
    """Why the checkup of that date is overdue; empty when it is not."""
    if not begun and today > on:
        return f"The checkup of {short_day(on, today)} has not begun."
    if today > on + SIGN_WITHIN:
        return f"The checkup of {short_day(on, today)} is not signed after {(today - on).days} days."
    return ""
