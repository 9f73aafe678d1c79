"""Recording that the original is live again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from portal.models import User
from restores.actions.moves import Hook, apply_move
from restores.models import Attempt, RestoreRequest
from restores.permissions import last_restore, live_restore
from restores.workflow import Move


def record_undone(
    attempt: Attempt, *, now: datetime, by: User | None, reason: str, alter: Hook = lambda request: None
) -> None:
    """Move the attempt's request to undone. What had been restored may hold what people wrote since: it is kept as long."""

    def everything(locked: RestoreRequest) -> None:
        alter(locked)
        restored = live_restore(locked) or last_restore(locked)
        if restored is not None:
            restored.kept_until, restored.went_live_at = now + timedelta(days=settings.KEEP_ORIGINAL_DAYS), None
            restored.save(update_fields=["kept_until", "went_live_at"])

    apply_move(attempt.request, Move.UNDO, by=by, now=now, reason=reason, alter=everything)
