"""Jobs that are done once on each of the company's days, however often, late or never they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.taking import Clock
from backups.models import DailyJob
from portal.words import company_zone

log = structlog.get_logger(__name__)

LEASE = timedelta(hours=3)
"""Whoever began and has not ended by then is taken for dead."""


def once_a_day(name: str, hour: int, work: Callable[[], object], *, clock: Clock = timezone.now) -> bool:
    """Do the work if it is due: from that hour on, and not done today. True when it was done now.

    What fails is tried again the next time.
    """
    job = _claim(name, hour, clock)
    if job is None:
        return False
    try:
        work()
    except BaseException:
        job.delete()
        raise
    DailyJob.objects.filter(pk=job.pk).update(finished_at=clock())
    return True


def _claim(name: str, hour: int, clock: Clock) -> DailyJob | None:
    now = clock()
    local = now.astimezone(company_zone())
    if local.hour < hour:
        return None
    dead = DailyJob.objects.filter(name=name, day=local.date(), finished_at__isnull=True, started_at__lt=now - LEASE)
    dead.delete()
    try:
        with transaction.atomic():
            return DailyJob.objects.create(name=name, day=local.date(), started_at=now)
    except IntegrityError:  # done already, or another one is at it
        return None
