"""What a restore found out about a copy: proven, or damaged."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backups.actions.taking import note_newest_good
from backups.models import Backup, Copy, CopyState
from backups.proof import Proof
from restores.models import Attempt


def note_damage(attempt: Attempt, sentence: str, now: datetime) -> None:
    """The copy that the attempt read is damaged. When no other is left, the backup is not good any more."""
    if attempt.copy_id is None:
        return
    with transaction.atomic():
        backup = Backup.objects.select_for_update().get(pk=attempt.request.backup_id)
        Copy.objects.filter(pk=attempt.copy_id, state=CopyState.PRESENT).update(state=CopyState.DAMAGED)
        if not Copy.objects.present().filter(backup=backup).exists() and backup.damaged_at is None:
            backup.damaged_at, backup.damage = now, sentence
            backup.save(update_fields=["damaged_at", "damage"])
            note_newest_good(attempt.request.resource)


def note_proof(copy: Copy, level: Proof, now: datetime) -> None:
    """The copy was proven to that level now; a higher level proven before stays."""
    Copy.objects.filter(pk=copy.pk, proof__lte=level).update(proof=level, proven_at=now)
