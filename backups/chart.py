"""The size of a resource's backups over time, as points of a small chart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.days import day_in_words
from portal.words import size_in_words

WIDTH, HEIGHT = 640, 150
LEFT, RIGHT, TOP, BOTTOM = 8, 64, 12, 24


@dataclass(frozen=True)
class Dot:
    """One backup in the chart: where, and what it says."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Chart:
    """What the template draws. ``line`` and ``area`` are SVG path data."""

    dots: tuple[Dot, ...]
    line: str
    area: str
    first: str
    last: str
    largest: str
    description: str
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - BOTTOM
    top: int = TOP
    right: int = WIDTH - RIGHT


def size_chart(points: Sequence[tuple[datetime, int]], zone: ZoneInfo) -> Chart | None:
    """The chart for (taken at, stored bytes), oldest first; None for fewer than two points: no trend to see."""
    if len(points) < 2:
        return None
    start, end = points[0][0], points[-1][0]
    seconds = max((end - start).total_seconds(), 1.0)
    largest = max(size for _, size in points) or 1
    room, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    dots = tuple(
        Dot(
            round(LEFT + room * (at - start).total_seconds() / seconds, 1),
            round(TOP + high * (1 - size / largest), 1),
            f"{day_in_words(at.astimezone(zone).date())}: {size_in_words(size)}",
        )
        for at, size in points
    )
    line = "M" + "L".join(f"{dot.x} {dot.y}" for dot in dots)
    base = HEIGHT - BOTTOM
    first, last = (day_in_words(at.astimezone(zone).date()) for at in (start, end))
    return Chart(
        dots=dots,
        line=line,
        area=f"{line}L{dots[-1].x} {base}L{dots[0].x} {base}z",
        first=first,
        last=last,
        largest=size_in_words(largest),
        description=(
            f"From {size_in_words(points[0][1])} on {first} to {size_in_words(points[-1][1])} on {last}; "
            f"the largest had {size_in_words(largest)}."
        ),
    )
