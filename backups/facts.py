"""What the policy has to know, read from the database: a handful of queries for any number of resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from backups.instants import Instant, read_instant
from backups.judging import CopyFacts, ResourceFacts, StoredBackup
from backups.kinds import KEPT_AT_PROVIDERS
from backups.models import Backup, BackupStatus, CopyState, Environment, Hold, Pin, Resource, ResourceState
from backups.proof import Proof
from backups.retention import Hold as HoldFacts
from backups.retention import Pin as PinFacts
from portal.days import short_day
from portal.words import company_zone

CHUNK = 500

_RESOURCE = (
    "pk", "name", "environment", "home_region", "other_region", "created_at", "removed_at", "undone_removal_at",
    "state", "last_good_at", "kind",
)  # fmt: skip
_BACKUP = ("pk", "resource_id", Instant("taken_at"), Instant("finished_at"), "stored_bytes")
_COPY = (
    "copy__pk",
    "copy__region",
    "copy__state",
    "copy__proof",
    Instant("copy__checksum_at"),
    Instant("copy__created_at"),
    Instant("copy__damaged_at"),
    "copy__unread_at",
)
_PRESENT, _VERIFIED = CopyState.PRESENT.value, Proof.CHECKSUM.value


def facts_of(resource: Resource, now: datetime) -> ResourceFacts:
    """The facts of one resource, as they are now."""
    return next(facts_of_each([resource.pk], now))


def all_facts(resources: QuerySet[Resource], now: datetime) -> Iterator[ResourceFacts]:
    """The facts of many, in the order of their ids, in constant memory."""
    for chunk in id_chunks(resources):
        yield from facts_of_each(chunk, now)


def id_chunks(resources: QuerySet[Resource]) -> Iterator[list[int]]:
    """Their ids in order, as many at a time as are well read at once."""
    last = 0
    while chunk := list(resources.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        yield chunk
        last = chunk[-1]


def facts_of_each(resources: Sequence[int], now: datetime) -> Iterator[ResourceFacts]:
    """The facts of those resources, in the order of their ids; a handful of queries for all."""
    rows = Resource.objects.filter(pk__in=resources).order_by("pk").values_list(*_RESOURCE)
    backups = _backups(resources, now)
    failures = _failures(resources, now)
    for row in rows:
        pk, name, environment, home, other, created_at, removed_at, undone_removal_at, state, last_good_at, kind = row
        failure = failures.get(pk)
        yield ResourceFacts(
            id=pk,
            name=name,
            production=environment == Environment.PRODUCTION,
            home_region=home,
            other_region=other,
            created_at=created_at,
            backups=backups.get(pk, ()),
            removed_at=removed_at,
            vanished=state == ResourceState.VANISHED,
            undone_removal_at=undone_removal_at,
            last_failure=failure if failure and (last_good_at is None or failure[0] > last_good_at) else None,
            at_provider=kind in KEPT_AT_PROVIDERS,
        )


def _backups(resources: Sequence[int], now: datetime) -> dict[int, list[StoredBackup]]:
    of_these = {"backup__deleted_at__isnull": True, **_among("backup__resource", resources)}
    holds = _holds(of_these, now)
    pins = _grouped(
        Pin.objects.standing(now).filter(**of_these).order_by("label").values_list("backup_id", "label", "until"),
        0,
        lambda row: PinFacts(row[1], row[2]),
    )
    found: dict[int, list[StoredBackup]] = defaultdict(list)
    last = None
    for (
        pk, resource, taken_at, finished_at, stored_bytes, copy, region, state, proof, checksum_at, created_at, damaged_at,
        unread_at,
    ) in _rows(resources):  # fmt: skip
        if pk != last:
            copies: list[CopyFacts] = []
            backup = StoredBackup(
                pk,
                read_instant(taken_at),
                read_instant(finished_at),
                copies,
                stored_bytes,
                holds.get(pk, ()),
                pins.get(pk, ()),
            )
            found[resource].append(backup)
            last = pk
        if copy is not None:
            copies.append(
                CopyFacts(
                    copy,
                    region,
                    state == _PRESENT,
                    checksum_at is not None or proof >= _VERIFIED,
                    read_instant(checksum_at) if checksum_at is not None else None,
                    read_instant(created_at),
                    read_instant(damaged_at) if damaged_at is not None else None,
                    unread_at is None,
                )
            )
    return found


def _among(path: str, resources: Sequence[int]) -> dict[str, Any]:
    """The condition for rows of those resources. Where their ids lie close a range says it, perhaps with a few between.

    A statement with hundreds of ids costs more to write and to read than its answer.
    """
    if resources and max(resources) - min(resources) < 2 * len(resources):
        return {f"{path}__gte": min(resources), f"{path}__lte": max(resources)}
    return {f"{path}__in": resources}


def _rows(resources: Sequence[int]) -> Iterable[Any]:
    """The stored backups, each as often as it has copies, or once without any."""
    standing = Q(copies__state__in=[CopyState.PRESENT, CopyState.DAMAGED])
    backups = Backup.objects.stored().filter(**_among("resource", resources))
    rows = backups.annotate(copy=FilteredRelation("copies", condition=standing))
    return rows.order_by("resource_id", "taken_at", "pk", "copy__pk").values_list(*_BACKUP, *_COPY)


def _holds(of_these: dict[str, Any], now: datetime) -> dict[int, list[HoldFacts]]:
    zone = company_zone()
    today = now.astimezone(zone).date()
    rows = Hold.objects.standing(today).filter(**of_these).select_related("placed_by").order_by("placed_at", "pk")
    found: dict[int, list[HoldFacts]] = defaultdict(list)
    for hold in rows:
        words = f"held until {short_day(hold.until, today)} by {hold.placed_by}: {hold.reason}"
        ends = datetime.combine(hold.until + timedelta(days=1), time(), zone)
        found[hold.backup_id].append(HoldFacts(words, hold.until, ends))
    return found


def _failures(resources: Sequence[int], now: datetime) -> dict[int, tuple[datetime, str]]:
    """The newest failure of each resource in the last few days."""
    rows = Backup.objects.filter(
        status=BackupStatus.FAILED, finished_at__gt=now - timedelta(days=8), **_among("resource", resources)
    )
    found = rows.order_by("finished_at").values_list("resource_id", "finished_at", "error")
    return {resource: (at, error) for resource, at, error in found if at is not None}


def _grouped(rows: Iterable[Any], key: int, made: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(made(row))
    return found
