"""The filters of the list of resources: all in the address, each removable by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

from backups.condition import late
from backups.kinds import KINDS, REGIONS
from backups.models import Environment, Resource, ResourceState
from backups.models.resource import ResourceQuerySet
from portal.choosing import clients_to_choose
from portal.entered import search_words, whole_number
from portal.models import Application
from portal.paging import Column
from portal.permissions import Person, visible
from portal.roles import Permission

SORTS: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "client": ("application__client__name", "name"),
    "application": ("application__name", "name"),
    "environment": ("environment", "name"),
    "kind": ("kind", "name"),
    "region": ("home_region", "name"),
    "last": ("last_good_at",),
}

HEADS = (
    (("name", "Resource"), ("kind", "Kind")),
    (("client", "Client"), ("application", "Application")),
    (("environment", "Environment"),),
    (("region", "Region"),),
    (("last", "Last good backup"),),
)


@dataclass(frozen=True)
class Filter:
    """One drop-down: its name in the address, what it says when unused, its choices, what is chosen."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    chosen: str

    @property
    def chosen_label(self) -> str:
        """The choice in words."""
        return dict(self.choices).get(self.chosen, self.chosen)


class ResourceFilters:
    """What the address asks of the list. Values that make no sense are left out, never an error."""

    def __init__(self, user: Person, address: QueryDict, now: datetime) -> None:
        self.address = address
        self.now = now
        self.search = " ".join(search_words(address.get("q", "")))
        self.sort = address.get("sort", "name") if address.get("sort", "name").removeprefix("-") in SORTS else "name"
        self.filters = [self._filter(*declared) for declared in self._declared(user)]
        self.chosen = {found.name: found.chosen for found in self.filters if found.chosen}

    def _declared(self, user: Person) -> list[tuple[str, str, list[tuple[str, str]]]]:
        clients = clients_to_choose(user, Permission.VIEW_RESOURCES, self.address.get("client", ""))
        return [
            ("client", "Client", clients),
            ("application", "Application", self._application(user)),
            ("environment", "Environment", [(str(value), str(label)) for value, label in Environment.choices]),
            ("kind", "Kind", [(kind, driver.label) for kind, driver in KINDS.items()]),
            ("region", "Region", [(region, region) for region in REGIONS]),
            (
                "state",
                "State",
                [
                    ("late", "Late"),
                    ("none", "No backup yet"),
                    ("vanished", "Vanished"),
                    ("removing", "Being removed"),
                    ("removed", "Removed"),
                ],
            ),
        ]

    def _application(self, user: Person) -> list[tuple[str, str]]:
        """Only the application that is asked for: it is chosen by a link, and there may be thousands."""
        wanted = whole_number(self.address.get("application", ""))
        if wanted is None:
            return []
        found = Application.objects.filter(visible(user, Permission.VIEW_RESOURCES, "client"), pk=wanted)
        return [(str(pk), name) for pk, name in found.values_list("pk", "name")]

    def _filter(self, name: str, label: str, choices: list[tuple[str, str]]) -> Filter:
        value = self.address.get(name, "")
        return Filter(name, label, choices, value if value in dict(choices) else "")

    @property
    def dropdowns(self) -> list[Filter]:
        """Those that have something to choose."""
        return [found for found in self.filters if len(found.choices) > 1]

    def apply(self, resources: ResourceQuerySet) -> ResourceQuerySet:
        """The resources that pass all of them. Removed ones only when asked for."""
        resources = resources.named(self.search)
        paths = {"client": "application__client", "application": "application", "region": "home_region"}
        for name, value in self.chosen.items():
            if name != "state":
                resources = resources.filter(**{paths.get(name, name): value})
        return self._of_state(resources)

    def _of_state(self, resources: ResourceQuerySet) -> ResourceQuerySet:
        match self.chosen.get("state"):
            case "late":
                return resources.filter(late(self.now))
            case "none":
                return resources.filter(state=ResourceState.ACTIVE, last_good_at__isnull=True)
            case "vanished" | "removing" | "removed" as state:
                return resources.filter(state=state)
            case _:
                return resources.standing()

    def order(self) -> list[Column]:
        """The columns of the order, ending in the id."""
        descending = self.sort.startswith("-")
        return [Column(path, descending) for path in (*SORTS[self.sort.removeprefix("-")], "id")]

    @property
    def chips(self) -> list[tuple[str, str]]:
        """(words, address without it) of everything in use."""
        used = [(found.name, found.chosen_label) for found in self.filters if found.chosen]
        if self.search:
            used.insert(0, ("q", f"“{self.search}”"))
        return [(label, self.address_without(name)) for name, label in used]

    def address_without(self, *names: str) -> str:
        """This address without those parameters, and on the first page."""
        rest = self.address.copy()
        for name in (*names, "after", "before"):
            rest.pop(name, None)
        return f"?{rest.urlencode()}"

    @property
    def clear(self) -> str:
        """The address without any filter, in the same order."""
        return self.address_without("q", *(found.name for found in self.filters))


def listed(user: Person) -> ResourceQuerySet:
    """The resources that the person may see, with what a row of the list needs."""
    return Resource.objects.visible_to(user).select_related("application__client")


@dataclass(frozen=True)
class SortLink:
    """One word at the head of a column: where it leads, and which way the list is sorted by it now, if it is."""

    label: str
    url: str
    sorted: str  # "ascending", "descending" or ""


@dataclass(frozen=True)
class Head:
    """The head of a column: one or two things to sort by."""

    links: Sequence[SortLink]

    @property
    def sorted(self) -> str:
        """Which way the list is sorted by this column."""
        return "".join(link.sorted for link in self.links)


def heads(filters: ResourceFilters) -> list[Head]:
    """The heads of the list's columns. A second click on the same one turns the order round."""
    address = filters.address_without("sort")
    start = address if address == "?" else f"{address}&"
    down, now = filters.sort.startswith("-"), filters.sort.removeprefix("-")

    def link(name: str, label: str) -> SortLink:
        turned = f"-{name}" if name == now and not down else name
        return SortLink(label, f"{start}sort={turned}", ("descending" if down else "ascending") if name == now else "")

    return [Head([link(*column) for column in columns]) for columns in HEADS]
