"""Correcting the cause of a request: IT knows better than the form in which it was filed.

What becomes free needs no consent any more. What becomes dearer asks the client again, and where it is too late to ask it
is refused: what nobody accepted is never charged.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from restores.actions.charges import void_charge
from restores.actions.consenting import is_consented, settle_consent
from restores.actions.estimating import estimate_for
from restores.actions.moves import apply_move
from restores.actions.planning import plan_for
from restores.charging import Cause, Classification, classify
from restores.models import RestoreRequest
from restores.permissions import check_can_correct
from restores.workflow import Move, Status

TOO_LATE = (
    "It may be charged by that cause, and the client has not accepted a price for it. It is too late to ask: leave the"
    " cause as it is."
)


def correct_cause(*, by: User, request: RestoreRequest, cause: Cause, reason: str) -> RestoreRequest:
    """Give the request its true cause, and the plan, price and consent that follow from it.

    Raises NotPermitted or Refused by the rule, InvalidInput naming ``reason`` or ``cause``.
    """
    now = timezone.now()

    def check(locked: RestoreRequest) -> None:
        check_can_correct(by, locked)
        if cause is locked.why:
            raise InvalidInput("That is the cause it has. Choose another one.", field="cause")

    corrected_from = request.why

    def said() -> str:
        return f"{by} corrected the cause from “{corrected_from.label}” to “{cause.label}”"

    def alter(locked: RestoreRequest) -> None:
        frozen = locked.classification == Classification.BILLABLE
        estimate = locked.estimate if frozen else estimate_for(locked.backup, cause, now, locked.picked)
        nonlocal corrected_from
        corrected_from = locked.why
        locked.cause, locked.classification = cause.value, classify(cause).value
        if frozen and classify(cause) is Classification.FREE:
            # The client hears that it is free: what makes it dear again asks again.
            locked.freed_at, locked.consents_ended_to = now, locked.consents.aggregate(last=Max("pk"))["last"] or 0
        if locked.state is Status.COMPLETED:
            if classify(cause) is Classification.FREE:
                void_charge(locked, by=by, now=now, reason=reason)
            elif not hasattr(locked, "charge"):
                raise Refused(TOO_LATE)
            return  # what was done was done by the plan that was approved
        locked.plan = plan_for(locked.backup, locked.restore_mode, cause, estimate, locked.picked)
        if locked.state is Status.FAILED and not is_consented(locked):
            raise Refused(TOO_LATE)

    with acting(by, reason), transaction.atomic():
        corrected = apply_move(
            request, Move.CORRECT, by=by, now=now, reason=reason, text=said, check=check, alter=alter
        )
        return settle_consent(corrected, now=now, by=by)
