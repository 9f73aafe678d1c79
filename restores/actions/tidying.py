"""Removing what attempts left behind once its time is over: replaced originals, undone restores, old exports."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backups.actions.belief import policy_moment
from backups.actions.taking import Clock
from backups.drivers.base import Mode, Place
from backups.kinds import driver_of
from portal.words import exact_time
from restores.actions.moves import note
from restores.actions.pinned import settle_pin
from restores.actions.words import in_words
from restores.models import Attempt, AttemptKind, AttemptStatus, RestoreRequest

log = structlog.get_logger(__name__)

WARNED_BEFORE = timedelta(days=2)
"""What stands beside may be in use: it goes so long after it was said, and no sooner."""

WARN = timedelta(days=3)
"""So long before its end that is said."""

AT_REST = (AttemptStatus.COMPLETED, AttemptStatus.FAILED, AttemptStatus.INTERRUPTED)


def tidy(*, clock: Clock = timezone.now) -> int:
    """Remove what is due; how many attempts were tidied. Safe to run twice: absent things are fine.

    A driver never removes what is live; what fails is tried again by the next run.
    """
    return sum(_tidy_one(attempt, clock) for attempt in _due(clock()))


def _due(now: datetime) -> list[Attempt]:
    moment = policy_moment(now)
    due = Attempt.objects.filter(
        kind=AttemptKind.RESTORE,
        status__in=AT_REST,
        kept_until__lte=moment,
        tidied_at__isnull=True,
        resend_at__isnull=True,
    )
    untold = Q(request__mode=Mode.BESIDE.value, status=AttemptStatus.COMPLETED) & (
        Q(warned_at__isnull=True) | Q(warned_at__gt=moment - WARNED_BEFORE)
    )
    due = due.exclude(untold)
    busy = Attempt.objects.filter(status__in=[AttemptStatus.QUEUED, AttemptStatus.RUNNING]).values("request")
    return list(due.exclude(request__in=busy).select_related("request__resource")[:100])


def warn_of_what_goes(now: datetime) -> int:
    """Say on the timeline, and to its people, that what stands beside is removed soon; of how many that was said."""
    soon = Attempt.objects.filter(
        kind=AttemptKind.RESTORE,
        status=AttemptStatus.COMPLETED,
        request__mode=Mode.BESIDE.value,
        kept_until__lte=policy_moment(now) + WARN,
        tidied_at__isnull=True,
        warned_at__isnull=True,
    )
    return sum(_warn(attempt, now) for attempt in soon.select_related("request")[:100])


def _warn(attempt: Attempt, now: datetime) -> bool:
    with transaction.atomic():
        request = RestoreRequest.objects.select_for_update().get(pk=attempt.request_id)
        assert attempt.kept_until is not None
        ends = max(attempt.kept_until, now + WARNED_BEFORE)  # what is said is kept, also where it is said late
        as_it_was = Attempt.objects.filter(
            pk=attempt.pk, warned_at__isnull=True, tidied_at__isnull=True, kept_until=attempt.kept_until
        )
        if not as_it_was.update(warned_at=now, kept_until=ends):
            return False
        settle_pin(request)
        text = f"What was restored beside the live one is removed after {exact_time(ends, now)}. IT can keep it longer."
        note(request, by=None, now=now, text=text, news="What stands beside goes soon")
    return True


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
