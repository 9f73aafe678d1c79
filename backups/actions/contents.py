"""Looking into a backup: its index is made when somebody first asks, and kept for a while."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from backups import contents
from backups.actions.damage import note_damaged_copy
from backups.actions.taking import Clock
from backups.artefacts import StoredArtefact, StoredArtefactInfo
from backups.contents import Contents
from backups.drivers.base import DamagedBackup, DriverError, Item, Parts
from backups.kinds import driver_of, store_of
from backups.models import Backup, Copy, Resource
from portal.errors import Refused
from portal.handover import hand_over

log = structlog.get_logger(__name__)

AT_ONCE = 50_000
"""Entries of which the index is made while the person waits: well under a second. A worker makes the larger ones."""

ASKED_AGAIN_AFTER = timedelta(minutes=5)
KEPT = timedelta(days=7)


class BeingListed(Refused):
    """The index is being made. Asking again in a moment helps."""

    def __init__(self) -> None:
        super().__init__("This backup holds very much: the list of it is being made. Look again in a moment.")


def parts_of(resource: Resource) -> Parts:
    """What can be done with a part of its backups. Raises :class:`Refused` where they are restored whole."""
    driver = driver_of(resource.kind)
    if driver.parts is None:
        raise Refused(f"Of a {driver.noun} everything is restored, not a part. Ask for all of it beside the live one.")
    return driver.parts


@contextmanager
def contents_of(backup: Backup) -> Iterator[Contents]:
    """The open index of a good backup, made first where there is none.

    Raises :class:`BeingListed` while a worker makes it, :class:`Refused` when the backup cannot be read.
    """
    parts_of(backup.resource)
    path = _path(backup)
    with contents.opened(path) as found:
        if found is not None:
            yield found
            return
    if _entries(backup) > AT_ONCE:
        _ask_for(backup, path)
        raise BeingListed
    list_contents(backup)
    with contents.opened(path) as found:
        if found is None:  # removed by the tidying in this very moment
            raise BeingListed
        yield found


def list_contents(backup: Backup, *, clock: Clock = timezone.now) -> None:
    """Make the index from a copy that is sound. Safe to call twice: the second one changes nothing."""
    parts, path = parts_of(backup.resource), _path(backup)
    with contents.opened(path) as found:
        if found is not None:
            return
    copies = list(Copy.objects.present().filter(backup=backup))
    copies.sort(key=lambda copy: copy.region != backup.resource.home_region)
    for copy in copies:
        artefact = StoredArtefact(
            store_of(copy.region), copy.stored_under, StoredArtefactInfo.from_json(backup.artefact)
        )
        if _made(path, lambda artefact=artefact: parts.items(artefact), copy, clock()):  # type: ignore[misc]
            _mark(path).unlink(missing_ok=True)
            return
    raise Refused("No sound copy of this backup is left, so nobody can look into it. Choose another one.")


def _made(path: Path, items: Callable[[], Iterator[Item]], copy: Copy, now: datetime) -> bool:
    """Whether the index could be made from this copy; one whose manifest reads wrongly twice is recorded as damaged."""
    for last in (False, True):
        try:
            contents.build(path, items())
            return True
        except DamagedBackup as error:
            if last:
                note_damaged_copy(copy, error.sentence, now)
        except (DriverError, OSError) as error:
            log.warning("contents.not_listed", backup=copy.backup_id, why=str(error))
            raise Refused("The backup cannot be looked into at the moment. Try again later, or ask IT.") from error
    return False


def _entries(backup: Backup) -> int:
    try:
        return StoredArtefactInfo.from_json(backup.artefact).entries
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("Nothing is known about what this backup holds. Choose another one.") from error


def _ask_for(backup: Backup, path: Path) -> None:
    """Have a worker make it; asked for again only when nothing came of it."""
    mark = _mark(path)
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _older(mark, timezone.now() - ASKED_AGAIN_AFTER):
        return
    mark.touch()
    hand_over("backups.list_contents", backup.pk)


def forget_contents(*, clock: Clock = timezone.now) -> int:
    """Remove the indexes that nobody used for a week, and those of backups that are gone; how many. Safe to run twice."""
    removed = 0
    for path in _directory().glob("*"):
        gone = path.suffix == ".sqlite3" and not _is_kept(path.stem)
        if gone or _older(path, clock() - KEPT):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_kept(uid: str) -> bool:
    return Backup.objects.filter(uid=uid, deleted_at__isnull=True).exists()


def _older(path: Path, moment: datetime) -> bool:
    try:
        return os.stat(path).st_mtime < moment.timestamp()
    except FileNotFoundError:
        return True


def _directory() -> Path:
    return Path(settings.SCRATCH_DIR) / "contents"


def _path(backup: Backup) -> Path:
    return _directory() / f"{backup.uid}.sqlite3"


def _mark(path: Path) -> Path:
    return path.with_suffix(".asked")
