"""Progress: computed from real bytes, silent about what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from restores.progress import progress_of

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def sentence(done: int, expected: int | None, seconds: float) -> str:
    return progress_of(done, expected, START, START + timedelta(seconds=seconds)).sentence.replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_what_is_known_is_said() -> None:
    assert sentence(0, 100, 60) == "No data has been moved yet."
    assert sentence(500_000_000, 1_000_000_000, 1) == "500 MB of 1.0 GB"
    assert sentence(500_000_000, 1_000_000_000, 5) == "500 MB of 1.0 GB · 100 MB/s · about 5 s left"
    assert sentence(500_000_000, None, 5) == "500 MB; the total is not known · 100 MB/s"
    assert sentence(1_000_000_000, 1_000_000_000, 10) == "1.0 GB of 1.0 GB · 100 MB/s · nearly done"
    assert sentence(1_000_000_000, 40_000_000_000, 10) == "1.0 GB of 40 GB · 100 MB/s · about 6 min left"
    assert sentence(1_000_000_000, 4_000_000_000_000, 10) == "1.0 GB of 4.0 TB · 100 MB/s · about 11.1 h left"
    assert progress_of(5, 10, None, START).per_second is None


@given(st.integers(0, 10**15), st.none() | st.integers(0, 10**15), st.floats(-100, 10**6))
def test_it_never_claims_the_impossible(done: int, expected: int | None, seconds: float) -> None:
    progress = progress_of(done, expected, START, START + timedelta(seconds=seconds))
    assert progress.percent is None or 0 <= progress.percent <= 100
    assert progress.left is None or progress.left >= timedelta(0)
    assert progress.sentence
