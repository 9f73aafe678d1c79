"""How long a checkup has been at work, and how long the rest may take when it goes on like that. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_DONE = 5
"""Fewer checks than that say nothing about the others."""


@dataclass(frozen=True)
class Work:
    """So many checks of so many stored bytes."""

    number: int
    size: int


def time_at_work(started: datetime, marks: Iterable[tuple[datetime, bool]], now: datetime) -> timedelta:
    """Since ``started``, without the pauses. ``marks`` are (when, whether it went on from then), oldest first."""
    worked, since = timedelta(0), started
    going = True
    for at, goes_on in marks:
        if going and not goes_on:
            worked += at - since
        if not going and goes_on:
            since = at
        going = goes_on
    return max(worked + (now - since if going else timedelta(0)), timedelta(0))


def rest_of(done: Work, left: Work, worked: timedelta) -> tuple[timedelta, timedelta] | None:
    """The least and the most that what is left takes at the pace so far: by number and by size, whichever is less.

    None while there is no basis for it.
    """
    if done.number < LEAST_DONE or not left.number or worked <= timedelta(0):
        return None
    by_number = worked * (left.number / done.number)
    by_size = worked * (left.size / done.size) if done.size else by_number
    return min(by_number, by_size), max(by_number, by_size)
