"""How far retention believes the clock.

A clock that leaps months ahead would let go within the hour all that is kept for a time: the backups of removed
resources, what is held until a day. So a leap is not believed at once: what is kept until a moment stays until retention
has come there by itself, some hours at a time. After an outage of ten days that takes two; a clock that is wrong by half a
year has IT told for five weeks before it costs anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from backups.actions.companyfindings import note_finding, settle_finding
from backups.findings import Code
from backups.models import RetentionClock
from portal.words import span_in_words

LEAP = timedelta(hours=26)
"""The portal may be off for a day without anybody being asked."""

STEP = timedelta(hours=6)
"""How far an hourly run comes after a leap."""

NOT_BELIEVED = "the clock is far ahead of where retention last was"
"""Why a copy in another region stays until it is believed."""

SUBJECT = "retention"


def believed(now: datetime, reached: datetime | None) -> datetime:
    """The moment by which may be deleted when the last run came as far as ``reached``: now, unless that is a leap."""
    return now if reached is None or now - reached <= LEAP else reached


def policy_moment(now: datetime) -> datetime:
    """The moment by which anything is deleted when the clock says ``now``: never later than that."""
    return believed(now, RetentionClock.objects.values_list("reached_at", flat=True).first())


def follow_clock(now: datetime) -> None:
    """What an hourly run does first: come as far as the clock says, or by a step after a leap, which IT is told of."""
    with transaction.atomic():
        RetentionClock.objects.get_or_create(defaults={"reached_at": now})
        clock = RetentionClock.objects.select_for_update().get()
        before = clock.reached_at
        leapt = believed(now, before) < now
        clock.reached_at = before + STEP if leapt else now
        clock.save()
    if not leapt:
        settle_finding(Code.CLOCK_LEAPT, SUBJECT, now)
        return
    note_finding(
        Code.CLOCK_LEAPT,
        SUBJECT,
        f"The clock is {span_in_words(now - before)} ahead of where retention last was.",
        "If the portal was off for so long, nothing is to be done: retention follows six hours in every hour. If not, set"
        " the clock of the workers' machine. What is kept for a time stays until then.",
        now,
    )
