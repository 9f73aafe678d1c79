"""Playing with the policy: nothing played is the present plan, and days to come end where living them would end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.judging import CopyFacts, ResourceFacts, StoredBackup, judge
from backups.retention import Hold, Pin
from backups.schedule import Window
from backups.slots import POLICY, Numbers
from backups.what_if import NEVER, REMOVED, VANISHED, Outcome, Play, play, slots_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)
HOME, OTHER = "eu-central-1", "eu-west-1"
WINDOW = Window(datetime(2026, 1, 1, 22, 0).time(), timedelta(hours=8))  # past midnight
ZONES = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/St_Johns")])
NUMBERS = st.builds(Numbers, st.integers(1, 12), st.integers(1, 8), st.integers(1, 2))


def stored(number: int, at: datetime, *, good: bool = True, elsewhere: bool = False, **more: Any) -> StoredBackup:
    regions = (HOME, OTHER) if elsewhere else (HOME,)
    copies = [CopyFacts(number * 2 + place, region, good, good, at, at) for place, region in enumerate(regions)]
    return StoredBackup(number, at, at, copies, 1000 + number, **more)


def resource(backups: list[StoredBackup], **facts: Any) -> ResourceFacts:
    created = datetime(2025, 1, 1, tzinfo=UTC)
    return ResourceFacts(1, "shop-db", facts.pop("production", True), HOME, OTHER, created, backups, **facts)


@st.composite
def resources(draw: st.DrawFn, *, sound: bool = False) -> ResourceFacts:
    """Any history up to now; when ``sound`` all of it good, and nobody holds or needs any of it."""
    minutes = draw(st.lists(st.integers(1, 400_000), max_size=30, unique=True))
    backups = []
    for number, ago in enumerate(sorted(minutes, reverse=True), 1):
        at = NOW - timedelta(minutes=ago)
        if sound:
            backups.append(stored(number, at))
            continue
        held = [Hold("held", TODAY + timedelta(days=3), NOW + timedelta(days=4))] if draw(st.booleans()) else []
        pins = [Pin("RR-1")] if draw(st.integers(0, 5)) == 0 else []
        good, there = draw(st.integers(0, 4)) > 0, draw(st.booleans())
        backups.append(stored(number, at, good=good, elsewhere=there, holds=held, pins=pins))
    removed = None if sound else draw(st.sampled_from([None, None, NOW - timedelta(days=100)]))
    return resource(
        backups,
        production=draw(st.booleans()),
        removed_at=removed,
        vanished=not sound and removed is None and draw(st.booleans()),
    )


def outcome(facts: ResourceFacts, zone: ZoneInfo = BERLIN, uid: int = 7, **what: Any) -> Outcome:
    played = Play(NOW, zone, what.pop("until", NOW.astimezone(zone).date()), **what)
    return play(facts, played, slots_of(UUID(int=uid), WINDOW, zone))


@given(resources(), ZONES)
def test_playing_with_nothing_is_the_present_plan(facts: ResourceFacts, zone: ZoneInfo) -> None:
    found = outcome(facts, zone)
    present = judge(facts, now=NOW, zone=zone)
    assert found.judgement == present
    assert found.now == found.then
    assert found.new == 0
    assert {backup.id for backup in found.going} == {v.id for v in present.plan.verdicts if not v.keep}


def lived(
    facts: ResourceFacts, zone: ZoneInfo, uid: int, until: date, numbers: Numbers, missed: set[date]
) -> set[datetime]:
    """The moments of the backups that are there if every day is really lived: a backup, then the copying, then retention."""
    slot, today = slots_of(UUID(int=uid), WINDOW, zone), NOW.astimezone(zone).date()
    size = max(facts.backups, key=lambda backup: backup.taken_at).stored_bytes
    number = 10_000
    for day in (today + timedelta(days=n) for n in range((until - today).days + 1)):
        at = slot(day)
        if at > NOW and day not in missed:
            number += 1
            facts = replace(facts, backups=[*facts.backups, replace(stored(number, at), stored_bytes=size)])
        end = Play(NOW, zone, day).end if day > today else NOW
        for _ in range(2):  # what retention no longer wants of the other region goes once the new copy is there
            judgement = judge(facts, now=end, zone=zone, numbers=numbers)
            keep = {verdict.id for verdict in judgement.copies if verdict.keep}
            left = [
                replace(backup, copies=[copy for copy in backup.copies if copy.id in keep])
                for backup in facts.backups
                if any(copy.id in keep for copy in backup.copies)
            ]
            facts = replace(facts, backups=[_copied_to(b) if b.id in judgement.plan.elsewhere else b for b in left])
    return {backup.taken_at for backup in facts.backups}


def _copied_to(backup: StoredBackup) -> StoredBackup:
    there = any(copy.region == OTHER for copy in backup.copies)
    return backup if there else replace(backup, copies=stored(backup.id, backup.taken_at, elsewhere=True).copies)


@given(
    resources(sound=True),
    ZONES,
    st.integers(0, 2**64),
    st.integers(1, 75),
    st.sets(st.integers(0, 75), max_size=40),
    NUMBERS,
)
def test_days_to_come_end_where_living_them_ends(
    facts: ResourceFacts, zone: ZoneInfo, uid: int, ahead: int, missing: set[int], numbers: Numbers
) -> None:
    if not facts.backups:
        return
    today = NOW.astimezone(zone).date()
    until, missed = today + timedelta(days=ahead), {today + timedelta(days=n) for n in missing}
    found = outcome(facts, zone, uid, until=until, numbers=numbers, missed=frozenset(missed))
    moments, gone = lived(facts, zone, uid, until, numbers, missed), {backup.id for backup in found.going}
    there = {backup.taken_at for backup in facts.backups}
    assert {backup.taken_at for backup in facts.backups if backup.id not in gone} == moments & there
    assert found.new == len(moments - there)
    assert found.then.backups == len(moments)
    assert found.then.copied_bytes == 0


@given(resources(), NUMBERS, st.integers(0, 400))
def test_the_floors_hold_whatever_is_played(facts: ResourceFacts, numbers: Numbers, ahead: int) -> None:
    found = outcome(facts, until=TODAY + timedelta(days=ahead), numbers=numbers)
    kept = {verdict.id for verdict in found.judgement.plan.kept}
    if facts.removed_at is None and any(backup.good for backup in facts.backups):
        assert found.then.backups >= 1
    assert all(backup.id in kept for backup in facts.backups if backup.pins)


def test_a_day_of_the_window_that_goes_on_past_midnight_has_one_moment() -> None:
    for uid in range(0, 30_000, 1000):
        slot = slots_of(UUID(int=uid), WINDOW, BERLIN)
        days = [TODAY + timedelta(days=number) for number in range(200)]
        moments = [slot(day) for day in days]
        assert [moment.astimezone(BERLIN).date() for moment in moments] == days
        assert moments == sorted(set(moments))


def daily(days: int) -> list[StoredBackup]:
    return [stored(n, NOW - timedelta(days=days - n, hours=5)) for n in range(1, days + 1)]


def test_a_week_of_missed_days_costs_nothing_that_is_there() -> None:
    facts = resource(daily(7))
    missed = frozenset(TODAY + timedelta(days=number) for number in range(8))
    found = outcome(facts, until=TODAY + timedelta(days=7), missed=missed)
    assert (found.going, found.new, found.then.backups) == ((), 0, 7)
    lived_on = outcome(facts, until=TODAY + timedelta(days=7))
    assert (len(lived_on.going), lived_on.new, lived_on.then.backups) == (6, 7, 8)  # the month's first stays


def test_sizes_are_those_of_the_newest_good_one_in_every_copy() -> None:
    facts = resource([stored(1, NOW - timedelta(days=1), elsewhere=True)])
    found = outcome(facts, until=TODAY + timedelta(days=2), numbers=Numbers(daily=2, monthly=1))
    # the moment of today has passed: two new ones, and the month's first here and there
    assert found.then == (3, 4, 4 * 1001, 0)
    assert found.now == found.there == (1, 2, 2 * 1001, 0)


def test_what_is_still_to_be_copied_is_counted_and_said() -> None:
    months = [stored(n, datetime(2026, 8 + n, 3, 3, tzinfo=UTC), elsewhere=n == 3) for n in (1, 2, 3)]
    found = outcome(resource(months), numbers=POLICY._replace(elsewhere=2))
    assert found.then.copies == found.now.copies + 1
    assert found.then.copied_bytes == 1002


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        (resource(daily(2), vanished=True), VANISHED),
        (resource([stored(1, NOW - timedelta(days=1), good=False)]), NEVER),
        (resource(daily(2), removed_at=NOW - timedelta(days=1)), REMOVED),
    ],
)
def test_no_backup_is_assumed_where_none_can_be(facts: ResourceFacts, note: str) -> None:
    found = outcome(facts, until=TODAY + timedelta(days=30))
    assert (found.new, found.note) == (0, note)


def test_the_kept_backup_of_a_removed_resource_goes_on_its_day() -> None:
    facts = resource(daily(3), removed_at=NOW)
    assert len(outcome(facts, until=date(2027, 5, 23)).going) == 2
    assert len(outcome(facts, until=date(2027, 5, 24)).going) == 3
