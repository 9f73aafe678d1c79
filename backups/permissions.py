"""Who may do what with resources and backups. Each check raises the sentence that pages and the API show."""

from __future__ import annotations

from backups.models import Resource, ResourceState
from portal.errors import Refused
from portal.models import Client
from portal.permissions import Person, check_permission
from portal.roles import Permission


def check_can_register(user: Person, client: Client | None) -> None:
    """IT registers resources; ``None`` asks for any client."""
    check_permission(user, Permission.REGISTER_RESOURCES, client, "Only IT registers resources. Ask IT to do it.")


def check_can_back_up(user: Person, resource: Resource) -> None:
    """IT and the client's staff may take a backup now, of a resource that still exists and has none under way."""
    check_permission(
        user,
        Permission.BACK_UP_NOW,
        resource.client,
        "Only IT and staff of this client take backups on request. Ask one of them.",
    )
    if resource.state == ResourceState.REMOVED:
        raise Refused(f"{resource.name} was removed; there is nothing left to back up.")
    if resource.backups.open().exists():
        raise Refused(f"A backup of {resource.name} is under way already. Wait until it is finished.")
