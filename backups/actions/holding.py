"""Holds on backups: placed and released by people of IT, with a reason."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.models import Backup, Hold
from backups.permissions import check_can_hold, check_can_release
from portal.days import short_day
from portal.errors import InvalidInput, Refused
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from portal.words import company_zone

LONGEST = timedelta(days=3653)
REASON_MISSING = "Say why the backup is held: it is kept with it."


def place_hold(*, by: User, backup: Backup, until: date, reason: str, now: datetime | None = None) -> Hold:
    """Keep the backup through ``until``, a day in the company's time zone, whatever the policy says.

    Raises NotPermitted, InvalidInput naming ``until`` or ``reason``, or Refused when nothing is left to hold.
    """
    check_can_hold(by, backup)
    reason = checked_reason(reason, REASON_MISSING)
    now = now or timezone.now()
    _check_day(until, now.astimezone(company_zone()).date())
    with acting(by, reason), transaction.atomic():
        locked_resource(backup.resource_id)
        locked = Backup.objects.select_for_update().get(pk=backup.pk)
        if locked.deleted_at is not None or not locked.copies.standing().exists():
            raise Refused("No copy of this backup is left, so there is nothing to hold.")
        hold = Hold.objects.create(backup=locked, reason=reason, until=until, placed_at=now, placed_by=by)
        hand_over("backups.audit_resource", backup.resource_id)
    return hold


def release_hold(*, by: User, hold: Hold, reason: str, now: datetime | None = None) -> Hold:
    """End a hold early; from now on the policy alone decides about the backup."""
    check_can_release(by, hold)
    reason = checked_reason(reason, "Say why the hold ends: it is kept with it.")
    with acting(by, reason), transaction.atomic():
        locked = (
            Hold.objects.select_for_update(of=("self",)).select_related("backup__resource__application").get(pk=hold.pk)
        )
        check_can_release(by, locked)
        locked.released_at, locked.released_by, locked.release_reason = now or timezone.now(), by, reason
        locked.save(update_fields=["released_at", "released_by", "release_reason"])
        hand_over("backups.audit_resource", locked.backup.resource_id)
    return locked


def _check_day(until: date, today: date) -> None:
    if until < today:
        raise InvalidInput(
            f"{short_day(until, today)} is over already. Name the last day on which the backup must be there: today or later.",
            field="until",
        )
    if until - today > LONGEST:
        raise InvalidInput("A hold lasts ten years at most. Name an earlier day.", field="until")
