"""How far a running restore is, from real bytes. Pure; what is not known is not guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.words import size_in_words

LONGEST = timedelta(days=30)  # a guess beyond it helps nobody
SETTLED = timedelta(seconds=2)  # a speed measured over less says nothing


@dataclass(frozen=True)
class Progress:
    """Bytes so far and of how many, at what speed. ``None`` wherever it is not known."""

    done: int
    expected: int | None
    per_second: float | None
    left: timedelta | None

    @property
    def percent(self) -> int | None:
        """0 to 100; None when the total is not known."""
        return min(100, self.done * 100 // self.expected) if self.expected else None

    @property
    def sentence(self) -> str:
        """ "1.2 GB of 3.4 GB · 85 MB/s · about 26 s left", shorter where less is known."""
        if not self.done:
            return "No data has been moved yet."
        done = size_in_words(self.done)
        known = f"{done} of {size_in_words(self.expected)}" if self.expected else f"{done}; the total is not known"
        speed = f" · {size_in_words(round(self.per_second))}/s" if self.per_second else ""
        return known + speed + (f" · {left_in_words(self.left)}" if self.left is not None else "")


def progress_of(done: int, expected: int | None, started_at: datetime | None, now: datetime) -> Progress:
    """The progress at ``now`` of work that moved ``done`` bytes since ``started_at``."""
    running = now - started_at if started_at is not None else timedelta(0)
    if running < SETTLED or not done:
        return Progress(done, expected, None, None)
    per_second = done / running.total_seconds()
    seconds = max(expected - done, 0) / per_second if expected else None
    if seconds is None or seconds > LONGEST.total_seconds():
        return Progress(done, expected, per_second, None)
    return Progress(done, expected, per_second, timedelta(seconds=seconds))


def left_in_words(left: timedelta) -> str:
    """ "about 26 s left", "about 4 min left"."""
    seconds = round(left.total_seconds())
    if seconds < 1:
        return "nearly done"
    if seconds < 90:
        return f"about {seconds} s left"
    minutes = round(seconds / 60)
    return f"about {minutes} min left" if minutes < 90 else f"about {minutes / 60:.1f} h left"
