"""What a person may do with an incident, as its board offers it; and doing it. POST only, refusals come back to the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.forms import BoundField
from django.http import QueryDict
from django.urls import reverse

from portal.forms import ReasonForm, SentenceForm
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from portal.words import counted
from restores.actions.incidents import needs_typed_number
from restores.incident_board import Row
from restores.incident_forms import ConfirmForm, TakeOutForm
from restores.incident_permissions import (
    check_can_close,
    check_can_confirm,
    check_can_dismiss,
    check_can_take_on,
    check_can_take_out,
    is_at_rest,
)
from restores.incident_workflow import IncidentMove, incident_moves_from
from restores.models import Incident
from restores.workflow import Status

TAKE_OUT = "take_out"
IncidentBound = Mapping[str, SentenceForm]
LEFT = (Status.COMPLETED, Status.UNDONE, Status.RUNNING)


@dataclass(frozen=True)
class IncidentAct:
    """One thing to do. ``refusal`` says why not, and is empty when it can be done."""

    name: str
    label: str
    title: str
    verb: str
    icon: str
    style: str
    refusal: str
    form: SentenceForm | None
    url: str
    open: bool
    closes_what_is_done: bool

    @property
    def id(self) -> str:
        """The dialog's id."""
        return f"act-{self.name}"

    @property
    def starts(self) -> bool:
        """Whether doing it starts the restores."""
        return self.name == IncidentMove.CONFIRM

    @property
    def is_main(self) -> bool:
        """Whether it is what the board is there for now."""
        return self.starts or self.closes_what_is_done

    @property
    def fields(self) -> list[BoundField]:
        """What it asks for."""
        return self.form.visible_fields() if self.form else []

    @property
    def opener_style(self) -> str:
        """The look of the button that opens the dialog."""
        return "primary" if self.is_main and not self.refusal else ""


@dataclass(frozen=True)
class _Offer:
    check: Callable[[User, Incident], None]
    address: str
    label: str
    icon: str
    style: str = "primary"


OFFERS: dict[str, _Offer] = {
    IncidentMove.CONFIRM: _Offer(check_can_confirm, "incident_confirm", "Confirm and start…", "play", "danger"),
    IncidentMove.TAKE_ON: _Offer(check_can_take_on, "incident_take_on", "It is a hazard…", "siren"),
    TAKE_OUT: _Offer(check_can_take_out, "incident_take_out", "Take one out…", "list-x"),
    IncidentMove.DISMISS: _Offer(check_can_dismiss, "incident_dismiss", "Dismiss…", "x"),
    IncidentMove.CLOSE: _Offer(check_can_close, "incident_close", "Close…", "check"),
}


def incident_acts(
    user: User, incident: Incident, rows: list[Row], bound: IncidentBound | None, digest: str
) -> list[IncidentAct]:
    """What the board offers this person, the main one first; nothing to those who only look."""
    if not has_permission(user, Permission.MANAGE_INCIDENTS, None):
        return []
    bound = bound or {}
    possible = {move.value for move in incident_moves_from(incident.state)} | (
        {TAKE_OUT} if _removable(rows) else set()
    )
    if incident.facts.final:
        possible.discard(TAKE_OUT)
    return [
        _act(user, incident, rows, name, bound.get(name), digest)
        for name in OFFERS
        if name in possible or name in bound
    ]


def _act(
    user: User, incident: Incident, rows: list[Row], name: str, form: SentenceForm | None, digest: str
) -> IncidentAct:
    offer = OFFERS[name]
    title, verb = _words(incident, name)
    return IncidentAct(
        name=str(name),
        label=offer.label,
        title=title,
        verb=verb,
        icon=offer.icon,
        style=offer.style,
        refusal=refusal(offer.check, user, incident),
        form=form or form_of(incident, rows, name, digest=digest),
        url=reverse(offer.address, args=[incident.pk]),
        open=form is not None,
        closes_what_is_done=name == IncidentMove.CLOSE and is_at_rest(incident),
    )


def form_of(
    incident: Incident, rows: list[Row], name: str, data: QueryDict | None = None, *, digest: str = ""
) -> SentenceForm:
    """The form of an act, with what was typed when there is any; of the confirmation with the digest of the list shown."""
    prefix = f"id-{name}-%s"
    if name == TAKE_OUT:
        return TakeOutForm(data, auto_id=prefix, choices=_removable(rows))
    if name == IncidentMove.TAKE_ON:
        return SentenceForm(data, auto_id=prefix)
    if name != IncidentMove.CONFIRM:
        return ReasonForm(data, auto_id=prefix)
    form = ConfirmForm(data, auto_id=prefix, initial={"digest": digest})
    if needs_typed_number(incident):
        form.fields["typed_number"].label = f"Type {incident.number}: live data of production is replaced"
    else:
        del form.fields["typed_number"]
    return form


def _removable(rows: list[Row]) -> list[tuple[int, str]]:
    """Those on this page of the board that can be taken out."""
    return [
        (row.item.resource_id, f"{row.item.resource.name} ({row.item.resource.client})")
        for row in rows
        if row.item.excluded_at is None and (row.request is None or row.request.state not in LEFT)
    ]


def _words(incident: Incident, name: str) -> tuple[str, str]:
    number = incident.number
    restorable = incident.affected.included().filter(backup__isnull=False).count()
    words: dict[str, tuple[str, str]] = {
        IncidentMove.CONFIRM: (f"Confirm {number} and start it", f"Restore {counted(restorable, 'resource')} now"),
        IncidentMove.TAKE_ON: (f"Take on {number}", "It is a hazard"),
        TAKE_OUT: (f"Take a resource out of {number}", "Take it out"),
        IncidentMove.DISMISS: (f"Dismiss {number}", f"Dismiss {number}, and restore nothing"),
        IncidentMove.CLOSE: (f"Close {number}", f"Close {number}"),
    }
    return words[name]
