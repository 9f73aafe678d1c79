"""A copy that was found damaged loses its slot at once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backups.actions.taking import note_newest_good
from backups.models import Backup, Copy, CopyState


def note_damaged_copy(copy: Copy, sentence: str, now: datetime) -> None:
    """Record that the copy is not what was stored. When no other is present, the backup is not good any more."""
    with transaction.atomic():
        backup = Backup.objects.select_for_update(of=("self",)).select_related("resource").get(pk=copy.backup_id)
        Copy.objects.filter(pk=copy.pk, state=CopyState.PRESENT).update(state=CopyState.DAMAGED)
        if backup.damaged_at is None and not Copy.objects.present().filter(backup=backup).exists():
            backup.damaged_at, backup.damage = now, sentence
            backup.save(update_fields=["damaged_at", "damage"])
            note_newest_good(backup.resource)
