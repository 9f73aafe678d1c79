"""Who may do what with incidents. Each check raises the sentence that pages and the API show; deny by default."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from portal.errors import NotPermitted, Refused
from portal.permissions import Person, check_is_a_person, check_permission, has_permission_somewhere
from portal.roles import Permission
from restores.incident_workflow import IncidentMove, IncidentStatus, incident_refusal, incident_transition
from restores.models import Incident, IncidentResource, RestoreRequest
from restores.workflow import Status

UNFINISHED = [Status.SUBMITTED.value, Status.APPROVED.value, Status.RUNNING.value]


def check_can_see_incidents(user: Person) -> None:
    """Whoever sees requests of somebody; the list then holds what affects those."""
    if not has_permission_somewhere(user, Permission.VIEW_REQUESTS):
        raise NotPermitted("Incidents are shown to people who see restore requests.")


def check_can_propose(user: Person) -> None:
    """IT, and its programs: a proposal only asks a person to look."""
    check_permission(user, Permission.MANAGE_INCIDENTS, None, "Only IT declares incidents. Tell IT what you have seen.")


def check_can_declare(user: Person) -> None:
    """A person of IT."""
    check_can_propose(user)
    check_is_a_person(user)


def check_can_map_hosts(user: Person) -> None:
    """A person of IT says what a host of the monitoring is."""
    check_permission(user, Permission.MANAGE_INCIDENTS, None, "Only IT says what the monitoring’s hosts are.")
    check_is_a_person(user)


def _check_move(user: Person, incident: Incident, move: IncidentMove, sentence: str) -> None:
    check_permission(user, Permission.MANAGE_INCIDENTS, None, sentence)
    check_is_a_person(user)
    if incident_transition(incident.state, move) is None:
        raise Refused(incident_refusal(incident.state, move))


def check_can_take_on(user: Person, incident: Incident) -> None:
    """A person of IT says that a proposal is a hazard."""
    _check_move(user, incident, IncidentMove.TAKE_ON, "Only IT takes on incidents.")


def check_can_dismiss(user: Person, incident: Incident) -> None:
    """Or that it is none."""
    _check_move(user, incident, IncidentMove.DISMISS, "Only IT dismisses proposed incidents.")


def check_can_confirm(user: Person, incident: Incident) -> None:
    """A person of IT starts everything at once; one time only."""
    sentence = "Only IT confirms incidents and starts their restores."
    check_permission(user, Permission.MANAGE_INCIDENTS, None, sentence)
    check_is_a_person(user)
    if incident.state is IncidentStatus.RECOVERING:
        raise Refused(f"{incident.confirmed_by} has confirmed {incident.number} already: its restores are under way.")
    _check_move(user, incident, IncidentMove.CONFIRM, sentence)
    if not incident.affected.included().filter(backup__isnull=False).exists():
        raise Refused("Nothing in the list can be restored. Add resources to it, or close it.")


def check_can_change_list(user: Person, incident: Incident) -> None:
    """The order and the modes are IT's until they are confirmed."""
    check_permission(user, Permission.MANAGE_INCIDENTS, None, "Only IT changes an incident’s list.")
    check_is_a_person(user)
    if incident.state not in (IncidentStatus.PROPOSED, IncidentStatus.OPEN):
        raise Refused(f"{incident.number} is {incident.facts.label.lower()}: its list is as it was confirmed.")


def check_can_take_out(user: Person, incident: Incident) -> None:
    """One resource of the list, before or while it recovers."""
    check_permission(user, Permission.MANAGE_INCIDENTS, None, "Only IT takes resources out of an incident.")
    check_is_a_person(user)
    if incident.facts.final:
        raise Refused(f"{incident.number} is {incident.facts.label.lower()}: nothing of it changes any more.")


def check_can_close(user: Person, incident: Incident) -> None:
    """A person of IT, once no restore of it waits or runs."""
    _check_move(user, incident, IncidentMove.CLOSE, "Only IT closes incidents.")
    if incident.state is IncidentStatus.RECOVERING and not is_at_rest(incident):
        raise Refused("Some of its restores still wait or run. Wait until they are done, or take them out.")


def check_can_restore_next(user: Person, incident: Incident) -> None:
    """A person of IT goes on with the next good backup, as they confirm: while the incident recovers."""
    check_permission(user, Permission.MANAGE_INCIDENTS, None, "Only IT goes on with another backup in an incident.")
    check_is_a_person(user)
    if incident.state in (IncidentStatus.PROPOSED, IncidentStatus.OPEN):
        raise Refused(f"{incident.number} is not confirmed yet: confirm its list first.")
    if incident.state is not IncidentStatus.RECOVERING:
        raise Refused(
            f"{incident.number} is {incident.facts.label.lower()}: nothing of it changes any more."
            " File a request for the resource instead."
        )


def check_is_stuck(row: IncidentResource, request: RestoreRequest | None) -> None:
    """Whether the row's turn has passed without bringing it back, so that another backup can be chosen for it."""
    if row.excluded_at is not None:
        raise Refused(f"{row.resource} was taken out of the incident. File a request for it instead.")
    if request is None:
        if not row.why_not:
            raise Refused(f"{row.resource} waits its turn. Let it be restored from the backup that was confirmed.")
    elif request.state is Status.COMPLETED:
        raise Refused(f"{row.resource} is restored already. Undo it on the page of {request.number} if need be.")
    elif request.state is not Status.FAILED and not request.facts.final:
        raise Refused(f"{request.number} waits or runs: wait until it has ended, or stop it on its page.")


def is_at_rest(incident: Incident) -> bool:
    """Whether it was carried out: nothing of it waits or runs any more."""
    return incident.state is IncidentStatus.RECOVERING and not (
        with_motion(Incident.objects.filter(pk=incident.pk)).get().in_motion
    )


def with_motion(found: QuerySet[Incident]) -> QuerySet[Any]:
    """Each with ``in_motion``: whether something of it waits or runs, once it was confirmed."""
    moving = RestoreRequest.objects.filter(incident=OuterRef("pk"), status__in=UNFINISHED)
    return found.annotate(in_motion=Exists(moving) | Exists(to_file().filter(incident=OuterRef("pk"))))


def unfiled(incident: Incident) -> QuerySet[IncidentResource]:
    """The rows that were confirmed and have no request yet: the portal is about to file it."""
    return to_file().filter(incident=incident)


def to_file() -> QuerySet[IncidentResource]:
    """The same of all incidents, also of those whose list is not confirmed yet."""
    filed = RestoreRequest.objects.filter(incident=OuterRef("incident"), resource=OuterRef("resource"))
    return IncidentResource.objects.included().filter(~Exists(filed), backup__isnull=False, why_not="")
