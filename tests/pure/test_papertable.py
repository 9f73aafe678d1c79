"""Rows on paper: no line is wider than its column, nothing of a text is lost, no last row is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.papertable import broken, needed


def letters(text: str) -> float:
    """Each letter is as wide as the next."""
    return float(len(text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("all is well", ["all is", "well"]),
        ("all is so", ["all is", "so"]),
        ("well   done", ["well", "done"]),
        ("abcdefghijkl", ["abcdefg", "hijkl"]),
        ("in eu-central-1", ["in eu-", "central", "-1"]),
        ("it eu-1", ["it eu-1"]),
        ("now eu-we-1", ["now", "eu-we-1"]),
    ],
)
def test_lines_break_between_words_and_else_after_a_hyphen(text: str, lines: list[str]) -> None:
    assert broken(text, 7, letters) == lines


@given(st.text("ab -", max_size=80), st.integers(1, 12))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, room: int) -> None:
    lines = broken(text, room, letters)
    assert all(len(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.text("abc xyz", max_size=80))
def test_one_letter_has_its_line_however_narrow_the_column(text: str) -> None:
    assert "".join(broken(text, 0.5, letters)).replace(" ", "") == text.replace(" ", "")


def test_the_last_row_is_not_left_alone_where_a_page_has_room_for_two() -> None:
    alone = [False] * 3
    assert [needed([4, 5, 6], alone, number, 20) for number in range(3)] == [4, 11, 6]
    assert [needed([4, 15, 6], alone, number, 20) for number in range(3)] == [4, 15, 6]
    assert needed([4], [False], 0, 20) == 4


def test_what_goes_on_stays_with_what_it_goes_on_with() -> None:
    goes_on = [False, True, True, False, True, False, False]
    heights = [1.0, 2, 4, 8, 16, 32, 64]
    assert [needed(heights, goes_on, number, 1000) for number in range(7)] == [7, 2, 4, 24, 16, 96, 64]
    assert needed(heights, goes_on, 0, 6) == 1, "what no page has room for parts"
