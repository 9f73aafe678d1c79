"""What the sweeper does for checkups: it looks at rows, so no message has to arrive."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db.models import Q

from backups.actions.waiting import LONGEST, hand_over_due, waited_too_long
from backups.heartbeats import AHEAD, Lost
from backups.models import Pin
from checkups.actions.declaring import start_due
from checkups.actions.dispatching import dispatch
from checkups.actions.ending import end_trial
from checkups.actions.scratch import remove_workdir
from checkups.actions.signing import hand_over_sealing
from checkups.models import Checkup, Trial, TrialStatus
from checkups.workflow import Status
from portal.handover import LONGEST_WAIT, hand_over, next_resend
from portal.words import span_in_words

log = structlog.get_logger(__name__)

A_TURN = 200


def sweep_checkups(now: datetime, *, lost_before: datetime) -> None:
    """Start what is due; give up trials that last beat before ``lost_before``; hand over again what nobody claimed."""
    lost = Lost(lost_before, now)
    for trial in Trial.objects.filter(lost.among("heartbeat_at"), status=TrialStatus.RUNNING)[:A_TURN]:
        _interrupt(trial, "Its worker stopped in the middle.", now)
    for trial in Trial.objects.filter(wakes_at__isnull=False, started_at__lt=now - LONGEST)[:A_TURN]:
        if waited_too_long(trial.started_at, trial.wakes_at, now):
            _interrupt(trial, f"The provider has not finished for {span_in_words(LONGEST)}.", now)
    hand_over_due(Trial.objects.filter(status=TrialStatus.RUNNING), "checkups.go_on", now)
    unheard = Q(resend_at__lte=now) | Q(resend_at__gt=now + AHEAD)
    for trial in Trial.objects.filter(unheard, status=TrialStatus.QUEUED)[:A_TURN]:
        Trial.objects.filter(pk=trial.pk).update(resend_at=next_resend(trial.queued_at, now))
        hand_over("checkups.try", trial.pk)
    left = Trial.objects.untidied().filter(unheard | Q(resend_at__isnull=True))
    for pk in left.order_by("pk").values_list("pk", flat=True)[:A_TURN]:
        Trial.objects.filter(pk=pk).update(resend_at=now + LONGEST_WAIT)
        hand_over("checkups.tidy", pk)
    _hand_over_cancelled()
    hand_over_sealing()
    start_due(now)
    dispatch(now)


def _interrupt(trial: Trial, sentence: str, now: datetime) -> None:
    if end_trial(trial, TrialStatus.INTERRUPTED, sentence, now):
        remove_workdir(trial)  # also where nothing was built, so that nothing else is to be removed
        log.warning("trial.interrupted", trial=trial.pk)


def _hand_over_cancelled() -> None:
    """What a cancelled checkup had not checked yet is left, and its backups are let go of."""
    for checkup in Checkup.objects.filter(status=Status.CANCELLED.value):
        if Pin.objects.filter(label=checkup.number).exists():
            hand_over("checkups.close_cancelled", checkup.pk)
