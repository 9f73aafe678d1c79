"""Which backup fills which slot (B2, B3), for any history."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from backups.slots import DAILY, MONTHLY, Point, fill_slots

ZONES = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/St_Johns")])
START = datetime(2023, 11, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 105_000_000).map(lambda seconds: START + timedelta(seconds=seconds))
HISTORIES = st.lists(st.tuples(MOMENTS, st.booleans()), max_size=60).map(
    lambda rows: [Point(number, moment, good) for number, (moment, good) in enumerate(rows)]
)
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@given(HISTORIES, ZONES)
def test_slots_hold_for_any_history(points: list[Point], zone: ZoneInfo) -> None:
    slots = fill_slots(points, zone)
    days = {p.taken_at.astimezone(zone).date() for p in points if p.good}
    months = {day.replace(day=1) for day in days}
    assert [day for day, _ in slots.daily] == sorted(days)[-DAILY:]
    assert [month for month, _ in slots.monthly] == sorted(months)[-MONTHLY:]
    for day, point in slots.daily:
        same_day = [p for p in points if p.good and p.taken_at.astimezone(zone).date() == day]
        assert point.taken_at == max(p.taken_at for p in same_day)
    for month, point in slots.monthly:
        same = [p for p in points if p.good and p.taken_at.astimezone(zone).date().replace(day=1) == month]
        assert point.taken_at == min(p.taken_at for p in same)


@given(HISTORIES, ZONES, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(points: list[Point], zone: ZoneInfo, shuffler: random.Random) -> None:
    shuffled = points[:]
    shuffler.shuffle(shuffled)
    assert fill_slots(shuffled, zone) == fill_slots(points, zone)


@given(HISTORIES, ZONES)
def test_backups_that_are_not_good_change_nothing(points: list[Point], zone: ZoneInfo) -> None:
    assert fill_slots([p for p in points if p.good], zone) == fill_slots(points, zone)


@given(HISTORIES, MOMENTS, ZONES)
def test_a_monthly_never_moves_for_a_later_backup(points: list[Point], later: datetime, zone: ZoneInfo) -> None:
    before = dict(fill_slots(points, zone).monthly)
    newest = max((p.taken_at for p in points), default=later)
    after = dict(fill_slots([*points, Point(1000, max(newest, later), True)], zone).monthly)
    assert all(before[month] == after[month] for month in before.keys() & after.keys())


def test_the_company_decides_which_day_it_is() -> None:
    late = Point(1, datetime(2026, 11, 20, 23, 30, tzinfo=UTC), True)
    assert fill_slots([late], ZoneInfo("UTC")).daily[0][0] == date(2026, 11, 20)
    assert fill_slots([late], BERLIN).daily[0][0] == date(2026, 11, 21)


def test_a_failed_first_of_the_month_costs_nothing() -> None:
    failed, good = Point(1, at("2026-11-01T03:00"), False), Point(2, at("2026-11-02T03:00"), True)
    assert fill_slots([failed, good], BERLIN).latest_monthly == good


def test_days_without_a_backup_push_nothing_out() -> None:
    start = at("2026-10-01T03:00")
    points = [Point(n, start + timedelta(days=n), True) for n in range(7)]
    long_after = [*points, Point(99, start + timedelta(days=40), True)]
    assert [p.id for _, p in fill_slots(long_after, BERLIN).daily] == [1, 2, 3, 4, 5, 6, 99]
