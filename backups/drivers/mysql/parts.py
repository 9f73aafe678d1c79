"""Restoring some tables: the verbs of :class:`~backups.drivers.base.Parts`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from backups.drivers.base import Artefact, DriverError, Item, Mode, Part, Place, Verified
from backups.drivers.counting import some
from backups.drivers.keys import names_of
from backups.drivers.mysql import header, preflight, restore, verify
from backups.drivers.mysql.header import Manifest
from backups.drivers.mysql.programs import TRIGGER
from backups.drivers.mysql.target import Target
from backups.drivers.words import Progress, Settings

EMPTY_DATABASE = 8 << 20


class MysqlParts:
    """See :class:`~backups.drivers.base.Parts`. A key is the name of a table."""

    nouns: ClassVar[Mapping[str, tuple[str, str]]] = {"table": ("table", "tables")}

    def items(self, artefact: Artefact) -> Iterator[Item]:
        """Tables, by name."""
        for entry in artefact.manifest():
            if entry["entry"] == "table":
                yield Item((entry["name"],), "table", size=entry["size_bytes"], rows=entry["rows"])

    def preflight(self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path) -> list[str]:
        """As for a whole restore beside, with room for what was picked."""
        manifest = header.read(artefact)
        only = _picked(manifest, part)
        size = sum(entry["size_bytes"] for name, entry in manifest.tables.items() if name in only)
        smaller = min(manifest.head["size_bytes"], 2 * size + EMPTY_DATABASE)  # with indexes
        programs = [program for program in manifest.programs if restore.comes(program, only)]
        tables = {name: entry for name, entry in manifest.tables.items() if name in only}
        narrowed = Manifest({**manifest.head, "size_bytes": smaller}, tables, manifest.sequences, programs)
        return [
            *preflight.preflight(Target.of(settings), place, Mode.BESIDE, artefact, narrowed),
            *_said(manifest, only),
        ]

    def restore(
        self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path, progress: Progress
    ) -> list[str]:
        """A new database with the picked tables and their triggers."""
        manifest = header.read(artefact)
        only = _picked(manifest, part)
        restore.restore(Target.of(settings), place, artefact, progress, only)
        return _said(manifest, only)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, part: Part, progress: Progress) -> Verified:
        """Every picked table counted and digested; there are no others."""
        only = _picked(header.read(artefact), part)
        return verify.verify(Target.of(settings), place, artefact, progress, only)


def _picked(manifest: Manifest, part: Part) -> frozenset[str]:
    """The names of the tables. Raises :class:`DriverError` for what the backup does not hold."""
    try:
        names = ["/".join(names_of(key)) for key in part]
    except ValueError as error:
        raise DriverError("What was picked cannot be read. Pick it anew.", detail=str(error)) from error
    if not names:
        raise DriverError("No table was picked. Pick one, or restore everything.")
    absent = [name for name in names if name not in manifest.tables]
    if absent:
        raise DriverError(f"There is no such table in the backup: {some(absent)}. Pick it anew.")
    return frozenset(names)


def _said(manifest: Manifest, only: frozenset[str]) -> list[str]:
    """What did not come along."""
    left = [program.title for program in manifest.programs if program.kind != TRIGGER]
    keys = [
        name for name, entry in manifest.tables.items()
        if name in only and " FOREIGN KEY " in entry["create"] and only != manifest.tables.keys()
    ]  # fmt: skip
    said = []
    if left:
        said.append(f"Only tables and their triggers come along, without {some(left)}.")
    if keys:
        said.append(
            f"Foreign keys of {some(keys)} come along as they are; where they lead to a table that was not picked, nothing"
            " new can be written until that is there."
        )
    return said
