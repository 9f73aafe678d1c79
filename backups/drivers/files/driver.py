"""The driver of directory trees: the verbs, each done by a module of its own."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from backups.drivers.base import Artefact, DriverError, Found, Mode, Place, Sink, Standing, Taken, Verified
from backups.drivers.counting import counted
from backups.drivers.files import exchange, places
from backups.drivers.files.compare import compare
from backups.drivers.files.durable import flushed
from backups.drivers.files.parts import FilesParts
from backups.drivers.files.preflight import preflight
from backups.drivers.files.restore import restore
from backups.drivers.files.survey import survey
from backups.drivers.files.take import take
from backups.drivers.files.words import shown
from backups.drivers.provider import KeptAt
from backups.drivers.questions import not_by_sql
from backups.drivers.words import Progress, Setting, Settings
from backups.proof import Proof


@dataclass(frozen=True)
class FilesDriver:
    """Backs up and restores directories strictly below the ``roots``; with no roots, none. See :mod:`backups.drivers.files`."""

    roots: tuple[Path, ...]

    kind: ClassVar[str] = "files"
    label: ClassVar[str] = "Directory tree"
    noun: ClassVar[str] = "directory"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("path", "Path", "The directory, as an absolute path below one of the allowed roots."),
    )
    export_suffix: ClassVar[str] = ".tar.zst"
    stops_writers: ClassVar[bool] = False
    exchanged: ClassVar[str] = "took the live name in one step"
    interrupts: ClassVar[str] = (
        "Nothing is stopped: a program that has files open goes on writing to what is replaced until it is restarted."
    )
    appears: ClassVar[str] = "A new directory appears next to {name}."
    afterwards: ClassVar[str] = "Copy from it what you need."
    modes: ClassVar[frozenset[Mode]] = frozenset(Mode)
    proves: ClassVar[Proof] = Proof.CONTENT_MATCHED
    kept: ClassVar[None] = None
    discovery: ClassVar[None] = None
    shares_with: ClassVar[frozenset[str]] = frozenset({"files"})
    answers: ClassVar[bool] = False

    @property
    def parts(self) -> FilesParts:
        """Any files and directories."""
        return FilesParts(self._own)

    def check(self, settings: Settings) -> Found:
        """See that the directory exists, is allowed, and can be read; a large one is tried in its first part."""
        path = self._path(settings)
        places.not_of_a_restore(path)
        try:
            with places.opened(path) as root:
                return survey(root, path)
        except DriverError as error:  # whatever is wrong with it, this setting named it
            error.setting = "path"
            raise

    def locator(self, settings: Settings) -> str:
        """The canonical path."""
        return places.locator(settings)

    def overlaps(self, one: str, other: str) -> bool:
        """The same directory, or one inside the other."""
        return one == other or places.below(one, other) or places.below(other, one)

    def exclusive(self, locator: str) -> str:
        """Itself."""
        return locator

    def take(self, settings: Settings, sink: Sink, progress: Progress) -> Taken:
        """Write the tree as a PAX tar that GNU tar restores without us, and a manifest line for each entry."""
        path = self._path(settings)
        with places.opened(path) as root:
            return take(root, path + "/", sink, progress)

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """Siblings of the live directory."""
        return places.place(self._path(settings), token, mode)

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """Refuse early what cannot end well. A live directory that is gone is fine: that is what restores are for."""
        self._own(settings, place)
        return preflight(place, mode, artefact)

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """Build the whole directory at ``place.beside``."""
        self._own(settings, place)
        restore(place, artefact, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Compare every path, type, size, mode, owner, time, link, attribute and SHA-256; have it all on disk."""
        self._own(settings, place)
        with places.opened(place.beside) as root, flushed(root, place.beside):
            return compare(root, place.beside + "/", place.beside, artefact.manifest(), artefact.source_bytes, progress)

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """Its own: the portal's store brings the copy here."""
        return settings

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Nothing: files do not act. Modes are compared, that of the top as well, so none is narrowed."""
        self._own(settings, place)
        with places.opened(place.beside):
            return [
                "Nothing in a directory acts by itself.",
                f"{shown(place.beside)} is as open as the original: its modes are compared, so they stay.",
            ]

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """Refused: there is no SQL."""
        raise not_by_sql(self.noun)

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """The path."""
        return {"path": place.beside}

    def identify(self, settings: Settings, place: Place) -> Place:
        """The same place with the inodes of the original and of the restored directory."""
        return exchange.identify(place)

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """Nothing can be stopped: any program may write to a directory."""
        return (
            "Nobody can be kept from writing to a directory by the portal. A program that has files open in it goes on"
            " writing to the original: restart it after the exchange."
        )

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """Nothing was stopped."""

    def swap(self, settings: Settings, place: Place) -> None:
        """Exchange the two directories in one step, then put the original under ``place.kept``."""
        self._own(settings, place)
        exchange.swap(place)

    def swap_back(self, settings: Settings, place: Place) -> None:
        """The original to the live name again, the restored directory to ``place.beside``."""
        self._own(settings, place)
        exchange.swap_back(place)

    def standing(self, settings: Settings, place: Place) -> Standing:
        """Which of the two is live, by inode."""
        return exchange.standing(place)

    def health(self, settings: Settings, place: Place) -> str:
        """The live name leads to the restored directory, and it can be listed."""
        if not place.identity or exchange.standing(place) is not Standing.RESTORED:
            raise DriverError(f"{shown(place.live)} is not the restored directory. See what stands there.")
        with places.opened(place.live) as live, os.scandir(live) as found:
            count = sum(1 for _ in found)
            mode = stat.S_IMODE(os.fstat(live).st_mode)
        return f"{shown(place.live)} is the restored directory: {counted(count, 'entry', 'entries')} at its top, mode {mode:04o}."

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """Remove ``place.beside`` or ``place.kept``, never what is live or may be the last of it."""
        self._own(settings, place)
        exchange.discard(place, name)

    def _path(self, settings: Settings) -> str:
        places.usable_names()
        path = places.locator(settings)
        places.allowed(path, self.roots)
        return path

    def _own(self, settings: Settings, place: Place) -> None:
        """Refuse a place that is not the resource's: a stored row must not lead us to another directory."""
        if place.live != self._path(settings):
            raise DriverError(
                f"The restore was prepared for {shown(place.live)}, but the resource is elsewhere now. Start a new restore."
            )
