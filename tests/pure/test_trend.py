"""The chart of 90 days: what was audited is drawn, what was not is a gap."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backups.trend import DAYS, LEFT, RIGHT, WIDTH, Trend, trend_of
from portal.words import share_in_words

TODAY = date(2026, 11, 24)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def drawn(**shares: tuple[int, int]) -> Trend:
    """The trend of B1; ``d3=(9, 10)``: three days ago nine of ten held it."""
    return trend_of("B1", {ago(int(day[1:])): {"B1": counts} for day, counts in shares.items()}, TODAY)


def test_a_day_without_an_audit_breaks_the_line_and_is_shown() -> None:
    trend = drawn(d0=(10, 10), d1=(9, 10), d3=(10, 10))
    assert [[dot.day for dot in run] for run in trend.runs] == [[ago(3)], [ago(1), TODAY]]
    assert [(band.first, band.last) for band in trend.bands] == [(ago(89), ago(4)), (ago(2), ago(2))]
    assert trend.bands[1].title == "Sun 22 Nov: no audit"
    assert len(trend.paths) == 1
    assert trend.description == (
        "The lowest was on Mon 23 Nov: 90\N{NO-BREAK SPACE}%, 9 of 10. 3 of 90 days have an audit, 87 have none."
    )


def test_today_is_a_gap_only_once_it_is_over() -> None:
    assert drawn(d1=(1, 1)).bands[-1].last == ago(2)
    assert trend_of("B1", {ago(1): {"B1": (1, 1)}}, TODAY + timedelta(days=1)).bands[-1].last == TODAY


def test_no_audit_at_all() -> None:
    trend = drawn()
    assert trend.runs == ()
    assert trend.description == "No audit was done in these 90 days."


def test_a_rule_that_applied_to_none_was_held() -> None:
    trend = drawn(d0=(0, 0))
    assert (trend.dots[0].share, trend.dots[0].title) == (1.0, "Tue 24 Nov: it applied to none")
    assert trend.low == 0.99


def test_the_foot_of_the_chart_is_below_the_lowest() -> None:
    assert [drawn(d0=(held, 1000)).low for held in (1000, 990, 989, 900, 600, 3)] == [0.99, 0.99, 0.95, 0.9, 0.5, 0.0]


COUNTS = st.integers(0, 10**6).flatmap(lambda applies: st.tuples(st.integers(0, applies), st.just(applies)))


@given(st.dictionaries(st.integers(-5, 200), COUNTS))
def test_every_day_is_drawn_once_and_stays_inside(audits: dict[int, tuple[int, int]]) -> None:
    trend = trend_of("B1", {ago(days): {"B1": counts} for days, counts in audits.items()}, TODAY)
    covered = [dot.day for dot in trend.dots]
    for band in trend.bands:
        covered += [band.first + timedelta(days=n) for n in range((band.last - band.first).days + 1)]
    assert sorted({*covered, TODAY}) == [ago(days) for days in reversed(range(DAYS))]
    assert len(covered) == len(set(covered))
    assert all(LEFT <= dot.x <= WIDTH - RIGHT and trend.top <= dot.y <= trend.base for dot in trend.dots)
    assert all(band.x >= LEFT and band.x + band.width <= WIDTH - RIGHT + 0.11 for band in trend.bands)


@given(COUNTS)
def test_a_share_says_all_only_when_it_is_all(counts: tuple[int, int]) -> None:
    words = share_in_words(*counts)
    assert (words == "100\N{NO-BREAK SPACE}%") == (counts[0] == counts[1] > 0)
    assert (words == "–") == (counts[1] == 0)
