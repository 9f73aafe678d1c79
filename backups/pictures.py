"""The pictures of many resources at once: three queries for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, FilteredRelation, Max, Q
from django.db.models.functions import Coalesce

from backups.models import Backup, BackupStatus, CopyState, Hold, Pin, Resource
from backups.models.backup import OPEN
from backups.picture import BackupFacts, Picture, draw
from backups.proof import Proof
from backups.slots import MONTHLY
from portal.words import company_zone

_COLUMNS = (
    "resource_id", "id", "at", "status", "damaged_at", "stored_bytes", "kept__region", "kept__proof", "kept__proven_at",
)  # fmt: skip


def pictures_of(resources: Sequence[Resource], now: datetime) -> dict[int, Picture]:
    """The picture of each resource by its id. Three queries, whatever their number."""
    zone = company_zone()
    histories = _histories([resource.pk for resource in resources], now)
    return {
        resource.pk: draw(
            histories.get(resource.pk, ()),
            now=now,
            zone=zone,
            since=resource.created_at,
            other_region=resource.other_region,
        )
        for resource in resources
    }


def _window_start(today: date) -> datetime:
    """The first moment that any cell can show: the first day of the month before the last six."""
    month = today.replace(day=1)
    for _ in range(MONTHLY):
        month = (month - timedelta(days=1)).replace(day=1)
    return datetime(month.year, month.month, 1, tzinfo=company_zone())


def _histories(resources: Sequence[int], now: datetime) -> dict[int, list[BackupFacts]]:
    today = now.astimezone(company_zone()).date()
    start = _window_start(today)
    rows = (
        Backup.objects.filter(resource__in=resources)
        .annotate(
            kept=FilteredRelation("copies", condition=Q(copies__state=CopyState.PRESENT)),
            at=Coalesce("taken_at", "queued_at"),
        )
        .filter(Q(taken_at__gte=start) | Q(taken_at__isnull=True, queued_at__gte=start))
        .exclude(status=BackupStatus.FINISHED, damaged_at__isnull=True, kept__id__isnull=True)  # deleted by retention
        .order_by(F("id"))
        .values_list(*_COLUMNS)
    )
    found: dict[int, dict[int, list[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], {}).setdefault(row[1], []).append(row)
    held, pinned = _held(resources, today), _pinned(resources, now)
    return {
        resource: [
            _facts(copies, held.get(pk), tuple(sorted(set(pinned.get(pk, ()))))) for pk, copies in of_one.items()
        ]
        for resource, of_one in found.items()
    }


def _held(resources: Sequence[int], today: date) -> dict[int, date]:
    """The last day of the longest hold of each held backup."""
    holds = Hold.objects.standing(today).filter(backup__resource__in=resources)
    return dict(holds.values_list("backup").annotate(last=Max("until")).order_by())


def _pinned(resources: Sequence[int], now: datetime) -> dict[int, list[str]]:
    """What uses each pinned backup."""
    found: dict[int, list[str]] = {}
    pins = Pin.objects.standing(now).filter(backup__resource__in=resources)
    for backup, label in pins.values_list("backup", "label"):
        found.setdefault(backup, []).append(label)
    return found


def _facts(rows: Iterable[Any], held_until: date | None, pinned_by: tuple[str, ...]) -> BackupFacts:
    """One backup from its rows, one per present copy (or one without any)."""
    rows = list(rows)
    _, pk, at, status, damaged_at, stored_bytes, *_ = rows[0]
    proofs = tuple((region, Proof(level), proven_at) for *_, region, level, proven_at in rows if region is not None)
    return BackupFacts(
        id=pk,
        at=at,
        good=status == BackupStatus.FINISHED and damaged_at is None and bool(proofs),
        open=status in OPEN,
        damaged=damaged_at is not None,
        stored_bytes=stored_bytes,
        proofs=proofs,
        held_until=held_until,
        pinned_by=pinned_by,
    )
