"""B3: the latest monthly backup has one copy in the other region. Copy → verify → only then delete the older one."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.progress import RowProgress
from backups.actions.taking import Clock
from backups.artefacts import StoredArtefact, StoredArtefactInfo, copy_artefact, delete_artefact
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState, Resource
from backups.proof import Proof
from backups.slots import Point, fill_slots


def latest_monthly(resource: Resource) -> Backup | None:
    """The backup that the other region should hold."""
    rows = Backup.objects.good().filter(resource=resource).values_list("pk", "taken_at")
    points = (Point(pk, taken_at, True) for pk, taken_at in rows if taken_at)
    monthly = fill_slots(points, ZoneInfo(settings.POLICY_TIME_ZONE)).latest_monthly
    return Backup.objects.get(pk=monthly.id) if monthly else None


def copy_to_other_region(resource_id: int, *, clock: Clock = timezone.now) -> None:
    """Bring the resource's latest monthly backup to its other region, if it is not there yet.

    Called after every good backup, so a copy that failed or was killed is made by the next call. The older copy
    goes only after every byte of the new one was read back and its checksum holds.
    """
    resource = Resource.objects.get(pk=resource_id)
    backup = latest_monthly(resource)
    copy = _claim(backup, clock) if backup else None
    if backup is None or copy is None:
        return
    info = StoredArtefactInfo.from_json(backup.artefact)
    here, there = store_of(resource.home_region), store_of(resource.other_region)
    try:
        with RowProgress(Copy.objects.filter(pk=copy.pk, state=CopyState.WRITING), clock) as progress:
            copy_artefact(here, there, backup.prefix, info, progress)
            StoredArtefact(there, backup.prefix, info).check(progress)
    except BaseException:
        delete_artefact(there, backup.prefix)
        Copy.objects.filter(pk=copy.pk, state=CopyState.WRITING).update(state=CopyState.DELETED, deleted_at=clock())
        raise
    Copy.objects.filter(pk=copy.pk).update(
        state=CopyState.PRESENT,
        stored_bytes=info.size + info.manifest_size,
        proof=Proof.CHECKSUM,
        proven_at=clock(),
    )
    _delete_older(backup, clock)


def _claim(backup: Backup, clock: Clock) -> Copy | None:
    """The row of the copy to write; None when it is there already or a living worker writes it now."""
    region = backup.resource.other_region
    lost_before = clock() - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS)
    try:
        with transaction.atomic():
            Copy.objects.filter(
                backup=backup, region=region, state=CopyState.WRITING, heartbeat_at__lt=lost_before
            ).update(state=CopyState.DELETED, deleted_at=clock())
            return Copy.objects.create(
                backup=backup, region=region, state=CopyState.WRITING, created_at=clock(), heartbeat_at=clock()
            )
    except IntegrityError:
        return None


def _delete_older(newest: Backup, clock: Clock) -> None:
    """The copy is deleted in the store first: a row may claim too little for a moment, never too much."""
    older = Copy.objects.present().filter(backup__resource=newest.resource, region=newest.resource.other_region)
    for copy in older.exclude(backup=newest).select_related("backup__resource"):
        Copy.objects.filter(pk=copy.pk).update(state=CopyState.DELETED, deleted_at=clock())
        delete_artefact(store_of(copy.region), copy.backup.prefix)
