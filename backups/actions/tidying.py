"""What dead writers and retired copies left in the regions."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from backups.actions.copying import hand_over_missing_copies
from backups.actions.deleting import remove_retired
from backups.actions.repairing import hand_over_damaged
from backups.actions.taking import Clock
from backups.kinds import REGIONS, store_of
from backups.models import Copy
from backups.stores.base import StoreError

log = structlog.get_logger(__name__)

LONGEST_PAUSE = timedelta(days=1)
"""A source may be silent for long while its backup is written (a lock, a slow disk), but not for so long."""


def tidy_regions(*, clock: Clock = timezone.now) -> None:
    """Remove leftovers, finish deletions, see to missing copies. Safe to run twice: absent things are fine."""
    now = clock()
    for region in REGIONS:
        _sweep(region, now)
    remove_retired(Copy.objects.all(), clock=clock)
    hand_over_missing_copies()
    hand_over_damaged()


def _sweep(region: str, now: datetime) -> None:
    try:
        removed = store_of(region).sweep(LONGEST_PAUSE.total_seconds(), now.timestamp())
    except StoreError as error:
        log.warning("region.not_swept", region=region, why=error.sentence)
        return
    if removed:
        log.info("region.swept", region=region, removed=removed)
