"""A calendar year as a line with its checkups on it, as a small picture's coordinates. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from backups.colours import Colour
from portal.days import day_in_words, short_month

WIDTH, HEIGHT = 640, 46
LEFT, RIGHT, LINE = 10, 630, 16


@dataclass(frozen=True)
class Mark:
    """One checkup on the line."""

    x: float
    colour: Colour
    title: str


@dataclass(frozen=True)
class YearPicture:
    """The line of one year. ``today`` is where the day is; None in another year."""

    months: tuple[tuple[float, str], ...]
    ends: tuple[float, ...]
    marks: tuple[Mark, ...]
    today: float | None
    sentence: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    line: int = LINE


def picture_of(year: int, checkups: Iterable[tuple[date, Colour, str]], today: date) -> YearPicture:
    """The year with its checkups as (day, colour, status in words)."""
    marks = tuple(Mark(_x(on), colour, f"{day_in_words(on, today)}: {label}") for on, colour, label in checkups)
    firsts = [date(year, month, 1) for month in range(1, 13)]
    return YearPicture(
        months=tuple((_x(first.replace(day=15)), short_month(first)) for first in firsts),
        ends=tuple(_x(first) for first in firsts[1:]),
        marks=marks,
        today=_x(today) if today.year == year else None,
        sentence="; ".join(mark.title for mark in marks) or f"No checkup in {year}",
    )


def _x(day: date) -> float:
    days = 366 if calendar.isleap(day.year) else 365
    return round(LEFT + (RIGHT - LEFT) * (day.timetuple().tm_yday - 1) / days, 1)
