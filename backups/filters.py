"""The filters of the list of resources: all in the address, each removable by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

from backups.addressed import AddressFilters, Declared
from backups.condition import late
from backups.findings import Rule
from backups.kinds import KINDS, REGIONS
from backups.models import Environment, Resource, ResourceState
from backups.models.resource import ResourceQuerySet
from portal.choosing import clients_to_choose
from portal.entered import whole_number
from portal.models import Application
from portal.paging import Column
from portal.permissions import Person, has_permission, visible
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


class ResourceFilters(AddressFilters):
    """What the address asks of the list of resources."""

    def __init__(self, user: Person, address: QueryDict, now: datetime) -> None:
        self.now = now
        super().__init__(address, self._declared(user, address), SORTS, "name")

    def _declared(self, user: Person, address: QueryDict) -> list[Declared]:
        clients = clients_to_choose(user, Permission.VIEW_RESOURCES, address.get("client", ""))
        return [
            ("client", "Client", clients),
            ("application", "Application", self._application(user, address)),
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
            ("breaks", "Rule broken", self._rules(user)),
        ]

    def _application(self, user: Person, address: QueryDict) -> list[tuple[str, str]]:
        """Only the application that is asked for: it is chosen by a link, and there may be thousands."""
        wanted = whole_number(address.get("application", ""))
        if wanted is None:
            return []
        found = Application.objects.filter(visible(user, Permission.VIEW_RESOURCES, "client"), pk=wanted)
        return [(str(pk), name) for pk, name in found.values_list("pk", "name")]

    @staticmethod
    def _rules(user: Person) -> list[tuple[str, str]]:
        """The rules of the policy, for those who may see where they do not hold."""
        if not has_permission(user, Permission.VIEW_COMPLIANCE, None):
            return []
        return [(rule.value, f"Breaks {rule.value}") for rule in Rule if not rule.company_wide]

    def apply(self, resources: ResourceQuerySet) -> ResourceQuerySet:
        """The resources that pass all of them. Removed ones only when asked for."""
        resources = resources.named(self.search)
        paths = {"client": "application__client", "application": "application", "region": "home_region"}
        for name, value in self.chosen.items():
            if name == "breaks":
                resources = resources.filter(broken_rules__gt=0, broken_rules__in=bits_with(Rule(value)))
            elif name != "state":
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
            case None if self.chosen.get("breaks") == Rule.B4:  # what only the removed can break
                return resources.filter(state=ResourceState.REMOVED)
            case _:
                return resources.standing()

    def order(self) -> list[Column]:
        """The columns of the order, ending in the id."""
        descending = self.sort.startswith("-")
        return [Column(path, descending) for path in (*SORTS[self.sort.removeprefix("-")], "id")]


def bits_with(rule: Rule) -> list[int]:
    """All values of ``broken_rules`` in which the rule is broken."""
    return [bits for bits in range(1 << len(Rule)) if bits & rule.bit]


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
