"""A resource's newest good backup, kept beside it: lists are sorted by it."""

from __future__ import annotations

from datetime import datetime

from backups.models import Resource


def note_newest_good(resource: Resource, now: datetime) -> None:
    """Keep the resource's ``last_good_at`` current after a backup became good or stopped being so.

    One dated after ``now`` (a clock was wrong) counts only where there is no other.
    """
    taken = resource.backups.good().order_by("-taken_at").values_list("taken_at", flat=True)
    newest = taken.filter(taken_at__lte=now).first() or taken.first()
    Resource.objects.filter(pk=resource.pk).update(last_good_at=newest)  # a derived column, not in the history
