"""Taking back approvals that were given before an incident: nothing replaces what it recovers without a new look."""

from __future__ import annotations

from datetime import datetime

import structlog

from backups.drivers.base import Mode
from portal.errors import Refused
from restores.actions.moves import apply_move
from restores.models import RestoreRequest
from restores.succession import approved_to_replace
from restores.workflow import Move

log = structlog.get_logger(__name__)


def recall_approvals(request: RestoreRequest, *, now: datetime) -> None:
    """Put the other requests that were approved to replace the same live data back to IT, as a request of an incident starts.

    In the transaction that claims it: from its confirmation until then none of them can start or be approved. Nothing to
    do for a request of no incident, or one that replaces nothing.
    """
    if not request.incident_id or request.restore_mode is not Mode.IN_PLACE:
        return
    reason = (
        f"{request.number} of {request.incident} brings {request.resource} back. IT decides anew, once that is done."
    )
    for other in approved_to_replace([request.resource_id]):
        try:
            apply_move(other, Move.RECALL, by=None, now=now, reason=reason, alter=_undecided)
        except Refused as error:  # somebody cancelled it in this moment
            log.info("restore.not_recalled", request=other.number, why=str(error))


def _undecided(locked: RestoreRequest) -> None:
    locked.decided_at = locked.decided_by = None
    locked.decision_reason = ""
    locked.start_at = locked.resend_at = None
