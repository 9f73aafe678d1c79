"""What the sweeper does for restores: it looks at rows, so no message has to arrive. It never restarts a restore."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from backups.actions.waiting import LONGEST, hand_over_due, waited_too_long
from backups.heartbeats import Lost
from portal.handover import LONGEST_WAIT, hand_over, next_resend
from portal.words import span_in_words
from restores.actions.cleaning import CLAIMED_FOR
from restores.actions.incident_running import sweep_incidents
from restores.actions.moves import apply_move, note
from restores.actions.pinned import pin_what_is_not, settle_pin
from restores.actions.zabbix import extend_proposals
from restores.models import Attempt, AttemptKind, AttemptStatus, RestoreRequest, StepStatus
from restores.stepnames import StepName
from restores.workflow import Move, Status

log = structlog.get_logger(__name__)


def sweep_restores(now: datetime, *, lost_before: datetime) -> None:
    """Hand over again what nobody claimed; mark as interrupted what last beat before ``lost_before``."""
    pin_what_is_not()
    lost = Lost(lost_before, now)
    for attempt in Attempt.objects.filter(lost.among("heartbeat_at"), status=AttemptStatus.RUNNING):
        _interrupt(attempt.pk, lost)
    for attempt in Attempt.objects.filter(wakes_at__isnull=False, started_at__lt=now - LONGEST):
        _interrupt(attempt.pk, lost)
    hand_over_due(Attempt.objects.filter(status=AttemptStatus.RUNNING), "restores.go_on", now)
    try:
        sweep_incidents(now)  # first: what a hazard took comes back before anything else
    except Exception:  # a fault in one incident keeps no other restore waiting
        log.exception("incidents.not_swept")
    unheard = Q(resend_at__lte=now) | Q(
        status_changed_at__gt=now, resend_at__gt=now + LONGEST_WAIT
    )  # approved by a clock that was ahead
    for request in RestoreRequest.objects.filter(unheard, status=Status.APPROVED.value, incident__isnull=True):
        waiting_since = max(request.status_changed_at, request.start_at or request.status_changed_at)
        RestoreRequest.objects.filter(pk=request.pk).update(resend_at=next_resend(waiting_since, now))
        hand_over("restores.restore", request.pk)
    put_off = Q(resend_at__gt=now + CLAIMED_FOR + LONGEST_WAIT)  # by a clock that was ahead
    waiting = Attempt.objects.filter(Q(resend_at__lte=now) | put_off).exclude(
        status__in=[AttemptStatus.RUNNING, AttemptStatus.COMPLETED]
    )
    for attempt in waiting:
        Attempt.objects.filter(pk=attempt.pk).update(resend_at=now + timedelta(seconds=settings.RESEND_AFTER_SECONDS))
        if attempt.status == AttemptStatus.QUEUED:
            hand_over("restores.undo", attempt.pk)
        else:
            hand_over("restores.clean_up", attempt.pk)
    extend_proposals(now)  # last: nothing runs by a proposal


def _interrupt(attempt_id: int, lost: Lost) -> None:
    now = lost.now
    with transaction.atomic():
        request = RestoreRequest.objects.select_for_update().get(attempts=attempt_id)  # first, as every move does
        attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
        endless = waited_too_long(attempt.started_at, attempt.wakes_at, now)
        if attempt.status != AttemptStatus.RUNNING or not (endless or lost.has(attempt.heartbeat_at)):
            return
        why = f"the provider has not finished for {span_in_words(LONGEST)}" if endless else "its worker stopped"
        sentence = f"The {attempt.get_kind_display().lower()} was interrupted{_where(attempt)}: {why}."
        attempt.status, attempt.finished_at, attempt.wakes_at = AttemptStatus.INTERRUPTED, now, None
        attempt.error, attempt.error_detail = sentence, f"last heartbeat {attempt.heartbeat_at}"
        attempt.resend_at = now
        attempt.save(update_fields=["status", "finished_at", "wakes_at", "error", "error_detail", "resend_at"])
        if attempt.kind == AttemptKind.RESTORE:
            apply_move(request, Move.FAIL, by=None, now=now, reason=sentence)
        else:
            settle_pin(request)
            note(request, by=None, now=now, text="The undo was interrupted", reason=sentence, news="Undo interrupted")
        hand_over("restores.clean_up", attempt.pk)


def _where(attempt: Attempt) -> str:
    step = attempt.steps.filter(status=StepStatus.RUNNING).last()
    return f" during “{StepName(step.name).label}”" if step else ""
