"""What pages of checkups work out by themselves: pace, the year as a line, the calendar file, an expected recovery."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.colours import Colour
from backups.recovery import expected_recovery
from checkups.ics import LONGEST, Entry, calendar_of
from checkups.pace import Work, rest_of, time_at_work
from checkups.yearpicture import LEFT, RIGHT, picture_of

START = datetime(2026, 11, 15, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("marks", "hours"),
    [
        ([], 8),
        ([(1, False)], 1),
        ([(1, False), (4, True)], 5),
        ([(1, False), (2, False), (4, True), (5, True)], 5),
        ([(1, False), (4, True), (6, False)], 3),
    ],
)
def test_pauses_are_no_work(marks: list[tuple[int, bool]], hours: int) -> None:
    assert time_at_work(START, [(START + at * HOUR, on) for at, on in marks], START + 8 * HOUR) == hours * HOUR


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=12))
def test_nobody_works_longer_than_the_clock(marks: list[tuple[int, bool]]) -> None:
    told = [(START + at * HOUR, on) for at, on in sorted(marks)]
    assert timedelta(0) <= time_at_work(START, told, START + 100 * HOUR) <= 100 * HOUR


def test_the_rest_goes_on_as_so_far() -> None:
    assert rest_of(Work(10, 100), Work(20, 50), HOUR) == (HOUR / 2, 2 * HOUR)
    assert rest_of(Work(10, 0), Work(20, 50), HOUR) == (2 * HOUR, 2 * HOUR)


@pytest.mark.parametrize(("done", "left"), [(Work(4, 100), Work(20, 50)), (Work(10, 100), Work(0, 0))])
def test_without_a_basis_there_is_no_estimate(done: Work, left: Work) -> None:
    assert rest_of(done, left, HOUR) is None
    assert rest_of(Work(10, 1), Work(1, 1), timedelta(0)) is None


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_every_day_is_on_the_line(day: date) -> None:
    picture = picture_of(day.year, [(day, Colour.GOOD, "signed")], day)
    assert LEFT <= picture.marks[0].x <= RIGHT
    assert picture.today == picture.marks[0].x
    assert picture_of(day.year - 1 if day.year > 2020 else 2021, [], day).today is None


def test_a_year_in_words() -> None:
    assert picture_of(2026, [], date(2026, 3, 1)).sentence == "No checkup in 2026"
    marks = [(date(2026, 5, 20), Colour.GOOD, "signed")]
    assert picture_of(2026, marks, date(2026, 3, 1)).sentence == "Wed 20 May: signed"


def entry(**facts: object) -> Entry:
    values = {
        "uid": "checkup-7@portal",
        "on": date(2026, 12, 31),
        "summary": "Backup checkup CU-2026-12-31",
        "url": "https://b.example/7/",
    }
    return Entry(**(values | {"changed_at": START, "cancelled": False} | facts))  # type: ignore[arg-type]


def test_the_calendar_is_as_the_standard_says() -> None:
    text = calendar_of([entry(), entry(cancelled=True)], "Backup checkups")
    assert text.replace("\r\n", "").count("\n") == 0
    lines = text.split("\r\n")
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")
    for line in (
        "UID:checkup-7@portal", "DTSTAMP:20261115T050000Z", "DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270101",
        "STATUS:CONFIRMED", "STATUS:CANCELLED", "TRIGGER:-P7D",
    ):  # fmt: skip
        assert line in lines
    assert lines.count("BEGIN:VALARM") == 1, "nobody is reminded of what was taken back"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_whatever_the_words_lines_are_folded_and_read_back(words: str) -> None:
    text = calendar_of([entry(summary=words)], "x")
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= LONGEST for line in lines)
    whole = text.replace("\r\n ", "").split("\r\n")
    summary = next(line for line in whole if line.startswith("SUMMARY:")).removeprefix("SUMMARY:")
    plain = summary.replace("\\\\", "\0").replace("\\;", ";").replace("\\,", ",").replace("\0", "\\")
    assert plain == words


def test_an_expected_recovery_follows_the_size() -> None:
    assert expected_recovery(None, 5, 5) is None
    assert expected_recovery(60_000, 100, 300) == timedelta(minutes=3)
    assert expected_recovery(60_000, 0, 300) == timedelta(minutes=1)
    assert expected_recovery(60_000, 100, None) == timedelta(minutes=1)
