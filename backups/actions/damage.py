"""A copy that was found damaged loses its slot at once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backups.actions.locking import locked_resource
from backups.actions.taking import note_newest_good
from backups.models import Backup, Copy, CopyState
from portal.handover import hand_over


def note_damaged_copy(copy: Copy, sentence: str, now: datetime) -> None:
    """Record that the copy is not what was stored. When no other is present, the backup is not good any more.

    What can replace it is set going: a copy from the other region, or a fresh backup. One that is being deleted, or was
    recorded so before, is left as it is.
    """
    with transaction.atomic():
        resource = locked_resource(Backup.objects.values_list("resource", flat=True).get(pk=copy.backup_id))
        backup = Backup.objects.select_for_update().get(pk=copy.backup_id)
        found = Copy.objects.filter(pk=copy.pk, state=CopyState.PRESENT).update(
            state=CopyState.DAMAGED, damaged_at=now, damage=sentence
        )
        if not found:
            return
        if backup.damaged_at is None and not Copy.objects.present().filter(backup=backup).exists():
            backup.damaged_at, backup.damage = now, sentence
            backup.save(update_fields=["damaged_at", "damage"])
            note_newest_good(resource, now)
        hand_over("backups.repair", resource.pk)
        hand_over("backups.audit_resource", resource.pk)
