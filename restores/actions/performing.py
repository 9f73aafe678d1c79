"""A worker's side of a restore: claim, carry out, complete or fail. Nothing here runs inside a transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backups.actions.progress import RowProgress, WorkTakenAway
from backups.actions.taking import Clock
from backups.actions.waiting import put_to_sleep, wake
from backups.drivers.base import DamagedBackup, DriverError, Mode, Place, StillWorking
from portal.history import acting
from restores.actions.charges import open_charge
from restores.actions.claiming import claim_restore
from restores.actions.cleaning import clean_up_earlier, put_back
from restores.actions.damage import note_damage
from restores.actions.moves import apply_move
from restores.actions.recording import Recorder, hold_lease, holding
from restores.actions.running import RUNS, open_run
from restores.actions.stopping import stop_asked
from restores.actions.undoing import carry_out_undo
from restores.actions.words import Words, in_words
from restores.models import Attempt, AttemptKind, AttemptStatus, RestoreRequest
from restores.permissions import has_swapped
from restores.stepnames import StepName
from restores.workflow import Move

log = structlog.get_logger(__name__)

FOR_IT = {
    StepName.PREFLIGHT: "The check before the restore found something that IT has to see to first.",
    StepName.HEALTH: "The restored data did not answer as it should.",
}
"""What the people of the request read when a driver refuses in these steps; its own sentence is for IT."""


def perform_restore(request_id: int, *, clock: Clock = timezone.now) -> None:
    """Carry out an approved request. Safe to call twice, late or never: only who claims it does anything."""
    attempt = claim_restore(request_id, clock())
    if attempt is not None:
        _perform(attempt, clock)


def go_on(attempt_id: int, *, clock: Clock = timezone.now) -> None:
    """Ask the provider again for which the attempt waits, and go on. Safe to call twice, late or never."""
    if not wake(Attempt.objects.filter(pk=attempt_id, status=AttemptStatus.RUNNING), clock(), waits_for=""):
        return
    attempt = Attempt.objects.select_related("request__resource").get(pk=attempt_id)
    if attempt.kind == AttemptKind.UNDO:
        carry_out_undo(attempt, clock=clock)
    else:
        _perform(attempt, clock)


def _perform(attempt: Attempt, clock: Clock) -> None:
    mine = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.RUNNING)
    progress = RowProgress(mine, clock, stop_asked=lambda: stop_asked(attempt))
    with acting(attempt.asked_by, f"{attempt.request.number}, attempt {attempt.number}"):
        try:
            with progress:  # until the end is recorded: putting things back can take as long as the restore
                _carry_out(attempt, progress, clock)
        except StillWorking as waiting:
            put_to_sleep(mine, waiting, clock(), waits_for=waiting.sentence[:300])
        except WorkTakenAway:
            log.warning("restore.taken_away", request=attempt.request.number)


def _carry_out(attempt: Attempt, progress: RowProgress, clock: Clock) -> None:
    recorder = Recorder(attempt, clock)
    try:
        clean_up_earlier(attempt, clock)
        with open_run(attempt, recorder, progress) as run:
            proof = RUNS[attempt.request.restore_mode](run)
    except (WorkTakenAway, StillWorking):
        raise
    except Exception as error:
        if stop_asked(attempt):
            if isinstance(error, DamagedBackup):
                note_damage(attempt, error.sentence, clock())
            _stop(attempt, clock)
            return
        log.warning("restore.failed", request=attempt.request.number, exc_info=True)
        _fail(attempt, _words(error, recorder), error, clock)
        return
    # Should this not be recorded, the restore stays as it is, proven and live, and the sweeper finds the attempt.
    _complete(attempt, proof, clock)


def _words(error: Exception, recorder: Recorder) -> Words:
    """For the people of the request; what names paths, servers and rights is for IT."""
    words = in_words(error)
    if isinstance(error, DriverError) and not isinstance(error, DamagedBackup) and recorder.failed in FOR_IT:
        return Words(FOR_IT[recorder.failed], "\n".join(filter(None, (words.sentence, words.detail))))
    return words


def _complete(attempt: Attempt, proof: str, clock: Clock) -> None:
    now = clock()

    def alter(locked: RestoreRequest) -> None:
        hold_lease(attempt, now)
        attempt.status, attempt.finished_at, attempt.proof = AttemptStatus.COMPLETED, now, proof
        attempt.kept_until = _kept_until(locked, attempt)
        attempt.save(update_fields=["status", "finished_at", "proof", "kept_until"])

    with acting(None, proof), transaction.atomic():
        done = apply_move(attempt.request, Move.COMPLETE, by=None, now=now, reason=proof, alter=alter)
        open_charge(done, now)  # after the move, for people to be told in that order


def _finishes_earlier(attempt: Attempt) -> bool:
    """Whether the restored data had gone live with an earlier attempt: people have been writing to it since.

    This attempt has taken over its moment then. The clock does not tell: it may have been set back.
    """
    earlier = Attempt.objects.filter(request=attempt.request_id, number__lt=attempt.number)
    return bool(attempt.went_live_at) and earlier.filter(went_live_at=attempt.went_live_at).exists()


def _kept_until(request: RestoreRequest, attempt: Attempt) -> datetime | None:
    if request.restore_mode is Mode.IN_PLACE and Place.from_json(attempt.place).replaced_nothing:
        return None
    days = {
        Mode.IN_PLACE: settings.KEEP_ORIGINAL_DAYS,
        Mode.BESIDE: settings.BESIDE_DAYS,
        Mode.EXPORT: settings.EXPORT_DAYS,
    }[request.restore_mode]
    return attempt.finished_at + timedelta(days=days) if attempt.finished_at else None


def _stop(attempt: Attempt, clock: Clock) -> None:
    """What somebody asked to stop has stopped: put things right, then close the request.

    Where the live data could not be seen to at once it is no case for closing: then it has failed, and IT decides.
    """
    hold_lease(attempt, clock())
    with holding(attempt, clock):
        outcome = put_back(attempt, swap_back=not _finishes_earlier(attempt), clock=clock)
    attempt.refresh_from_db(fields=["stop_asked_by", "stop_reason"])
    now = clock()
    sentence = f"{attempt.stop_asked_by} had it stopped: {attempt.stop_reason} {outcome.sentence}"
    settled = outcome.known and attempt.went_live_at is None and not has_swapped(attempt.request)

    def alter(locked: RestoreRequest) -> None:
        hold_lease(attempt, now)
        attempt.status, attempt.finished_at = AttemptStatus.FAILED, now
        attempt.error, attempt.error_detail = sentence, outcome.detail
        attempt.save(update_fields=["status", "finished_at", "error", "error_detail"])

    apply_move(
        attempt.request, Move.STOPPED if settled else Move.FAIL, by=None, now=now, reason=outcome.sentence, alter=alter
    )


def _fail(attempt: Attempt, words: Words, error: Exception, clock: Clock) -> None:
    """Put the live data right first, then say what happened; what could not be cleaned is tried again later.

    Raises :class:`WorkTakenAway`, with nothing touched, when the sweeper gave the attempt up before.
    """
    hold_lease(attempt, clock())
    if isinstance(error, DamagedBackup):
        note_damage(attempt, words.sentence, clock())
    with holding(attempt, clock):
        outcome = put_back(attempt, swap_back=not _finishes_earlier(attempt), clock=clock)
    now = clock()
    sentence = f"{words.sentence} {outcome.sentence}".strip()

    def alter(locked: RestoreRequest) -> None:
        hold_lease(attempt, now)
        attempt.status, attempt.finished_at = AttemptStatus.FAILED, now
        attempt.error, attempt.error_detail = sentence, "\n".join(filter(None, (words.detail, outcome.detail)))
        attempt.save(update_fields=["status", "finished_at", "error", "error_detail"])

    apply_move(attempt.request, Move.FAIL, by=None, now=now, reason=sentence, alter=alter)
