"""Stopping a restore that runs: it writes no further, tidies up after itself, and the live data is as before.

The wish is a row; the worker sees it within a second, at the next byte or the next step. Once the restored data is live
there is nothing to stop any more: then Undo brings the original back.
"""

from __future__ import annotations

from django.utils import timezone

from portal.errors import Refused
from portal.models import User
from portal.reasons import checked_reason
from restores.actions.moves import apply_move
from restores.models import Attempt, AttemptStatus, RestoreRequest
from restores.permissions import check_can_stop, last_restore
from restores.workflow import Move


def request_stop(*, by: User, request: RestoreRequest, reason: str) -> RestoreRequest:
    """Ask the running restore to stop. Raises NotPermitted or Refused by the rule, InvalidInput without a reason."""
    now = timezone.now()

    def alter(locked: RestoreRequest) -> None:
        attempt = last_restore(locked)
        if attempt is None or attempt.status != AttemptStatus.RUNNING:
            raise Refused("No restore of this request runs now.")
        if attempt.stop_asked_at is not None:
            raise Refused("It is being stopped already. That takes a moment.")
        attempt.stop_asked_at, attempt.stop_asked_by = now, by
        attempt.stop_reason = checked_reason(reason, "Say why the restore is stopped: it is kept with the request.")
        attempt.save(update_fields=["stop_asked_at", "stop_asked_by", "stop_reason"])

    return apply_move(
        request, Move.STOP, by=by, now=now, reason=reason, check=lambda locked: check_can_stop(by, locked), alter=alter
    )


def stop_asked(attempt: Attempt) -> bool:
    """Whether somebody wants the attempt stopped, and it can be: what it restored is not live."""
    return Attempt.objects.filter(pk=attempt.pk, stop_asked_at__isnull=False, went_live_at__isnull=True).exists()
