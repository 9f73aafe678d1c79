"""How a rule was held over the last 90 days, as a chart's coordinates. Pure.

Each day shows the last audit of that day. A day without one is a gap: the line breaks there and a band says so; nothing
is ever drawn between two audits that are not on neighbouring days. Today is a gap only once it is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from portal.days import day_in_words
from portal.words import share_in_words

DAYS = 90
WIDTH, HEIGHT = 480, 132
LEFT, RIGHT, TOP, BOTTOM = 6, 60, 12, 24
LOWEST_SHOWN = (0.99, 0.95, 0.9, 0.75, 0.5, 0.0)

Audited = Mapping[date, Mapping[str, Sequence[int]]]
"""By day: by rule, how many resources held it, and to how many it applied."""


@dataclass(frozen=True)
class Dot:
    """One day's audit in the chart: where it stands, and what it says. ``x`` and ``y`` are in the chart's units."""

    day: date
    share: float
    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Band:
    """Days without an audit, from the first to the last."""

    first: date
    last: date
    x: float
    width: float
    title: str


@dataclass(frozen=True)
class Trend:
    """A rule's 90 days. ``runs`` are audits on days that follow one another; ``low`` is the share at the chart's foot."""

    first: date
    last: date
    runs: tuple[tuple[Dot, ...], ...]
    bands: tuple[Band, ...]
    low: float
    description: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    base: int = HEIGHT - BOTTOM

    @property
    def high(self) -> int:
        """How high the room of the lines is."""
        return self.base - self.top

    @property
    def paths(self) -> list[str]:
        """SVG path data of the lines."""
        return ["M" + "L".join(f"{dot.x} {dot.y}" for dot in run) for run in self.runs if len(run) > 1]

    @property
    def dots(self) -> list[Dot]:
        """All audits."""
        return [dot for run in self.runs for dot in run]

    @property
    def lowest(self) -> str:
        """What the foot of the chart stands for."""
        return share_in_words(round(self.low * 100), 100)

    @property
    def first_day(self) -> str:
        """The first day in words."""
        return day_in_words(self.first, self.last)

    @property
    def last_day(self) -> str:
        """The last day in words."""
        return day_in_words(self.last, self.last)


def trend_of(rule: str, audited: Audited, today: date) -> Trend:
    """The 90 days of one rule that end today."""
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    shares = {day: _share(audited[day].get(rule, (0, 0))) for day in days if day in audited}
    low = next(low for low in LOWEST_SHOWN if low <= min(shares.values(), default=1.0))
    runs = tuple(
        tuple(_dot(day, audited[day].get(rule, (0, 0)), low, days[0], today) for day in run)
        for missing, run in _runs(days, shares)
        if not missing
    )
    gaps = [[day for day in run if day != today] for missing, run in _runs(days, shares) if missing]
    bands = tuple(_band(run[0], run[-1], days[0], today) for run in gaps if run)
    return Trend(days[0], today, runs, bands, low, _description(rule, audited, shares, bands, today))


def _runs(days: Sequence[date], known: Mapping[date, float]) -> Iterator[tuple[bool, list[date]]]:
    for missing, run in groupby(days, key=lambda day: day not in known):
        yield missing, list(run)


def _share(counts: Sequence[int]) -> float:
    holding, applies = counts
    return holding / applies if applies else 1.0


def _x(day: date, first: date) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / (DAYS - 1), 1)


def _dot(day: date, counts: Sequence[int], low: float, first: date, today: date) -> Dot:
    share = _share(counts)
    high = HEIGHT - TOP - BOTTOM
    y = round(TOP + high * (1 - (share - low) / (1 - low)), 1)
    return Dot(day, share, _x(day, first), y, f"{day_in_words(day, today)}: {_counts(counts)}")


def _counts(counts: Sequence[int]) -> str:
    holding, applies = counts
    return f"{share_in_words(holding, applies)}, {holding:,} of {applies:,}" if applies else "it applied to none"


def _band(first: date, last: date, start: date, today: date) -> Band:
    half = (WIDTH - LEFT - RIGHT) / (DAYS - 1) / 2
    x, end = max(_x(first, start) - half, LEFT), min(_x(last, start) + half, WIDTH - RIGHT)
    span = day_in_words(first, today) + ("" if first == last else f" to {day_in_words(last, today)}")
    return Band(first, last, round(x, 1), round(end - x, 1), f"{span}: no audit")


def _description(rule: str, audited: Audited, shares: Mapping[date, float], bands: Sequence[Band], today: date) -> str:
    """The chart in a sentence, for those who do not see it."""
    if not shares:
        return "No audit was done in these 90 days."
    worst = min(shares, key=lambda day: (shares[day], day))
    without = sum((band.last - band.first).days + 1 for band in bands)
    held = (
        "It was held everywhere at every audit"
        if shares[worst] == 1.0
        else f"The lowest was on {day_in_words(worst, today)}: {_counts(audited[worst].get(rule, (0, 0)))}"
    )
    return f"{held}. {len(shares)} of {DAYS} days have an audit{f', {without} have none' if without else ''}."
