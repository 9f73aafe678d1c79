"""The steps of a restore in each mode. Nothing live is touched until a complete, verified restore stands beside it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.conf import settings

from backups.actions.damage import note_damaged_copy, reads_well
from backups.actions.progress import RowProgress
from backups.actions.proving import note_proof
from backups.actions.whereabouts import check_not_moved
from backups.artefacts import StoredArtefact, StoredArtefactInfo
from backups.drivers.base import DamagedBackup, Driver, DriverError, Mode, Place, Standing, Verified
from backups.drivers.words import Settings
from backups.kinds import driver_of, store_of
from backups.models import Copy
from backups.proof import Proof
from portal.errors import Refused
from restores.actions.cleaning import workdir_of
from restores.actions.extent import OnlyPart, Whole, extent_of
from restores.actions.planning import digest_now
from restores.actions.recording import Recorder, hold_lease, holding
from restores.models import Attempt, AttemptKind, RestoreRequest
from restores.permissions import check_restorable
from restores.stepnames import StepName

R = TypeVar("R")


@dataclass
class Run:
    """What the steps work with."""

    attempt: Attempt
    request: RestoreRequest
    driver: Driver
    extent: Whole | OnlyPart
    settings: Settings
    place: Place
    copy: Copy
    artefact: StoredArtefact
    workdir: Path
    recorder: Recorder
    progress: RowProgress


@contextmanager
def open_run(attempt: Attempt, recorder: Recorder, progress: RowProgress) -> Iterator[Run]:
    """Everything the steps need, with an empty private work directory that is removed afterwards."""
    request = attempt.request
    resource, backup = request.resource, request.backup
    check_restorable(backup)
    present = _present_copies(request)
    copy = next((copy for copy in present if copy.pk == attempt.copy_id), present[0])  # go on with the same
    attempt.copy = copy
    attempt.save(update_fields=["copy"])
    driver = driver_of(resource.kind)
    if not attempt.place:
        token = f"{request.number.lower()}-{attempt.number}-{secrets.token_hex(3)}"
        attempt.place = driver.place(resource.settings, token, request.restore_mode).as_json()
        attempt.save(update_fields=["place"])
    workdir = workdir_of(attempt)
    shutil.rmtree(workdir, ignore_errors=True)
    workdir.mkdir(parents=True, mode=0o700)
    try:
        yield Run(
            attempt=attempt,
            request=request,
            driver=driver,
            extent=extent_of(request),
            settings=resource.settings,
            place=Place.from_json(attempt.place),
            copy=copy,
            artefact=_artefact_of(copy),
            workdir=workdir,
            recorder=recorder,
            progress=progress,
        )
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _present_copies(request: RestoreRequest) -> list[Copy]:
    """Those of the request's backup, the home region's first; one in a region that is itself the hazard is the last resort."""
    home, lost = request.resource.home_region, _lost_region(request)
    present = Copy.objects.present().filter(backup=request.backup).select_related("backup")
    return sorted(present, key=lambda copy: (copy.region == lost, copy.region != home))


def _lost_region(request: RestoreRequest) -> str:
    return request.incident.lost_region if request.incident else ""


def _artefact_of(copy: Copy) -> StoredArtefact:
    info = StoredArtefactInfo.from_json(copy.backup.artefact)
    return StoredArtefact(store_of(copy.region), copy.stored_under, info, copy.kept_at)


def _from_a_sound_copy(run: Run, act: Callable[[], R]) -> tuple[R, str]:
    """What ``act`` returns, and a sentence when it had to turn to another region's copy because one was found damaged.

    The damaged one is recorded at once, so that it is replaced; without another one the attempt fails. One that reads well
    when it is looked at again gets a second try; one that cannot even be read again is left, and not called damaged.
    """
    said, tried_again = "", False
    while True:
        try:
            with run.progress.stoppable():
                return act(), said
        except DamagedBackup as error:
            damaged = run.copy
            others = [copy for copy in _present_copies(run.request) if copy.pk != damaged.pk]
            try:
                if not tried_again and reads_well(damaged):
                    tried_again = True
                    continue
                unread = False
            except DriverError:
                unread = True
            if not others:
                raise
            if not unread:
                note_damaged_copy(damaged, error.sentence, run.recorder.clock())
            run.copy, run.artefact = others[0], _artefact_of(others[0])
            run.attempt.copy = run.copy
            run.attempt.save(update_fields=["copy"])
            said = f" The copy in {damaged.region} was found damaged; the one in {run.copy.region} is used instead."


def in_place(run: Run) -> str:
    """Restore beside, prove it, exchange the two in one step, keep the original. Returns the proof."""
    if _took_over(run) or _continues_earlier(run):
        return _finish_earlier(run)
    _preflight(run)
    _restore(run)
    proof = _verify(run)
    _stop_writers(run)
    _swap(run)
    _finish_in_place(run)
    return proof


def beside(run: Run) -> str:
    """Restore next to the live thing, prove it, hand it over. Returns the proof."""
    _preflight(run)
    _restore(run)
    proof = _verify(run)
    with run.recorder.step(StepName.HAND_OVER) as told:
        told.sentence = f"It stands beside the live one: {run.place.beside}"
    return proof


def export(run: Run) -> str:
    """Prove every stored byte, then offer the artefact as a download. Returns the proof."""
    with run.recorder.step(StepName.PREFLIGHT) as told:
        _check_plan(run)
        told.sentence = f"The copy in {run.copy.region} is there."
    _pin(run)
    with run.recorder.step(StepName.CHECKSUM) as told:

        def check() -> None:
            run.progress.begin_anew()
            run.artefact.check(run.progress)

        _, said = _from_a_sound_copy(run, check)
        note_proof(run.copy, Proof.CHECKSUM, run.recorder.clock())
        proof = f"Every stored byte was read; its SHA-256 is {run.request.backup.checksum}, as recorded."
        told.sentence = proof + said
    with run.recorder.step(StepName.HAND_OVER) as told:
        told.sentence = f"Ready to download for {settings.EXPORT_DAYS} days."
    return proof


RUNS: dict[Mode, Callable[[Run], str]] = {Mode.IN_PLACE: in_place, Mode.BESIDE: beside, Mode.EXPORT: export}


def _check_plan(run: Run) -> None:
    approval = run.attempt.approval
    if approval is None or approval.plan_digest != digest_now(run.request):
        raise Refused("What would be restored is no longer what was approved. Cancel this request and file a new one.")
    check_not_moved(run.request.resource)


def _preflight(run: Run) -> None:
    if run.recorder.is_done(StepName.PIN):
        return
    with run.recorder.step(StepName.PREFLIGHT) as told:
        _check_plan(run)
        mode = run.request.restore_mode
        seen, said = _from_a_sound_copy(
            run, lambda: run.extent.preflight(run.settings, run.place, mode, run.artefact, run.workdir)
        )
        told.sentence = " ".join(seen) + said
    _pin(run)


def _pin(run: Run) -> None:
    with run.recorder.step(StepName.PIN) as told:
        home = run.request.resource.home_region
        why = f"{home} is the hazard" if home == _lost_region(run.request) else "there is none left in the home region"
        told.sentence = f"The copy in {run.copy.region} is used and held until {run.request.number} is closed." + (
            "" if run.copy.region == home else f" It is the other region's copy: {why}."
        )


def _restore(run: Run) -> None:
    if run.recorder.is_done(StepName.RESTORE):
        return
    with run.recorder.step(StepName.RESTORE) as told:

        def restore() -> list[str]:
            run.progress.begin_anew()
            return run.extent.restore(run.settings, run.place, run.artefact, run.workdir, run.progress)

        left_out, said = _from_a_sound_copy(run, restore)
        told.sentence = " ".join([run.extent.built, *left_out]) + said


def _verify(run: Run) -> str:
    if run.recorder.is_done(StepName.VERIFY):
        return run.attempt.proof
    with run.recorder.step(StepName.VERIFY) as told:

        def verify() -> Verified:
            run.progress.begin_anew()
            return run.extent.verify(run.settings, run.place, run.artefact, run.progress)

        verified, said = _from_a_sound_copy(run, verify)
        proof, most = verified.sentence, run.extent.proves
        told.sentence = proof + said
        run.attempt.proof = proof
        run.attempt.save(update_fields=["proof"])
        note_proof(run.copy, most if verified.proof is None else min(most, verified.proof), run.recorder.clock())
    return proof


def _stop_writers(run: Run) -> None:
    if run.recorder.is_done(StepName.STOP_WRITERS):
        return
    with run.recorder.step(StepName.STOP_WRITERS) as told:
        told.sentence, told.possible = run.driver.stop_writers(run.settings, run.place), run.driver.stops_writers
        _remember_place(run, run.driver.identify(run.settings, run.place))


def _swap(run: Run) -> None:
    if run.recorder.is_done(StepName.SWAP):
        return
    with run.recorder.step(StepName.SWAP) as told:
        hold_lease(run.attempt, run.recorder.clock(), may_stop=True)
        with holding(run.attempt, run.recorder.clock):
            run.driver.swap(run.settings, run.place)
        run.attempt.went_live_at = run.recorder.clock()
        run.attempt.save(update_fields=["went_live_at"])
        told.sentence = f"The restored data {run.driver.exchanged}" + (
            "." if run.place.replaced_nothing else "; the original is kept beside it."
        )


def _finish_in_place(run: Run) -> None:
    if not run.recorder.is_done(StepName.HEALTH):
        with run.recorder.step(StepName.HEALTH) as told:
            told.sentence = run.driver.health(run.settings, run.place)
            run.driver.resume_writers(run.settings, run.place)
    with run.recorder.step(StepName.HAND_OVER) as told:
        told.sentence = (
            "Nothing had stood there before."
            if run.place.replaced_nothing
            else f"The original is kept for {settings.KEEP_ORIGINAL_DAYS} days; Undo brings it back."
        )


def _remember_place(run: Run, place: Place) -> None:
    """Store the identities before the swap: after any crash they tell which of the two is live."""
    run.place = place
    run.attempt.place = place.as_json()
    run.attempt.save(update_fields=["place"])


def _took_over(run: Run) -> bool:
    """Whether this attempt finishes an earlier one, and was sent home before, to wait for a provider."""
    return run.attempt.went_live_at is not None and not run.recorder.has(StepName.RESTORE)


def _continues_earlier(run: Run) -> bool:
    """Whether an earlier attempt was interrupted after its swap: then its verified restore is live already."""
    earlier = (
        Attempt.objects.filter(request=run.request, kind=AttemptKind.RESTORE, number__lt=run.attempt.number)
        .filter(went_live_at__isnull=False, tidied_at__isnull=True)
        .exclude(proof="")
        .order_by("-number")
        .first()
    )
    if earlier is None:
        return False
    place = Place.from_json(earlier.place)
    if run.driver.standing(run.settings, place) is not Standing.RESTORED:
        return False
    run.attempt.proof, run.attempt.went_live_at = earlier.proof, earlier.went_live_at
    run.attempt.save(update_fields=["proof", "went_live_at"])
    _remember_place(run, place)
    Attempt.objects.filter(pk=earlier.pk).update(tidied_at=run.recorder.clock())  # its leftovers are this attempt's now
    return True


def _finish_earlier(run: Run) -> str:
    if not run.recorder.is_done(StepName.PREFLIGHT):
        with run.recorder.step(StepName.PREFLIGHT) as told:
            _check_plan(run)
            told.sentence = "An earlier attempt had put the verified restore in place already; this one finishes it."
    if not run.recorder.is_done(StepName.SWAP):
        with run.recorder.step(StepName.SWAP) as told:
            with holding(run.attempt, run.recorder.clock):
                run.driver.swap(run.settings, run.place)
            told.sentence = "The restored data stands under the live name; the original is kept beside it."
    _finish_in_place(run)
    return run.attempt.proof
