"""When work that beats is taken for dead. Pure, but for the shape of a condition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

AHEAD = timedelta(days=1)
"""A moment so far ahead of now was written by a clock that was wrong: it says nothing."""


@dataclass(frozen=True)
class Lost:
    """What last beat before ``before`` is lost; so is what seems to have beaten more than a day after ``now``."""

    before: datetime
    now: datetime

    def among(self, field: str) -> Q:
        """The rows whose ``field`` says so."""
        return Q(**{f"{field}__lt": self.before}) | Q(**{f"{field}__gt": self.now + AHEAD})

    def has(self, moment: datetime | None) -> bool:
        """Whether that one does. What never beat has not begun."""
        return moment is not None and (moment < self.before or moment > self.now + AHEAD)
