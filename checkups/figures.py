"""What trials measured and proved of one backup, or of one resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max, Q

from backups.models import Backup, Resource
from checkups.models import Trial, TrialStatus
from checkups.scope import What
from portal.permissions import Person

_DAILY = (What.DAILY.value, What.BOTH.value)
SHOWN = 5
MEASURED = 12
STEP, HIGH = 20, 40


@dataclass(frozen=True)
class Bar:
    """One trial in the small chart."""

    x: int
    y: int
    high: int
    trial: Trial


@dataclass(frozen=True)
class Times:
    """The measured recovery times of a resource, oldest first, and a bar for each."""

    trials: Sequence[Trial]
    longest: timedelta

    @property
    def bars(self) -> list[Bar]:
        """One of each, beside one another."""
        most = max(int(self.longest.total_seconds() * 1000), 1)
        heights = [max(2, HIGH * (trial.recovery_ms or 0) // most) for trial in self.trials]
        return [
            Bar(number * STEP, HIGH - high, high, trial)
            for number, (trial, high) in enumerate(zip(self.trials, heights, strict=True))
        ]

    @property
    def width(self) -> int:
        """Of them all."""
        return len(self.trials) * STEP


def tests_of(user: Person, backup: Backup) -> list[Trial]:
    """The last trials of a backup's copies."""
    of_it = Q(copy__backup=backup) | Q(copy__isnull=True, check_row__backup=backup)
    found = Trial.objects.visible_to(user).filter(of_it, resource=backup.resource_id)
    return list(found.select_related("copy", "check_row__finding__checkup", "asked_by").order_by("-pk")[:SHOWN])


def times_of(user: Person, resource: Resource) -> Times | None:
    """What the last checkups measured of a resource's latest daily backup, one each; None for fewer than two: no trend."""
    found = Trial.objects.visible_to(user).filter(
        resource=resource, status=TrialStatus.PASSED, recovery_ms__isnull=False, check_row__what__in=_DAILY
    )
    last = found.order_by().values("check_row__finding__checkup").annotate(last=Max("pk")).values("last")
    trials = list(found.filter(pk__in=last).select_related("check_row__finding__checkup").order_by("-pk")[:MEASURED])[
        ::-1
    ]
    if len(trials) < 2:
        return None
    return Times(trials, timedelta(milliseconds=max(trial.recovery_ms or 0 for trial in trials)))
