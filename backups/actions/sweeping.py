"""What the sweeper does for backups: it looks at rows, so no message has to arrive."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from backups.actions.copying import give_up_lost_copies
from backups.actions.givingup import give_up_lost_backups, give_up_stalled_backups, give_up_what_waits_too_long
from backups.actions.removing import hand_over_removals
from backups.actions.waiting import hand_over_due
from backups.heartbeats import Lost
from backups.models import Backup, BackupStatus, Copy, CopyState
from portal.handover import LONGEST_WAIT, hand_over, next_resend


def sweep_backups(now: datetime, *, lost_before: datetime) -> None:
    """Hand over again what nobody claimed; give up what last beat before ``lost_before``, and what hangs."""
    lost = Lost(lost_before, now)
    give_up_lost_backups(lost)
    give_up_stalled_backups(now, stalled_before=now - timedelta(seconds=settings.STALLED_SECONDS))
    give_up_what_waits_too_long(now)
    give_up_lost_copies(lost)
    hand_over_due(Backup.objects.filter(status=BackupStatus.RUNNING), "backups.take", now)
    hand_over_due(Copy.objects.filter(state=CopyState.WRITING), "backups.continue_copy", now)
    hand_over_removals()
    unheard = Q(resend_at__lte=now) | Q(
        queued_at__gt=now, resend_at__gt=now + LONGEST_WAIT
    )  # queued by a clock that was ahead
    waiting = Backup.objects.filter(unheard, status=BackupStatus.QUEUED).order_by("resend_at")
    for pk, queued_at in waiting.values_list("pk", "queued_at")[:100]:
        Backup.objects.filter(pk=pk).update(resend_at=next_resend(queued_at, now))
        hand_over("backups.take", pk)
