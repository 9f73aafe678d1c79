"""The company's dates for checkups: set, changed with a reason, taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from checkups.actions.moves import apply_move, first_event, note
from checkups.actions.reminding import look_at_the_year
from checkups.models import Checkup
from checkups.permissions import check_can_manage
from checkups.workflow import Move, Status
from portal.days import day_in_words
from portal.errors import InvalidInput
from portal.history import acting
from portal.models import User
from portal.reasons import telling_reason
from portal.words import company_zone

LATEST_YEARS = 3
SAMPLE_REASON_MISSING = "Say why not all backups are restored: it is declared in the record."


def set_date(*, by: User, on: date, share: int = 100, sample_reason: str = "", now: datetime | None = None) -> Checkup:
    """Set one of the company's dates. Raises InvalidInput naming ``on``, ``share`` or ``sample_reason``."""
    check_can_manage(by)
    now = now or timezone.now()
    _check_day(on, now)
    share, sample_reason = _checked_sample(share, sample_reason)
    return _once_per_date(lambda: _create(by, on, share, sample_reason, now), on)


def _create(by: User, on: date, share: int, sample_reason: str, now: datetime) -> Checkup:
    with acting(by, "date set"):
        checkup = Checkup.objects.create(
            on=on, nth=_nth(on), status=Status.PLANNED.value, status_changed_at=now, set_at=now, set_by=by,
            share=share, sample_reason=sample_reason, seed=_seed(on),
        )  # fmt: skip
    note(checkup, Move.SET, by=by, now=now, text=first_event(by), reason=checkup.rule if share < 100 else "")
    look_at_the_year(now)
    return checkup


def change_date(
    *,
    by: User,
    checkup: Checkup,
    on: date,
    reason: str,
    share: int | None = None,
    sample_reason: str = "",
    now: datetime | None = None,
) -> Checkup:
    """Move a planned checkup to another date, or change its sample; without a ``share`` that stays as it was set.

    Raises as :func:`set_date`; ``reason`` is required.
    """
    check_can_manage(by)
    now = now or timezone.now()
    _check_day(on, now)
    if share is None:
        share, sample_reason = checkup.share, sample_reason or checkup.sample_reason
    share, sample_reason = _checked_sample(share, sample_reason)

    def alter(locked: Checkup) -> None:
        if locked.on != on:
            locked.on, locked.nth = on, _nth(on)
        locked.share, locked.sample_reason, locked.reminded = share, sample_reason, None

    def change() -> Checkup:
        text = f"{by} changed {checkup.number}: {day_in_words(on)}, {share} % restored"
        changed = apply_move(checkup, Move.CHANGE, by=by, now=now, reason=reason, text=text, alter=alter)
        look_at_the_year(now)
        return changed

    return _once_per_date(change, on)


def withdraw(*, by: User, checkup: Checkup, reason: str, now: datetime | None = None) -> Checkup:
    """Take back a date that has not begun. The year lacks one then, which is a finding at once."""
    check_can_manage(by)
    now = now or timezone.now()
    with transaction.atomic():
        withdrawn = apply_move(checkup, Move.WITHDRAW, by=by, now=now, reason=reason)
        look_at_the_year(now)
    return withdrawn


def _seed(on: date) -> str:
    """The same again for a date that was taken back: nobody draws until the sample pleases."""
    drawn = Checkup.objects.filter(on=on).order_by("nth").values_list("seed", flat=True).first()
    return drawn or secrets.token_hex(8)


def _nth(on: date) -> int:
    """Those of that date that were given up keep their numbers."""
    return (Checkup.objects.filter(on=on).aggregate(last=Max("nth"))["last"] or 0) + 1


def _once_per_date(act: Callable[[], Checkup], on: date) -> Checkup:
    try:
        with transaction.atomic():
            return act()
    except IntegrityError:
        raise InvalidInput(f"{day_in_words(on)} is the date of another checkup already.", field="on") from None


def _check_day(on: date, now: datetime) -> None:
    today = now.astimezone(company_zone()).date()
    if on < today:
        raise InvalidInput("This day is over. Choose today or a later one.", field="on")
    if on.year > today.year + LATEST_YEARS:
        raise InvalidInput(f"Choose a day until the end of {today.year + LATEST_YEARS}.", field="on")


def _checked_sample(share: int, reason: str) -> tuple[int, str]:
    if not 1 <= share <= 100:
        raise InvalidInput("Choose a share from 1 to 100 per cent.", field="share")
    if share == 100:
        return share, ""
    try:
        return share, telling_reason(reason, SAMPLE_REASON_MISSING)
    except InvalidInput as error:
        raise InvalidInput(error.sentence, field="sample_reason") from error
