"""Backups that nobody takes any more: their worker died, or hangs. What was stored whole all the same is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.actions.taking import Clock, finish_backup, mark_failed, stored_at_home
from backups.actions.waiting import LONGEST, waited_too_long
from backups.artefacts import StoredArtefact, delete_artefact, read_index
from backups.drivers.base import DamagedBackup, DriverError
from backups.heartbeats import AHEAD, Lost
from backups.judging import SALVAGE_FOR
from backups.kinds import driver_of, store_of
from backups.models import Backup, BackupStatus
from backups.stores.base import NotStored, Store, StoreError
from portal.errors import PortalError
from portal.words import span_in_words

UNDECIDED = timedelta(days=1)

log = structlog.get_logger(__name__)


def give_up_lost_backups(lost: Lost) -> int:
    """Mark running backups whose heartbeat stopped as failed and remove what they left; how many."""
    running = Backup.objects.filter(lost.among("heartbeat_at"), status=BackupStatus.RUNNING)
    return sum(give_up_if_lost(backup, lost) for backup in running.select_related("resource"))


def give_up_if_lost(backup: Backup, lost: Lost) -> bool:
    """Only if it is as late under the lock: a backup that was finished meanwhile keeps its bytes."""
    return _give_up(
        backup,
        lost.now,
        lambda locked: lost.has(locked.heartbeat_at),
        "The backup was interrupted: its worker stopped. The next one starts anew.",
    )


def give_up_stalled_backups(now: datetime, *, stalled_before: datetime) -> int:
    """Mark running backups that live but got no further since ``stalled_before`` as failed, and stop their programs."""
    running = Backup.objects.filter(status=BackupStatus.RUNNING)
    running.filter(progress_at__gt=now + AHEAD).update(progress_at=now)  # a clock was wrong: it counts from now
    stalled = running.filter(progress_at__lt=stalled_before, wakes_at__isnull=True)
    sentence = (
        f"The backup got no further for {span_in_words(now - stalled_before)} and was stopped. See whether the resource"
        " hangs: a lock, a network file system that does not answer."
    )
    return sum(
        _give_up(
            backup,
            now,
            lambda locked: (
                locked.wakes_at is None and locked.progress_at is not None and locked.progress_at < stalled_before
            ),
            sentence,
        )
        for backup in stalled.select_related("resource")
    )


def give_up_what_waits_too_long(now: datetime) -> int:
    """Mark backups as failed on which the provider works for longer than any should take; how many."""
    waiting = Backup.objects.filter(status=BackupStatus.RUNNING, wakes_at__isnull=False, started_at__lt=now - LONGEST)
    return sum(
        _give_up(
            backup,
            now,
            lambda locked: waited_too_long(locked.started_at, locked.wakes_at, now),
            f"The provider has not finished it for {span_in_words(LONGEST)}: {backup.waits_for} See to it there;"
            " the next backup starts anew.",
        )
        for backup in waiting.select_related("resource")
    )


def _give_up(backup: Backup, now: datetime, is_lost: Callable[[Backup], bool], sentence: str) -> bool:
    """One of which every byte was stored is finished instead: its worker died, or the database was set back, after that."""
    if (stored := stored_at_home(backup)) is not None:
        finish_backup(backup, stored, now)
        return False
    with transaction.atomic():
        locked_resource(backup.resource_id)
        locked = Backup.objects.select_for_update().get(pk=backup.pk)
        if locked.status != BackupStatus.RUNNING or not is_lost(locked):
            return False
        detail = f"last heartbeat {locked.heartbeat_at}, last progress {locked.progress_at}, {locked.bytes_done} bytes"
        mark_failed(locked, sentence, detail, now, worth_retrying=True)
    try:
        store = store_of(backup.resource.home_region)
        if has_no_index(store, backup.prefix):  # else it may be whole: the daily look at the region decides
            delete_artefact(store, backup.prefix)
    except (
        DriverError,
        StoreError,
        PortalError,
    ) as error:  # no row says that there is a backup, so nobody takes it for one
        log.warning("backup.leftovers", backup=backup.pk, why=error.sentence)
    return True


def has_no_index(store: Store, prefix: str) -> bool:
    """Whether it is certain that no complete backup stands there. Raises where that cannot be told."""
    try:
        read_index(store, prefix)
    except NotStored:
        return True
    return False


def adopt_stored(backup: Backup, *, clock: Clock = timezone.now) -> bool:
    """Whether what a backup that was given up has left may not be deleted: it is whole, and is recorded as finished.

    That happens when its region was away while it was given up, so that nobody could look. Every byte is read first. For
    a day nothing is decided: its worker may still live. Raises StoreError when the region cannot be read.
    """
    store, now = store_of(backup.resource.home_region), clock()
    try:
        stored = read_index(store, backup.prefix)
        if backup.finished_at is None or now - backup.finished_at > UNDECIDED:
            StoredArtefact(store, backup.prefix, stored.info).check(lambda bytes_done, bytes_expected=None: None)
            if (kept := driver_of(backup.resource.kind).kept) is not None and stored.kept is not None:
                kept.check(backup.resource.settings, stored.kept)
            finish_backup(backup, stored, now, adopted=True)
    except NotStored:
        return False
    except DamagedBackup:
        return backup.finished_at is not None and now - backup.finished_at <= SALVAGE_FOR
    return True
