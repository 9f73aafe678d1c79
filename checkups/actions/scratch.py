"""Removing what trials built, whatever became of them: by the names that were stored before anything was built."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from backups.actions.taking import Clock
from backups.drivers.base import Place, StillWorking
from backups.kinds import driver_of
from checkups.models import Trial
from checkups.models.trial import OPEN
from portal.handover import LONGEST_WAIT

log = structlog.get_logger(__name__)

SOON = timedelta(seconds=20)
"""What stood in the way at first (somebody connected just then) is mostly gone a moment later."""

CLAIMED_FOR = timedelta(minutes=15)
"""Longer than removing scratch takes; then another worker may try."""


def workdir_of(trial: Trial) -> Path:
    """The trial's directory for what passes through the portal's own machine."""
    return Path(settings.SCRATCH_DIR) / f"trial-{trial.pk}"


def remove_workdir(trial: Trial) -> None:
    """It holds nothing that anybody needs after the trial's end, or its worker's."""
    shutil.rmtree(workdir_of(trial), ignore_errors=True)


def remove_scratch(trial_id: int, *, clock: Clock = timezone.now) -> bool:
    """Remove all that an ended trial built; True once nothing of it is left. What could not be removed is tried again.

    Safe to call twice, late, and by two at once: drivers take what is not there for removed.
    """
    now = clock()
    mine = Trial.objects.untidied().filter(pk=trial_id)
    if not mine.update(resend_at=now + CLAIMED_FOR):
        return False
    trial = Trial.objects.select_related("resource", "check_row__finding__checkup").get(pk=trial_id)
    remove_workdir(trial)
    try:
        if trial.place:
            driver, place = driver_of(trial.resource.kind), Place.from_json(trial.place)
            driver.discard(trial.values, place, place.beside)
    except StillWorking as waiting:
        mine.update(resend_at=now + timedelta(seconds=waiting.again_in))
        return False
    except Exception as error:  # any fault of any server: the scratch is there still, and nothing else depends on it
        log.warning("trial.scratch_left", trial=trial.pk, place=trial.place.get("beside"), why=str(error))
        young = trial.finished_at is not None and now - trial.finished_at < LONGEST_WAIT
        mine.update(resend_at=now + (SOON if young else LONGEST_WAIT))
        return False
    _note_removal(trial, clock().isoformat())
    return bool(mine.update(tidied_at=clock(), resend_at=None))


def _note_removal(trial: Trial, at: str) -> None:
    """As its last step, as long as the record is open."""
    check = trial.check_row
    if check is not None and check.finding.checkup.sealed_at is not None:
        return
    words = f"Nothing of {trial.place.get('beside', 'it')} is left."
    row = {"name": "remove", "started_at": at, "finished_at": at, "ok": True, "sentence": words}
    steps = [step for step in trial.steps if step["name"] != "remove"]
    Trial.objects.filter(pk=trial.pk).update(steps=[*steps, row])


def see_to_leavings(trial_id: int, *, clock: Clock = timezone.now) -> None:
    """A worker that was taken for dead has built on: its scratch is removed once more, whatever was said of it."""
    over = Trial.objects.filter(pk=trial_id).exclude(status__in=OPEN).exclude(place={})
    if over.update(tidied_at=None, resend_at=clock()):
        remove_scratch(trial_id, clock=clock)
