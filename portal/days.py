"""Days and months: in words, and counted on the calendar. Pure."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_in_words(day: date, today: date | None = None) -> str:
    """ "Thu 20 Nov", with the year when it is not ``today``'s."""
    year = f" {day.year}" if today is None or day.year != today.year else ""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}{year}"


def short_day(day: date, today: date | None = None) -> str:
    """ "1 Nov", with the year when ``today`` is given and of another."""
    year = f" {day.year}" if today is not None and day.year != today.year else ""
    return f"{day.day} {_MONTHS[day.month - 1]}{year}"


def month_in_words(day: date) -> str:
    """ "Nov 2026"."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def short_month(day: date, today: date | None = None) -> str:
    """ "Nov", with the year when ``today`` is given and of another."""
    year = f" {day.year}" if today is not None and day.year != today.year else ""
    return f"{_MONTHS[day.month - 1]}{year}"


def months_later(day: date, months: int) -> date:
    """The same day so many calendar months later; the last of the month where that has no such day."""
    months += day.year * 12 + day.month - 1
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_after(day: date) -> date:
    """The first day of the month after ``day``'s."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
