"""Choosing the other region when nobody chose one."""

from __future__ import annotations

from backups.kinds import REGIONS


def next_region(home: str) -> str:
    """The region after ``home`` in the order in which they are configured; the first one when there is no such home."""
    if home not in REGIONS:
        return REGIONS[0]
    return REGIONS[(REGIONS.index(home) + 1) % len(REGIONS)]
