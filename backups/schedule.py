"""When a resource's daily backup is due. Pure: no clock, no database.

Each resource has a moment of its own inside the company's window, worked out from its uid, so that the work is spread
and stays where it is from day to day. It is a time on the wall: every calendar day has exactly one, also when clocks
change.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=5), timedelta(hours=4)


class Window(NamedTuple):
    """When daily backups are begun: from ``start`` on the wall, for ``length`` (a day at most)."""

    start: time
    length: timedelta


def slot_on(day: date, uid: UUID, window: Window, zone: ZoneInfo) -> datetime:
    """The resource's moment that belongs to the window which begins on that day, in UTC."""
    seconds = uid.int % max(1, int(window.length.total_seconds()))
    wall = datetime.combine(day, window.start) + timedelta(seconds=seconds)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def next_slot(uid: UUID, after: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """The resource's first moment later than ``after``."""
    day = after.astimezone(zone).date() - timedelta(days=2)
    while (slot := slot_on(day, uid, window, zone)) <= after:
        day += timedelta(days=1)
    return slot


def latest_slot(uid: UUID, now: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """The resource's last moment that is not later than ``now``."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    while (slot := slot_on(day, uid, window, zone)) > now:
        day -= timedelta(days=1)
    return slot


def retry_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row (one at least): each time twice as long, up to four hours."""
    return min(FIRST_RETRY * (1 << min(failures - 1, 16)), LONGEST_RETRY)
