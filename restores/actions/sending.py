"""Sending what was written down: mail and the company's channels. Safe to run twice, late, never, and by two at once.

A row is claimed by moving its ``send_at`` ahead, so at most one sends it at a time. Should a worker die after a mail has
gone and before that is recorded, it is sent once more when the claim is over: told twice is better than not at all.

What one person is to be told of one request goes in one letter, whatever waits of it when it is sent: what one act led to
was committed at once, so it waits together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any

import structlog
from django.core.mail import get_connection
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from backups.actions.belief import policy_moment
from backups.actions.taking import Clock
from portal.channels import post
from restores.actions.digesting import digest_of
from restores.actions.inbox import is_following
from restores.letters import digest_letter, notice_letter
from restores.models import ChannelPost, DayMail, Notice, Outgoing, Preferences, Why, preferences_of

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
    """Send what is due; how many letters and posts were sent."""
    mail = get_connection()
    try:
        return (
            _send_all(_notices(), partial(_send_notices, mail), clock, together=("person", "request"))
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


def _send_all(
    rows: QuerySet[Any], send: Callable[[Any, datetime], Any], clock: Clock, together: Sequence[str] = ("pk",)
) -> int:
    """``send`` is given the rows that are equal in ``together``, the oldest first, and answers with those that went."""
    sent, begun = 0, clock()
    due = Q(send_at__lte=begun) | Q(send_at__gt=begun + 2 * LONGEST_WAIT)  # put off by a clock that was ahead
    for like in rows.model.objects.filter(due).order_by("send_at", "pk").values(*together)[:A_TURN]:
        now = clock()
        mine = _claim(rows.filter(due, **like).order_by("pk"), now)
        if not mine:
            continue
        try:
            went = send(mine, now)
        except ServerAway:
            _again(mine, now)
            break
        except Exception:
            log.warning("telling.not_sent", kind=type(mine[0]).__name__, pk=mine[0].pk, exc_info=True)
            _again(mine, now)
            continue
        _done(rows, mine, went, clock())
        sent += bool(went)
    return sent


def _claim(rows: QuerySet[Any], now: datetime) -> list[Any]:
    """Those of the rows that nobody else claims. In one transaction and one order: two at once do not share them out."""
    found = list(rows)
    with transaction.atomic():
        return [
            row
            for row in found
            if rows.model.objects.filter(pk=row.pk, send_at=row.send_at).update(
                send_at=now + CLAIMED_FOR, tries=F("tries") + 1
            )
        ]


def _done(rows: QuerySet[Any], mine: Sequence[Outgoing], went: Sequence[Outgoing], now: datetime) -> None:
    """There is nothing more to send of them; ``went`` was told."""
    with transaction.atomic():
        rows.model.objects.filter(pk__in=[row.pk for row in mine]).update(send_at=None)
        rows.model.objects.filter(pk__in=[row.pk for row in went]).update(sent_at=now)


def _again(mine: Sequence[Outgoing], now: datetime) -> None:
    """Try them later, or give them up."""
    for row in mine:
        tries = row.tries + 1
        given_up = tries >= MOST_TRIES
        if given_up:
            log.error("telling.given_up", kind=type(row).__name__, pk=row.pk, tries=tries)
        later = None if given_up else now + wait_after(tries)
        type(row)._default_manager.filter(pk=row.pk).update(send_at=later)


def _notices() -> QuerySet[Notice]:
    return Notice.objects.select_related(
        "person__preferences",
        "request__client",
        "request__resource__application__client",
        "request__backup__resource",
        "request__filed_by",
        "request__charge",
    ).prefetch_related("request__attempts")


def _send_notices(mail: Any, notices: Sequence[Notice], now: datetime) -> Sequence[Notice]:
    """Mail them as one letter, without those that were read meanwhile, that are not wanted by mail, or that are about
    what the person may not see any more.
    """
    person, wishes = notices[0].person, preferences_of(notices[0].person)
    if not person.email or person.is_service_account:
        return []
    unread = set(
        Notice.objects.visible_to(person)
        .unread()
        .filter(pk__in=[one.pk for one in notices])
        .values_list("pk", flat=True)
    )
    told = [one for one in notices if one.pk in unread and _is_wanted(one, wishes)]
    if told:
        _mail(mail, notice_letter(told, now))
    return told


def _is_wanted(notice: Notice, wishes: Preferences) -> bool:
    if notice.why == Why.FOLLOWS:
        return wishes.mail_followed
    if notice.why == Why.OWNER and wishes.mail_followed and is_following(notice.person, notice.request):
        return True
    return wishes.mail_turn


def _send_digest(mail: Any, rows: Sequence[DayMail], now: datetime) -> Sequence[DayMail]:
    """Mail it, unless it is not wanted any more, late by a day, or there is nothing to say."""
    [row] = rows
    person = row.person
    if not (preferences_of(person).digest and person.email and person.is_active) or person.is_service_account:
        return []
    digest = digest_of(person, now)
    if digest.day != row.day or digest.is_empty:
        return []
    _mail(mail, digest_letter(person, digest, now))
    return rows


def _send_post(rows: Sequence[ChannelPost], now: datetime) -> Sequence[ChannelPost]:
    [row] = rows
    return rows if post(row.channel, row.title, row.text) else []


def _mail(connection: Any, letter: Any) -> None:
    """Raises :class:`ServerAway` when the server cannot be reached; what it says of this one letter as it is."""
    try:
        connection.send_messages([letter])
    except (SMTPRecipientsRefused, SMTPResponseException):
        raise
    except OSError as error:
        log.warning("telling.no_mail_server", error=type(error).__name__)
        raise ServerAway from error
