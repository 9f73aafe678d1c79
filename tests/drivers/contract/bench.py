"""A case with a store, and the driver's verbs as the restoring machinery calls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.drivers.base import Artefact, Mode, Place, Standing
from backups.drivers.words import ManifestEntry
from backups.stores.directory import DirectoryStore
from tests.drivers.case import DriverCase, until_done
from tests.drivers.child import Job

PREFIX = "backup"


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """A progress that nobody looks at."""


@dataclass
class Bench:
    """A case, a store, and the driver's verbs as the restoring machinery calls them."""

    case: DriverCase
    store: DirectoryStore
    scratch: Path
    tokens: int = 0

    def take(self, prefix: str = PREFIX) -> StoredArtefact:
        with ArtefactWriter(self.store, prefix, kind=self.case.driver.kind, header={}) as writer:
            taken = until_done(lambda: self.case.driver.take(self.case.settings, writer, quiet))
            info = writer.finish(taken)
        assert taken.source_bytes > 0
        assert taken.summary
        return StoredArtefact(self.store, prefix, info, taken.kept)

    def place(self, mode: Mode = Mode.IN_PLACE) -> Place:
        self.tokens += 1
        return self.case.driver.place(self.case.settings, f"a{self.tokens}-t", mode)

    def workdir(self) -> Path:
        self.tokens += 1
        path = self.scratch / f"work{self.tokens}"
        path.mkdir(mode=0o700)
        return path

    def restore(self, place: Place, artefact: Artefact) -> None:
        workdir = self.workdir()
        until_done(lambda: self.case.driver.restore(self.case.settings, place, artefact, workdir, quiet))

    def ready(self, artefact: Artefact) -> Place:
        """A verified, identified restore beside the live thing."""
        place = self.place()
        self.restore(place, artefact)
        self.case.driver.verify(self.case.settings, place, artefact, quiet)
        return self.case.driver.identify(self.case.settings, place)

    def standing(self, place: Place) -> Standing:
        return self.case.driver.standing(self.case.settings, place)

    def objects(self) -> list[str]:
        return [one.key for one in self.store.list()]


def job(bench: Bench, verb: str, **more: object) -> Job:
    """That verb of the case's driver, for a process of its own."""
    return replace(Job(verb, bench.case.driver, dict(bench.case.settings), bench.store), **more)  # type: ignore[arg-type]


class AlteredManifest:
    """An artefact whose manifest says something else than what was stored."""

    def __init__(self, real: Artefact, entries: list[ManifestEntry]) -> None:
        self.real = real
        self.entries = entries
        self.source_bytes = real.source_bytes
        self.kept = real.kept

    def open(self) -> BinaryIO:
        return self.real.open()

    def manifest(self) -> Iterator[ManifestEntry]:
        return iter(self.entries)
