"""Keeping longer what a restore left behind: the replaced original, what stands beside, an export."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.days import day_in_words
from portal.errors import InvalidInput, Refused
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from portal.words import company_zone
from restores.actions.moves import note
from restores.actions.pinned import settle_pin
from restores.models import Attempt, RestoreRequest
from restores.permissions import check_can_extend, last_restore

REASON_MISSING = "Say why it is kept longer: it is kept with the request."


def extend_kept(*, by: User, request: RestoreRequest, until: date, reason: str) -> Attempt:
    """Keep it through that day of the company's. It is never kept shorter than was said.

    Raises NotPermitted or Refused by the rule, InvalidInput naming ``until`` or ``reason``.
    """
    now = timezone.now()
    with acting(by, reason), transaction.atomic():
        locked = RestoreRequest.objects.select_for_update().get(pk=request.pk)
        check_can_extend(by, locked)
        reason = checked_reason(reason, REASON_MISSING)
        attempt = last_restore(locked)
        assert attempt is not None  # the rule has seen to it
        ends = _end_of(until)
        if attempt.kept_until is None or attempt.tidied_at is not None or attempt.kept_until <= now:
            raise Refused("It is no longer kept.")
        if ends <= attempt.kept_until:
            raise InvalidInput("It is kept as long as that already. Choose a later day.", field="until")
        if ends > now + timedelta(days=settings.KEEP_LONGEST_DAYS + 1):
            raise InvalidInput(
                f"It can be kept for {settings.KEEP_LONGEST_DAYS} days from today at most. Choose an earlier day.",
                field="until",
            )
        attempt.kept_until, attempt.warned_at = ends, None
        attempt.save(update_fields=["kept_until", "warned_at"])
        settle_pin(locked)
        note(
            locked,
            by=by,
            now=now,
            text=f"{by} keeps what the restore left until the end of {day_in_words(until)}",
            reason=reason,
            news="Kept longer",
        )
    return attempt


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), company_zone())
