"""What is kept, why and until when (B2, B3, B4 and the floors), for any history."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backups.retention import KEPT_DAILY, NOT_GOOD, PAST, SAME_DAY, Entry, Pin, Plan, kept_until, plan
from backups.slots import DAILY, MONTHLY, Numbers, fill_slots
from portal.days import months_later
from tests.pure.histories import MOMENTS, cases, last_day

Case = tuple[list[Entry[int]], datetime, ZoneInfo]
UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def kept(made: Plan[int]) -> set[int]:
    return {verdict.id for verdict in made.kept}


def nightly(days: int, *, until: str = "2026-11-23T03:12") -> list[Entry[int]]:
    """A good backup every night; number 0 is the newest."""
    newest = datetime.fromisoformat(until).replace(tzinfo=UTC)
    return [Entry(back, newest - timedelta(days=back), True) for back in range(days)]


@given(cases())
def test_every_backup_has_one_verdict_with_its_reasons_in_the_order_given(case: Case) -> None:
    history, now, zone = case
    made = plan(history, now=now, zone=zone, production=True)
    assert [verdict.id for verdict in made.verdicts] == [entry.id for entry in history]
    assert all(verdict.reasons and all(verdict.reasons) for verdict in made.verdicts)
    today = now.astimezone(zone).date()
    assert all(verdict.until is None or verdict.until >= today for verdict in made.verdicts)
    assert all(verdict.until is None for verdict in made.verdicts if not verdict.keep)


@given(cases())
def test_the_floors_are_never_broken(case: Case) -> None:
    history, now, zone = case
    made = plan(history, now=now, zone=zone, production=True)
    good = [entry for entry in history if entry.good]
    if good:
        assert max(good, key=lambda entry: (entry.taken_at, entry.id)).id in kept(made), "the last good backup"
        assert made.elsewhere, "there is always one that the other region should hold"
    for entry in history:
        if any(pin.until is None or now < pin.until for pin in entry.pins) or any(now < h.ends for h in entry.holds):
            assert entry.id in kept(made), "pinned or held"
    there = [entry for entry in good if entry.elsewhere]
    if there and not any(entry.id in made.elsewhere for entry in there):
        newest = max(there, key=lambda entry: (entry.taken_at, entry.id))
        assert newest.id in kept(made), "the copy in the other region, while its successor has none there"


@given(cases())
def test_no_more_is_kept_than_the_policy_says(case: Case) -> None:
    history, now, zone = case
    made = plan(history, now=now, zone=zone, production=True)
    people = sum(bool(entry.holds or entry.pins) for entry in history)
    slots = DAILY + MONTHLY
    if any(entry.taken_at > now for entry in history):
        slots *= 2  # what is dated after now takes nobody's place, and keeps its own
    assert len(kept(made)) <= slots + people + 1


@given(cases())
def test_a_plan_of_the_plan_is_the_same_plan(case: Case) -> None:
    history, now, zone = case
    made = plan(history, now=now, zone=zone, production=True)
    left = [entry for entry in history if entry.id in kept(made)]
    again = plan(left, now=now, zone=zone, production=True)
    assert again.verdicts == made.kept
    assert again.elsewhere == made.elsewhere


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(case: Case, shuffler: random.Random) -> None:
    history, now, zone = case
    shuffled = history[:]
    shuffler.shuffle(shuffled)
    made, other = (plan(one, now=now, zone=zone, production=True) for one in (history, shuffled))
    assert sorted(made.verdicts) == sorted(other.verdicts)
    assert made.elsewhere == other.elsewhere


@given(cases(), MOMENTS)
def test_a_failed_run_costs_no_good_backup(case: Case, moment: datetime) -> None:
    history, now, zone = case
    before = plan(history, now=now, zone=zone, production=True)
    after = plan([*history, Entry(1000, moment, False)], now=now, zone=zone, production=True)
    assert after.verdicts[:-1] == before.verdicts
    assert not after.verdicts[-1].keep


@given(cases(people=False, past=True), st.timedeltas(timedelta(0), timedelta(days=500)))
def test_time_alone_deletes_nothing_of_an_active_resource(case: Case, passed: timedelta) -> None:
    """Backups have stopped, or the clock was set forward a year: what is kept now is kept then."""
    history, now, zone = case
    then = plan(history, now=now + passed, zone=zone, production=True)
    assert kept(then) == kept(plan(history, now=now, zone=zone, production=True))


@given(cases(people=False))
def test_a_clock_that_was_wrong_costs_nothing(case: Case) -> None:
    """Neither what is dated after now nor what is not loses its slots to the other."""
    history, now, zone = case
    made = kept(plan(history, now=now, zone=zone, production=True))
    for pool in (history, [entry for entry in history if entry.taken_at <= now]):
        slots = fill_slots(pool, zone)
        assert {entry.id for _, entry in (*slots.daily, *slots.monthly)} <= made


@given(cases(people=False, past=True))
def test_the_day_it_goes_is_the_day_it_goes(case: Case) -> None:
    """A good backup every day from the next one on: each is there the day before, and gone on the day that was named."""
    history, now, zone = case
    assume(zone.key != "America/St_Johns")  # a day that begins twice has no noon of its own to count by
    today = now.astimezone(zone).date()
    newest = max((e.taken_at.astimezone(zone).date() for e in history if e.good), default=today)
    next_day = today if newest < today else newest + timedelta(days=1)
    for verdict in plan(history, now=now, zone=zone, production=True).kept:
        assert verdict.until is not None
        days = (verdict.until - next_day).days
        to_come = [
            Entry(2000 + n, datetime.combine(next_day + timedelta(days=n), time(12), zone), True)
            for n in range(max(days, -1) + 1)
        ]
        end = datetime.combine(verdict.until, time(23, 59), zone)
        assert verdict.id in kept(
            plan([*history, *to_come[:-1]], now=end - timedelta(days=1), zone=zone, production=True)
        )
        assert verdict.id not in kept(plan([*history, *to_come], now=end, zone=zone, production=True))


@given(cases(people=False), st.integers(1, 30), st.integers(1, 30), st.integers(1, 2))
def test_other_numbers_keep_the_same_promises(case: Case, daily: int, monthly: int, elsewhere: int) -> None:
    history, now, zone = case
    numbers = Numbers(daily, monthly, elsewhere)
    made = plan(history, now=now, zone=zone, production=True, numbers=numbers)
    left = [entry for entry in history if entry.id in kept(made)]
    again = plan(left, now=now, zone=zone, production=True, numbers=numbers)
    assert [(v.id, v.keep, v.until) for v in again.verdicts] == [(v.id, v.keep, v.until) for v in made.kept]
    assert len(made.elsewhere) <= elsewhere
    more = Numbers(daily + 1, monthly + 1, elsewhere)
    assert kept(made) <= kept(plan(history, now=now, zone=zone, production=True, numbers=more))


@given(cases(people=False), MOMENTS)
def test_of_a_removed_production_resource_the_latest_daily_stays_six_months(case: Case, removed_at: datetime) -> None:
    history, now, zone = case
    ends = months_later(removed_at.astimezone(zone).date(), 6)
    made = plan(history, now=now, zone=zone, production=True, removed_at=removed_at)
    assert made.elsewhere == (), "the copy in the other region goes too"
    good = [entry for entry in history if entry.good]
    if now.astimezone(zone).date() >= ends:
        assert not made.kept
    elif good:
        true = [entry for entry in good if entry.taken_at <= removed_at]  # the others a wrong clock has dated
        latest = {max(pool, key=lambda e: (e.taken_at, e.id)).id for pool in (good, true) if pool}
        assert kept(made) == latest
        assert {(verdict.reasons, verdict.until) for verdict in made.kept} == {((KEPT_DAILY,), ends)}
    else:
        assert len(made.kept) == len(history), "without a good backup nothing is deleted"


@given(cases(), MOMENTS)
def test_of_another_removed_resource_only_what_people_hold_stays(case: Case, removed_at: datetime) -> None:
    history, now, zone = case
    made = plan(history, now=now, zone=zone, production=False, removed_at=removed_at)
    held = {
        entry.id
        for entry in history
        if any(pin.until is None or now < pin.until for pin in entry.pins) or any(now < h.ends for h in entry.holds)
    }
    assert kept(made) == held


def test_a_month_of_nights_in_words() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    made = plan(nightly(40), now=now, zone=UTC_ZONE, production=True)
    by_id = {verdict.id: verdict for verdict in made.verdicts}
    assert by_id[0].reasons == ("daily of 23 Nov, 1 of 7",)
    assert by_id[0].until == date(2026, 11, 30)
    assert by_id[3].reasons == ("daily of 20 Nov, 4 of 7",)
    assert by_id[6].until == date(2026, 11, 24), "the next one pushes it out"
    assert (by_id[22].reasons, by_id[22].until) == (("monthly of Nov",), date(2027, 5, 1))
    assert by_id[39].reasons == ("monthly of Oct",), "the earliest of the month, which began on the 15th here"
    assert by_id[7].reasons == (PAST,)
    assert made.elsewhere == (22,)
    assert len(made.kept) == 9


def test_the_newest_of_a_day_and_the_earliest_of_a_month() -> None:
    day = [Entry(hour, datetime(2026, 11, 23, hour, tzinfo=UTC), True) for hour in (3, 9, 15)]
    failed = Entry(20, datetime(2026, 11, 23, 20, tzinfo=UTC), False)
    made = plan([*day, failed], now=datetime(2026, 11, 23, 21, tzinfo=UTC), zone=UTC_ZONE, production=True)
    assert [(v.keep, v.reasons) for v in made.verdicts] == [
        (True, ("monthly of Nov",)),
        (False, (SAME_DAY,)),
        (True, ("daily of 23 Nov, 1 of 7",)),
        (False, (NOT_GOOD,)),
    ]


def test_all_the_reasons_of_the_only_good_backup() -> None:
    entry = Entry(
        1,
        datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
        True,
        holds=[last_day(date(2026, 12, 1), UTC_ZONE)],
        pins=[Pin("RR-1042")],
    )
    (verdict,) = plan([entry], now=datetime(2026, 11, 23, tzinfo=UTC), zone=UTC_ZONE, production=True).verdicts
    assert verdict.reasons == (
        "daily of 31 Dec 2025, 1 of 7",
        "monthly of Dec 2025",
        "only good backup",
        "pinned by RR-1042",
        "held until 2026-12-01",
    )
    assert verdict.until is None, "nobody knows when the request is closed"


def test_what_is_held_goes_after_its_last_day() -> None:
    zone, old = BERLIN, Entry(50, datetime(2026, 1, 5, tzinfo=UTC), True, holds=[last_day(date(2026, 12, 1), BERLIN)])
    history = [*nightly(300), old]
    for moment, held in (("2026-12-01T22:59", True), ("2026-12-01T23:00", False)):
        now = datetime.fromisoformat(moment).replace(tzinfo=UTC)  # midnight in Berlin
        verdict = plan(history, now=now, zone=zone, production=True).verdicts[-1]
        assert (verdict.keep, verdict.until) == (held, date(2026, 12, 1) if held else None)


@pytest.mark.parametrize(
    ("removed", "ends"),
    [
        ("2026-08-31T12:00", date(2027, 2, 28)),
        ("2023-08-31T12:00", date(2024, 2, 29)),
        ("2026-11-23T23:30", date(2027, 5, 24)),
    ],
)
def test_six_calendar_months_in_the_companys_zone(removed: str, ends: date) -> None:
    assert kept_until(datetime.fromisoformat(removed).replace(tzinfo=UTC), BERLIN) == ends


def test_the_kept_daily_goes_on_the_day_that_was_named() -> None:
    removed_at = datetime(2026, 5, 23, 12, tzinfo=UTC)
    for moment, number in (("2026-11-22T23:59", 1), ("2026-11-23T00:00", 0)):
        now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        made = plan(
            nightly(9, until="2026-05-23T03:12"), now=now, zone=UTC_ZONE, production=True, removed_at=removed_at
        )
        assert len(made.kept) == number


def test_ten_days_without_a_backup_throw_nothing_away() -> None:
    history = nightly(7)
    now = history[0].taken_at + timedelta(days=10)
    assert len(plan(history, now=now, zone=UTC_ZONE, production=True).kept) == 7
    back_again = [*history, Entry(100, now, True)]
    gone = [v.id for v in plan(back_again, now=now, zone=UTC_ZONE, production=True).verdicts if not v.keep]
    assert gone == [], "the oldest is also the month's first"
