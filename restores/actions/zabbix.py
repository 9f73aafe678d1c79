"""What a message of Zabbix does: a problem proposes one incident, its recovery closes the proposal. Nothing else, ever.

A message said again changes nothing, in whichever order problem and recovery arrive.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backups.models import Resource
from portal.errors import InvalidInput
from portal.history import acting
from portal.models import Application, User
from restores.actions.incident_moves import apply_incident_move, note_incident, open_record, settle_incident_pins
from restores.actions.incidents import add_affected, affected_by
from restores.incident_permissions import check_can_map_hosts
from restores.incident_workflow import IncidentMove, IncidentStatus
from restores.models import Incident, IncidentSource, ZabbixEvent, ZabbixHost
from restores.zabbix_message import Message

log = structlog.get_logger(__name__)

A_TURN = 50
"""Proposals that grow while somebody waits for their page, or in one sweep; a monitoring can open thousands of them."""

BY_ITSELF = "The monitoring reported that it is over before anybody had looked."
TOO_MANY = "What its hosts are was not added"


def take_message(message: Message, now: datetime) -> str:
    """Do what the message says, once; the answer is what was done, in a sentence."""
    with acting(None, f"Zabbix event {message.event_id}"), transaction.atomic():
        event, new = ZabbixEvent.objects.get_or_create(
            event_id=message.event_id,
            defaults={
                "trigger": message.trigger,
                "severity": message.severity,
                "hosts": list(message.hosts),
                "clock": message.clock,
                "seen_at": now,
                "recovered_at": None if message.is_problem else now,
            },
        )
        event = ZabbixEvent.objects.select_for_update().get(pk=event.pk)
        if message.is_problem:
            return _propose(event, now) if new else _known(event)
        return "Its problem was never reported: there is nothing to close." if new else _recover(event, now)


def _known(event: ZabbixEvent) -> str:
    return "This event is known already: nothing was changed." if event.incident else "This event is over already."


def _propose(event: ZabbixEvent, now: datetime) -> str:
    for host in sorted(event.hosts):  # in one order, so that two reports never wait for each other
        ZabbixHost.objects.update_or_create(host=host, defaults={"seen_at": now})
    incident = Incident.objects.create(
        status=IncidentStatus.PROPOSED.value,
        status_changed_at=now,
        source=IncidentSource.ZABBIX,
        hazard=event.trigger,
        began_at=min(event.clock, now),
        declared_at=now,
    )
    event.incident = incident
    event.save()
    try:
        with transaction.atomic():
            add_affected(incident, affected_by_hosts(event.hosts))
    except InvalidInput as error:  # far too many at once: a person has to say which
        note_incident(incident, by=None, now=now, text="Nothing was listed", reason=error.sentence)
    open_record(incident, IncidentMove.PROPOSE, by=None, text=f"Zabbix reported a problem, event {event.event_id}")
    return f"{incident.number} is proposed. A person of IT looks at it."


def _recover(event: ZabbixEvent, now: datetime) -> str:
    if event.recovered_at is not None:
        return "Its recovery is known already: nothing was changed."
    event.recovered_at = now
    event.save()
    if event.incident is None:
        return "Noted."
    incident = Incident.objects.select_for_update().get(zabbix_event=event)
    if incident.state is IncidentStatus.PROPOSED:
        apply_incident_move(incident, IncidentMove.RECOVER, by=None, now=now, reason=BY_ITSELF)
        return f"{incident.number} is closed: it recovered by itself."
    note_incident(incident, by=None, now=now, text="Zabbix reported that the problem is over")
    return f"Noted in {incident.number}. A person of IT closes it."


def affected_by_hosts(hosts: Collection[str]) -> QuerySet[Resource]:
    """The resources that people said those hosts stand for."""
    known = ZabbixHost.objects.filter(host__in=hosts)
    return affected_by(
        applications=list(known.filter(applications__isnull=False).values_list("applications", flat=True)),
        resources=list(known.filter(resources__isnull=False).values_list("resources", flat=True)),
    )


def unknown_hosts(incident: Incident) -> list[str]:
    """The hosts of its report of which nobody has said what they are."""
    event = getattr(incident, "zabbix_event", None)
    if event is None:
        return []
    known = set(ZabbixHost.objects.known().filter(host__in=event.hosts).values_list("host", flat=True))
    return [host for host in event.hosts if host not in known]


def map_host(
    *, by: User, host: str, resources: Collection[Resource] = (), applications: Collection[Application] = ()
) -> ZabbixHost:
    """Say what a host is: the resources, or whole applications, that its problems affect. Nothing: it is unknown again.

    Proposals that name the host get what it stands for once that is kept, the latest ones at once and the others by the
    sweeper. Raises NotPermitted, InvalidInput naming ``host``.
    """
    check_can_map_hosts(by)
    host, now = host.strip(), timezone.now()
    if not host or len(host) > 128 or "\0" in host:
        raise InvalidInput("Enter the host’s name as Zabbix has it, 128 characters at most.", field="host")
    with acting(by, f"what {host[:40]} is"), transaction.atomic():
        ZabbixHost.objects.get_or_create(host=host)
        found = ZabbixHost.objects.select_for_update().get(host=host)
        found.resources.set(resources)
        found.applications.set(applications)
        naming = [pk for pk, hosts in _proposed().order_by("pk").values_list("pk", "hosts") if host in hosts]
        for start in range(0, len(naming), 500):
            _mark(ZabbixEvent.objects.filter(pk__in=naming[start : start + 500]), may_lack=True)
    for pk in sorted(naming, reverse=True)[:A_TURN]:
        _grow(pk, by, now)
    return found


def extend_proposals(now: datetime) -> None:
    """Give proposals what was said of their hosts, so many in a turn: those that :func:`map_host` did not come to.

    A new one is looked at once more as well: what its hosts are may have been said in the same moment.
    """
    _mark(
        ZabbixEvent.objects.filter(may_lack=True).exclude(incident__status=IncidentStatus.PROPOSED.value),
        may_lack=False,
    )
    for pk in list(_proposed().filter(may_lack=True).order_by("-pk").values_list("pk", flat=True)[:A_TURN]):
        _grow(pk, None, now)


def _proposed() -> QuerySet[ZabbixEvent]:
    return ZabbixEvent.objects.filter(incident__status=IncidentStatus.PROPOSED.value)


def _mark(events: QuerySet[ZabbixEvent], *, may_lack: bool) -> None:
    """In one order, so that two who mark the same never wait for each other."""
    with transaction.atomic():
        found = list(events.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        ZabbixEvent.objects.filter(pk__in=found).update(may_lack=may_lack)


def _grow(event: int, by: User | None, now: datetime) -> None:
    """Extend the proposal of that event, in a transaction of its own. What fails is tried again by the sweeper.

    The event is locked before its incident, as a message about it does.
    """
    try:
        with acting(by, "what its hosts are"), transaction.atomic():
            locked = ZabbixEvent.objects.select_for_update(of=("self",)).get(pk=event)
            ZabbixEvent.objects.filter(pk=event).update(may_lack=False)
            if locked.incident_id is not None:
                _extend(Incident.objects.select_for_update().get(pk=locked.incident_id), by, now)
    except Exception:
        log.exception("zabbix.not_extended", event=event)


def _extend(incident: Incident, by: User | None, now: datetime) -> None:
    if incident.state is not IncidentStatus.PROPOSED:
        return
    try:
        with transaction.atomic():
            added = add_affected(incident, affected_by_hosts(incident.zabbix_event.hosts))
    except InvalidInput as error:  # far too many at once: a person has to say which
        if not incident.events.filter(text=TOO_MANY).exists():
            note_incident(incident, by=None, now=now, text=TOO_MANY, reason=error.sentence)
        return
    if added:
        settle_incident_pins(incident, now)
        whose = f"{by} said what its hosts are" if by else "What its hosts are was said"
        note_incident(incident, by=by, now=now, text=f"{whose}; the list has grown")
