"""A request's facts in words, as its pages, its lists and its messages show them. Times carry their zone."""

from __future__ import annotations

from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from backups.drivers.base import Mode
from backups.kinds import driver_of
from backups.models import Backup, Resource
from portal.models import User
from portal.words import exact_time, size_in_words, span_in_words
from restores.charging import classification_sentence
from restores.models import AttemptKind, AttemptStatus, ChargeStatus, Incident, RestoreRequest
from restores.part import Picked
from restores.permissions import goes_on_in_its_incident, has_swapped, original_is_kept, why_unusable
from restores.plan import Part, PickedWords, Tense, loss_window, mode_parts, mode_sentence
from restores.pricing import in_money
from restores.succession import (
    earlier_approved,
    recovering_it,
    replaced_sentence,
    replaced_since,
    running_there,
    unsettled_there,
)
from restores.waiting import is_waiting_for
from restores.workflow import Status, Turn

KEPT_WORDS = {
    Mode.IN_PLACE: "The replaced original",
    Mode.BESIDE: "What was restored beside",
    Mode.EXPORT: "The download",
}
"""What a restore in that mode leaves for a while."""

YOUR_TURN = "Your turn."
NOTHING_CHARGED = "Nothing was restored, so nothing is charged."


def moment_of(backup: Backup, now: datetime) -> str:
    """The moment that a backup holds, or when it was queued while it holds none yet."""
    return exact_time(backup.taken_at or backup.queued_at, now)


def picked_words(resource: Resource, picked: Picked | None) -> PickedWords | None:
    """What was picked and its size, in words; None for everything."""
    parts = driver_of(resource.kind).parts
    return (picked.in_words(parts.nouns), size_in_words(picked.size)) if picked and parts else None


def sentence_of(
    name: str, backup: Backup, mode: Mode, now: datetime, tense: Tense = Tense.TO_DO, picked: PickedWords | None = None
) -> SafeString:
    """What restoring that backup in that mode does, or did, as HTML: the sentence that stays in view."""
    loss = span_in_words(loss_window(backup.taken_at or now, now))
    parts = mode_parts(mode, name, moment_of(backup, now), loss, tense, picked)
    return format_html_join("", "{}", ((_html(part),) for part in parts))


def _html(part: Part) -> SafeString:
    return format_html("<strong>{}</strong>" if part.strong else "{}", part.text)


def measured_at(request: RestoreRequest, now: datetime) -> datetime:
    """The moment up to which a request's data-loss window is measured: now, or when its restore replaced the data.

    An undo forgets when that went live, which it is no more; the restore was over soon after.
    """
    restores = [attempt for attempt in request.attempts.all() if attempt.kind == AttemptKind.RESTORE]
    went_live = [attempt.went_live_at for attempt in restores if attempt.went_live_at]
    if not went_live and request.state is Status.UNDONE:
        went_live = [attempt.finished_at for attempt in restores if attempt.finished_at]
    return (went_live[-1] if went_live else None) or request.closed_at or now


def request_sentence(request: RestoreRequest, now: datetime) -> SafeString:
    """What the request asks for, or what came of it, as HTML."""
    until = measured_at(request, now)
    picked = picked_words(request.resource, request.picked)
    return sentence_of(request.resource.name, request.backup, request.restore_mode, until, tense_of(request), picked)


def plain_sentence(request: RestoreRequest, now: datetime) -> str:
    """The same as plain text."""
    until = measured_at(request, now)
    when, loss = moment_of(request.backup, until), loss_of(request, until)
    picked = picked_words(request.resource, request.picked)
    return mode_sentence(request.restore_mode, request.resource.name, when, loss, tense_of(request), picked)


def tense_of(request: RestoreRequest) -> Tense:
    """Whether what it asks for has been done."""
    return {Status.COMPLETED: Tense.DONE, Status.UNDONE: Tense.UNDONE}.get(request.state, Tense.TO_DO)


def loss_of(request: RestoreRequest, now: datetime) -> str:
    """The data-loss window in words: "2 d 6 h"."""
    until = measured_at(request, now)
    return span_in_words(loss_window(request.backup.taken_at or until, until))


def charge_sentence(request: RestoreRequest) -> str:
    """What it means for the charge: by its cause, and once an account manager has decided, by that."""
    charge = getattr(request, "charge", None)
    if charge is None and request.facts.final and request.state is not Status.UNDONE:
        return "It was not completed, so it is not charged." if has_swapped(request) else NOTHING_CHARGED
    if charge is None or charge.status == ChargeStatus.TO_REVIEW:
        return classification_sentence(request.why, request.price)
    if charge.status == ChargeStatus.VOID:
        return classification_sentence(request.why)
    if charge.status == ChargeStatus.WAIVED:
        return "This restore is not charged: the charge was waived."
    return f"This restore is charged: {in_money(charge.charged)}." if charge.charged else "This restore is charged."


def verb_of(request: RestoreRequest, now: datetime) -> str:
    """What carrying the request out does, named by its verb, for buttons."""
    name, when = request.resource.name, moment_of(request.backup, now)
    picked = picked_words(request.resource, request.picked)
    if picked is not None:
        return f"restore {picked[0]} of {name} as of {when} beside the live one"
    return {
        Mode.IN_PLACE: f"replace {name} with {when}",
        Mode.BESIDE: f"restore {name} as of {when} beside the live one",
        Mode.EXPORT: f"make {name} as of {when} downloadable",
    }[request.restore_mode]


def is_being_stopped(request: RestoreRequest) -> bool:
    """Whether somebody asked its running restore to stop, and it still can: once what it restored is live, it goes on."""
    return any(
        attempt.status == AttemptStatus.RUNNING and attempt.stop_asked_at is not None and attempt.went_live_at is None
        for attempt in request.attempts.all()
    )


HELD_UP = (Status.SUBMITTED, Status.APPROVED, Status.FAILED)
"""In these a request waits for an incident that brings the same resource back first."""


def emergency_of(request: RestoreRequest) -> Incident | None:
    """That incident, where it was looked for (as ``recovering``)."""
    found: Incident | None = getattr(request, "recovering", None)
    waits = request.state in HELD_UP and request.restore_mode is Mode.IN_PLACE and request.incident_id is None
    return found if waits else None


def next_in_full(request: RestoreRequest, now: datetime, reader: User | None = None) -> str:
    """As :func:`next_of`, with what replaces the same live data: since, or before it. For one request; it asks the database."""
    if (later := replaced_since(request)) is not None:
        return replaced_sentence(later)
    if request.state in HELD_UP and (incident := recovering_it(request)) is not None:
        return _after_the_emergency(request, incident)
    if request.state is Status.APPROVED and (request.start_at is None or request.start_at <= now):
        name = request.resource.name
        if (earlier := earlier_approved(request, now)) is not None:
            return f"{earlier.number} was approved before it to replace {name} too. This one starts once that is done."
        if (running := running_there(request)) is not None:
            return f"{running.number} is at work on {name} now. This one starts once that is done."
        if (unsettled := unsettled_there(request)) is not None:
            return f"The portal puts things right after {unsettled.number} first. This one starts once that is done."
    return next_of(request, now, reader)


def _after_the_emergency(request: RestoreRequest, incident: Incident) -> str:
    return (
        f"{incident.number} brings {request.resource.name} back first. IT decides about this request once that is done."
    )


def next_of(request: RestoreRequest, now: datetime, reader: User | None = None) -> str:
    """What happens next, in a sentence: to the ``reader``, or to anybody."""
    if (incident := emergency_of(request)) is not None:
        return _after_the_emergency(request, incident)
    if is_being_stopped(request):
        replaces = request.restore_mode is Mode.IN_PLACE
        unless = " Should the restored data have taken its place already, it is finished instead." if replaces else ""
        return f"The restore is being stopped; it writes no further, and the live data stays as it is.{unless}"
    if request.state is Status.APPROVED and request.start_at and request.start_at > now:
        return f"The restore starts by itself on {exact_time(request.start_at, now)}."
    if request.state is Status.FAILED and (unusable := why_unusable(request.backup)):
        if goes_on_in_its_incident(request):
            return f"{unusable} IT restores the next good one, where there is one, on the page of {request.incident}."
        if has_swapped(request):
            then = "IT brings the original back by Undo." if original_is_kept(request) else "IT closes this request."
            return f"{unusable} What was restored before is live. {then}"
        return f"{unusable} IT closes this request. Ask anew, for another backup."
    if request.state is Status.CANCELLED and has_swapped(request):
        return "What was restored stayed live."
    asked = reader is not None and is_waiting_for(reader, request)
    following = request.facts.asks if asked else request.facts.next
    if request.expires_at and request.expires_at > now:
        return f"{following} If nobody does until {exact_time(request.expires_at, now)}, the request expires."
    return following


def turn_of(request: RestoreRequest, reader: User) -> str:
    """Whose turn it is, said to the reader; empty when it is nobody's."""
    if emergency_of(request) is not None:
        return "The portal’s turn."
    turn = request.facts.turn
    if is_waiting_for(reader, request) or (turn is Turn.FILER and request.filed_by_id == reader.pk):
        return YOUR_TURN
    if turn is Turn.FILER:
        return f"{request.filed_by}’s turn."
    if turn is Turn.CLIENT:
        return f"{request.client}’s turn."
    return {Turn.IT: "IT’s turn.", Turn.PORTAL: "The portal’s turn.", Turn.NOBODY: ""}[turn]


def turn_in_a_word(request: RestoreRequest, reader: User) -> str:
    """The same for a row of a list. "You" alone is only where the request waits for the reader to decide."""
    if emergency_of(request) is not None:
        return capfirst(Turn.PORTAL.value)
    if is_waiting_for(reader, request):
        return "You"
    if request.facts.turn is Turn.FILER:
        return f"{'You' if request.filed_by_id == reader.pk else request.filed_by}, to check"
    return capfirst(request.facts.turn.value)
