"""Work that a provider does, and nobody sits and waits for: the row sleeps, and the sweeper wakes it.

The row stays running and its worker goes home. A sleeping row does not beat; whoever wakes it beats again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet

from backups.drivers.base import StillWorking
from backups.heartbeats import AHEAD
from portal.handover import LONGEST_WAIT, hand_over

LONGEST = timedelta(days=5)
"""No provider works on one thing for longer. What takes more is given up, and said."""

A_TURN = 500


def put_to_sleep(rows: QuerySet[Any], waiting: StillWorking, now: datetime, **values: object) -> bool:
    """Let the row of the work sleep until the provider is asked again; False when the work was given up meanwhile."""
    return bool(
        rows.update(
            wakes_at=now + timedelta(seconds=waiting.again_in),
            heartbeat_at=None,
            bytes_done=waiting.bytes_done,
            bytes_expected=waiting.bytes_expected,
            **values,
        )
    )


def wake(rows: QuerySet[Any], now: datetime, **values: object) -> bool:
    """Whether the row slept and is awake now, for this worker alone."""
    return bool(rows.filter(wakes_at__isnull=False).update(wakes_at=None, heartbeat_at=now, **values))


def hand_over_due(rows: QuerySet[Any], task: str, now: datetime) -> None:
    """Have those woken whose time has come. A message that is lost is sent again, later; one that comes twice does nothing."""
    due = rows.filter(Q(wakes_at__lte=now) | Q(wakes_at__gt=now + AHEAD))  # or put off by a clock that was ahead
    found: list[Model] = list(due.order_by("wakes_at")[:A_TURN])
    for row in found:
        rows.filter(pk=row.pk, wakes_at__isnull=False).update(wakes_at=now + LONGEST_WAIT)
        hand_over(task, row.pk)


def waited_too_long(since: datetime | None, wakes_at: datetime | None, now: datetime) -> bool:
    """Whether work that began ``since`` and still sleeps is to be given up."""
    return wakes_at is not None and since is not None and since < now - LONGEST
