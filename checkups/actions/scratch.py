"""Removing what trials built, whatever became of them: by the names that were stored before anything was built."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backups.actions.taking import Clock
from backups.drivers.base import Place, StillWorking
from backups.kinds import driver_of
from checkups.actions.moves import locked_checkup, note
from checkups.actions.versions import tell_of_void_signatures
from checkups.models import Trial
from checkups.models.trial import OPEN
from checkups.workflow import Status
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
    return _removed(trial, clock())


def _removed(trial: Trial, now: datetime) -> bool:
    """Record it: as the trial's last step too, as long as the record is open. False when another worker has recorded it."""
    check = trial.check_row
    with transaction.atomic():
        checkup = locked_checkup(check.finding.checkup_id) if check is not None else None
        facts: dict[str, object] = {"tidied_at": now, "resend_at": None}
        if checkup is None or checkup.sealed_at is None:
            facts["steps"] = _with_removal(Trial.objects.values_list("steps", "place").get(pk=trial.pk), now)
        if not Trial.objects.untidied().filter(pk=trial.pk).update(**facts):
            return False
        if checkup is not None and check is not None and checkup.state is Status.READY:
            # The record that people look at, and may have signed, is another one now.
            text = f"Scratch of {check.finding.name} was removed"
            note(checkup, None, by=None, now=now, text=text, finding=check.finding)
            tell_of_void_signatures(checkup)
    return True


def _with_removal(row: tuple[list[dict[str, object]], dict[str, str]], now: datetime) -> list[dict[str, object]]:
    steps, place = row
    words, at = f"Nothing of {place.get('beside', 'it')} is left.", now.isoformat()
    last = {"name": "remove", "started_at": at, "finished_at": at, "ok": True, "sentence": words}
    return [*(step for step in steps if step["name"] != "remove"), last]


def see_to_leavings(trial_id: int, *, clock: Clock = timezone.now) -> None:
    """A worker that was taken for dead has built on: its scratch is removed once more, whatever was said of it."""
    over = Trial.objects.filter(pk=trial_id).exclude(status__in=OPEN).exclude(place={})
    if over.update(tidied_at=None, resend_at=clock()):
        remove_scratch(trial_id, clock=clock)
