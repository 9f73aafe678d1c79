"""What a restore found out about a copy: that it is damaged."""

from __future__ import annotations

from datetime import datetime

from backups.actions.damage import note_damaged_copy
from restores.models import Attempt


def note_damage(attempt: Attempt, sentence: str, now: datetime) -> None:
    """The copy that the attempt read is damaged."""
    if attempt.copy is not None:
        note_damaged_copy(attempt.copy, sentence, now)
