"""What the sweeper does for backups: it looks at rows, so no message has to arrive."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from backups.actions.copying import give_up_lost_copies
from backups.actions.removing import hand_over_removals
from backups.actions.taking import give_up_lost_backups, give_up_stalled_backups
from backups.models import Backup, BackupStatus
from portal.handover import hand_over, next_resend


def sweep_backups(now: datetime, *, lost_before: datetime) -> None:
    """Hand over again what nobody claimed; give up what last beat before ``lost_before``, and what hangs."""
    give_up_lost_backups(now, lost_before=lost_before)
    give_up_stalled_backups(now, stalled_before=now - timedelta(seconds=settings.STALLED_SECONDS))
    give_up_lost_copies(lost_before=lost_before)
    hand_over_removals()
    waiting = Backup.objects.filter(status=BackupStatus.QUEUED, resend_at__lte=now).order_by("resend_at")
    for pk, queued_at in waiting.values_list("pk", "queued_at")[:100]:
        Backup.objects.filter(pk=pk).update(resend_at=next_resend(queued_at, now))
        hand_over("backups.take", pk)
