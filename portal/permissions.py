"""Asking whether a person may: for a client, or company-wide. Unknown context denies."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.errors import NotPermitted
from portal.models import Client, Membership, User
from portal.roles import COMPANY_WIDE, PERMISSIONS, Permission, Role

Person = User | AnonymousUser


def memberships_of(user: Person) -> list[tuple[Role, int | None]]:
    """The person's roles with the client's id (None: company-wide). Empty for nobody and for the inactive.

    Read once per user object, that is once per web request.
    """
    if not isinstance(user, User) or not user.is_active or user.pk is None:
        return []
    known: list[tuple[Role, int | None]] | None = user.__dict__.get("_memberships")
    if known is None:
        known = [
            (Role(role), client) for role, client in Membership.objects.filter(user=user).values_list("role", "client")
        ]
        user.__dict__["_memberships"] = known
    return known


def has_role(user: Person, *roles: Role) -> bool:
    """Whether the person has one of the roles, for whichever client."""
    return any(role in roles for role, _ in memberships_of(user))


def has_permission(user: Person, permission: Permission, client: Client | int | None) -> bool:
    """Whether the person may, for that client. ``None`` asks for the permission company-wide."""
    client_id = client.pk if isinstance(client, Client) else client
    return any(
        permission in PERMISSIONS[role] and (role in COMPANY_WIDE or (client_id is not None and held_for == client_id))
        for role, held_for in memberships_of(user)
    )


def has_permission_somewhere(user: Person, permission: Permission) -> bool:
    """Whether the person may for at least one client: what decides if a page is shown at all."""
    return any(permission in PERMISSIONS[role] for role, _ in memberships_of(user))


def visible(user: Person, permission: Permission, client_path: str) -> Q:
    """The condition for rows whose client (at ``client_path``, a lookup ending in the client's id) the person may see."""
    granting = [(role, client) for role, client in memberships_of(user) if permission in PERMISSIONS[role]]
    if any(role in COMPANY_WIDE for role, _ in granting):
        return Q()
    return Q(**{f"{client_path}__in": {client for _, client in granting}})


def people_with(permission: Permission, client: Client | int) -> QuerySet[User]:
    """The active people, no service accounts, who may, for that client: :func:`has_permission` the other way round."""
    roles = [role.value for role, permissions in PERMISSIONS.items() if permission in permissions]
    client_id = client.pk if isinstance(client, Client) else client
    held = Membership.objects.filter(
        Q(role__in=COMPANY_WIDE) | Q(client=client_id), user=OuterRef("pk"), role__in=roles
    )
    return User.objects.filter(Exists(held), is_active=True, is_service_account=False)


def check_permission(user: Person, permission: Permission, client: Client | int | None, sentence: str) -> None:
    """Raise :class:`NotPermitted` with the sentence unless the person may."""
    if not has_permission(user, permission, client):
        raise NotPermitted(sentence)


def check_is_a_person(user: Person) -> None:
    """Deciding is for people: a service account never approves."""
    if getattr(user, "is_service_account", True):
        raise NotPermitted("A service account cannot decide this. A person has to.")
