"""Restoring some tables: the verbs of :class:`~backups.drivers.base.Parts`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from backups.drivers.base import Artefact, DriverError, Item, Mode, Part, Place, Verified
from backups.drivers.counting import some
from backups.drivers.keys import names_of
from backups.drivers.postgres import archive, header, preflight, restore, verify
from backups.drivers.postgres.selection import Name, Selection, select
from backups.drivers.postgres.target import Target
from backups.drivers.words import ManifestEntry, Progress, Settings

CHUNK = 1 << 16
EMPTY_DATABASE = 8 << 20
_TITLE = re.compile(r'("(?:[^"]|"")*"|[^".]*)\.("(?:[^"]|"")*"|[^"]*)', re.DOTALL)
_PYTHONS = {
    "SQL_ASCII": "utf-8",
    "KOI8R": "koi8_r",
    "KOI8U": "koi8_u",
    "EUC_CN": "gb2312",
    "EUC_JIS_2004": "euc_jis_2004",
}
_PICKABLE = {"r": "table", "p": "partitioned table"}


class PostgresParts:
    """See :class:`~backups.drivers.base.Parts`. A key is a table as SQL would write it: ``public.orders``."""

    nouns: ClassVar[Mapping[str, tuple[str, str]]] = {kind: (kind, kind + "s") for kind in _PICKABLE.values()}

    def items(self, artefact: Artefact) -> Iterator[Item]:
        """Tables, in the order of schema and name. What is filled anew from them, a materialised view, is no table."""
        for entry in artefact.manifest():
            if entry["entry"] == "table" and entry["kind"] in _PICKABLE:
                size = entry["size_bytes"]
                yield Item((entry["name"],), _PICKABLE[entry["kind"]], size=size, rows=entry["rows"])

    def preflight(self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path) -> list[str]:
        """As for a whole restore beside, with room for what was picked."""
        selection = _selected(artefact, part)
        size = sum(entry["size_bytes"] for entry in _tables(artefact, selection))
        head = header.read(artefact)
        smaller = {**head, "size_bytes": min(head["size_bytes"], 2 * size + EMPTY_DATABASE)}  # with indexes
        seen = preflight.preflight(Target.of(settings), place, Mode.BESIDE, artefact, workdir, smaller)
        return [*seen, *_said(selection, head)]

    def restore(
        self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path, progress: Progress
    ) -> list[str]:
        """A new database with the picked tables, and what they cannot do without."""
        selection = _selected(artefact, part)
        restore.restore(Target.of(settings), place, artefact, workdir, progress, selection)
        return _said(selection, header.read(artefact))

    def verify(self, settings: Settings, place: Place, artefact: Artefact, part: Part, progress: Progress) -> Verified:
        """Every picked table counted and digested, its sequences compared; there are no other tables with rows."""
        wanted = _titled(artefact, _selected(artefact, part))
        return verify.verify(Target.of(settings), place, artefact, progress, wanted)


def _selected(artefact: Artefact, part: Part) -> Selection:
    """The selection, from the beginning of the dump. Raises :class:`DriverError` for what the backup does not hold."""
    encoding = _encoding(header.read(artefact))
    try:
        titles = ["".join(names_of(key)) for key in part]
    except ValueError as error:
        raise DriverError("What was picked cannot be read. Pick it anew.", detail=str(error)) from error
    if not titles:
        raise DriverError("No table was picked. Pick one, or restore everything.")
    there = {entry["name"] for entry in artefact.manifest() if entry["entry"] == "table" and entry["kind"] in _PICKABLE}
    absent = [title for title in titles if title not in there]
    if absent:
        raise DriverError(f"There is no such table in the backup: {some(absent)}. Pick it anew.")
    try:
        return select(_contents(artefact), {_name(title, encoding) for title in titles})
    except (archive.Unexpected, KeyError) as error:
        raise DriverError(
            "The backup's table of contents cannot be read in parts. Ask for a restore of everything beside.",
            detail=repr(error),
        ) from error


def _contents(artefact: Artefact) -> list[archive.TocEntry]:
    reading = archive.table_of_contents(archive.Passing())
    next(reading)
    with artefact.open() as dump:
        while True:
            try:
                reading.send(dump.read(CHUNK))
            except StopIteration as end:
                entries: list[archive.TocEntry] = end.value
                return entries
            except archive.Unexpected:
                while dump.read(CHUNK):  # to its end, where a damaged backup says so
                    pass
                raise


def _encoding(head: ManifestEntry) -> str:
    """Python's name for the encoding of the dump, which is the database's."""
    name = str(head["encoding"])
    return _PYTHONS.get(name, name.replace("WIN", "cp"))


def _name(title: str, encoding: str) -> Name:
    """Schema and name, of a title as SQL writes it."""
    found = _TITLE.fullmatch(title)
    if found is None:
        raise KeyError(title)
    schema, name = (one[1:-1].replace('""', '"') if one.startswith('"') else one for one in found.groups())
    try:
        return schema.encode(encoding), name.encode(encoding)
    except (UnicodeEncodeError, LookupError) as error:
        raise KeyError(title) from error


def _titled(artefact: Artefact, selection: Selection) -> verify.Wanted:
    """The selection in the manifest's words."""
    encoding = _encoding(header.read(artefact))
    tables, structure, sequences = set(), set(), set()
    for entry in artefact.manifest():
        if entry["entry"] not in ("table", "sequence"):
            continue
        name = _name(entry["name"], encoding)
        if entry["entry"] == "sequence":
            sequences |= {entry["name"]} if name in selection.sequences else set()
        elif name in selection.tables:
            tables.add(entry["name"])
        elif name in selection.structure:
            structure.add(entry["name"])
    return verify.Wanted(frozenset(tables), frozenset(structure), frozenset(sequences))


def _tables(artefact: Artefact, selection: Selection) -> Iterator[ManifestEntry]:
    encoding = _encoding(header.read(artefact))
    for entry in artefact.manifest():
        if entry["entry"] == "table" and _name(entry["name"], encoding) in selection.tables:
            yield entry


def _said(selection: Selection, head: ManifestEntry) -> list[str]:
    """What did not come along, or came along unasked."""
    encoding = _encoding(head)

    def shown(names: Iterable[Name]) -> str:
        return some(sorted(b".".join(name).decode(encoding, "replace") for name in names))

    said = []
    if selection.left_out:
        left = [f"{what} {tag.decode(encoding, 'replace')}" for what, tag in selection.left_out]
        said.append(f"Left out, because it needs something that was not picked: {some(left)}.")
    if selection.structure:
        said.append(
            f"Only the definition came along, because what was picked is made with it: {shown(selection.structure)}."
        )
    return said
