"""What a restore found out about a copy: proven, or damaged."""

from __future__ import annotations

from datetime import datetime

from backups.actions.damage import note_damaged_copy
from backups.models import Copy
from backups.proof import Proof
from restores.models import Attempt


def note_damage(attempt: Attempt, sentence: str, now: datetime) -> None:
    """The copy that the attempt read is damaged."""
    if attempt.copy is not None:
        note_damaged_copy(attempt.copy, sentence, now)


def note_proof(copy: Copy, level: Proof, now: datetime) -> None:
    """The copy was proven to that level now; a higher level proven before stays."""
    Copy.objects.filter(pk=copy.pk, proof__lte=level).update(proof=level, proven_at=now)
