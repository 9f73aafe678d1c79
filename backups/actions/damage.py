"""A copy that was found damaged loses its slot at once."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from backups.actions.keptparts import check_kept
from backups.actions.locking import locked_resource
from backups.actions.newest import note_newest_good
from backups.artefacts import StoredArtefact, StoredArtefactInfo, read_index
from backups.drivers.base import DamagedBackup, DriverError
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState
from backups.stores.base import NotStored, StoreError
from portal.handover import hand_over

CHUNK = 1 << 20

log = structlog.get_logger(__name__)

READ_WRONGLY = "The stored backup was read wrongly once, and rightly the second time. See to the disk and the memory."
"""Said where the second reading holds."""


def confirm_damage(copy: Copy, found: DamagedBackup) -> None:
    """Read all of the copy again: memory and networks err too, and a damaged copy loses its slot.

    Raises :class:`~backups.drivers.base.DriverError` when all of it holds this time, or it cannot be read.
    """
    if not reads_well(copy):
        return
    log.warning("copy.read_wrongly", copy=copy.pk, region=copy.region, why=found.sentence)
    raise DriverError(READ_WRONGLY, detail=found.detail, retry=True) from found


def reads_well(copy: Copy) -> bool:
    """Whether everything that is stored of the copy reads as it was recorded: index, bytes, lines and what they unpack to.

    Raises :class:`~backups.drivers.base.DriverError` when it cannot be read: then nothing is known.
    """
    info = StoredArtefactInfo.from_json(copy.backup.artefact)
    store, prefix = store_of(copy.region), copy.stored_under
    artefact = StoredArtefact(store, prefix, info)
    try:
        if read_index(store, prefix).info != info:
            return False
        artefact.check(_unwatched)
        check_kept(copy)
        for _ in artefact.manifest():
            pass
        with artefact.open() as unpacked:
            while unpacked.read(CHUNK):
                pass
    except (DamagedBackup, NotStored):
        return False
    except StoreError as error:
        raise DriverError(error.sentence, detail=error.detail, retry=error.retry) from error
    return True


def _unwatched(bytes_done: int, bytes_expected: int | None = None) -> None:
    """Nobody watches."""


def note_damaged_copy(copy: Copy, sentence: str, now: datetime) -> None:
    """Record that the copy is not what was stored. When no other is present, the backup is not good any more.

    What can replace it is set going: a copy from the other region, or a fresh backup. One that is being deleted, or was
    recorded so before, is left as it is.
    """
    with transaction.atomic():
        resource = locked_resource(Backup.objects.values_list("resource", flat=True).get(pk=copy.backup_id))
        backup = Backup.objects.select_for_update().get(pk=copy.backup_id)
        found = Copy.objects.filter(pk=copy.pk, state=CopyState.PRESENT).update(
            state=CopyState.DAMAGED, damaged_at=now, damage=sentence
        )
        if not found:
            return
        if backup.damaged_at is None and not Copy.objects.present().filter(backup=backup).exists():
            backup.damaged_at, backup.damage = now, sentence
            backup.save(update_fields=["damaged_at", "damage"])
            note_newest_good(resource, now)
        hand_over("backups.repair", resource.pk)
        hand_over("backups.audit_resource", resource.pk)


def note_sound_again(copy: Copy, now: datetime) -> None:
    """A copy of it stands verified: a backup of which the others were found damaged meanwhile is good again."""
    with transaction.atomic():
        resource = locked_resource(Backup.objects.values_list("resource", flat=True).get(pk=copy.backup_id))
        lost = Backup.objects.filter(pk=copy.backup_id, damaged_at__isnull=False)
        if Copy.objects.present().filter(pk=copy.pk).exists() and lost.update(damaged_at=None, damage=""):
            note_newest_good(resource, now)
            hand_over("backups.audit_resource", resource.pk)
