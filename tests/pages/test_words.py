"""Times, spans and sizes in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.templatetags.look import action, pill, progress, when
from portal.words import counted, exact_time, relative_time, size_in_words, span_in_words

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, "–"), (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (1_800_000_000, "1.8 GB"),
        (9_960_000, "10 MB"), (999_600_000, "1.0 GB"), (412_000_000, "412 MB"), (10**18, "1000 PB"),
    ],
)  # fmt: skip
def test_sizes(size: int | None, words: str) -> None:
    assert plain(size_in_words(size)) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=40), "40 s"), (timedelta(minutes=12), "12 min"), (timedelta(hours=9, minutes=41), "9 h 41 min"),
        (timedelta(days=2, hours=6), "2 d 6 h"), (timedelta(days=3), "3 d"), (timedelta(days=40, hours=3), "40 d"),
        (timedelta(seconds=-3), "0 s"),
    ],
)  # fmt: skip
def test_spans(span: timedelta, words: str) -> None:
    assert plain(span_in_words(span)) == words


@given(st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_a_span_in_words_is_never_longer_than_the_span(span: timedelta) -> None:
    words = plain(span_in_words(span)).split()
    unit = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1), "s": timedelta(seconds=1)}
    said = sum((int(n) * unit[u] for n, u in zip(words[::2], words[1::2], strict=True)), timedelta(0))
    left_out = {"d": unit["d"] if span.days >= 14 else unit["h"], "h": unit["min"] if "d" not in words else unit["h"]}
    assert said <= span < said + left_out.get(words[-1], unit[words[-1]])


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"), (timedelta(minutes=12), "12 min ago"), (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=20), "yesterday, 17:00"), (timedelta(days=5), "5 d ago"), (timedelta(days=70), "2 months ago"),
        (timedelta(days=-3), "in 3 d"),
    ],
)  # fmt: skip
def test_relative_times(ago: timedelta, words: str) -> None:
    assert plain(relative_time(NOW - ago, NOW)) == words


def test_exact_times_name_their_zone() -> None:
    assert exact_time(NOW, NOW) == "Fri 20 Nov, 13:00 CET"
    assert exact_time(datetime(2025, 7, 1, 12, 0, tzinfo=UTC), NOW) == "Tue 1 Jul 2025, 14:00 CEST"
    assert 'datetime="2026-11-20T13:00:00+01:00"' in when(NOW)
    assert when(None) == "never"


def test_counts() -> None:
    assert [counted(1, "copy", "copies"), counted(1203, "backup")] == ["1 copy", "1,203 backups"]


def test_progress_is_of_real_bytes() -> None:
    assert 'value="250" max="1000"' in progress(250, 1000)
    assert "25 %" in progress(250, 1000)
    assert '<progress aria-label="Progress"></progress>' in progress(250, None)
    assert "so far" in progress(250, None)
    assert "100 %" in progress(1200, 1000)


def test_a_pill_has_a_word_and_an_icon() -> None:
    assert "<svg" in pill("<Late>", "bad")
    assert "&lt;Late&gt;" in pill("<Late>", "bad")


def test_a_disabled_button_says_why() -> None:
    shown = action("Approve", "/x/", "You filed it yourself.")
    assert 'aria-disabled="true"' in shown
    assert shown.count("You filed it yourself.") == 3
    assert "href" not in shown
    assert 'href="/x/"' in action("Approve", "/x/")
