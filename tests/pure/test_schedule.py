"""When daily backups are due: once a calendar day, each resource in its own moment, whatever clocks do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from backups.schedule import LONGEST_RETRY, Window, latest_slot, next_slot, retry_after
from tests.pure.histories import MOMENTS, ZONES

WINDOWS = st.builds(
    Window,
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=None)),
    st.integers(1, 1440).map(lambda minutes: timedelta(minutes=minutes)),
)
NIGHT = Window(time(22, 0), timedelta(hours=8))


@given(st.uuids(), MOMENTS, WINDOWS, ZONES)
def test_the_slots_follow_one_another(uid: UUID, moment: datetime, window: Window, zone: ZoneInfo) -> None:
    following, latest = next_slot(uid, moment, window, zone), latest_slot(uid, moment, window, zone)
    assert latest <= moment < following
    assert next_slot(uid, latest, window, zone) == following, "none lies between"
    assert following - latest <= timedelta(hours=50), "a day, and what a zone can jump"


@given(st.uuids(), WINDOWS, ZONES)
def test_every_calendar_day_has_one(uid: UUID, window: Window, zone: ZoneInfo) -> None:
    """A year with both changes of clocks; a zone that skips a whole day has none on that day."""
    assume(zone.key not in {"Pacific/Apia", "Pacific/Fakaofo", "America/St_Johns", "Canada/Newfoundland"})
    moment, days = datetime(2010, 1, 1, tzinfo=UTC), []
    for _ in range(366):
        moment = next_slot(uid, moment, window, zone)
        days.append(moment.astimezone(zone).date())
    assert days == [days[0] + timedelta(days=n) for n in range(366)]


def test_a_company_is_spread_over_its_window() -> None:
    zone, start = ZoneInfo("Europe/Berlin"), datetime(2026, 11, 24, 12, tzinfo=UTC)
    slots = [next_slot(uuid4(), start, NIGHT, zone).astimezone(zone) for _ in range(4000)]
    hours = Counter(slot.hour for slot in slots)
    assert set(hours) == {22, 23, 0, 1, 2, 3, 4, 5}
    assert max(hours.values()) < 2 * min(hours.values())


def test_what_may_pass_is_tried_again_less_and_less_often() -> None:
    waits = [retry_after(failures) for failures in range(1, 100)]
    assert waits[0] == timedelta(minutes=5)
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_RETRY
