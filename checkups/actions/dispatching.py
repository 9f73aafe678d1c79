"""Which checks are tried now: so many at once, so much scratch, never two of one resource; others of the portal's work first."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Sum

from backups.heartbeats import AHEAD
from backups.models import ResourceState
from checkups.actions.moves import locked_checkup
from checkups.actions.queueing import queue_trial
from checkups.actions.settling import finish_if_done, release_removed
from checkups.models import Check, CheckStatus, Checkup, Trial
from checkups.workflow import Status
from portal.days import short_day
from portal.words import company_zone

A_LOOK = 200


def dispatch(now: datetime) -> int:
    """Queue trials of the running checkup as far as its limits allow; how many. Finishes it after the last."""
    checkup = Checkup.objects.filter(status=Status.RUNNING.value, declared_at__isnull=False).first()
    if checkup is None:
        return 0
    with transaction.atomic():
        locked = locked_checkup(checkup.pk)
        if locked.state is not Status.RUNNING:
            return 0
        queued = _queue(locked, now)
    if not queued:
        finish_if_done(locked, now)
    return queued


def _queue(checkup: Checkup, now: datetime) -> int:
    under_way = Trial.objects.open()
    free = settings.CHECKUP_AT_ONCE - under_way.count()
    room = settings.CHECKUP_SCRATCH_GB * 1_000_000_000 - (under_way.aggregate(all=Sum("scratch_bytes"))["all"] or 0)
    busy = set(under_way.values_list("resource", flat=True))
    alone = not busy
    queued = 0
    waiting = (
        Check.objects.filter(
            Q(not_before__isnull=True)
            | Q(not_before__lte=now)
            | Q(not_before__gt=now + AHEAD),  # by a clock that was ahead
            finding__checkup=checkup,
            status=CheckStatus.WAITING,
        )
        .select_related("finding__checkup", "finding__resource", "backup__resource")
        .defer("finding__checkup__drawn")
    )
    for check in waiting.exclude(finding__resource__in=busy).order_by(F("not_before").asc(nulls_first=True), "pk")[
        :A_LOOK
    ]:
        if queued >= free:
            break
        resource = check.finding.resource
        if resource.pk in busy:
            continue
        if _was_removed(check, now):
            continue
        size = (check.backup.source_bytes or 0) if check.backup else 0
        if size > room and not (alone and queued == 0):  # what is larger than all the room has it for itself
            continue
        if queue_trial(check, now):
            queued, room = queued + 1, room - size
            busy.add(resource.pk)
    return queued


def _was_removed(check: Check, now: datetime) -> bool:
    finding = check.finding
    resource = finding.resource
    if finding.removed or resource.state != ResourceState.REMOVED or resource.removed_at is None:
        return False
    day = short_day(resource.removed_at.astimezone(company_zone()).date())
    release_removed(finding, f"The resource was removed on {day}, while the checkup ran.", now)
    return True
