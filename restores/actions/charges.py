"""Deciding what is billed: an account manager confirms or waives, always with a reason."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal.errors import Refused
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from restores.actions.moves import note
from restores.actions.telling import tell_of_charge
from restores.charging import Classification
from restores.models import Charge, ChargeStatus, RestoreRequest
from restores.permissions import check_can_decide_charge


def open_charge(request: RestoreRequest, now: datetime) -> None:
    """Put a finished restore that may be charged before the account manager. Call inside the move's transaction."""
    if request.classification != Classification.BILLABLE:
        return
    price = request.price
    accepted = {"estimated": price.amount, "currency": price.currency.code} if price else {}
    charge, opened = Charge.objects.get_or_create(
        request=request, defaults={"client": request.client, "created_at": now, **accepted}
    )
    if opened:
        tell_of_charge(charge, now=now)


def void_charge(request: RestoreRequest, *, by: User, now: datetime, reason: str) -> None:
    """The cause was corrected to one that is free: nothing is charged. Call inside the move's transaction."""
    charge = Charge.objects.select_for_update(of=("self",)).filter(request=request).first()
    if charge is not None:
        charge.status, charge.amount = ChargeStatus.VOID, None
        charge.decided_at, charge.decided_by, charge.reason = now, by, reason.strip()
        charge.save()


def confirm_charge(*, by: User, charge: Charge, reason: str) -> Charge:
    """Confirm that the restore is charged."""
    return _decide(by, charge, ChargeStatus.CONFIRMED, reason)


def waive_charge(*, by: User, charge: Charge, reason: str) -> Charge:
    """Let the client off."""
    return _decide(by, charge, ChargeStatus.WAIVED, reason)


def _decide(by: User, charge: Charge, status: ChargeStatus, reason: str) -> Charge:
    now = timezone.now()
    with acting(by, reason.strip()), transaction.atomic():
        locked = Charge.objects.select_for_update(of=("self",)).select_related("request").get(pk=charge.pk)
        check_can_decide_charge(by, locked)
        reason = checked_reason(reason, "Say why: every decision about money is kept with its reason.")
        if status is ChargeStatus.CONFIRMED and locked.estimated is None:
            raise Refused("No price was accepted for this restore, so it cannot be charged. Waive it.")
        locked.amount = locked.estimated if status is ChargeStatus.CONFIRMED else None
        locked.status = status
        locked.decided_at, locked.decided_by, locked.reason = now, by, reason
        locked.save()
        note(
            locked.request,
            by=by,
            now=now,
            text=f"{by} {'confirmed' if status is ChargeStatus.CONFIRMED else 'waived'} the charge",
            reason=reason,
            news="Charge confirmed" if status is ChargeStatus.CONFIRMED else "Charge waived",
        )
    return locked
