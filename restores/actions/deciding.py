"""Deciding on a request: approve, reject, cancel, approve another attempt."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.drivers.base import Mode
from portal.errors import InvalidInput, Refused
from portal.models import User
from portal.permissions import Person
from restores.actions.moves import Hook, apply_move
from restores.actions.planning import digest_now
from restores.actions.scheduling import checked_start, hand_over_at
from restores.actions.turns import hand_over_next
from restores.models import Approval, RestoreRequest
from restores.permissions import check_can_approve, check_can_cancel, check_can_reject, check_can_retry
from restores.workflow import Move

PLAN_CHANGED = (
    "What would be restored is no longer what was asked for: the resource or the backup has changed since."
    " Reject or close this request, and have a new one filed."
)


def approve(
    *,
    by: User,
    request: RestoreRequest,
    plan_digest: str,
    typed_name: str = "",
    reason: str = "",
    start_at: datetime | None = None,
) -> RestoreRequest:
    """Approve exactly the plan whose digest the approver saw, and hand the restore over, now or at ``start_at``.

    Raises NotPermitted or Refused by the rule; Refused when the plan is another one by now; InvalidInput naming
    ``typed_name`` when the name of a production resource to be replaced was not typed.
    """
    return _approve(request, Move.APPROVE, by, plan_digest, typed_name, reason, start_at)


def retry(
    *,
    by: User,
    request: RestoreRequest,
    plan_digest: str,
    typed_name: str = "",
    reason: str = "",
    start_at: datetime | None = None,
) -> RestoreRequest:
    """Approve another attempt after a failure: a new approval, by the same rules as the first."""
    return _approve(request, Move.RETRY, by, plan_digest, typed_name, reason, start_at)


def check_approvable(user: Person, request: RestoreRequest) -> None:
    """Whether the person may approve it, and it is still what was asked for: what is offered, and checked when it is done."""
    check_can_approve(user, request)
    _check_plan(request)


def check_retriable(user: Person, request: RestoreRequest) -> None:
    """The same of another attempt."""
    check_can_retry(user, request)
    _check_plan(request)


def _check_plan(request: RestoreRequest) -> None:
    if digest_now(request) != request.plan_digest:
        raise Refused(PLAN_CHANGED)


def reject(*, by: User, request: RestoreRequest, reason: str) -> RestoreRequest:
    """Reject with a reason, which the people of the request read."""
    now = timezone.now()
    return apply_move(
        request,
        Move.REJECT,
        by=by,
        now=now,
        reason=reason,
        check=lambda locked: check_can_reject(by, locked),
        alter=_decided(by, now, reason),
    )


def cancel(*, by: User, request: RestoreRequest, reason: str) -> RestoreRequest:
    """Cancel before it runs, or close it after it failed."""
    return apply_move(
        request,
        Move.CANCEL,
        by=by,
        now=timezone.now(),
        reason=reason,
        check=lambda locked: check_can_cancel(by, locked),
    )


def _approve(
    request: RestoreRequest,
    move: Move,
    by: User,
    plan_digest: str,
    typed_name: str,
    reason: str,
    start_at: datetime | None,
) -> RestoreRequest:
    now = timezone.now()
    start_at = checked_start(start_at, now)
    may = check_approvable if move is Move.APPROVE else check_retriable

    def check(locked: RestoreRequest) -> None:
        may(by, locked)
        if plan_digest != locked.plan_digest:
            raise Refused("The plan is not the one you looked at. Read it again, then decide.")
        if locked.incident_id and start_at is not None:
            raise InvalidInput("It belongs to an incident: it starts in its turn.", field="start_at")
        if needs_typed_name(locked) and typed_name.strip() != locked.resource.name:
            raise InvalidInput(
                f"Type {locked.resource.name} to approve: its live data will be replaced.", field="typed_name"
            )

    def alter(locked: RestoreRequest) -> None:
        record_approval(locked, by=by, now=now, reason=reason)
        if locked.incident_id:
            transaction.on_commit(partial(hand_over_next, locked.incident_id, now), robust=True)
        else:
            hand_over_at(locked, start_at, now)

    with transaction.atomic():
        # An emergency that claims the same now sees this approval, or is seen by it.
        locked_resource(request.resource_id)
        return apply_move(request, move, by=by, now=now, reason=reason, check=check, alter=alter)


def record_approval(locked: RestoreRequest, *, by: User, now: datetime, reason: str = "") -> None:
    """Write down that ``by`` approved exactly the plan of the locked request, which is being moved. Good for one attempt."""
    _decided(by, now, reason)(locked)
    locked.resend_at = None
    Approval.objects.create(
        request=locked,
        plan=locked.plan,
        plan_digest=locked.plan_digest,
        approved_at=now,
        approved_by=by,
        reason=reason.strip(),
    )


def needs_typed_name(request: RestoreRequest) -> bool:
    """Whether approving it needs the resource's name typed: production data would be replaced."""
    return request.restore_mode is Mode.IN_PLACE and request.resource.is_production


def _decided(by: User, now: datetime, reason: str) -> Hook:
    def alter(locked: RestoreRequest) -> None:
        locked.decided_at, locked.decided_by, locked.decision_reason = now, by, reason.strip()

    return alter
