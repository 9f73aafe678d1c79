"""Which backup fills which slot of the policy (B2, B3). Pure: plain values in, plain values out, no clock.

The daily backup of a day is the newest good one taken on that day; the monthly of a month is the earliest good one
of that month. Days and months are calendar ones in the company's time zone. The seven most recent days *that have
one* count, and the six most recent months that have one (POLICY's reading of "the past seven days").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

DAILY = 7
MONTHLY = 6


@dataclass(frozen=True)
class Point:
    """One backup as the policy sees it. ``taken_at`` is aware."""

    id: int
    taken_at: datetime
    good: bool


@dataclass(frozen=True)
class Slots:
    """The backups that fill the policy's slots, oldest first; each a (day or first of month, point) pair."""

    daily: tuple[tuple[date, Point], ...]
    monthly: tuple[tuple[date, Point], ...]

    @property
    def latest_monthly(self) -> Point | None:
        """The one that the other region keeps a copy of (B3)."""
        return self.monthly[-1][1] if self.monthly else None


def fill_slots(points: Iterable[Point], zone: ZoneInfo) -> Slots:
    """The slots for any history in any order. Backups that are not good fill none.

    Two taken at the very same moment are told apart by id: the lower is the earlier.
    """
    newest_of_day: dict[date, Point] = {}
    first_of_month: dict[date, Point] = {}
    for point in sorted((p for p in points if p.good), key=lambda p: (p.taken_at, p.id)):
        day = point.taken_at.astimezone(zone).date()
        newest_of_day[day] = point
        first_of_month.setdefault(day.replace(day=1), point)
    return Slots(
        daily=tuple(sorted(newest_of_day.items())[-DAILY:]),
        monthly=tuple(sorted(first_of_month.items())[-MONTHLY:]),
    )
