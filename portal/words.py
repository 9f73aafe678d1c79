"""Times, spans, sizes and counts in words. Pure, but for the company's time zone; the clock is an argument."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings

from portal.days import day_in_words

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_NBSP = "\N{NO-BREAK SPACE}"


@lru_cache(maxsize=4)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def company_zone() -> ZoneInfo:
    """The zone in which the company's days and months are counted, and in which pages show times."""
    return _zone(settings.POLICY_TIME_ZONE)


def size_in_words(size: int | None) -> str:
    """ "1.8 GB", "412 MB", "17 bytes": decimal units, two figures that matter. A dash for None."""
    if size is None:
        return "–"
    number, unit = float(size), 0
    while number >= 999.5 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    if unit == 0:
        return f"{size}{_NBSP}{'byte' if size == 1 else 'bytes'}"
    return f"{number:.1f}{_NBSP}{_UNITS[unit]}" if number < 9.95 else f"{number:.0f}{_NBSP}{_UNITS[unit]}"


def exact_time(moment: datetime, now: datetime | None = None) -> str:
    """ "Thu 20 Nov, 03:12 CET": in the company's zone, which is always named; the year when it is not ``now``'s."""
    local = moment.astimezone(company_zone())
    today = now.astimezone(company_zone()).date() if now else None
    return f"{day_in_words(local.date(), today)}, {local:%H:%M} {local:%Z}"


def span_in_words(span: timedelta) -> str:
    """ "2 d 6 h", "9 h 41 min", "12 min", "40 s": the two largest units that say something."""
    if timedelta(0) < span < timedelta(seconds=1):
        return f"under 1{_NBSP}s"
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days >= 14:
        return f"{days}{_NBSP}d"
    if days:
        return f"{days}{_NBSP}d {hours}{_NBSP}h" if hours else f"{days}{_NBSP}d"
    if hours:
        return f"{hours}{_NBSP}h {minutes}{_NBSP}min" if minutes else f"{hours}{_NBSP}h"
    return f"{minutes}{_NBSP}min" if minutes else f"{seconds}{_NBSP}s"


def relative_time(moment: datetime, now: datetime) -> str:
    """ "just now", "12 min ago", "3 h ago", "yesterday, 03:12", "5 d ago"; "in 3 d" for what is to come."""
    span = now - moment
    if abs(span) < timedelta(minutes=1):
        return "just now"
    if span < timedelta(0):
        return f"in {_largest_unit(-span)}"
    local, today = moment.astimezone(company_zone()), now.astimezone(company_zone()).date()
    if span >= timedelta(hours=6) and (today - local.date()).days == 1:
        return f"yesterday, {local:%H:%M}"
    return f"{_largest_unit(span)} ago"


def _largest_unit(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes}{_NBSP}min"
    if minutes < 48 * 60:
        return f"{minutes // 60}{_NBSP}h"
    days = minutes // 1440
    if days < 60:
        return f"{days}{_NBSP}d"
    return f"{days // 30}{_NBSP}months" if days < 730 else f"{days // 365}{_NBSP}years"


def counted(number: int, singular: str, plural: str = "") -> str:
    """ "1 backup", "1,203 backups"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def share_in_words(part: int, whole: int) -> str:
    """ "99.9 %": never rounded up, so that "100 %" means all. A dash where there is nothing to have a share of."""
    if not whole:
        return "–"
    thousandths = 1000 * part // whole
    return f"{thousandths // 10}{_NBSP}%" if thousandths % 10 == 0 else f"{thousandths / 10:.1f}{_NBSP}%"
