"""When the demo's backups were taken: every night for a month, and once in each month before. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = 31
MONTHS = 6


def backup_days(today: date) -> list[date]:
    """The days with a backup, oldest first, ``today`` last."""
    daily = {today - timedelta(days=back) for back in range(DAYS)}
    first = today.replace(day=1)
    monthly = set()
    for _ in range(MONTHS):
        monthly.add(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return sorted(daily | monthly)


def backup_moments(now: datetime, zone: ZoneInfo, minute: int) -> list[datetime]:
    """The nightly moments until ``now``, at ``minute`` past three o'clock where the company is, a little later each time."""
    moments = [
        datetime.combine(day, time(3, (minute + day.toordinal() * 7 % 5) % 60, day.toordinal() * 13 % 60), zone)
        for day in backup_days(now.astimezone(zone).date())
    ]
    return [moment for moment in moments if moment < now]


def checkup_dates(today: date, past: Collection[date]) -> list[date]:
    """The dates of checkups that are missing to two in this year and two in the next: one soon, where that can be."""
    dates = set(past)
    for year in (today.year, today.year + 1):
        soon = today + timedelta(days=14)
        for day in (soon, date(year, 3, 17), date(year, 9, 15), date(year, 12, 15), date(year, 12, 31)):
            had = sum(one.year == year for one in dates)
            if day.year == year and day > today and had < 2:
                dates.add(day)
    return sorted(dates - set(past))
