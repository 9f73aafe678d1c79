"""What each person may do with a request, as the page offers it: enabled, or disabled with the rule's own sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.forms import BoundField
from django.http import QueryDict
from django.urls import reverse

from backups.drivers.base import Mode
from portal.forms import ReasonForm, SentenceForm
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from restores.actions.deciding import check_approvable, check_retriable, needs_typed_name
from restores.forms import ApproveForm, ConsentForm, CorrectForm
from restores.models import RestoreRequest
from restores.permissions import (
    check_can_accept,
    check_can_cancel,
    check_can_correct,
    check_can_decline,
    check_can_reject,
    check_can_stop,
    check_can_undo,
)
from restores.pricing import in_money
from restores.wording import verb_of
from restores.workflow import Move, Status, moves_from

Check = Callable[[User, RestoreRequest], None]
Bound = Mapping[Move, SentenceForm]


@dataclass(frozen=True)
class Act:
    """One thing to do. ``refusal`` says why not, and is empty when it can be done."""

    move: Move
    label: str  # of the button that opens the dialog
    title: str  # of the dialog
    verb: str  # of the button that does it
    icon: str
    style: str
    refusal: str
    form: SentenceForm
    url: str
    open: bool

    @property
    def id(self) -> str:
        """The dialog's id."""
        return f"act-{self.move.value}"

    @property
    def is_approval(self) -> bool:
        """Whether doing it starts a restore."""
        return self.move in (Move.APPROVE, Move.RETRY)

    @property
    def is_consent(self) -> bool:
        """Whether doing it accepts a price."""
        return self.move is Move.ACCEPT

    @property
    def fields(self) -> list[BoundField]:
        """What it asks for, but for the name to be typed."""
        return [field for field in self.form.visible_fields() if field.name != "typed_name"]

    @property
    def is_undo(self) -> bool:
        """Whether doing it brings the original back."""
        return self.move is Move.UNDO

    @property
    def is_main(self) -> bool:
        """Whether it is what the page is there for now; the others are quieter."""
        return self.is_approval or self.move is Move.ACCEPT

    @property
    def opener_style(self) -> str:
        """The look of the button that opens the dialog."""
        return "primary" if self.is_main and not self.refusal else ""


@dataclass(frozen=True)
class Offer:
    """How a move is offered: by which rule, to whom, in which words."""

    check: Check
    shown_to: frozenset[Permission]
    address: str
    label: str
    icon: str


OFFERS: dict[Move, Offer] = {
    Move.ACCEPT: Offer(
        check_can_accept, frozenset({Permission.ACCEPT_ESTIMATES}), "request_accept", "Accept the estimate…", "check"
    ),
    Move.DECLINE: Offer(
        check_can_decline, frozenset({Permission.ACCEPT_ESTIMATES}), "request_decline", "Decline…", "x"
    ),
    Move.APPROVE: Offer(
        check_approvable, frozenset({Permission.DECIDE_REQUESTS}), "request_approve", "Approve…", "check"
    ),
    Move.RETRY: Offer(
        check_retriable, frozenset({Permission.DECIDE_REQUESTS}), "request_retry", "Try again…", "rotate-cw"
    ),
    Move.STOP: Offer(
        check_can_stop,
        frozenset({Permission.CANCEL_REQUESTS, Permission.DECIDE_REQUESTS}),
        "request_stop",
        "Stop…",
        "circle-stop",
    ),
    Move.UNDO: Offer(
        check_can_undo,
        frozenset({Permission.UNDO_RESTORES, Permission.FILE_REQUESTS}),
        "request_undo",
        "Undo…",
        "undo-2",
    ),
    Move.CORRECT: Offer(
        check_can_correct, frozenset({Permission.CORRECT_CAUSES}), "request_correct", "Correct the cause…", "pencil"
    ),
    Move.REJECT: Offer(check_can_reject, frozenset({Permission.DECIDE_REQUESTS}), "request_reject", "Reject…", "ban"),
    Move.CANCEL: Offer(
        check_can_cancel,
        frozenset({Permission.CANCEL_REQUESTS, Permission.DECIDE_REQUESTS}),
        "request_cancel",
        "Cancel…",
        "x",
    ),
}


def acts_for(user: User, request: RestoreRequest, now: datetime, bound: Bound | None = None) -> list[Act]:
    """What the page offers this person now, the main one first. ``bound``: forms that came back with an error."""
    bound = bound or {}
    moves = [
        move for move in OFFERS if (move in moves_from(request.state) and _makes_sense(request, move)) or move in bound
    ]
    return [
        _act(user, request, move, now, bound.get(move))
        for move in moves
        if move in bound or any(has_permission(user, held, request.client) for held in OFFERS[move].shown_to)
    ]


def _makes_sense(request: RestoreRequest, move: Move) -> bool:
    """Undo belongs to what replaced live data; the rest goes by the workflow alone."""
    return move is not Move.UNDO or any(attempt.went_live_at for attempt in request.attempts.all())


def _act(user: User, request: RestoreRequest, move: Move, now: datetime, form: SentenceForm | None) -> Act:
    offer = OFFERS[move]
    title, verb = _words(request, move, now)
    replaces = move is Move.UNDO or (move in (Move.APPROVE, Move.RETRY) and request.restore_mode is Mode.IN_PLACE)
    return Act(
        move=move,
        label="Close…" if move is Move.CANCEL and request.state is Status.FAILED else offer.label,
        title=title,
        verb=verb,
        icon=offer.icon,
        style="danger" if replaces else "primary",
        refusal=refusal(offer.check, user, request),
        form=form or form_for(request, move),
        url=reverse(offer.address, args=[request.pk]),
        open=form is not None,
    )


def form_for(request: RestoreRequest, move: Move, data: QueryDict | None = None) -> SentenceForm:
    """The form of a move, with what was typed when there is any; of an approval with the digest of the plan shown."""
    prefix = f"id-{move.value}-%s"
    if move is Move.ACCEPT:
        return ConsentForm(data, auto_id=prefix, initial={"plan_digest": request.plan_digest})
    if move is Move.CORRECT:
        return CorrectForm(data, auto_id=prefix, initial={"cause": request.cause})
    if move not in (Move.APPROVE, Move.RETRY):
        return ReasonForm(data, auto_id=prefix)
    form = ApproveForm(data, auto_id=prefix, initial={"plan_digest": request.plan_digest})
    if needs_typed_name(request):
        form.fields["typed_name"].label = f"Type {request.resource.name}: its live data will be replaced"
    else:
        del form.fields["typed_name"]
    return form


def _words(request: RestoreRequest, move: Move, now: datetime) -> tuple[str, str]:
    name, number, verb = request.resource.name, request.number, verb_of(request, now)
    price = in_money(request.price) if request.price else "the price"
    return {
        Move.ACCEPT: (f"Accept the estimate for {number}", f"Accept {price} for {number}"),
        Move.DECLINE: (f"Decline the estimate for {number}", f"Decline {price}, and close {number}"),
        Move.CORRECT: (f"Correct the cause of {number}", f"Correct the cause of {number}"),
        Move.APPROVE: (f"Approve {number}", verb[0].upper() + verb[1:]),
        Move.RETRY: (f"Approve another attempt of {number}", verb[0].upper() + verb[1:]),
        Move.REJECT: (f"Reject {number}", f"Reject {number}"),
        Move.CANCEL: (f"Cancel {number}", f"Cancel {number}"),
        Move.STOP: (f"Stop {number}", f"Stop the restore of {name}; the live data stays as it is"),
        Move.UNDO: (f"Undo {number}", f"Bring back {name} as it was before the restore"),
    }[move]
