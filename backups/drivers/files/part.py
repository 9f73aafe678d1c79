"""A part of a tree: which of the manifest's lines belong to it, and what they say of it.

A part is what was picked, everything below, and the directories above with their recorded modes and owners. Of a hard
link whose first name was not picked only that further name is wanted; but content, times and attributes are written
down with the first name. So the first such name that was picked *stands in* for it: in the restore it is the file, and
what else was picked of the same inode are hard links to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from backups.drivers.base import DamagedBackup, DriverError, Item, Part
from backups.drivers.files.walk import Type
from backups.drivers.files.words import named
from backups.drivers.keys import names_of
from backups.drivers.words import ManifestEntry

Manifest = Callable[[], Iterator[ManifestEntry]]
StandIns = Mapping[str, str]
"""By a first name that was not picked, the first picked name of the same inode."""


class Picked:
    """Whether a path belongs to the part: ``path in picked``."""

    def __init__(self, part: Part) -> None:
        try:
            self.paths = frozenset("/".join(names_of(key)) for key in part)
        except ValueError as error:
            raise DriverError("What was picked cannot be read. Pick it anew.", detail=str(error)) from error
        if not self.paths or "" in self.paths:
            raise DriverError("Nothing was picked. Pick something, or restore everything.")
        self._above = {""}
        for path in self.paths:
            self._above.update(_above(path))

    def __contains__(self, path: str) -> bool:
        return path in self._above or path in self.paths or any(above in self.paths for above in _above(path))


def _above(path: str) -> Iterator[str]:
    while (cut := path.rfind("/")) >= 0:
        path = path[:cut]
        yield path


def stand_ins_of(manifest: Iterable[ManifestEntry], picked: Picked) -> StandIns:
    """Those of the part; in memory there is one for each inode of which a further name was picked and not the first."""
    found: dict[str, str] = {}
    for entry in manifest:
        if entry["type"] == Type.HARDLINK and entry["target"] not in picked and entry["path"] in picked:
            found.setdefault(entry["target"], entry["path"])
    return found


def expected(manifest: Manifest, picked: Picked) -> Iterator[ManifestEntry]:
    """The lines that a manifest of the restored part would have, in the same order; ``manifest`` is read twice.

    At its end raises :class:`DriverError` when something that was picked is not in the backup.
    """
    stand_ins = stand_ins_of(manifest(), picked)
    facts: dict[str, ManifestEntry] = {}
    missing = set(picked.paths)
    for entry in manifest():
        path = entry["path"]
        missing.discard(path)
        if path in stand_ins:
            facts[path] = entry
        elif path in picked:
            yield _as_restored(entry, stand_ins, facts)
    if missing:
        raise DriverError(f"This is not in the backup: {named(sorted(missing)[:5], len(missing))}. Pick it anew.")


def _as_restored(entry: ManifestEntry, stand_ins: StandIns, facts: Mapping[str, ManifestEntry]) -> ManifestEntry:
    first = entry["target"] if entry["type"] == Type.HARDLINK else ""
    if first not in stand_ins:
        return entry
    if first not in facts:
        raise DamagedBackup("The manifest names a hard link before the file itself. Restore another backup.")
    path = entry["path"]
    return {**facts[first], "path": path} if path == stand_ins[first] else {**entry, "target": stand_ins[first]}


def items(manifest: Iterable[ManifestEntry]) -> Iterator[Item]:
    """The manifest's lines as things to pick, but for the directory itself."""
    for entry in manifest:
        kind, path = entry["type"], entry["path"]
        if path:
            yield Item(
                names=tuple(path.split("/")),
                kind=kind,
                holds=kind == Type.DIRECTORY,
                size=entry.get("size", 0),
                modified_ns=entry.get("mtime_ns"),
                same_as=tuple(entry["target"].split("/")) if kind == Type.HARDLINK else (),
            )
