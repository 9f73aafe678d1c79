"""Whose turn a request is, for one person: the one place that says so, of a single request and to the database."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, Value, When

from portal.models import User
from portal.permissions import Person, has_permission, has_permission_somewhere, visible
from portal.roles import Permission
from restores.models import RestoreRequest
from restores.workflow import Turn, statuses_of

DECIDED_WITH: dict[Turn, Permission] = {
    Turn.IT: Permission.DECIDE_REQUESTS,
    Turn.CLIENT: Permission.ACCEPT_ESTIMATES,
}
"""The turns in which a request goes on only by somebody's decision, and what that takes. To look at what was restored
takes no decision: that waits for nobody, though it is the turn of whoever asked."""

NOBODYS = Q(pk__in=[])


def decides_somewhere(person: Person, *turns: Turn) -> bool:
    """Whether requests can wait for that person at all, in one of these turns (without any: in whichever)."""
    if not isinstance(person, User) or person.is_service_account:
        return False
    return any(has_permission_somewhere(person, DECIDED_WITH[turn]) for turn in turns or DECIDED_WITH)


def waits_for(person: Person, *turns: Turn) -> Q:
    """The condition for the requests that wait for that person to decide, in one of these turns (without any: in whichever).

    :func:`is_waiting_for` says the same of one request.
    """
    found = NOBODYS
    for turn in turns or DECIDED_WITH:
        if decides_somewhere(person, turn):
            found |= (
                Q(status__in=statuses_of(turn)) & visible(person, DECIDED_WITH[turn], "client") & _not_own(person, turn)
            )
    return found


def _not_own(person: Person, turn: Turn) -> Q:
    """Nobody of IT decides about what they filed, unless they filed it by confirming an incident (R1)."""
    return ~Q(filed_by=person.pk) | Q(incident__isnull=False) if turn is Turn.IT else Q()


def is_waiting_for(person: Person, request: RestoreRequest) -> bool:
    """Whether the request waits for that person to decide."""
    turn = request.facts.turn
    if turn not in DECIDED_WITH or not decides_somewhere(person, turn):
        return False
    own = turn is Turn.IT and request.filed_by_id == person.pk and not request.incident_id
    return has_permission(person, DECIDED_WITH[turn], request.client_id) and not own


def by_turn(person: Person) -> Case:
    """Orders what waits for that person before what others or the portal have to do, and that before what is done."""
    return Case(
        When(waits_for(person), then=Value(0)),
        When(status__in=statuses_of(Turn.IT, Turn.CLIENT, Turn.PORTAL), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
