"""The list of requests, as each person may see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from backups.drivers.base import Mode
from portal.models import Client
from portal.paging import Column, read_page
from portal.permissions import has_permission_somewhere, visible
from portal.roles import Permission
from restores.models import RestoreRequest
from restores.models.request import FIRST_NUMBER, MODE_LABELS
from restores.views.fetching import person, requests_seen_by
from restores.workflow import STATUSES, Status, Turn

GROUPS: dict[str, tuple[str, list[Status]]] = {
    "waiting": ("Waiting for IT", [s for s, facts in STATUSES.items() if facts.turn is Turn.IT]),
    "working": ("Under way", [s for s, facts in STATUSES.items() if facts.turn is Turn.PORTAL]),
    "done": ("Restored", [Status.COMPLETED, Status.UNDONE]),
    "stopped": ("Not restored", [Status.REJECTED, Status.CANCELLED]),
}
NEWEST_FIRST = (Column("filed_at", descending=True), Column("pk", descending=True))


@require_GET
def requests(http: HttpRequest) -> HttpResponse:
    """The requests that the person may see, newest first."""
    user = person(http)
    clients = list(Client.objects.filter(visible(user, Permission.VIEW_REQUESTS, "pk"))[:200])
    context = {
        "page": read_page(_filtered(requests_seen_by(user), http.GET.dict()), NEWEST_FIRST, http.GET),
        "groups": [(value, label) for value, (label, _) in GROUPS.items()],
        "modes": [(mode.value, label) for mode, label in MODE_LABELS.items()],
        "clients": clients if len(clients) > 1 else [],
        "chips": _chips(http.GET, clients),
        "may_ask": has_permission_somewhere(user, Permission.FILE_REQUESTS),
    }
    return render(http, "restores/requests.html", context)


def _filtered(found: QuerySet[RestoreRequest], wanted: Mapping[str, Any]) -> QuerySet[RestoreRequest]:
    """What the filters in the address leave; unknown values filter nothing."""
    if wanted.get("group") in GROUPS:
        found = found.filter(status__in=[status.value for status in GROUPS[wanted["group"]][1]])
    if wanted.get("mode") in set(Mode):
        found = found.filter(mode=wanted["mode"])
    if wanted.get("client", "").isdecimal():
        found = found.filter(client=int(wanted["client"]))
    for word in wanted.get("q", "").split():
        found = found.filter(_matching(word))
    return found


def _matching(word: str) -> Q:
    """A request by its number (RR-1042), or by its resource's, application's or client's name."""
    number = word.upper().removeprefix("RR-")
    if word.upper().startswith("RR-") and number.isdecimal():
        return Q(pk=int(number) - FIRST_NUMBER)
    return (
        Q(resource__name__icontains=word)
        | Q(resource__application__name__icontains=word)
        | Q(client__name__icontains=word)
    )


def _chips(wanted: QueryDict, clients: list[Client]) -> list[tuple[str, str]]:
    """The filters in use, each with the address without it."""
    labels: dict[str, dict[str, str]] = {
        "group": {value: label for value, (label, _) in GROUPS.items()},
        "mode": {mode.value: label for mode, label in MODE_LABELS.items()},
        "client": {str(client.pk): client.name for client in clients},
    }
    typed = wanted.dict()
    chips = [(labels[name][str(typed[name])], name) for name in labels if typed.get(name, "") in labels[name]]
    if words := str(typed.get("q", "")).strip():
        chips.append((f"“{words}”", "q"))
    return [(label, _without(wanted, name)) for label, name in chips]


def _without(wanted: QueryDict, name: str) -> str:
    rest = wanted.copy()
    for key in (name, "after", "before"):
        rest.pop(key, None)
    return f"?{rest.urlencode()}"
