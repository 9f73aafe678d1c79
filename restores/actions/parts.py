"""Asking for a part of a backup: whether there is such a part, and what it comes to."""

from __future__ import annotations

from collections.abc import Collection

from backups.actions.contents import contents_of
from backups.contents import NotInBackup
from backups.drivers.base import Mode
from backups.drivers.keys import without_doubles
from backups.models import Backup
from portal.errors import InvalidInput
from restores.part import MOST_PICKED, TOO_MANY, Picked

BESIDE_ONLY = "A part is restored beside the live one only. Choose “Beside”, or restore everything."


def measured(backup: Backup, keys: Collection[str], mode: Mode = Mode.BESIDE) -> Picked:
    """The part of those keys.

    Raises InvalidInput naming ``mode`` or ``part``, Refused when the backup cannot be looked into, now or at all.
    """
    if mode is not Mode.BESIDE:
        raise InvalidInput(BESIDE_ONLY, field="mode")
    if not keys or "" in keys:
        raise InvalidInput("Nothing is picked yet. Pick something, or ask for everything.", field="part")
    if len(keys) > MOST_PICKED:
        raise InvalidInput(TOO_MANY, field="part")
    kept = without_doubles(keys)
    try:
        with contents_of(backup) as contents:
            for key in keys:  # what is below another one as well
                contents.number(key)
            found = contents.measure(kept)
    except NotInBackup as error:
        raise InvalidInput(f"{error.args[0]} is not in this backup. Pick it anew.", field="part") from error
    return Picked(tuple(kept), found.picked, found.entries, found.size)
