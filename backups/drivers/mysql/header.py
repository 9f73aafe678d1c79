"""The lines of a manifest: first the database as a whole, then everything in it with its definition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from backups.drivers.base import Artefact, DamagedBackup, NotAsBackedUp
from backups.drivers.mysql.programs import Program
from backups.drivers.words import ManifestEntry

FORMAT = 1


@dataclass
class Manifest:
    """A manifest, by what its lines are about."""

    head: ManifestEntry
    tables: dict[str, ManifestEntry] = field(default_factory=dict)
    sequences: dict[str, ManifestEntry] = field(default_factory=dict)
    programs: list[Program] = field(default_factory=list)

    @property
    def rows_at(self) -> tuple[int, int]:
        """Where in the artefact the rows begin and end."""
        start, end = self.head["rows_at"]
        return int(start), int(end)


def rounded(size: int) -> int:
    """Up to three binary digits: a size to plan with, the same while only a server's bookkeeping changes."""
    step = 1 << max(size.bit_length() - 3, 24)
    return -(-size // step) * step


def entries(head: dict[str, Any], manifest: Manifest) -> Iterator[ManifestEntry]:
    """The lines to record."""
    number = 1
    yield {"entry": "database", "format": FORMAT, **head}
    for things in (manifest.tables, manifest.sequences):
        for name in sorted(things):
            yield things[name]
            number += 1
    for program in manifest.programs:
        yield {"entry": "program", **program.as_json()}
        number += 1
    yield {"entry": "end", "entries": number + 1}


def read(artefact: Artefact) -> Manifest:
    """The manifest of a stored backup. Raises :class:`DamagedBackup`, or :class:`NotAsBackedUp` when lines are missing."""
    manifest: Manifest | None = None
    number, last = 0, ""
    for number, entry in enumerate(artefact.manifest(), 1):
        last = str(entry.get("entry"))
        if manifest is None:
            manifest = Manifest(_checked(entry, number))
        elif last == "table":
            manifest.tables[entry["name"]] = entry
        elif last == "sequence":
            manifest.sequences[entry["name"]] = entry
        elif last == "program":
            manifest.programs.append(Program.from_json(entry))
        elif last != "end" or entry["entries"] != number:
            raise _incomplete(number)
    if manifest is None or last != "end":
        raise _incomplete(number)
    return manifest


def _checked(entry: ManifestEntry, number: int) -> ManifestEntry:
    if entry.get("entry") != "database":
        raise _incomplete(number)
    if entry.get("format") != FORMAT:
        raise DamagedBackup(
            "The backup's manifest is of a form that the portal does not know. Choose another backup.",
            detail=f"first entry: {dict(entry)!r:.200}",
        )
    return entry


def _incomplete(number: int) -> NotAsBackedUp:
    return NotAsBackedUp(
        "The manifest of the backup is not complete, so nothing can be compared with it. Choose another backup.",
        detail=f"manifest entries read: {number}",
    )
