"""Sending what was written down: mail and the company's channels. Safe to run twice, late, never, and by two at once.

A row is claimed by moving its ``send_at`` ahead, so at most one sends it at a time. Should a worker die after a mail has
gone and before that is recorded, it is sent once more when the claim is over: told twice is better than not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any

import structlog
from django.core.mail import get_connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from backups.actions.belief import policy_moment
from backups.actions.taking import Clock
from portal.channels import post
from restores.actions.digesting import digest_of
from restores.letters import digest_letter, notice_letter
from restores.models import ChannelPost, DayMail, Notice, Outgoing, Why, preferences_of

log = structlog.get_logger(__name__)

A_TURN = 200
CLAIMED_FOR = timedelta(minutes=10)
LONGEST_WAIT = timedelta(hours=2)
MOST_TRIES = 30
"""With the waits between them: about two days."""

KEPT = timedelta(days=180)
"""An inbox is no archive: that is the timeline."""


class ServerAway(Exception):
    """Whoever takes the messages does not answer: the others wait, too."""


def send_due(*, clock: Clock = timezone.now) -> int:
    """Send what is due; how many were sent."""
    mail = get_connection()
    try:
        return (
            _send_all(_notices(), partial(_send_notice, mail), clock)
            + _send_all(DayMail.objects.select_related("person__preferences"), partial(_send_digest, mail), clock)
            + _send_all(ChannelPost.objects.all(), _send_post, clock)
        )
    finally:
        mail.close()


def forget_old(now: datetime) -> None:
    """Remove what was told long ago, some at a time."""
    before = policy_moment(now) - KEPT
    for kind in (Notice, ChannelPost):
        old = kind.objects.filter(created_at__lt=before).order_by("created_at").values("pk")[:1000]
        kind.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    DayMail.objects.filter(day__lt=before.date()).delete()


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries that failed: a minute, then twice as long each time, two hours at most."""
    return min(timedelta(minutes=2 ** min(tries - 1, 10)), LONGEST_WAIT)


def _send_all(rows: QuerySet[Any], send: Callable[[Any, datetime], bool], clock: Clock) -> int:
    sent, begun = 0, clock()
    due = Q(send_at__lte=begun) | Q(send_at__gt=begun + 2 * LONGEST_WAIT)  # put off by a clock that was ahead
    for row in rows.filter(due).order_by("send_at", "pk")[:A_TURN]:
        now = clock()
        if not _claim(row, now):
            continue
        try:
            went = send(row, now)
        except ServerAway:
            _again(row, now)
            break
        except Exception:
            log.warning("telling.not_sent", kind=type(row).__name__, pk=row.pk, tries=row.tries + 1, exc_info=True)
            _again(row, now)
            continue
        type(row).objects.filter(pk=row.pk).update(send_at=None, sent_at=clock() if went else None)
        sent += went
    return sent


def _claim(row: Outgoing, now: datetime) -> bool:
    mine = type(row)._default_manager.filter(pk=row.pk, send_at=row.send_at)
    return bool(mine.update(send_at=now + CLAIMED_FOR, tries=F("tries") + 1))


def _again(row: Outgoing, now: datetime) -> None:
    """Try it later, or give it up."""
    tries = row.tries + 1
    given_up = tries >= MOST_TRIES
    if given_up:
        log.error("telling.given_up", kind=type(row).__name__, pk=row.pk, tries=tries)
    type(row)._default_manager.filter(pk=row.pk).update(send_at=None if given_up else now + wait_after(tries))


def _notices() -> QuerySet[Notice]:
    return Notice.objects.select_related(
        "person__preferences",
        "request__client",
        "request__resource__application__client",
        "request__backup__resource",
        "request__filed_by",
        "request__charge",
    ).prefetch_related("request__attempts")


def _send_notice(mail: Any, notice: Notice, now: datetime) -> bool:
    """Mail it, unless it was read meanwhile, is not wanted by mail, or is about what the person may not see any more."""
    person, wishes = notice.person, preferences_of(notice.person)
    wanted = wishes.mail_followed if notice.why == Why.FOLLOWS else wishes.mail_turn
    if not (wanted and person.email) or person.is_service_account:
        return False
    if not Notice.objects.visible_to(person).unread().filter(pk=notice.pk).exists():
        return False
    _mail(mail, notice_letter(notice, now))
    return True


def _send_digest(mail: Any, row: DayMail, now: datetime) -> bool:
    """Mail it, unless it is not wanted any more, late by a day, or there is nothing to say."""
    person = row.person
    if not (preferences_of(person).digest and person.email and person.is_active) or person.is_service_account:
        return False
    digest = digest_of(person, now)
    if digest.day != row.day or digest.is_empty:
        return False
    _mail(mail, digest_letter(person, digest, now))
    return True


def _send_post(row: ChannelPost, now: datetime) -> bool:
    return post(row.channel, row.title, row.text)


def _mail(connection: Any, letter: Any) -> None:
    """Raises :class:`ServerAway` when the server cannot be reached; what it says of this one letter as it is."""
    try:
        connection.send_messages([letter])
    except (SMTPRecipientsRefused, SMTPResponseException):
        raise
    except OSError as error:
        log.warning("telling.no_mail_server", error=type(error).__name__)
        raise ServerAway from error
