"""Deciding about an incident: take on, arrange, confirm, take out, dismiss, close. POST only; a refusal comes back to the board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from portal.entered import whole_number
from portal.errors import PortalError
from restores.actions import incidents
from restores.actions.incident_choosing import digest_of
from restores.incident_board import items_seen, rows_of
from restores.incident_workflow import IncidentMove
from restores.models import Incident
from restores.views.fetching import person
from restores.views.incident_acts import TAKE_OUT, form_of
from restores.views.incidents import incident_or_404, show_incident


@require_POST
def incident_confirm(http: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the list that was shown, and start it."""
    return _decide(
        http, pk, IncidentMove.CONFIRM, incidents.confirm, "{} is confirmed. Its restores start in their order."
    )


@require_POST
def incident_take_on(http: HttpRequest, pk: int) -> HttpResponse:
    """Say that a proposal is a hazard."""
    return _decide(http, pk, IncidentMove.TAKE_ON, incidents.take_on, "{} is open. Read the list, then confirm it.")


@require_POST
def incident_dismiss(http: HttpRequest, pk: int) -> HttpResponse:
    """Or that it is none."""
    return _decide(http, pk, IncidentMove.DISMISS, incidents.dismiss, "{} is dismissed. Nothing was restored.")


@require_POST
def incident_close(http: HttpRequest, pk: int) -> HttpResponse:
    """Close it with a reason."""
    return _decide(http, pk, IncidentMove.CLOSE, incidents.close, "{} is closed; its record is complete.")


@require_POST
def incident_take_out(http: HttpRequest, pk: int) -> HttpResponse:
    """Take one resource out."""
    return _decide(http, pk, TAKE_OUT, incidents.take_out, "{}: it is taken out.")


@require_POST
def incident_arrange(http: HttpRequest, pk: int) -> HttpResponse:
    """Set the order, the modes, and how many run at once."""
    found = incident_or_404(person(http), pk)
    try:
        incidents.arrange(by=person(http), incident=found, **_arrangement(http.POST))
    except PortalError as error:
        return show_incident(http, incident_or_404(person(http), pk), status=error.status, sentence=error.sentence)
    messages.success(http, f"{found.number}: the list is arranged.")
    return redirect(found)


def _arrangement(sent: QueryDict) -> dict[str, Any]:
    """What the table's boxes say; those that hold no number are left as they are."""
    order, modes = dict[int, int](), dict[int, str]()
    for name, value in sent.items():
        what, _, key = name.partition("-")
        resource, text = whole_number(key), str(value)
        if resource is None:
            continue
        if what == "place" and (place := whole_number(text)) is not None:
            order[resource] = place
        elif what == "mode":
            modes[resource] = text
    return {"concurrency": whole_number(sent.get("concurrency", "")), "order": order, "modes": modes}


def _decide(http: HttpRequest, pk: int, name: str, action: Callable[..., Any], done: str) -> HttpResponse:
    """Do it and go back to the board with a message, or show the board with the sentence beside what was typed."""
    user = person(http)
    found = incident_or_404(user, pk)
    form = _form(http, found, name, http.POST)
    if not form.is_valid():
        return show_incident(http, found, {name: form}, status=400)
    try:
        action(by=user, incident=found, **form.cleaned_data)
    except PortalError as error:
        found = incident_or_404(user, pk)
        form = _form(http, found, name, _over_todays_list(http.POST, found))
        form.show(error)
        return show_incident(http, found, {name: form}, status=error.status)
    messages.success(http, done.format(found.number))
    return redirect(found)


def _form(http: HttpRequest, found: Incident, name: str, data: QueryDict) -> Any:
    user, rows = person(http), []
    if name == TAKE_OUT:
        wanted = whole_number(data.get("resource", "")) or 0
        rows = rows_of(user, found, items_seen(user, found).filter(resource=wanted), timezone.now())
    return form_of(found, rows, name, data)


def _over_todays_list(typed: QueryDict, found: Incident) -> QueryDict:
    """What was typed, with the digest of the list that the board is about to show."""
    data = typed.copy()
    data["digest"] = digest_of(found)
    return data
