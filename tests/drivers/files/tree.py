"""A directory tree to back up, for the tests of this kind alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.drivers.base import Mode, Place, Taken
from backups.drivers.files import FilesDriver
from backups.drivers.words import ManifestEntry
from backups.stores.directory import DirectoryStore

NOBODY = 65534


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """A progress that nobody looks at."""


class Tree:
    """A directory to back up below an allowed root, and a store."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.roots = home / "roots"
        self.roots.mkdir()
        self.live = self.roots / "live"
        self.driver = FilesDriver((self.roots,))
        self.settings = {"path": str(self.live)}
        self.store = DirectoryStore("here", home / "store")
        self.store.prepare()
        self.taken = Taken(0, {})

    def take(self, meanwhile: Callable[[bytes], None] | None = None) -> StoredArtefact:
        """Back up; ``meanwhile`` sees everything just before it is written."""
        with ArtefactWriter(self.store, "backup", kind="files", header={}) as writer:
            sink = Watched(writer, meanwhile) if meanwhile else writer
            self.taken = self.driver.take(self.settings, sink, quiet)
            return StoredArtefact(self.store, "backup", writer.finish(self.taken))

    def place(self, mode: Mode = Mode.IN_PLACE) -> Place:
        return self.driver.place(self.settings, "t1", mode)

    def restore(self, artefact: StoredArtefact) -> Place:
        place = self.place()
        self.driver.restore(self.settings, place, artefact, self.home, quiet)
        return place

    def verify(self, artefact: StoredArtefact) -> None:
        self.driver.verify(self.settings, self.place(), artefact, quiet)

    def round_trip(self) -> Path:
        """Back up, restore, verify; where the restore stands."""
        artefact = self.take()
        place = self.restore(artefact)
        self.verify(artefact)
        return Path(place.beside)

    def preflight(self, artefact: StoredArtefact, mode: Mode = Mode.IN_PLACE) -> list[str]:
        return self.driver.preflight(self.settings, self.place(mode), mode, artefact, self.home)


class Watched:
    """A sink that lets something happen in the middle of a backup."""

    def __init__(self, writer: ArtefactWriter, meanwhile: Callable[[bytes], None]) -> None:
        self.writer = writer
        self.meanwhile = meanwhile

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.meanwhile(bytes(data))
        self.writer.write(data)

    def record(self, entry: ManifestEntry) -> None:
        self.writer.record(entry)


@contextmanager
def as_nobody(tree: Tree) -> Iterator[None]:
    """The rest as a user without any rights, to whom the allowed root, the live directory and the store belong."""
    if os.geteuid() != 0:
        yield
        return
    for path in (tree.roots, tree.live, *tree.home.glob("store"), *tree.home.glob("store/**/*")):
        os.chown(path, NOBODY, NOBODY)
    group = os.getegid()
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def once(pattern: bytes, action: Callable[[], None]) -> Callable[[bytes], None]:
    """Do it when the header of that name passes, the first time."""
    done = False

    def meanwhile(data: bytes) -> None:
        nonlocal done
        if not done and pattern in data[:2048]:
            done = True
            action()

    return meanwhile
