"""What a person may do with a checkup, as its page offers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from checkups.actions.running import MOST_AT_ONCE, untried_of
from checkups.actions.signing import NUMBER, Standing, check_scratch_is_gone, open_failures
from checkups.forms import ChangeForm, SignForm
from checkups.models import Checkup
from checkups.permissions import check_can_manage, check_can_sign
from checkups.views.act import Act, Bound
from checkups.workflow import Move, moves_from
from portal.forms import Reason, ReasonForm, SentenceForm
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from portal.words import counted


@dataclass(frozen=True)
class _Offer:
    label: str
    title: str
    verb: str
    icon: str
    words: str
    style: str = "primary"


OFFERS: dict[Move, _Offer] = {
    Move.CHANGE: _Offer(
        "Change…", "Change {}", "Change it", "pencil", "The checkup moves to another date, or restores another share."
    ),
    Move.WITHDRAW: _Offer(
        "Take it back…", "Take back {}", "Take back this date", "calendar-x",
        "Nothing is checked on that date. A year needs two: without another one that is a finding at once.", "danger",
    ),
    Move.PAUSE: _Offer(
        "Pause…", "Pause {}", "Pause it", "pause",
        "What is being tried now is carried to its end; nothing more is begun until somebody resumes it.",
    ),
    Move.CHECK_AGAIN: _Offer(
        "Check again…", "Check again what could not be tried", "Check it again", "refresh-cw",
        f"Of {MOST_AT_ONCE} resources at most what could not be tried, because a server was away or had no room, is tried once"
        " more. What was found before stays in the record.",
    ),
    Move.CANCEL: _Offer(
        "Cancel…", "Cancel {}", "Cancel {}", "x",
        "What is being tried is stopped, and its scratch removed. What was found so far stays in the record, but this checkup"
        " no longer counts: the year needs another date.", "danger",
    ),
    Move.RESUME: _Offer("Resume…", "Resume {}", "Resume it", "play", "It goes on where it was paused."),
}  # fmt: skip


def checkup_acts(user: User, checkup: Checkup, bound: Bound | None, standing: Standing | None) -> list[Act]:
    """What the page offers this person, the main one last; nothing to those who only look."""
    bound = bound or {}
    acts = []
    if has_permission(user, Permission.MANAGE_CHECKUPS, None):
        why_not = refusal(check_can_manage, user)
        possible = [move for move in OFFERS if _is_possible(checkup, move) or move.value in bound]
        acts = [_act(checkup, move, bound.get(move.value), why_not) for move in possible]
    if standing is not None:
        acts.append(_signing(user, checkup, bound.get(Move.SEAL.value), standing))
    return acts


def _is_possible(checkup: Checkup, move: Move) -> bool:
    if move not in moves_from(checkup.state):
        return False
    return move is not Move.CHECK_AGAIN or untried_of(checkup).exists()


def _act(checkup: Checkup, move: Move, form: SentenceForm | None, why_not: str) -> Act:
    offer = OFFERS[move]
    return Act(
        name=move.value,
        label=offer.label,
        title=offer.title.format(checkup.number),
        verb=offer.verb.format(checkup.number),
        icon=offer.icon,
        words=offer.words,
        url=reverse(f"checkup_{move.value}", args=[checkup.pk]),
        form=form or form_of(checkup, move),
        refusal=why_not if form is None else "",
        style=offer.style,
        main=move is Move.RESUME,
        open=form is not None,
    )


def _signing(user: User, checkup: Checkup, form: SentenceForm | None, standing: Standing) -> Act:
    last = len(standing.signatures) == NUMBER - 1
    words = (
        "You put your name to exactly what this page shows, as the second person. With that the record is complete: from"
        " then on nothing of it can be changed."
        if last
        else "You put your name to exactly what this page shows. A second person of IT signs after you."
    )
    return Act(
        name=Move.SEAL.value,
        label="Sign…",
        title=f"Sign {checkup.number}",
        verb=f"Sign and complete {checkup.number}" if last else f"Sign {checkup.number}",
        icon="signature",
        words=words,
        url=reverse("checkup_sign", args=[checkup.pk]),
        form=form or form_of(checkup, Move.SEAL, digest=standing.digest),
        refusal=_why_not_sign(user, checkup, standing) if form is None else "",
        main=True,
        open=form is not None,
    )


def _why_not_sign(user: User, checkup: Checkup, standing: Standing) -> str:
    return refusal(check_can_sign, user, checkup, standing.signatures) or refusal(
        check_scratch_is_gone, checkup, timezone.now()
    )


def form_of(checkup: Checkup, move: Move, data: QueryDict | None = None, *, digest: str = "") -> SentenceForm:
    """The form of an act, with what was typed when there is any; of a signature with the digest of what was shown."""
    prefix = f"id-{move.value}-%s"
    make: dict[Move, Callable[[], SentenceForm]] = {
        Move.CHANGE: lambda: ChangeForm(data, auto_id=prefix, initial=_as_set(checkup)),
        Move.RESUME: lambda: SentenceForm(data, auto_id=prefix),
        Move.CHECK_AGAIN: lambda: SentenceForm(data, auto_id=prefix),
        Move.SEAL: lambda: _sign_form(checkup, SignForm(data, auto_id=prefix, initial={"digest": digest})),
    }
    return make.get(move, lambda: ReasonForm(data, auto_id=prefix))()


def _as_set(checkup: Checkup) -> dict[str, object]:
    return {"on": checkup.on, "share": checkup.share, "sample_reason": checkup.sample_reason}


def _sign_form(checkup: Checkup, form: SignForm) -> SignForm:
    failed = open_failures(checkup)
    if failed:
        them = "it" if failed == 1 else "them"
        help_text = (
            f"{counted(failed, 'resource')} failed and stayed so: say what becomes of {them}. It stands in the record."
        )
        form.fields["statement"] = Reason("Statement", help_text)
    return form
