"""Which backup fills which slot of the policy (B2, B3). Pure: plain values in, plain values out, no clock.

The daily backup of a day is the newest good one taken on that day; the monthly of a month is the earliest good one
of that month. Days and months are calendar ones in the company's time zone. The seven most recent days *that have
one* count, and the six most recent months that have one (POLICY's reading of "the past seven days").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

DAILY = 7
MONTHLY = 6


class Numbers(NamedTuple):
    """How many slots there are; the policy's numbers unless somebody plays with them."""

    daily: int = DAILY
    monthly: int = MONTHLY
    elsewhere: int = 1


POLICY = Numbers()


class Dated(Protocol):
    """One backup as the policy sees it. ``taken_at`` is aware; ids are of one type that sorts."""

    @property
    def id(self) -> Any:
        """Tells it from the others."""

    @property
    def taken_at(self) -> datetime:
        """The point in time that it holds."""

    @property
    def good(self) -> bool:
        """Whether it may fill a slot."""


@dataclass(frozen=True)
class Point:
    """The least that is a backup here."""

    id: int
    taken_at: datetime
    good: bool


P = TypeVar("P", bound=Dated)

_id, _taken_at = attrgetter("id"), attrgetter("taken_at")

FEW = 50
"""So few points are sorted as soon as looked through."""

EARLIEST = datetime.min.replace(tzinfo=UTC)

FIRST_LOOK = timedelta(days=250)
"""How far back most histories have to be looked at: eight months."""


@dataclass(frozen=True)
class Slots(Generic[P]):
    """The backups that fill the policy's slots, oldest first; each a (day or first of month, point) pair."""

    daily: tuple[tuple[date, P], ...]
    monthly: tuple[tuple[date, P], ...]

    @property
    def latest_monthly(self) -> P | None:
        """The one that the other region keeps a copy of (B3)."""
        return self.monthly[-1][1] if self.monthly else None


def fill_slots(points: Iterable[P], zone: ZoneInfo, numbers: Numbers = POLICY) -> Slots[P]:
    """The slots for any history in any order. Backups that are not good fill none.

    Two taken at the very same moment are told apart by id: the lower is the earlier.
    """
    return slots_of(newest_first([point for point in points if point.good]), zone, numbers)


def slots_of(good: Iterable[P], zone: ZoneInfo, numbers: Numbers = POLICY) -> Slots[P]:
    """The slots for good backups that come the newest first; asks for no more of them than it needs."""
    days, months = numbers.daily, numbers.monthly
    newest_of_day: dict[date, P] = {}
    first_of_month: dict[date, P] = {}
    day_seen: date | None = None
    month = date.max
    only_months = False
    for point in good:
        at = point.taken_at
        if only_months and 4 <= at.day <= 25 and at.month == month.month and at.year == month.year:
            first_of_month[month] = point  # so far from its ends every zone agrees about the month
            continue
        day = at.astimezone(zone).date()
        if day != day_seen:
            # Where clocks go back across midnight a day can come after its successor: one more of each is looked at.
            if len(first_of_month) > months + 1 and len(newest_of_day) > days:
                break
            if len(newest_of_day) <= days:
                newest_of_day.setdefault(day, point)
            if day_seen is None or day.month != day_seen.month or day.year != day_seen.year:
                month = day.replace(day=1)
            day_seen = day
            only_months = len(newest_of_day) > days and len(first_of_month) <= months + 1
        first_of_month[month] = point
    return Slots(
        daily=tuple([(day, newest_of_day[day]) for day in sorted(newest_of_day)[-days:]]),
        monthly=tuple([(month, first_of_month[month]) for month in sorted(first_of_month)[-months:]]),
    )


def newest_first(points: list[P]) -> Iterator[P]:
    """The points by time, the newest first; of two at the same moment, the one with the higher id first.

    Only as much is sorted as is asked for: of ten years of hourly backups the last few months are what matters.
    """
    span = FIRST_LOOK
    while len(points) > FEW:
        newest = max(map(_taken_at, points))
        since = earlier(newest, span)
        yield from _sorted([point for point in points if point.taken_at >= since])
        points = [point for point in points if point.taken_at < since]
        span *= 4
    yield from _sorted(points[:])


def _sorted(points: list[P]) -> list[P]:
    """Sorted in place, twice: two plain keys are faster than one of two parts."""
    points.sort(key=_id, reverse=True)
    points.sort(key=_taken_at, reverse=True)
    return points


def earlier(moment: datetime, span: timedelta) -> datetime:
    """So much before the moment, as far as the calendar goes back."""
    return moment - max(min(span, moment - EARLIEST), timedelta(0))
