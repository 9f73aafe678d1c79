"""Claiming an approved request: one approval, one attempt, one worker."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from backups.actions.belief import policy_moment
from backups.actions.locking import locked_resource
from portal.errors import Refused
from restores.actions.moves import apply_move
from restores.actions.recalling import recall_approvals
from restores.actions.turns import whose_turn
from restores.models import Attempt, AttemptStatus, Incident, RestoreRequest
from restores.succession import comes_first, unsettled_there
from restores.targets import exclusive_target
from restores.workflow import Move, Status

log = structlog.get_logger(__name__)


def claim_restore(request_id: int, now: datetime) -> Attempt | None:
    """The attempt that this worker may now carry out, committed as running; None when there is nothing to do.

    Nothing to do: the request is not approved (any more), it is not its time yet, another worker has it, another restore
    runs on the same target or has left it unsettled, one that was approved before it or an incident will, or it is not its
    turn in its incident; in these last cases it stays approved and is handed over again.
    """
    request = RestoreRequest.objects.filter(pk=request_id, status=Status.APPROVED.value).first()
    if request is None:
        return None
    made: list[Attempt] = []

    def alter(locked: RestoreRequest) -> None:
        made.append(_new_attempt(locked, now))
        locked.resend_at = None
        recall_approvals(locked, now=now)

    def check(locked: RestoreRequest) -> None:
        moment = policy_moment(now)
        if (unsettled := unsettled_there(locked)) is not None:
            raise Refused(f"It is not known yet what {unsettled.number} left on the same target.")
        if locked.start_at is not None and moment < locked.start_at:
            raise Refused("It is not its time yet.")
        if locked.incident_id and locked.pk not in whose_turn(locked.incident_id):
            raise Refused("Others of its incident come first.")
        if (earlier := comes_first(locked, moment)) is not None:
            raise Refused(f"{earlier.number} replaces the same before it.")

    try:
        with transaction.atomic():
            locked_resource(request.resource_id)  # so that no approval of the same is given unseen
            if request.incident_id:  # one claim at a time, so that never more run at once than IT allowed
                Incident.objects.select_for_update().get(pk=request.incident_id)
            apply_move(request, Move.CLAIM, by=None, now=now, check=check, alter=alter)
    except (Refused, IntegrityError) as error:
        log.info("restore.not_claimed", request=request.number, why=str(error))
        return None
    return made[0]


def _new_attempt(request: RestoreRequest, now: datetime) -> Attempt:
    approval = request.approvals.filter(attempt__isnull=True).order_by("-pk").first()
    if approval is None:
        raise Refused("There is no unused approval.")
    number = request.attempts.count() + 1
    return Attempt.objects.create(
        request=request,
        approval=approval,
        number=number,
        status=AttemptStatus.RUNNING,
        target=exclusive_target(request.plan),
        asked_by=approval.approved_by,
        asked_at=approval.approved_at,
        started_at=now,
        heartbeat_at=now,
    )
