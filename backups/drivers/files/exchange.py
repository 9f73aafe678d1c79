"""Exchanging the restored directory and the live one, and telling afterwards which is which.

A directory is known by its inode, never by its name. Two inodes matter, the *original* and the *restored* one, and
three names, ``live``, ``beside`` and ``kept``. Every step is one rename, so a crash leaves one of these rows, and each
verb goes on from any of them:

=========  =========  =========  ==============================================================
live       beside     kept       what it is
=========  =========  =========  ==============================================================
original   restored   –          before a swap, after an undo
restored   original   –          exchanged, the second rename is missing
restored   –          original   after a swap
original   –          restored   exchanged back, the second rename is missing
–          restored   original   only where names cannot be exchanged in one step: the gap
–          restored   –          before a swap, when the original is lost
restored   –          –          after a swap, when the original was lost
=========  =========  =========  ==============================================================
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from backups.drivers.base import DriverError, Place, Standing
from backups.drivers.files.inodes import identity_of
from backups.drivers.files.places import opened, trash
from backups.drivers.files.removal import remove
from backups.drivers.files.renames import NoExchange, exchange, flush, move
from backups.drivers.files.words import shown, unwritable

ABSENT = ""


class Names:
    """The three names of a place, seen from their open parent directory."""

    def __init__(self, place: Place, parent: int) -> None:
        self.parent = parent
        self.where = os.path.dirname(place.live)
        self.live, self.beside, self.kept = (os.path.basename(name) for name in (place.live, place.beside, place.kept))
        self.original = place.identity.get("original", ABSENT)
        self.restored = place.identity.get("restored", ABSENT)

    def inode(self, name: str) -> str:
        """What tells the thing under a name from any other of this file system; ABSENT when there is none."""
        return identity_of(self.parent, name) or ABSENT

    def holder(self, inode: str) -> str:
        """The name, ``beside`` or ``kept``, under which that inode stands; ABSENT when neither."""
        if inode != ABSENT:
            for name in (self.beside, self.kept):
                if self.inode(name) == inode:
                    return name
        return ABSENT

    def exchange(self, name: str, aside: str) -> None:
        """Bring ``name`` to the live name and what was live to ``aside``."""
        try:
            exchange(self.parent, name, self.live)
        except NoExchange:
            move(self.parent, self.live, self.beside if name == self.kept else self.kept)
            move(self.parent, name, self.live)
            return
        if name != aside:
            move(self.parent, name, aside)


@contextmanager
def names(place: Place) -> Iterator[Names]:
    """The names of a place while its parent is held open; the system's refusals come as sentences."""
    where = {os.path.dirname(name) for name in (place.live, place.beside, place.kept)}
    if len(where) != 1 or len({place.live, place.beside, place.kept}) != 3:
        raise DriverError("The three names of this restore are not three siblings. Start a new restore.")
    with opened(where.pop()) as parent:
        try:
            yield Names(place, parent)
        except OSError as error:
            raise unwritable(os.path.dirname(place.live), error) from error


def identify(place: Place) -> Place:
    """The same place, with the inodes of the original and the restored directory. One that has them is left alone."""
    if place.identity:
        return place
    with names(place) as here:
        restored = here.inode(here.beside)
        if restored == ABSENT:
            raise DriverError(f"There is no restore at {shown(place.beside)}. Restore again.")
        return replace(place, identity={"original": here.inode(here.live), "restored": restored})


def standing(place: Place) -> Standing:
    """Which of the two is live; NOTHING in the gap, UNKNOWN for a third thing."""
    if not place.identity:
        return Standing.ORIGINAL
    with names(place) as here:
        live = here.inode(here.live)
        if live == here.restored:
            return Standing.RESTORED
        if live == here.original:
            return Standing.ORIGINAL
        return Standing.NOTHING if live == ABSENT else Standing.UNKNOWN


def swap(place: Place) -> None:
    """Bring the restored directory to the live name and the original to ``kept``, from whatever row we are in."""
    with names(place) as here:
        live = here.inode(here.live)
        if not place.identity:
            raise DriverError("This restore was not identified before the swap. Start a new restore.")
        if live == here.restored:
            if here.original != ABSENT and here.inode(here.beside) == here.original:
                move(here.parent, here.beside, here.kept)
        else:
            restored = here.holder(here.restored)
            if restored == ABSENT:
                raise DriverError(
                    f"The restored directory is neither at {shown(place.beside)} nor live. Nothing was changed;"
                    " start a new restore."
                )
            if live == ABSENT and (here.original == ABSENT or here.holder(here.original)):
                move(here.parent, restored, here.live)
            elif live == here.original:
                here.exchange(restored, here.kept)
            else:
                raise _stranger(place)
        flush(here.parent)


def swap_back(place: Place) -> None:
    """The reverse: the original to the live name and the restored directory to ``beside``, from whatever row."""
    if not place.identity:
        return
    with names(place) as here:
        live = here.inode(here.live)
        if live == here.original:
            if here.inode(here.kept) == here.restored:
                move(here.parent, here.kept, here.beside)
        elif live == here.restored and here.original == ABSENT:
            move(here.parent, here.live, here.beside)
        else:
            original = here.holder(here.original)
            if original == ABSENT:
                raise DriverError(
                    f"The original is no longer at {shown(place.kept)}, so it cannot be brought back."
                    " Restore a backup instead."
                )
            if live == ABSENT:
                move(here.parent, original, here.live)
            elif live == here.restored:
                here.exchange(original, here.beside)
            else:
                raise _stranger(place)
        flush(here.parent)


def discard(place: Place, name: str) -> None:
    """Remove ``place.beside`` or ``place.kept``; refuses whatever may be the only whole directory."""
    if name not in (place.beside, place.kept):
        raise DriverError(f"{shown(name)} is not a name of this restore. Nothing was removed.")
    with names(place) as here:
        own = os.path.basename(name)
        doomed, live = here.inode(own), here.inode(here.live)
        if doomed != ABSENT:
            if doomed == live:
                raise DriverError(f"{shown(name)} is the live directory itself. Nothing was removed.")
            if live == ABSENT and (own == here.kept or here.original != ABSENT):
                raise DriverError(
                    f"Nothing stands at {shown(place.live)}, and {shown(name)} may be all that is left of it. Finish the"
                    " swap or undo it first; nothing was removed."
                )
            if doomed == here.original and own == here.beside:
                raise DriverError(
                    f"{shown(name)} holds the original, because a swap was interrupted. Finish the swap or undo it"
                    " first; nothing was removed."
                )
            if own == here.kept and not place.identity:
                raise DriverError(f"{shown(name)} was not made by this restore. Nothing was removed.")
            if not stat.S_ISDIR(os.stat(own, dir_fd=here.parent, follow_symlinks=False).st_mode):
                raise DriverError(f"{shown(name)} is not a directory, so no restore made it. Nothing was removed.")
        remove(here.parent, here.where, own, trash(own))


def _stranger(place: Place) -> DriverError:
    return DriverError(
        f"Something else stands at {shown(place.live)} than when the restore was prepared. Nothing was changed;"
        " see who replaced it, then start a new restore."
    )
