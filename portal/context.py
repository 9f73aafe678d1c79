"""What every page shows around its content: navigation with what waits, who one is, the time zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from backups.models import RetentionRun, RunStatus
from checkups.summary import waiting_for
from portal.elsewhere import aws_elsewhere
from portal.models import Client, User
from portal.permissions import Person, has_permission, has_permission_somewhere, memberships_of, visible
from portal.roles import Permission
from restores.incident_workflow import IncidentStatus
from restores.models import Charge, ChargeStatus, Incident, Notice, RestoreRequest
from restores.waiting import decides_somewhere, waits_for
from restores.workflow import Turn, statuses_of

MOST_COUNTED = 99


@dataclass(frozen=True)
class Item:
    """One entry of the navigation.

    ``count`` is what waits there for this person, ``counted`` says of what; ``below`` are further addresses of its.
    """

    label: str
    url: str
    path: str
    count: int = 0
    counted: str = ""
    below: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether this is the very page."""
        return self.path == self.url

    @property
    def current(self) -> bool:
        """Whether the page is this entry's, or below it."""
        return self.here or (self.url != "/" and self.path.startswith((self.url, *self.below)))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Template variables ``navigation``, ``roles_in_words``, ``unread``, ``time_zone``, ``aws_elsewhere``.

    Nothing is asked before a page uses it.
    """
    user: Person = getattr(request, "user", AnonymousUser())
    signed_in = isinstance(user, User)  # holds for the lazy object as well
    return {
        "time_zone": settings.POLICY_TIME_ZONE,
        "aws_elsewhere": aws_elsewhere(),
        "navigation": SimpleLazyObject(lambda: _items(user, request.path)) if signed_in else (),
        "unread": SimpleLazyObject(lambda: unread_notices(user)) if signed_in else "",
        "roles_in_words": SimpleLazyObject(lambda: roles_in_words(user)) if signed_in else "",
    }


def _items(user: Any, path: str) -> list[Item]:
    def may(permission: Permission) -> bool:
        return has_permission_somewhere(user, permission)

    items = [Item("Start", reverse("start"), path)]
    if may(Permission.VIEW_RESOURCES):
        items.append(Item("Resources", reverse("resources"), path, below=("/backups/",)))
    if may(Permission.VIEW_REQUESTS):
        items.append(Item("Requests", reverse("requests"), path, waiting_estimates(user), "waiting for you"))
    if may(Permission.DECIDE_REQUESTS):
        items.append(Item("Approvals", reverse("approvals"), path, waiting_approvals(user), "waiting"))
    if has_permission(user, Permission.VIEW_REQUESTS, None) or Incident.objects.visible_to(user).exists():
        items.append(Item("Incidents", reverse("incidents"), path, waiting_incidents(user), "to look at"))
    if may(Permission.VIEW_CHARGES):
        items.append(Item("Charges", reverse("charges"), path, waiting_charges(user), "to review"))
    items += _of_the_policy(user, path)
    if may(Permission.MANAGE_PRICES):
        items.append(Item("Prices", reverse("prices"), path))
    items.append(Item("Policy", reverse("policy"), path))
    if may(Permission.MANAGE_PEOPLE):
        items.append(Item("People", reverse("administration:index"), path))
    return items


def _of_the_policy(user: Any, path: str) -> list[Item]:
    """Whether what is promised is kept."""
    items = []
    if has_permission_somewhere(user, Permission.VIEW_COMPLIANCE):
        items.append(Item("Compliance", reverse("compliance"), path, below=("/what-if/",)))
        items.append(Item("Retention", reverse("retention"), path, waiting_runs(user), "to decide"))
    if has_permission_somewhere(user, Permission.VIEW_CHECKUPS):
        items.append(Item("Checkups", reverse("checkups"), path, waiting_for(user).count(), "to sign"))
    return items


def unread_notices(user: Any) -> str:
    """How many notices the person has not read: "3", "99+", empty for none."""
    number = Notice.objects.visible_to(user).unread()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number or "")


def waiting_estimates(user: Person) -> int:
    """How many estimates wait for this person to accept or decline them; none for those who only look.

    What waits for IT is counted at its approvals.
    """
    if not decides_somewhere(user, Turn.CLIENT):
        return 0
    return RestoreRequest.objects.filter(waits_for(user, Turn.CLIENT)).count()


def waiting_approvals(user: Person) -> int:
    """How many requests wait for IT: to be decided, or failed and to be looked at."""
    return RestoreRequest.objects.visible_to(user).filter(status__in=statuses_of(Turn.IT)).count()


def waiting_incidents(user: Person) -> int:
    """How many proposed and open incidents wait for this person; none for those who only look."""
    if not has_permission_somewhere(user, Permission.MANAGE_INCIDENTS):
        return 0
    return Incident.objects.filter(status__in=[IncidentStatus.PROPOSED.value, IncidentStatus.OPEN.value]).count()


def waiting_runs(user: Person) -> int:
    """How many stopped retention runs wait for this person's decision; none for those who only look."""
    if not has_permission_somewhere(user, Permission.RUN_RETENTION):
        return 0
    return RetentionRun.objects.filter(status=RunStatus.STOPPED).count()


def waiting_charges(user: Person) -> int:
    """How many charges wait for this person's decision; none for those who only look."""
    if not has_permission_somewhere(user, Permission.DECIDE_CHARGES):
        return 0
    decided = visible(user, Permission.DECIDE_CHARGES, "client")  # who is also a client elsewhere only looks there
    return Charge.objects.filter(decided, status=ChargeStatus.TO_REVIEW).count()


def roles_in_words(user: Person) -> str:
    """ "IT" or "Client of Shopco": what the person is, for whom."""
    held = memberships_of(user)
    names = dict(Client.objects.filter(pk__in=[c for _, c in held if c]).values_list("pk", "name"))
    words = [role.label + (f" of {names[client]}" if client else "") for role, client in held]
    return ", ".join(words) or "No role yet"
