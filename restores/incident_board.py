"""An incident as its board, its record and the API show it to one person: only the rows of clients that they see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from backups.drivers.base import Mode
from backups.models import Copy
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.words import exact_time, span_in_words
from restores.incident_permissions import unfiled, with_motion
from restores.incident_workflow import IncidentStatus
from restores.models import Attempt, AttemptKind, Incident, IncidentEvent, IncidentResource, RestoreRequest
from restores.plan import loss_window
from restores.succession import all_replaced_since, left_unsettled, replaced_sentence, to_replace
from restores.targets import exclusive_target
from restores.wording import measured_at
from restores.workflow import Status


@dataclass(frozen=True)
class Row:
    """One affected resource: where it stands, what it goes back to and loses by that, what came of it."""

    item: IncidentResource
    request: RestoreRequest | None
    attempt: Attempt | None
    label: str
    colour: str
    why: str  # why it is not restored, or what went wrong
    detail: str  # the technical part of that, for those who see such
    loss: timedelta | None
    marks: list[str]
    recovered_at: datetime | None
    recovered_in: timedelta | None
    replaced_by: RestoreRequest | None  # whose restored data has replaced since what came back

    @property
    def since(self) -> str:
        """What became of it since it came back; empty while that is live."""
        return replaced_sentence(self.replaced_by) if self.replaced_by is not None else ""

    @property
    def is_running(self) -> bool:
        """Whether its restore moves data now."""
        return self.request is not None and self.request.state is Status.RUNNING

    @property
    def loss_words(self) -> str:
        """ "9 h 41 min"; a dash where nothing is restored."""
        return span_in_words(self.loss) if self.loss is not None else "–"

    @property
    def recovered_words(self) -> str:
        """The time to recovery in words, counted from the hazard; empty before."""
        return span_in_words(self.recovered_in) if self.recovered_in is not None else ""


@dataclass(frozen=True)
class Figures:
    """How many of the rows that this person sees stand where."""

    total: int
    recovered: int
    running: int
    waiting: int
    failed: int
    impossible: int
    taken_out: int

    @property
    def lacking(self) -> bool:
        """Whether something of what was to come back is not back."""
        return self.recovered + self.taken_out < self.total


def sees_all(user: User) -> bool:
    """Whether they see the company's side of it: the monitoring's own words, hosts, technical details."""
    return has_permission(user, Permission.VIEW_TECHNICAL, None)


def hazard_told(user: User, incident: Incident) -> str:
    """What happened, in the words meant for this person."""
    return incident.hazard if sees_all(user) else incident.told_outside


def events_told(user: User, incident: Incident) -> QuerySet[IncidentEvent]:
    """The record's lines; those about single resources only to who sees the resource."""
    seen = incident.affected.visible_to(user).values("resource")
    return incident.events.filter(Q(resource__isnull=True) | Q(resource__in=seen)).select_related("by")


def items_seen(user: User, incident: Incident) -> QuerySet[IncidentResource]:
    """The rows that the person sees, with what a row shows."""
    return IncidentResource.objects.filter(incident=incident).visible_to(user).select_related(
        "resource__application__client", "backup", "excluded_by"
    )  # fmt: skip


def rows_of(user: User, incident: Incident, items: Iterable[IncidentResource], now: datetime) -> list[Row]:
    """The rows of those items, in five queries more however many there are."""
    items = list(items)
    restores = Attempt.objects.filter(kind=AttemptKind.RESTORE).order_by("number")
    requests = {
        request.resource_id: request
        for request in incident.restore_requests.filter(resource__in=[item.resource_id for item in items])
        .select_related("client", "resource", "backup")
        .prefetch_related(Prefetch("attempts", restores))
        .order_by("pk")  # of several the newest counts: those before it are closed
    }
    replaced = all_replaced_since(requests.values())
    waiting = [exclusive_target(one.plan) for one in requests.values() if one.state is Status.APPROVED]
    left = {one.target: one.request for one in left_unsettled(waiting)} if waiting else {}
    marks = marks_of(incident, items)
    technical = sees_all(user)
    return [
        _row(incident, item, requests.get(item.resource_id), replaced, left, marks[item.resource_id], now, technical)
        for item in items
    ]


def _row(
    incident: Incident,
    item: IncidentResource,
    request: RestoreRequest | None,
    replaced: Mapping[int, RestoreRequest],
    left: Mapping[str, RestoreRequest],
    marks: list[str],
    now: datetime,
    technical: bool,
) -> Row:
    attempts = list(request.attempts.all()) if request else []
    attempt = attempts[-1] if attempts else None
    replaced_by = replaced.get(request.pk) if request else None
    label, colour = ("Replaced since", "waiting") if replaced_by else _standing(incident, item, request)
    done = attempt.finished_at if attempt and request and request.state is Status.COMPLETED else None
    failed = attempt if attempt and request and request.state is Status.FAILED else None
    until = measured_at(request, now) if request else now
    return Row(
        item=item,
        request=request,
        attempt=attempt,
        label=label,
        colour=colour,
        why=item.excluded_reason or item.why_not or (failed.error if failed else "") or _held_up_by(request, left),
        detail=failed.error_detail if failed and technical else "",
        loss=loss_window(item.backup.taken_at, until) if item.backup and item.backup.taken_at else None,
        marks=marks,
        recovered_at=done,
        recovered_in=done - incident.began_at if done else None,
        replaced_by=replaced_by if done else None,
    )


def _held_up_by(request: RestoreRequest | None, left: Mapping[str, RestoreRequest]) -> str:
    """Why one that was filed does not start though it is its turn; empty otherwise."""
    other = left.get(exclusive_target(request.plan)) if request and request.state is Status.APPROVED else None
    return f"The portal puts things right after {other.number} first." if other and other != request else ""


def _standing(incident: Incident, item: IncidentResource, request: RestoreRequest | None) -> tuple[str, str]:
    if item.excluded_at is not None:
        return "Taken out", "quiet"
    if request is not None:
        if request.state is Status.APPROVED:
            return "Waits its turn", "waiting"
        if request.state is Status.COMPLETED:
            return "Recovered", "good"
        return request.facts.label, request.facts.colour.value
    if item.why_not:
        return "Cannot be restored", "bad"
    if incident.state is IncidentStatus.RECOVERING:
        return "Waits its turn", "waiting"
    return ("Not restored", "quiet") if incident.facts.final else ("Ready", "waiting")


def marks_of(incident: Incident, items: Iterable[IncidentResource]) -> dict[int, list[str]]:
    """By resource what to look at twice before it goes back to the backup of its row, and after. One query."""
    items = [item for item in items if item.backup is not None and not incident.facts.final]
    others: dict[int, list[str]] = {}
    replaced = {item.resource_id for item in items if item.mode == Mode.IN_PLACE.value}
    for other in to_replace(replaced).exclude(incident=incident):
        does = "is replacing it now" if other.state is Status.RUNNING else "is approved to replace it"
        others.setdefault(other.resource_id, []).append(f"{other.number} {does}")
    found: dict[int, list[str]] = defaultdict(list)
    for item in items:
        late = item.backup is not None and item.backup.taken_at is not None and item.backup.taken_at > incident.began_at
        found[item.resource_id] = [
            *(["Taken after the hazard began"] if late else []),
            *others.get(item.resource_id, []),
        ]
    return found


def figures_of(user: User, incident: Incident) -> Figures:
    """Counted by the database, over the rows that this person sees."""
    items = IncidentResource.objects.filter(incident=incident).visible_to(user)
    counted = items.aggregate(
        total=Count("pk"),
        taken_out=Count("pk", filter=Q(excluded_at__isnull=False)),
        impossible=Count("pk", filter=Q(excluded_at__isnull=True) & ~Q(why_not="")),
    )
    standing = RestoreRequest.objects.filter(incident=incident).visible_to(user).order_by()
    by_status: dict[str, int] = dict(standing.values_list("status").annotate(how_many=Count("pk")))
    to_file = 0 if incident.facts.final else unfiled(incident).filter(pk__in=items).count()
    return Figures(
        recovered=by_status.get(Status.COMPLETED, 0),
        running=by_status.get(Status.RUNNING, 0),
        waiting=by_status.get(Status.SUBMITTED, 0) + by_status.get(Status.APPROVED, 0) + to_file,
        failed=by_status.get(Status.FAILED, 0),
        **counted,
    )


def with_counts(found: QuerySet[Incident], user: User) -> QuerySet[Incident]:
    """Each with ``affected_count``, ``recovered_count`` and ``lacking`` over the rows that this person sees, and ``in_motion``.

    ``lacking``: something of what was to come back is not back. ``in_motion``: something waits or runs.
    """
    items = IncidentResource.objects.visible_to(user).filter(incident=OuterRef("pk"))
    done = RestoreRequest.objects.visible_to(user).filter(incident=OuterRef("pk"), status=Status.COMPLETED.value)
    back = RestoreRequest.objects.filter(
        incident=OuterRef("incident"), resource=OuterRef("resource"), status=Status.COMPLETED.value
    )
    counted: QuerySet[Incident] = with_motion(found).annotate(
        affected_count=_count(items),
        recovered_count=_count(done),
        lacking=Exists(items.included().filter(~Exists(back))),
    )
    return counted


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("incident").annotate(how_many=Count("pk")).values("how_many")
    return Coalesce(Subquery(counted), 0)


def regions_read(incident: Incident) -> str:
    """From where the backups are read, in a sentence."""
    if not incident.lost_region:
        return "Backups are read from each resource’s home region, or from the other one where that is all there is."
    return f"{incident.lost_region} is the hazard itself: backups are read from the other region."


def present_regions(items: Iterable[IncidentResource], lost_region: str) -> dict[int, str]:
    """For each backup the region that would be read first, by its id. One query."""
    homes = {item.backup_id: item.resource.home_region for item in items if item.backup_id}
    found: dict[int, str] = {}
    for backup, region in Copy.objects.present().filter(backup__in=homes).values_list("backup", "region"):
        best = found.get(backup)
        if best is None or _rank(region, lost_region, homes[backup]) < _rank(best, lost_region, homes[backup]):
            found[backup] = region
    return found


def _rank(region: str, lost_region: str, home: str) -> tuple[bool, bool]:
    return region == lost_region, region != home


def sentence_of_incident(figures: Figures, incident: Incident, now: datetime) -> str:
    """The whole in one sentence."""
    ended = incident.closed_at or now
    since = f"The hazard began {exact_time(incident.began_at, now)}, {span_in_words(ended - incident.began_at)} " + (
        "before it was over." if incident.closed_at else "ago."
    )
    return f"{since} {figures.recovered} of {figures.total} recovered."
