"""B3: the latest monthly backup has one copy in the other region. Copy → verify → only then delete the older one.

Every copy is written under a prefix of its own. So a worker that was taken for dead and wakes up can only ever remove
what it wrote itself, never the copy that another worker has made meanwhile.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.progress import RowProgress, WorkTakenAway
from backups.actions.taking import Clock
from backups.artefacts import StoredArtefact, StoredArtefactInfo, copy_artefact, delete_artefact
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState, Resource
from backups.proof import Proof
from backups.slots import Point, fill_slots
from portal.handover import hand_over


def latest_monthly(resource: Resource) -> Backup | None:
    """The backup that the other region should hold."""
    rows = Backup.objects.good().filter(resource=resource).values_list("pk", "taken_at")
    points = (Point(pk, taken_at, True) for pk, taken_at in rows if taken_at)
    monthly = fill_slots(points, ZoneInfo(settings.POLICY_TIME_ZONE)).latest_monthly
    return Backup.objects.get(pk=monthly.id) if monthly else None


def copy_to_other_region(resource_id: int, *, clock: Clock = timezone.now) -> None:
    """Bring the resource's latest monthly backup to its other region, if it is not there yet; then remove what is over.

    Called after every good backup, so what failed or was killed is made good by the next call. An older copy goes
    only after every byte of the new one was read back and its checksum holds.
    """
    resource = Resource.objects.get(pk=resource_id)
    backup = latest_monthly(resource)
    if backup is not None:
        copy = _claim(backup, clock)
        if copy is not None:
            _write(copy, clock)
        _retire_older(backup)
    _remove_retired(resource, clock)


def give_up_lost_copies(*, lost_before: datetime) -> None:
    """Retire copies whose writer last beat before ``lost_before``, and have each made anew."""
    lost = Copy.objects.filter(state=CopyState.WRITING, heartbeat_at__lt=lost_before)
    for pk, resource_id in lost.values_list("pk", "backup__resource")[:100]:
        if Copy.objects.filter(pk=pk, state=CopyState.WRITING).update(state=CopyState.DELETING):
            hand_over("backups.copy", resource_id)


def _claim(backup: Backup, clock: Clock) -> Copy | None:
    """The row of the copy to write; None when it is there already or a living worker writes it now."""
    now, region = clock(), backup.resource.other_region
    lost_before = now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS)
    standing = Copy.objects.filter(backup=backup, region=region)
    try:
        with transaction.atomic():
            standing.filter(state=CopyState.WRITING, heartbeat_at__lt=lost_before).update(state=CopyState.DELETING)
            return Copy.objects.create(
                backup=backup,
                region=region,
                prefix=f"{backup.prefix}-{secrets.token_hex(4)}",
                state=CopyState.WRITING,
                created_at=now,
                heartbeat_at=now,
            )
    except IntegrityError:
        return None


def _write(copy: Copy, clock: Clock) -> None:
    """Copy, read back, and only then call it present. Whatever is raised, the row says that nothing is there."""
    backup = copy.backup
    info = StoredArtefactInfo.from_json(backup.artefact)
    here, there = store_of(backup.resource.home_region), store_of(copy.region)
    writing = Copy.objects.filter(pk=copy.pk, state=CopyState.WRITING)
    try:
        with RowProgress(writing, clock) as progress:
            copy_artefact(here, backup.prefix, there, copy.prefix, info, progress)
            StoredArtefact(there, copy.prefix, info).check(progress)
        made = writing.update(
            state=CopyState.PRESENT,
            stored_bytes=info.size + info.manifest_size,
            proof=Proof.CHECKSUM,
            proven_at=clock(),
        )
        if not made:
            raise WorkTakenAway("This copy was given up meanwhile.")
    except BaseException:
        writing.update(state=CopyState.DELETING)
        _remove(copy, clock)
        raise


def _retire_older(newest: Backup) -> None:
    """Older backups lose their copy in the other region once the newest has one there, but never their last copy."""
    region = newest.resource.other_region
    there = Copy.objects.present().filter(backup__resource=newest.resource, region=region)
    if not there.filter(backup=newest).exists():
        return
    elsewhere = Copy.objects.present().exclude(region=region).values("backup")
    there.exclude(backup=newest).filter(backup__in=elsewhere).update(state=CopyState.DELETING)


def _remove_retired(resource: Resource, clock: Clock) -> None:
    for copy in Copy.objects.filter(backup__resource=resource, state=CopyState.DELETING).select_related("backup"):
        _remove(copy, clock)


def _remove(copy: Copy, clock: Clock) -> None:
    """The row, which says so already, claims too little for a moment, never too much."""
    delete_artefact(store_of(copy.region), copy.stored_under)
    Copy.objects.filter(pk=copy.pk, state=CopyState.DELETING).update(state=CopyState.DELETED, deleted_at=clock())
