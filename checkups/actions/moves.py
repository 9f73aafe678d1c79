"""The one function that changes a checkup's status, and the record of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from checkups.models import Checkup, CheckupEvent, CheckupFinding
from checkups.workflow import STATUSES, TABLE, Move, move_refusal, transition
from portal.errors import Refused
from portal.history import acting
from portal.models import User
from portal.reasons import telling_reason

Hook = Callable[[Checkup], None]

REASON_MISSING = "Say why: the reason is kept with the checkup."


def _nothing(checkup: Checkup) -> None:
    """The hook that does nothing."""


def locked_checkup(pk: int) -> Checkup:
    """The checkup, locked until the transaction ends."""
    return Checkup.objects.select_for_update().get(pk=pk)


def apply_move(
    checkup: Checkup,
    move: Move,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    text: str = "",
    finding: CheckupFinding | None = None,
    check: Hook = _nothing,
    alter: Hook = _nothing,
) -> Checkup:
    """Move the checkup, in one transaction: lock, check against the locked row, append the event, save.

    ``finding`` is the one that the move is about, if any.
    ``check(locked)`` raises when this person may not, ``alter(locked)`` writes what belongs to the move. The row is saved
    last: once it says that it is signed, the database takes no more.
    """
    with acting(by, reason or move.value), transaction.atomic():
        locked = locked_checkup(checkup.pk)
        check(locked)
        step = transition(locked.state, move)
        if step is None:
            raise Refused(move_refusal(locked.state, move))
        if step.needs_reason:
            reason = telling_reason(reason, REASON_MISSING)
        locked.status, locked.status_changed_at = step.to.value, now
        if STATUSES[step.to].final and move is not Move.SEAL:
            locked.closed_reason = reason
        note(locked, move, by=by, now=now, text=text or step.event.format(by=by), reason=reason, finding=finding)
        alter(locked)
        locked.save()
    return locked


def note(
    checkup: Checkup,
    move: Move | str | None,
    *,
    by: User | None,
    now: datetime,
    text: str,
    reason: str = "",
    finding: CheckupFinding | None = None,
) -> None:
    """Append to the checkup's record, or to one finding's."""
    CheckupEvent.objects.create(
        checkup=checkup, finding=finding, at=now, by=by, name=str(by or ""), move=str(move or "note"),
        text=text, reason=reason.strip(),
    )  # fmt: skip


def first_event(by: User) -> str:
    """How the record of a new checkup begins."""
    return TABLE[None, Move.SET].event.format(by=by)
