"""Taking backups: asked for here, claimed and done by a worker, recorded as it goes.

The row is the lease: a worker claims it by changing exactly one row, and whoever finds it claimed leaves it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.actions.looking import note_sighting
from backups.actions.newest import note_newest_good
from backups.actions.progress import RowProgress
from backups.actions.waiting import put_to_sleep, wake
from backups.actions.whereabouts import check_not_moved
from backups.artefacts import ArtefactWriter, Index, StoredArtefactInfo, delete_artefact, read_index
from backups.drivers.base import DriverError, NotFound, StillWorking
from backups.drivers.provider import KeptAt
from backups.kinds import driver_of, store_of
from backups.models import Backup, BackupOrigin, BackupStatus, Copy, CopyState, Resource
from backups.permissions import check_can_back_up
from backups.processes import stoppable
from backups.proof import Proof
from backups.schedule import retry_after
from backups.stores.base import StoreError
from portal.errors import PortalError, Refused
from portal.handover import hand_over
from portal.models import User
from portal.reasons import checked_reason

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

LATELY = timedelta(days=1)


def request_backup(*, by: User, resource: Resource, reason: str) -> Backup:
    """Queue a backup on request. ``reason`` is documented with it. Raises NotPermitted, Refused or InvalidInput."""
    check_can_back_up(by, resource)
    reason = checked_reason(reason, "Say why the backup is taken: it is kept with it.")
    try:
        with transaction.atomic():
            return queue_backup(resource, origin=BackupOrigin.REQUESTED, by=by, reason=reason)
    except IntegrityError as error:  # the constraint: one open backup per resource
        raise Refused(f"A backup of {resource.name} is under way already. Wait until it is finished.") from error


def queue_backup(
    resource: Resource, *, origin: BackupOrigin, by: User | None, reason: str = "", now: datetime | None = None
) -> Backup:
    """Write the row of a backup to be taken and hand it over after commit. Call inside a transaction."""
    queued_at = now or timezone.now()
    backup = Backup.objects.create(
        resource=resource,
        origin=origin,
        requested_by=by,
        reason=reason,
        queued_at=queued_at,
        resend_at=queued_at + timedelta(seconds=settings.RESEND_AFTER_SECONDS),
    )
    hand_over("backups.take", backup.pk)
    return backup


def perform_backup(backup_id: int, *, clock: Clock = timezone.now) -> None:
    """Take the queued backup. Safe to call twice and late: only who claims the row does anything."""
    backup = _claim(backup_id, clock())
    if backup is None:
        return
    if (stored := stored_at_home(backup)) is not None:
        finish_backup(backup, stored, clock())
        return
    resource = backup.resource
    rows = Backup.objects.filter(pk=backup.pk, status=BackupStatus.RUNNING)
    try:
        with stoppable() as stop, RowProgress(rows, clock, note_progress=True, on_taken_away=stop) as progress:
            check_not_moved(resource)
            driver, store = driver_of(resource.kind), store_of(resource.home_region)
            header = {"resource": str(resource.uid), "name": resource.name, "taken_at": backup.started_at.isoformat()}  # type: ignore[union-attr]
            with ArtefactWriter(store, backup.prefix, kind=resource.kind, header=header) as sink:
                taken = driver.take(resource.settings, sink, progress)
                info = sink.finish(taken)
            index = Index(resource.kind, header, info, taken.summary, tuple(taken.warnings), taken.kept)
    except StillWorking as waiting:
        put_to_sleep(rows, waiting, clock(), waits_for=waiting.sentence[:300])
    except (DriverError, StoreError) as error:
        _fail(backup, error.sentence, error.detail, clock(), worth_retrying=error.retry)
        if isinstance(error, NotFound):
            note_sighting(resource, there=False, said=error.sentence)
    except PortalError as error:
        _fail(backup, error.sentence, "", clock())
    except Exception as error:
        log.exception("backup.crashed", backup=backup.pk)
        _fail(
            backup,
            "The backup stopped because of a fault in the portal. IT has to look at it.",
            f"{type(error).__name__}: {error}",
            clock(),
        )
    else:
        finish_backup(backup, index, clock(), source_bytes=taken.source_bytes)
        note_sighting(resource, there=True, said="")


def _claim(backup_id: int, now: datetime) -> Backup | None:
    """A queued one, or one whose provider is to be asked again."""
    row = Backup.objects.filter(pk=backup_id)
    claimed = row.filter(status=BackupStatus.QUEUED).update(
        status=BackupStatus.RUNNING, started_at=now, taken_at=now, heartbeat_at=now, progress_at=now
    ) or wake(row.filter(status=BackupStatus.RUNNING), now, progress_at=now)
    return Backup.objects.select_related("resource").get(pk=backup_id) if claimed else None


def stored_at_home(backup: Backup) -> Index | None:
    """What stands complete under its prefix already: it was stored, and then a worker died or the database was set back.

    None also where that cannot be told.
    """
    try:
        return read_index(store_of(backup.resource.home_region), backup.prefix)
    except (DriverError, StoreError, PortalError):
        return None


def finish_backup(
    backup: Backup, stored: Index, now: datetime, *, source_bytes: int | None = None, adopted: bool = False
) -> None:
    """Record the finished backup and its home copy in one transaction.

    One that was given up meanwhile stays failed, and its bytes go; unless it is ``adopted``: found whole long after.
    """
    resource, info = backup.resource, stored.info
    with transaction.atomic():
        locked_resource(resource.pk)
        locked = Backup.objects.select_for_update().get(pk=backup.pk)
        given_up = locked.status == BackupStatus.FAILED and not adopted
        if locked.status == (BackupStatus.FAILED if adopted else BackupStatus.RUNNING):
            locked.status = BackupStatus.FINISHED
            locked.taken_at = datetime.fromisoformat(stored.header["taken_at"])
            locked.finished_at = now
            locked.bytes_done = locked.source_bytes = info.source_bytes if source_bytes is None else source_bytes
            locked.stored_bytes = stored_size(info, stored.kept)
            locked.wakes_at, locked.waits_for = None, ""
            locked.checksum = info.checksum
            locked.artefact = info.as_json()
            locked.summary = dict(stored.summary)
            locked.warnings = list(stored.warnings)
            locked.error = locked.error_detail = ""
            locked.worth_retrying = False
            locked.save()
            Copy.objects.create(
                backup=locked,
                region=resource.home_region,
                prefix=backup.prefix,
                state=CopyState.PRESENT,
                stored_bytes=locked.stored_bytes,
                kept=stored.kept.as_json() if stored.kept else {},
                proof=Proof.PRESENT,
                proven_at=now,
                created_at=now,
            )
            note_newest_good(resource, now)
            hand_over("backups.copy", resource.pk)
            _hand_on(locked)
    if given_up:
        delete_artefact(store_of(resource.home_region), backup.prefix)


def stored_size(info: StoredArtefactInfo, kept: KeptAt | None) -> int:
    """All bytes that are stored of a copy: in the portal's store, and at the provider as far as it says."""
    return info.size + info.manifest_size + (kept.size if kept else 0)


def _fail(backup: Backup, sentence: str, detail: str, now: datetime, *, worth_retrying: bool = False) -> None:
    """Mark as failed, with the sentence. One that was given up meanwhile keeps its own."""
    with transaction.atomic():
        locked_resource(backup.resource_id)
        locked = Backup.objects.select_for_update().get(pk=backup.pk)
        if locked.status == BackupStatus.RUNNING:
            mark_failed(locked, sentence, detail, now, worth_retrying=worth_retrying)


def mark_failed(locked: Backup, sentence: str, detail: str, now: datetime, *, worth_retrying: bool) -> None:
    """Under the locks. What may pass is tried again, each time after twice the wait; IT learns of it either way."""
    locked.status = BackupStatus.FAILED
    locked.finished_at = now
    locked.error, locked.error_detail = sentence, detail
    locked.worth_retrying = worth_retrying
    locked.wakes_at, locked.waits_for = None, ""
    locked.save()
    if worth_retrying:
        lately = Backup.objects.filter(resource=locked.resource_id, finished_at__gt=now - LATELY)
        good = lately.filter(status=BackupStatus.FINISHED).order_by("-finished_at").first()
        failures = lately.filter(status=BackupStatus.FAILED, finished_at__gt=good.finished_at if good else now - LATELY)
        again = now + retry_after(failures.count())
        Resource.objects.backed_up().filter(pk=locked.resource_id, next_backup_at__gt=again).update(
            next_backup_at=again
        )
    _hand_on(locked)


def _hand_on(backup: Backup) -> None:
    """What follows from the end of any backup."""
    hand_over("backups.audit_resource", backup.resource_id)
    if backup.origin == BackupOrigin.FINAL:
        hand_over("backups.finish_removal", backup.resource_id)
