"""Restoring a part of a tree: the verbs of :class:`~backups.drivers.base.Parts`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from backups.drivers.base import Artefact, Item, Part, Place, Verified
from backups.drivers.files import places
from backups.drivers.files.compare import compare
from backups.drivers.files.durable import flushed
from backups.drivers.files.part import Picked, expected, items
from backups.drivers.files.preflight import preflight_part
from backups.drivers.files.restore import restore_part
from backups.drivers.files.walk import Type
from backups.drivers.words import Progress, Settings


@dataclass(frozen=True)
class FilesParts:
    """See :class:`~backups.drivers.base.Parts`. ``own`` refuses a place that is not the resource's."""

    own: Callable[[Settings, Place], None]

    nouns: ClassVar[Mapping[str, tuple[str, str]]] = {
        Type.FILE: ("file", "files"),
        Type.DIRECTORY: ("directory", "directories"),
        Type.SYMLINK: ("symbolic link", "symbolic links"),
        Type.HARDLINK: ("hard link", "hard links"),
        Type.FIFO: ("fifo", "fifos"),
        Type.CHARACTER: ("character device", "character devices"),
        Type.BLOCK: ("block device", "block devices"),
    }

    def items(self, artefact: Artefact) -> Iterator[Item]:
        """Every entry of the tree."""
        return items(artefact.manifest())

    def preflight(self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path) -> list[str]:
        """What was picked is there; room, rights and names."""
        self.own(settings, place)
        return preflight_part(place, artefact, Picked(part))

    def restore(
        self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path, progress: Progress
    ) -> list[str]:
        """What was picked, with the directories above it."""
        self.own(settings, place)
        restore_part(place, artefact, Picked(part), progress)
        return []

    def verify(self, settings: Settings, place: Place, artefact: Artefact, part: Part, progress: Progress) -> Verified:
        """As strict as for a whole tree; what stands there and was not picked is a difference."""
        self.own(settings, place)
        lines = expected(artefact.manifest, Picked(part))
        with places.opened(place.beside) as root, flushed(root, place.beside):
            return compare(root, place.beside + "/", place.beside, lines, None, progress)
