"""A worker's side of a trial: claim, restore into scratch, compare, ask the application, remove the scratch, say what was found.

Nothing here runs inside a transaction. What is live is never written to: everything is built under names of the trial's
own, which are stored before anything is built.
"""

from __future__ import annotations

import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.utils import timezone

from backups.actions.damage import note_damaged_copy, reads_well
from backups.actions.progress import RowProgress, StopAsked, WorkTakenAway
from backups.actions.proving import note_proof, note_recovery
from backups.actions.taking import Clock
from backups.actions.verifying import verify_copy
from backups.actions.waiting import put_to_sleep, wake
from backups.actions.whereabouts import check_not_moved
from backups.artefacts import StoredArtefact, StoredArtefactInfo
from backups.drivers.base import DamagedBackup, DriverError, Mode, Place, StillWorking
from backups.drivers.words import Settings
from backups.kinds import driver_of, store_of
from backups.models import Copy, CopyState
from backups.proof import Proof
from checkups.actions.asking import ask_application
from checkups.actions.ending import end_trial
from checkups.actions.repointing import to_what_stands_there
from checkups.actions.scratch import remove_scratch, see_to_leavings, workdir_of
from checkups.actions.steps import NotThere, Steps
from checkups.models import Check, Trial, TrialStatus
from checkups.scope import What
from checkups.servers import check_is_apart, host_in_words, instead_of, is_elsewhere
from checkups.workflow import Status
from portal.handover import hand_over
from portal.history import acting

log = structlog.get_logger(__name__)

STOPPED = "It was stopped, because its checkup was cancelled."
READ_ELSEWHERE_AGAIN_IN = 300  # seconds


def perform_trial(trial_id: int, *, clock: Clock = timezone.now) -> None:
    """Carry out a queued trial. Safe to call twice, late or never: only who claims it does anything."""
    now = clock()
    claimed = Trial.objects.filter(pk=trial_id, status=TrialStatus.QUEUED).update(
        status=TrialStatus.RUNNING, started_at=now, heartbeat_at=now, resend_at=None
    )
    if claimed:
        _perform(_load(trial_id), clock)


def go_on(trial_id: int, *, clock: Clock = timezone.now) -> None:
    """Ask the provider again for which the trial waits, and go on. Safe to call twice, late or never."""
    if wake(Trial.objects.filter(pk=trial_id, status=TrialStatus.RUNNING), clock(), waits_for=""):
        _perform(_load(trial_id), clock)


def _load(trial_id: int) -> Trial:
    related = ("resource__application__client", "copy__backup", "check_row__finding__checkup", "asked_by")
    return Trial.objects.select_related(*related).get(pk=trial_id)


def _perform(trial: Trial, clock: Clock) -> None:
    rows = Trial.objects.filter(pk=trial.pk, status=TrialStatus.RUNNING)
    steps = Steps(trial, clock)
    with acting(trial.asked_by, str(trial)):
        try:
            with RowProgress(rows, clock, stop_asked=lambda: is_to_stop(trial)) as progress:
                _see_wanted(trial)
                reached, sentence = _carry_out(trial, steps, progress, clock)
        except StillWorking as waiting:
            put_to_sleep(rows, waiting, clock(), waits_for=waiting.sentence[:300])
            return
        except WorkTakenAway:
            log.warning("trial.taken_away", trial=trial.pk)
            see_to_leavings(trial.pk, clock=clock)
            return
        except Exception as error:
            if isinstance(error, StopAsked) or is_to_stop(trial):  # what it was at may have been ended with a signal
                end_trial(trial, TrialStatus.STOPPED, STOPPED, clock())
                _done(trial, clock)
                return
            log.warning("trial.failed", trial=trial.pk, exc_info=True)
            words, failed = steps.words_of(error), TrialStatus.FAILED
            end_trial(trial, failed, words, clock(), reached=steps.reached, error=error, asking=steps.asking)
        else:
            end_trial(trial, TrialStatus.PASSED, sentence, clock(), reached=reached)
    _done(trial, clock)


def _done(trial: Trial, clock: Clock) -> None:
    remove_scratch(trial.pk, clock=clock)
    hand_over("checkups.dispatch")


def _see_wanted(trial: Trial) -> None:
    """Raises StopAsked for one that was queued before its checkup was given up."""
    if is_to_stop(trial):
        raise StopAsked("Its checkup was cancelled.")


def is_to_stop(trial: Trial) -> bool:
    """Whether the checkup of which it is was given up meanwhile."""
    of = trial.check_row_id
    return of is not None and Check.objects.filter(pk=of, finding__checkup__status=Status.CANCELLED.value).exists()


def _carry_out(trial: Trial, steps: Steps, progress: RowProgress, clock: Clock) -> tuple[Proof, str]:
    """How far it was proven, and what was compared. Raises what went wrong."""
    copy = _copy_of(trial)
    if trial.wanted < Proof.RESTORED:
        return _read(copy, steps, progress, clock)
    check_not_moved(trial.resource)
    try:
        return _restore(trial, copy, steps, progress, clock)
    except DamagedBackup as error:
        copy.refresh_from_db(fields=["state"])
        if copy.state in (CopyState.DELETING, CopyState.DELETED):  # a newer one has taken its place meanwhile
            raise DriverError(f"The copy in {copy.region} was replaced by a newer one.", retry=True) from error
        if reads_well(copy):  # one that cannot be read now is not called damaged: then that is what went wrong
            steps.begin_anew(
                "The stored bytes were read wrongly once, and rightly the second time; it is restored once more."
            )
            return _restore(trial, copy, steps, progress, clock)
        note_damaged_copy(copy, error.sentence, clock())
        raise


def _copy_of(trial: Trial) -> Copy:
    """The copy to try, as it is now; it is the same when a provider is asked again."""
    if trial.copy is not None:
        copy = trial.copy
    else:
        check = trial.check_row
        assert check is not None
        there = Copy.objects.filter(backup=check.backup, region=check.region).select_related("backup__resource")
        found = there.exclude(state__in=[CopyState.DELETING, CopyState.DELETED]).order_by("state", "-pk").first()
        present = there.filter(state=CopyState.PRESENT).first() or to_what_stands_there(check)
        if present is None and found is not None and found.state == CopyState.WRITING:
            raise DriverError(_absence(found, check.region), retry=True)
        if present is None:
            raise NotThere(_absence(found, check.region), damaged=_is_damaged(found))
        copy = present
        trial.copy, trial.backup = copy, copy.backup
        _keep(trial, copy=copy, backup=copy.backup)
    if copy.state != CopyState.PRESENT:
        raise NotThere(_absence(copy, copy.region), damaged=_is_damaged(copy))
    return copy


def _is_damaged(found: Copy | None) -> bool:
    return found is not None and found.state == CopyState.DAMAGED


def _absence(found: Copy | None, region: str) -> str:
    if found is not None and found.state == CopyState.DAMAGED:
        return f"The copy in {region} was found damaged before: {found.damage}"
    if found is not None and found.state == CopyState.WRITING:
        return f"The copy in {region} is not complete yet."
    return f"There is no copy of it in {region}."


def _read(copy: Copy, steps: Steps, progress: RowProgress, clock: Clock) -> tuple[Proof, str]:
    """Every stored byte, as the night's verification does; what the provider keeps it is asked about."""
    with steps.step("read") as told:
        sound = verify_copy(copy, clock=clock, watched=progress)
        copy.refresh_from_db()
        if copy.state == CopyState.DAMAGED:
            raise DamagedBackup(copy.damage)
        if copy.state != CopyState.PRESENT:
            raise NotThere(_absence(None, copy.region))
        if not sound:
            raise StillWorking("The copy is being read by another worker.", again_in=READ_ELSEWHERE_AGAIN_IN)
        at_provider = copy.kept_at is not None
        told.sentence = (
            "The provider has all that it keeps of this copy; nothing was restored."
            if at_provider
            else f"Every stored byte was read; its SHA-256 is {copy.backup.checksum}, as recorded. Nothing was restored."
        )
    return (Proof.PRESENT if at_provider else Proof.CHECKSUM), told.sentence


def _restore(trial: Trial, copy: Copy, steps: Steps, progress: RowProgress, clock: Clock) -> tuple[Proof, str]:
    driver = driver_of(trial.resource.kind)
    values = _values(trial, copy)
    artefact = StoredArtefact(
        store_of(copy.region), copy.stored_under, StoredArtefactInfo.from_json(copy.backup.artefact), copy.kept_at
    )
    place = _place(trial, values)
    workdir = _empty(workdir_of(trial))
    try:
        if not steps.is_done("preflight"):
            with steps.step("preflight") as told:
                told.sentence = " ".join(driver.preflight(values, place, Mode.BESIDE, artefact, workdir))
        if not steps.is_done("restore"):
            with steps.step("restore") as told, progress.stoppable():
                progress.begin_anew()
                driver.restore(values, place, artefact, workdir, progress)
                where = host_in_words(trial.resource.kind)
                told.sentence = f"The copy in {copy.region} was restored whole into scratch{where}, as {place.beside}."
        if not steps.is_done("neutralise"):
            with steps.step("neutralise") as told:
                off = driver.neutralise(values, place)
                told.sentence = " ".join(off) or "Nothing in it acts by itself."
        with steps.step("verify") as told, progress.stoppable():
            progress.begin_anew()
            verified = driver.verify(values, place, artefact, progress)
            told.sentence = verified.sentence
        reached = driver.proves if verified.proof is None else min(driver.proves, verified.proof)
        now = clock()
        steps.reached = reached
        note_proof(copy, reached, now)
        _measure(trial, copy, now)
        sentence = verified.sentence
        if trial.wanted >= Proof.APPLICATION_ANSWERED:
            with steps.step("ask") as told, progress.stoppable():
                told.sentence = ask_application(trial.resource, driver, values, place)
            reached, sentence = Proof.APPLICATION_ANSWERED, f"{sentence.rstrip('.')}. {told.sentence}"
            note_proof(copy, reached, clock())
        return reached, sentence
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _values(trial: Trial, copy: Copy) -> Settings:
    """The settings with which it is built: those of where the copy is, or of a server for checkups. Removing goes by them."""
    if not trial.place:
        own = driver_of(trial.resource.kind).trial_settings(trial.resource.settings, copy.kept_at)
        return instead_of(trial.resource.kind, own)
    kept: Settings = trial.values
    return kept


def _place(trial: Trial, values: Settings) -> Place:
    """The names of the scratch, stored before anything is built."""
    if not trial.place:
        token = f"cu-{trial.pk}-{trial.number}-{secrets.token_hex(3)}"
        place = driver_of(trial.resource.kind).place(values, token, Mode.BESIDE)
        check_is_apart(trial.resource.kind, place)
        trial.place, trial.values = place.as_json(), dict(values)
        _keep(trial, place=trial.place, values=trial.values)
    return Place.from_json(trial.place)


def _keep(trial: Trial, **facts: object) -> None:
    """Write facts of the running trial. Raises WorkTakenAway when it was given up meanwhile: its record is closed."""
    if not Trial.objects.filter(pk=trial.pk, status=TrialStatus.RUNNING).update(**facts):
        raise WorkTakenAway("This trial was given up meanwhile.")


def _empty(workdir: Path) -> Path:
    shutil.rmtree(workdir, ignore_errors=True)
    workdir.mkdir(parents=True, mode=0o700)
    return workdir


def _is_of_the_newest(trial: Trial, copy: Copy) -> bool:
    """Whether it tells how long the next restore takes: of the newest daily backup, or of one that somebody chose, at home."""
    what = trial.check_row.what if trial.check_row else What.DAILY
    return copy.region == trial.resource.home_region and what in (What.DAILY, What.BOTH, What.KEPT)


def _measure(trial: Trial, copy: Copy, now: datetime) -> None:
    """What getting it back took, waiting for the provider included."""
    assert trial.started_at is not None
    took = max(now - trial.started_at, timedelta(0))
    trial.recovery_ms = int(took.total_seconds() * 1000)
    _keep(trial, recovery_ms=trial.recovery_ms)
    if _is_of_the_newest(trial, copy) and not is_elsewhere(trial.resource.kind):  # another server promises nothing
        note_recovery(trial.resource, took, copy.backup.source_bytes or 0, now)
