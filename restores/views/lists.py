"""The list of requests, as each person may see it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from backups.drivers.base import Mode
from backups.models import Resource
from portal.choosing import clients_to_choose
from portal.entered import search_words, whole_number
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission_somewhere
from portal.roles import Permission
from restores.models import Incident, RestoreRequest
from restores.models.request import FIRST_NUMBER, MODE_LABELS
from restores.succession import all_recovering, all_replaced_since
from restores.views.fetching import person, requests_seen_by
from restores.waiting import decides_somewhere, is_waiting_for, waits_for
from restores.wording import emergency_of, turn_in_a_word
from restores.workflow import STATUSES, Status, Turn

GROUPS: dict[str, tuple[str, list[Status]]] = {
    "waiting": ("Waiting for IT", [s for s, facts in STATUSES.items() if facts.turn is Turn.IT]),
    "client": ("Waiting for the client", [s for s, facts in STATUSES.items() if facts.turn is Turn.CLIENT]),
    "working": ("Under way", [s for s, facts in STATUSES.items() if facts.turn is Turn.PORTAL]),
    "done": ("Restored", [Status.COMPLETED, Status.UNDONE]),
    "stopped": ("Not restored", [Status.REJECTED, Status.CANCELLED, Status.EXPIRED]),
}
WAITS_FOR_ME = "me"
REPLACED = "Replaced since"
NEWEST_FIRST = (Column("filed_at", descending=True), Column("pk", descending=True))


@dataclass(frozen=True)
class Filters:
    """What the address asks of the list. Values that make no sense are left out, never an error."""

    address: QueryDict
    group: str
    mode: str
    client: str
    resource: Resource | None
    words: list[str]
    clients: list[tuple[str, str]]
    groups: dict[str, str]
    mine: Q

    @classmethod
    def of(cls, user: User, address: QueryDict) -> Filters:
        """The filters of the address, as far as the person sees what they name."""
        clients = clients_to_choose(user, Permission.VIEW_REQUESTS, address.get("client", ""))
        number = whole_number(address.get("resource", ""))
        groups = groups_for(user)
        return cls(
            address=address,
            group=_known(address.get("group", ""), groups),
            mode=_known(address.get("mode", ""), set(Mode)),
            client=_known(address.get("client", ""), dict(clients)),
            resource=Resource.objects.visible_to(user).filter(pk=number).first() if number is not None else None,
            words=search_words(address.get("q", "")),
            clients=clients,
            groups=groups,
            mine=waits_for(user),
        )

    def apply(self, found: QuerySet[RestoreRequest]) -> QuerySet[RestoreRequest]:
        """The requests that pass all of them."""
        if self.group == WAITS_FOR_ME:
            found = found.filter(self.mine)
        elif self.group:
            found = found.filter(status__in=[status.value for status in GROUPS[self.group][1]])
        for name in ("mode", "client", "resource"):
            if value := getattr(self, name):
                found = found.filter(**{name: value})
        for word in self.words:
            found = found.filter(_matching(word))
        return found

    @property
    def chips(self) -> list[tuple[str, str]]:
        """(words, address without it) of everything in use."""
        labels = {
            "group": self.groups.get(self.group, ""),
            "mode": MODE_LABELS[Mode(self.mode)] if self.mode else "",
            "client": dict(self.clients).get(self.client, ""),
            "resource": self.resource.name if self.resource else "",
            "q": f"“{' '.join(self.words)}”" if self.words else "",
        }
        return [(label, _without(self.address, name)) for name, label in labels.items() if label]


def groups_for(user: User) -> dict[str, str]:
    """The groups to choose from, with their words: what waits for oneself only for those for whom something can."""
    mine = {WAITS_FOR_ME: "Waits for me"} if decides_somewhere(user) else {}
    return mine | {value: label for value, (label, _) in GROUPS.items()}


def _known(value: str, values: Container[str]) -> str:
    return value if value in values else ""


@require_GET
def requests(http: HttpRequest) -> HttpResponse:
    """The requests that the person may see, newest first."""
    user = person(http)
    filters = Filters.of(user, http.GET)
    if (named := _incident_named(user, filters.words)) is not None:
        return redirect(named)
    page = read_page(filters.apply(requests_seen_by(user).prefetch_related("attempts")), NEWEST_FIRST, http.GET)
    replaced = all_replaced_since(page.rows)
    emergencies = all_recovering([found.resource_id for found in page.rows])
    for found in page.rows:
        found.recovering = emergencies.get(found.resource_id)  # type: ignore[attr-defined]  # for the words
    context = {
        "page": page,
        "rows": [
            (
                found,
                is_waiting_for(user, found) and not emergency_of(found),
                REPLACED if found.pk in replaced else turn_in_a_word(found, user),
            )
            for found in page.rows
        ],
        "filters": filters,
        "groups": filters.groups.items(),
        "modes": [(mode.value, label) for mode, label in MODE_LABELS.items()],
        "may_ask": has_permission_somewhere(user, Permission.FILE_REQUESTS),
    }
    return render(http, "restores/requests.html", context)


def _incident_named(user: User, words: list[str]) -> Incident | None:
    """The incident, where only its number is searched for: INC-12."""
    if len(words) != 1 or not words[0].upper().startswith("INC-"):
        return None
    number = whole_number(words[0][len("INC-") :])
    return Incident.objects.visible_to(user).filter(pk=number).first() if number is not None else None


def _matching(word: str) -> Q:
    """A request by its number (RR-1042), or by its resource's, application's or client's name."""
    number = whole_number(word.upper().removeprefix("RR-"))
    if word.upper().startswith("RR-") and number is not None:
        return Q(pk=number - FIRST_NUMBER)
    return (
        Q(resource__name__icontains=word)
        | Q(resource__application__name__icontains=word)
        | Q(client__name__icontains=word)
    )


def _without(wanted: QueryDict, name: str) -> str:
    rest = wanted.copy()
    for key in (name, "after", "before"):
        rest.pop(key, None)
    return f"?{rest.urlencode()}"
