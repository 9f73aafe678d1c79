"""Removing what attempts left behind once its time is over: replaced originals, undone restores, old exports."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.utils import timezone

from backups.actions.taking import Clock
from backups.drivers.base import Mode, Place
from backups.kinds import driver_of
from restores.actions.words import in_words
from restores.models import Attempt, AttemptKind, AttemptStatus

log = structlog.get_logger(__name__)

AT_REST = (AttemptStatus.COMPLETED, AttemptStatus.FAILED, AttemptStatus.INTERRUPTED)


def tidy(*, clock: Clock = timezone.now) -> int:
    """Remove what is due; how many attempts were tidied. Safe to run twice: absent things are fine.

    A driver never removes what is live; what fails is tried again by the next run.
    """
    return sum(_tidy_one(attempt, clock) for attempt in _due(clock()))


def _due(now: datetime) -> list[Attempt]:
    due = Attempt.objects.filter(
        kind=AttemptKind.RESTORE,
        status__in=AT_REST,
        kept_until__lte=now,
        tidied_at__isnull=True,
        resend_at__isnull=True,
    )
    busy = Attempt.objects.filter(status__in=[AttemptStatus.QUEUED, AttemptStatus.RUNNING]).values("request")
    return list(due.exclude(request__in=busy).select_related("request__resource")[:100])


def _tidy_one(attempt: Attempt, clock: Clock) -> bool:
    resource = attempt.request.resource
    if attempt.request.restore_mode is not Mode.EXPORT:
        driver, place = driver_of(resource.kind), Place.from_json(attempt.place)
        try:
            driver.discard(resource.settings, place, place.kept)
            if attempt.went_live_at is None:
                driver.discard(resource.settings, place, place.beside)
        except Exception as error:  # one that cannot be removed today keeps no other from being removed
            log.warning("tidy.not_removed", attempt=attempt.pk, why=in_words(error).sentence)
            return False
    Attempt.objects.filter(pk=attempt.pk).update(tidied_at=clock())
    return True
