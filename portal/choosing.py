"""The clients among which a list can be filtered."""

from __future__ import annotations

from portal.entered import whole_number
from portal.models import Client
from portal.permissions import Person, visible
from portal.roles import Permission

MOST_CLIENTS = 200  # in one drop-down; the others are found by the search


def clients_to_choose(person: Person, permission: Permission, wanted: str) -> list[tuple[str, str]]:
    """Id and name of the clients that the person has the permission for, by name; ``wanted`` always among them.

    Empty when there is nothing to choose: one client at most.
    """
    seen = Client.objects.filter(visible(person, permission, "pk")).values_list("pk", "name")
    shown = [(str(pk), name) for pk, name in seen[:MOST_CLIENTS]]
    if wanted not in dict(shown) and (number := whole_number(wanted)) is not None:
        shown += [(str(pk), name) for pk, name in seen.filter(pk=number)]
    return shown if len(shown) > 1 else []
