"""Undo: the original back under the live name, while it is kept."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.progress import RowProgress, WorkTakenAway
from backups.actions.taking import Clock
from backups.actions.waiting import put_to_sleep
from backups.actions.whereabouts import check_not_moved
from backups.drivers.base import Place, Standing, StillWorking
from backups.kinds import driver_of
from portal.errors import Refused
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from restores.actions.cleaning import clean_up
from restores.actions.moves import note
from restores.actions.pinned import settle_pin
from restores.actions.recording import Recorder, hold_lease, holding
from restores.actions.undone import record_undone
from restores.actions.words import in_words
from restores.models import Attempt, AttemptKind, AttemptStatus, RestoreRequest
from restores.permissions import check_can_undo, last_restore, live_restore
from restores.stepnames import StepName

log = structlog.get_logger(__name__)


def request_undo(*, by: User, request: RestoreRequest, reason: str) -> Attempt:
    """Ask for the original back; a worker does it. Raises NotPermitted, Refused, InvalidInput."""
    now = timezone.now()
    with acting(by, reason), transaction.atomic():
        locked = RestoreRequest.objects.select_for_update(of=("self",)).select_related("resource").get(pk=request.pk)
        check_can_undo(by, locked)
        reason = checked_reason(reason, "Say why the restore is undone: it is kept with the request.")
        done = live_restore(locked) or last_restore(locked)
        if done is None:
            raise Refused("Nothing was restored: there is nothing to undo.")
        attempt = Attempt.objects.create(
            request=locked,
            kind=AttemptKind.UNDO,
            number=locked.attempts.count() + 1,
            status=AttemptStatus.QUEUED,
            target=done.target,
            place=done.place,
            asked_by=by,
            asked_at=now,
            reason=reason,
            resend_at=now + timedelta(seconds=settings.RESEND_AFTER_SECONDS),
        )
        settle_pin(locked)
        note(locked, by=by, now=now, text=f"{by} asked for the original back", reason=reason, news="Undo asked for")
        hand_over("restores.undo", attempt.pk)
    return attempt


def perform_undo(attempt_id: int, *, clock: Clock = timezone.now) -> None:
    """A worker's side: claim the queued undo, swap back, record. Safe to call twice, late or never."""
    attempt = _claim(attempt_id, clock)
    if attempt is not None:
        carry_out_undo(attempt, clock=clock)


def carry_out_undo(attempt: Attempt, *, clock: Clock) -> None:
    """Swap back, as its worker; or go on with it, after the provider was waited for."""
    mine = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.RUNNING)
    recorder = Recorder(attempt, clock)
    with acting(attempt.asked_by, attempt.reason):
        try:
            with RowProgress(mine, clock):
                _carry_out(attempt, recorder, clock)
        except StillWorking as waiting:
            put_to_sleep(mine, waiting, clock(), waits_for=waiting.sentence[:300])
        except WorkTakenAway:
            log.warning("undo.taken_away", request=attempt.request.number)


def _carry_out(attempt: Attempt, recorder: Recorder, clock: Clock) -> None:
    try:
        _swap_back(attempt, recorder)
        _complete(attempt, clock)
    except (WorkTakenAway, StillWorking):
        raise
    except Exception as error:
        log.warning("undo.failed", request=attempt.request.number, exc_info=True)
        _fail(attempt, error, clock)


def _claim(attempt_id: int, clock: Clock) -> Attempt | None:
    now = clock()
    try:
        with transaction.atomic():
            claimed = Attempt.objects.filter(pk=attempt_id, status=AttemptStatus.QUEUED).update(
                status=AttemptStatus.RUNNING, started_at=now, heartbeat_at=now, resend_at=None
            )
    except IntegrityError:  # another attempt runs on the same target; the sweeper hands it over again
        return None
    return Attempt.objects.select_related("request__resource").get(pk=attempt_id) if claimed else None


def _swap_back(attempt: Attempt, recorder: Recorder) -> None:
    resource = attempt.request.resource
    driver, values, place = driver_of(resource.kind), resource.settings, Place.from_json(attempt.place)
    if not recorder.is_done(StepName.PREFLIGHT):
        with recorder.step(StepName.PREFLIGHT) as told:
            check_not_moved(resource)
            standing = driver.standing(values, place)
            if standing is Standing.UNKNOWN:
                raise Refused(
                    "What is live now is neither the original nor what this request restored, so nothing was touched. "
                    "A later restore may have replaced it."
                )
            told.sentence = "The original is kept and can be brought back."
    if not recorder.is_done(StepName.STOP_WRITERS):
        with recorder.step(StepName.STOP_WRITERS) as told:
            told.sentence, told.possible = driver.stop_writers(values, place), driver.stops_writers
    if not recorder.is_done(StepName.SWAP_BACK):
        with recorder.step(StepName.SWAP_BACK) as told:
            hold_lease(attempt, recorder.clock())
            with holding(attempt, recorder.clock):
                driver.swap_back(values, place)
            told.sentence = f"The original {driver.exchanged}; what was restored is kept beside it."
    with recorder.step(StepName.HAND_OVER) as told:
        driver.resume_writers(values, place)
        if driver.standing(values, place) is not Standing.ORIGINAL:
            raise Refused("After the swap the original was not found under the live name. IT has to look.")
        told.sentence = "The original is live again."


def _complete(attempt: Attempt, clock: Clock) -> None:
    now = clock()

    def alter(locked: RestoreRequest) -> None:
        hold_lease(attempt, now)
        attempt.status, attempt.finished_at = AttemptStatus.COMPLETED, now
        attempt.proof = "The original was found under the live name by its identity."
        attempt.save(update_fields=["status", "finished_at", "proof"])

    record_undone(attempt, now=now, by=attempt.asked_by, reason=attempt.reason, alter=alter)


def _fail(attempt: Attempt, error: Exception, clock: Clock) -> None:
    """Record it, and have it looked at at once which of the two is live: the swap back may have been done."""
    words, now = in_words(error), clock()
    with transaction.atomic():
        RestoreRequest.objects.select_for_update(of=("self",)).get(
            pk=attempt.request_id
        )  # the request first, as everybody
        failed = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.RUNNING).update(
            status=AttemptStatus.FAILED, finished_at=now, error=words.sentence, error_detail=words.detail, resend_at=now
        )
        if not failed:
            raise WorkTakenAway("This undo was given up meanwhile.")
        settle_pin(attempt.request)
        note(attempt.request, by=None, now=now, text="The undo failed", reason=words.sentence, news="Undo failed")
    clean_up(attempt.pk, clock=clock)
