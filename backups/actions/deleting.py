"""Removing the bytes of copies whose rows say that they go. The rows claim too little for a moment, never too much."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backups.actions.keptparts import delete_kept
from backups.actions.locking import locked_resource
from backups.actions.newest import note_newest_good
from backups.actions.taking import Clock
from backups.artefacts import delete_artefact
from backups.drivers.base import DriverError
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState, Resource
from portal.errors import PortalError
from portal.handover import hand_over

log = structlog.get_logger(__name__)

A_TURN = 1000


def mark_deleting(resource: Resource, copies: list[Copy], now: datetime) -> None:
    """The rows say that the copies go; a backup with none left is deleted. In a transaction, under the resource's lock."""
    if not copies:
        return
    Copy.objects.filter(pk__in=[copy.pk for copy in copies]).exclude(state=CopyState.DELETED).update(
        state=CopyState.DELETING
    )
    _without_copies().filter(pk__in={copy.backup_id for copy in copies}).update(deleted_at=now)
    note_newest_good(resource, now)
    hand_over("backups.audit_resource", resource.pk)


def _without_copies() -> QuerySet[Backup]:
    """Stored backups of which nothing is left, and nothing is being written."""
    return Backup.objects.stored().exclude(copies__state__in=[CopyState.WRITING, CopyState.PRESENT, CopyState.DAMAGED])


def remove_copy(copy: Copy, clock: Clock) -> None:
    """Delete the copy's objects, then note that they are gone. Absent ones are fine.

    Where it was still being written when the others went, its backup is deleted only now.
    """
    delete_artefact(store_of(copy.region), copy.stored_under)
    delete_kept(copy)
    Copy.objects.filter(pk=copy.pk, state=CopyState.DELETING).update(state=CopyState.DELETED, deleted_at=clock())
    if _without_copies().filter(pk=copy.backup_id).exists():
        now = clock()
        with transaction.atomic():
            resource = locked_resource(copy.backup.resource_id)
            if _without_copies().filter(pk=copy.backup_id).update(deleted_at=now):
                note_newest_good(resource, now)


def remove_retired(copies: QuerySet[Copy], *, clock: Clock = timezone.now) -> None:
    """Delete the bytes of those among ``copies`` whose rows say so; a region that is away is tried again later.

    So many of each region at a time, so that one that is away is in no other's way.
    """
    retired = copies.filter(state=CopyState.DELETING)
    for region in sorted(set(retired.order_by().values_list("region", flat=True))):
        for copy in retired.filter(region=region).select_related("backup__resource").order_by("pk")[:A_TURN]:
            try:
                remove_copy(copy, clock)
            except (DriverError, PortalError) as error:
                log.warning("copy.not_removed", copy=copy.pk, why=error.sentence)
