"""After an attempt that failed or stopped: see what is live, put it right, remove scratch. Never touches live data
that applications may have written to.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backups.actions.taking import Clock
from backups.drivers.base import Driver, Mode, Place, Standing
from backups.kinds import driver_of
from restores.actions.moves import apply_move, note
from restores.actions.words import in_words
from restores.models import Attempt, AttemptKind, AttemptStatus
from restores.workflow import Move

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What stands now, in a sentence for the people of the request, and a technical part for IT."""

    sentence: str
    detail: str = ""


AS_IT_WAS = "The live data is as it was."


def put_back(attempt: Attempt, *, swap_back: bool, clock: Clock) -> Outcome:
    """Bring things to rest after an attempt that did not end well, and record what is kept until when.

    ``swap_back``: when the restored data is live already, exchange the two again (only right at once, before
    anybody was told); otherwise it stays and IT decides. Never raises: what could not be done is tried again.
    """
    from restores.actions.running import workdir_of

    shutil.rmtree(workdir_of(attempt), ignore_errors=True)
    if attempt.request.restore_mode is Mode.EXPORT:
        return _rest(attempt, Outcome(AS_IT_WAS), tidied_at=clock())
    resource = attempt.request.resource
    driver, place = driver_of(resource.kind), Place.from_json(attempt.place)
    later = clock() + timedelta(days=settings.KEEP_ORIGINAL_DAYS)
    try:
        standing = driver.standing(resource.settings, place)
        if standing is Standing.UNKNOWN:
            return _rest(
                attempt,
                Outcome("It could not be told which data is live, so nothing was touched. IT has to look.", str(place)),
            )
        if standing is Standing.RESTORED:
            return _after_swap(attempt, driver, place, swap_back, clock)
        if attempt.went_live_at:  # swapped back already: what was restored stays for a while, it was live
            return _rest(attempt, Outcome(AS_IT_WAS), kept_until=later, went_live_at=None)
        driver.resume_writers(resource.settings, place)
        driver.discard(resource.settings, place, place.beside)
    except Exception as error:
        log.warning("restore.not_cleaned", attempt=attempt.pk, exc_info=True)
        words = in_words(error)
        outcome = Outcome("What it left behind could not be removed yet; the portal tries again.", words.sentence)
        return _rest(attempt, outcome, kept_until=clock())
    return _rest(attempt, Outcome(AS_IT_WAS), tidied_at=clock())


def _after_swap(attempt: Attempt, driver: Driver, place: Place, swap_back: bool, clock: Clock) -> Outcome:
    values = attempt.request.resource.settings
    later = clock() + timedelta(days=settings.KEEP_ORIGINAL_DAYS)
    if swap_back:
        driver.stop_writers(values, place)
        driver.swap_back(values, place)
        driver.resume_writers(values, place)
        return _rest(
            attempt, Outcome(f"The original was put back at once. {AS_IT_WAS}"), kept_until=later, went_live_at=None
        )
    driver.swap(values, place)  # completes a swap that was cut short
    driver.resume_writers(values, place)
    outcome = Outcome(
        "The restored data, compared with its manifest beforehand, is live and the original is kept. "
        "IT approves another attempt to finish, or undoes it."
    )
    return _rest(attempt, outcome, kept_until=later, went_live_at=attempt.went_live_at or clock())


def _rest(attempt: Attempt, outcome: Outcome, **values: object) -> Outcome:
    """Record what is kept; the attempt needs no more cleaning."""
    for name, value in {"resend_at": None, **values}.items():
        setattr(attempt, name, value)
    attempt.save(update_fields=["resend_at", *values])
    return outcome


def clean_up(attempt_id: int, *, clock: Clock = timezone.now) -> None:
    """Clean up after an interrupted attempt and tell it on the timeline; safe to call twice."""
    attempt = Attempt.objects.select_related("request__resource").get(pk=attempt_id)
    if attempt.status != AttemptStatus.INTERRUPTED or attempt.resend_at is None:
        return
    if attempt.kind == AttemptKind.UNDO:
        _clean_up_undo(attempt, clock)
        return
    outcome = put_back(attempt, swap_back=False, clock=clock)
    with transaction.atomic():
        attempt.error = f"{attempt.error} {outcome.sentence}"
        attempt.error_detail = "\n".join(filter(None, (attempt.error_detail, outcome.detail)))
        attempt.save(update_fields=["error", "error_detail"])
        note(attempt.request, by=None, now=clock(), text="The portal cleaned up", reason=outcome.sentence)


def _clean_up_undo(attempt: Attempt, clock: Clock) -> None:
    """An undo that stopped: by the identities the original is live (then it is undone, truly) or it is not."""
    resource, place = attempt.request.resource, Place.from_json(attempt.place)
    driver = driver_of(resource.kind)
    standing = driver.standing(resource.settings, place)
    if standing is Standing.ORIGINAL:
        driver.swap_back(resource.settings, place)  # completes it
    if standing is not Standing.UNKNOWN:
        driver.resume_writers(resource.settings, place)
    with transaction.atomic():
        _rest(attempt, Outcome(""))
        if standing is Standing.ORIGINAL:
            apply_move(attempt.request, Move.UNDO, by=None, now=clock(), reason="The swap back had been done.")
        else:
            text = "The undo did not take place; the restored data is still live"
            note(attempt.request, by=None, now=clock(), text=text)


def clean_up_earlier(attempt: Attempt, clock: Clock) -> None:
    """Before a new attempt: finish the cleaning after earlier ones on the same target."""
    for earlier in Attempt.objects.filter(
        target=attempt.target, status=AttemptStatus.INTERRUPTED, resend_at__isnull=False
    ):
        clean_up(earlier.pk, clock=clock)
