"""Writing down who is told what, in the transaction of what happened. Nothing is sent here, and nothing here can fail
what happened: sending is the business of :mod:`restores.actions.sending`, once this is committed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from backups.drivers.base import Mode
from portal.channels import channel_names
from portal.handover import hand_over
from portal.models import User
from portal.permissions import people_with
from portal.roles import Permission
from restores.audience import Audience, told
from restores.models import ChannelPost, Charge, Follow, Notice, RestoreRequest, Why
from restores.permissions import has_swapped
from restores.waiting import DECIDED_WITH
from restores.wording import next_in_full
from restores.workflow import Move, Status, Turn, transition

log = structlog.get_logger(__name__)

SEND = "restores.send"
FOLLOWERS = frozenset({Audience.FOLLOWERS})
OWNERS = frozenset({Audience.OWNERS})
WITH_OWNERS = FOLLOWERS | OWNERS
"""Who is told of what a restore costs, and of live data that was replaced: neither comes as a surprise."""


def tell(
    request: RestoreRequest,
    *,
    by: User | None,
    now: datetime,
    headline: str,
    text: str,
    audience: Iterable[Audience] = FOLLOWERS,
    internal: bool = False,
    asks: str = "",
    owners: str = "",
) -> None:
    """Tell people about the request, and have whoever did it follow it from now on.

    ``by`` is not told. ``headline`` is a word or two for the subject of mail, ``text`` a sentence of the portal's own: what
    people typed may be a password, and stays on the request's page. ``internal``: only those who read internal notes are
    told. ``asks`` and ``owners``: the sentence for those whose turn it is, and for those whose data it is, where ``text``
    is meant for others. Call it inside the transaction of what happened. It takes the same few queries for however many
    people, and never raises: what happened has happened, told or not.
    """
    try:
        with transaction.atomic():
            _tell(request, by, now, headline, text, frozenset(audience), internal, {Why.TURN: asks, Why.OWNER: owners})
    except Exception:
        log.exception("notice.not_written", request=request.pk, headline=headline)


def tell_move(
    request: RestoreRequest, move: Move, came_from: Status | None, *, by: User | None, now: datetime, text: str
) -> None:
    """Tell of a move that was just saved, by the rule of :mod:`restores.audience`."""
    replaces = request.restore_mode is Mode.IN_PLACE
    changed = replaces and (request.state is Status.UNDONE or has_swapped(request))
    audience = told(came_from, move, changed=changed)
    step = transition(came_from, move)
    assert step is not None  # it was just made
    headline = step.event.format(by=by) if came_from is request.state else request.facts.label
    asks = step.asks
    owners = f"{request.resource} was restored in place" if move is Move.COMPLETE else ""
    tell(request, by=by, now=now, headline=headline, text=text, audience=audience, asks=asks, owners=owners)
    if Audience.IT in audience:
        tell_channels(
            now=now,
            title=f"[{request.number}] {request.facts.label}: {request.resource.name}",
            text=f"{request.client}. {next_in_full(request, now)}",
            path=request.get_absolute_url(),
        )


def tell_of_charge(charge: Charge, *, now: datetime) -> None:
    """Tell the client's account managers of a charge to review. Like :func:`tell`, it never raises."""
    try:
        with transaction.atomic():
            managers = people_with(Permission.DECIDE_CHARGES, charge.client_id).values_list("pk", flat=True)
            told_of = dict.fromkeys(managers, Why.CHARGE)
            _write(charge.request, told_of, now, "Charge to review", "A restore is done that may be charged", False)
    except Exception:
        log.exception("notice.not_written", charge=charge.pk)


def tell_channels(*, now: datetime, title: str, text: str, path: str) -> None:
    """Post to the company's channels what IT must know. ``path``: the page that it is about. Never raises.

    Others read along there: no prices, no causes, nothing technical, nothing that people typed.
    """
    names = channel_names()
    if not names:
        return
    try:
        with transaction.atomic():
            ChannelPost.objects.bulk_create(
                ChannelPost(
                    channel=name,
                    title=title[:200],
                    text=f"{text}\n{settings.PORTAL_URL}{path}",
                    created_at=now,
                    send_at=now,
                )
                for name in names
            )
            hand_over(SEND)
    except Exception:
        log.exception("channel.not_written", title=title)


def _tell(
    request: RestoreRequest,
    by: User | None,
    now: datetime,
    headline: str,
    text: str,
    audience: frozenset[Audience],
    internal: bool,
    instead: Mapping[Why, str],
) -> None:
    if by is not None and not by.is_service_account:
        Follow.objects.bulk_create([Follow(request=request, person=by, following=True)], ignore_conflicts=True)
    readers = people_with(Permission.VIEW_REQUESTS, request.client_id)
    if internal:
        readers &= people_with(Permission.VIEW_INTERNAL_NOTES, request.client_id)
    reasons: dict[int, Why] = {}
    if Audience.FOLLOWERS in audience:
        reasons |= dict.fromkeys(_followers(request, readers).values_list("pk", flat=True), Why.FOLLOWS)
    following = set(reasons)
    if Audience.OWNERS in audience:
        reasons |= dict.fromkeys(_whose_turn(request, OWNERS, readers).values_list("pk", flat=True), Why.OWNER)
    if turn := audience - FOLLOWERS - OWNERS:
        reasons |= dict.fromkeys(_whose_turn(request, turn, readers).values_list("pk", flat=True), Why.TURN)
    if by is not None:
        reasons.pop(by.pk, None)
    in_the_inbox = set()
    if instead.get(Why.OWNER):  # of what came back in an incident
        in_the_inbox = (
            _told_of_the_incident(request, [one for one, why in reasons.items() if why is Why.OWNER]) - following
        )
    _write(request, reasons, now, headline, text, internal, instead, in_the_inbox)


def _followers(request: RestoreRequest, readers: QuerySet[User]) -> QuerySet[User]:
    said = Follow.objects.filter(request=request, person=OuterRef("pk"))
    follows = Q(Exists(said.filter(following=True)))
    return readers.filter(follows | Q(pk=request.filed_by_id) & ~Q(Exists(said)))


def _whose_turn(request: RestoreRequest, turn: frozenset[Audience], readers: QuerySet[User]) -> QuerySet[User]:
    if Audience.FILER in turn:
        return readers.filter(pk=request.filed_by_id)
    permission = DECIDED_WITH[Turn.IT if Audience.IT in turn else Turn.CLIENT]
    return readers & people_with(permission, request.client_id)


def _write(
    request: RestoreRequest,
    reasons: dict[int, Why],
    now: datetime,
    headline: str,
    text: str,
    internal: bool,
    instead: Mapping[Why, str] = MappingProxyType({}),
    in_the_inbox: Collection[int] = (),
) -> None:
    """``in_the_inbox``: who gets no letter of it."""
    if not reasons:
        return
    Notice.objects.bulk_create(
        Notice(
            person_id=person,
            request=request,
            why=why.value,
            internal=internal,
            headline=headline[:80],
            text=instead.get(why) or text,
            created_at=now,
            send_at=None if person in in_the_inbox else now,
        )
        for person, why in reasons.items()
    )
    hand_over(SEND)


def _told_of_the_incident(request: RestoreRequest, owners: Collection[int]) -> set[int]:
    """Which of them have had a letter already about what its incident brought back: the others they find in their inbox."""
    if not request.incident_id:
        return set()
    before = Notice.objects.filter(request__incident=request.incident_id, why=Why.OWNER.value, person__in=owners)
    return set(before.order_by().values_list("person", flat=True).distinct())
