"""Histories of backups for the properties of the policy: any days, doubles, failures, clocks, zones, holds and pins."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from backups.retention import Entry, Hold, Pin

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
START = datetime(2008, 1, 1, tzinfo=UTC)  # St John's changed clocks at one past midnight until 2011
SECONDS = 4 * 366 * 86_400

_spread = st.integers(0, SECONDS)
_daily = st.builds(
    lambda day, seconds: day * 86_400 + seconds, st.integers(0, 1400), st.sampled_from([0, 1, 59, 3600, 43_200, 86_399])
)
MOMENTS = st.one_of(_spread, _daily).map(lambda seconds: START + timedelta(seconds=seconds))


def last_day(day: date, zone: ZoneInfo) -> Hold:
    """A hold through that day."""
    return Hold(f"held until {day}", day, datetime.combine(day + timedelta(days=1), time(), zone))


@st.composite
def histories(draw: st.DrawFn, zone: ZoneInfo, *, people: bool = True, most: int = 60) -> list[Entry[int]]:
    """Backups in any order, among them failed ones, some held, pinned, or copied to the other region."""
    moments = draw(st.lists(MOMENTS, max_size=most))
    entries = []
    for number, moment in enumerate(moments):
        good = draw(st.integers(0, 9)) > 1
        held = people and draw(st.integers(0, 19)) == 0
        pinned = people and draw(st.integers(0, 19)) == 0
        days = draw(st.integers(-5, 400)) if held else 0
        entries.append(
            Entry(
                number,
                moment,
                good,
                holds=[last_day((moment + timedelta(days=days)).date(), zone)] if held else (),
                pins=[Pin(f"RR-{number}", draw(st.none() | MOMENTS))] if pinned else (),
                elsewhere=good and people and draw(st.integers(0, 3)) == 0,
            )
        )
    return entries


@st.composite
def cases(draw: st.DrawFn, *, people: bool = True, past: bool = False) -> tuple[list[Entry[int]], datetime, ZoneInfo]:
    """A history, a moment to judge it at, a company's zone. With ``past`` no backup is dated after the moment."""
    zone = draw(ZONES)
    history = draw(histories(zone, people=people))
    now = draw(MOMENTS)
    if past:
        now = max([now, *(entry.taken_at for entry in history)])
    return history, now, zone
