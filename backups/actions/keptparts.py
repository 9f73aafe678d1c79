"""What the provider keeps of copies, for kinds of resources that have it so: see drivers.base.Kept."""

from __future__ import annotations

from backups.drivers.base import DamagedBackup
from backups.drivers.provider import Kept, KeptAt
from backups.drivers.words import Progress
from backups.kinds import driver_of
from backups.models import Copy


def kept_of(copy: Copy) -> Kept | None:
    """The verbs of the copy's kind; None where all of a copy is in the portal's store."""
    return driver_of(copy.backup.resource.kind).kept


def copy_kept(source: Copy, target: Copy, progress: Progress) -> KeptAt | None:
    """Have the provider copy what it keeps of ``source`` for ``target``; None where it keeps nothing.

    Raises :class:`~backups.drivers.base.StillWorking` until that is complete.
    """
    kept = kept_of(source)
    if kept is None:
        return None
    if (there := source.kept_at) is None:
        raise DamagedBackup("The portal does not know what the provider keeps of this backup. Restore another backup.")
    settings = source.backup.resource.settings
    return kept.copy(settings, there, target.region, target.stored_under, progress)


def check_kept(copy: Copy) -> bool:
    """See that the provider has all that it keeps of the copy; False where it keeps nothing.

    Raises :class:`~backups.drivers.base.DamagedBackup` when it says that it has not.
    """
    kept = kept_of(copy)
    if kept is None:
        return False
    if (there := copy.kept_at) is None:
        raise DamagedBackup("The portal does not know what the provider keeps of this backup. Restore another backup.")
    kept.check(copy.backup.resource.settings, there)
    return True


def delete_kept(copy: Copy) -> None:
    """Have the provider remove what it keeps of the copy; absent is fine."""
    if (kept := kept_of(copy)) is not None:
        kept.delete(copy.backup.resource.settings, copy.region, copy.stored_under, copy.kept_at)
