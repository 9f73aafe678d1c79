"""The one function that changes a request's status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from portal.errors import Refused
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from restores.actions.pinned import settle_pin
from restores.actions.telling import FOLLOWERS, tell, tell_move
from restores.actions.turns import hand_over_next, wake_those_behind
from restores.audience import Audience
from restores.models import Event, RestoreRequest
from restores.workflow import STATUSES, Move, Status, refusal_sentence, transition

Hook = Callable[[RestoreRequest], None]

HOLDS_A_PLACE = (Status.APPROVED, Status.RUNNING)
"""In these a request of an incident keeps a later one waiting; leaving them makes room for the next."""

MAKES_ROOM = (Move.COMPLETE, Move.FAIL, Move.STOPPED, Move.UNDO, Move.CANCEL)
"""After these another restore may begin on the same resource."""


def _nothing(request: RestoreRequest) -> None:
    """The hook that does nothing."""


def expiry_of(status: Status, now: datetime) -> datetime | None:
    """When a request that has just come into that status expires, if nobody acts on it."""
    days = {Status.SUBMITTED: settings.REQUEST_DAYS, Status.AWAITING_CONSENT: settings.CONSENT_DAYS}.get(status)
    return now + timedelta(days=days) if days else None


def apply_move(
    request: RestoreRequest,
    move: Move,
    *,
    by: User | None,
    now: datetime,
    reason: str = "",
    text: str | Callable[[], str] = "",
    led_by: User | None = None,
    check: Hook = _nothing,
    alter: Hook = _nothing,
) -> RestoreRequest:
    """Move the request, in one transaction: lock, check against the locked row, save, append the event.

    ``check(locked)`` raises when this person may not; ``alter(locked)`` sets further fields and writes rows that
    belong to the move. ``by`` is None when the portal itself moves it; ``led_by`` is then the person
    whose act led to it, who need not be told. ``text`` replaces the table's event text; a function is asked once
    the row was altered.
    Raises :class:`Refused` when the table has no such move from the locked row's status.
    """
    with acting(by, reason or move.value), transaction.atomic():
        locked = RestoreRequest.objects.select_for_update().get(pk=request.pk)
        check(locked)
        step = transition(locked.state, move)
        if step is None:
            raise Refused(refusal_sentence(locked.state, move))
        if step.needs_reason and by is not None:
            reason = checked_reason(reason, "Say why: the reason is kept with the request.")
        came_from = locked.status
        locked.status = step.to.value
        locked.status_changed_at = now
        locked.closed_at = now if STATUSES[step.to].final else None
        if locked.status != came_from:
            locked.expires_at = expiry_of(step.to, now)
        alter(locked)
        locked.save()
        event = Event.objects.create(
            request=locked,
            at=now,
            by=by,
            move=move.value,
            from_status=came_from,
            to_status=locked.status,
            text=(text if isinstance(text, str) else text()) or step.event.format(by=by),
            reason=reason.strip(),
        )
        settle_pin(locked)
        tell_move(locked, move, Status(came_from), by=by or led_by, now=now, text=event.text)
        if locked.incident_id and Status(came_from) in HOLDS_A_PLACE and locked.state not in HOLDS_A_PLACE:
            transaction.on_commit(partial(hand_over_next, locked.incident_id, now), robust=True)
        if move in MAKES_ROOM:
            behind = partial(wake_those_behind, locked.resource_id, now, but=locked.incident_id)
            transaction.on_commit(behind, robust=True)
    return locked


def note(
    request: RestoreRequest,
    *,
    by: User | None,
    now: datetime,
    text: str,
    reason: str = "",
    news: str = "",
    audience: Iterable[Audience] = FOLLOWERS,
    led_by: User | None = None,
    told: str = "",
) -> None:
    """Append to the timeline what changes no status. With ``news``, a headline, the ``audience`` is told of it.

    ``led_by``: whose act led to what the portal itself did, who need not be told. ``told`` is what the audience reads in
    place of ``text``: no letter carries an amount of money.
    """
    Event.objects.create(
        request=request,
        at=now,
        by=by,
        move="note",
        from_status=request.status,
        to_status=request.status,
        text=text,
        reason=reason.strip(),
    )
    if news:
        tell(request, by=by or led_by, now=now, headline=news, text=told or text, audience=audience)
