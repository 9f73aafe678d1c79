"""Lists whose search, filters and order all stand in the address, each removable by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from portal.entered import search_words

Declared = tuple[str, str, list[tuple[str, str]]]
"""A filter's name in the address, what it says when unused, and its choices as (value, label)."""


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


class AddressFilters:
    """What the address asks of a list. Values that make no sense are left out, never an error."""

    def __init__(self, address: QueryDict, declared: Iterable[Declared], sorts: Collection[str], sort: str) -> None:
        self.address = address
        self.search = " ".join(search_words(address.get("q", "")))
        asked = address.get("sort", sort)
        self.sort = asked if asked.removeprefix("-") in sorts else sort
        self.filters = [self._filter(*one) for one in declared]
        self.chosen = {found.name: found.chosen for found in self.filters if found.chosen}

    def _filter(self, name: str, label: str, choices: list[tuple[str, str]]) -> Filter:
        value = self.address.get(name, "")
        return Filter(name, label, choices, value if value in dict(choices) else "")

    @property
    def dropdowns(self) -> list[Filter]:
        """Those that have something to choose."""
        return [found for found in self.filters if len(found.choices) > 1]

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
