"""Comparing a restored database with the manifest of its backup, all of it.

Rows are counted and digested exactly. Digests are compared between servers of the same major version only: another
version may write some values differently as text. A materialised view is filled anew by a restore, so of it only its
existence and whether it is filled are compared. Meanwhile the planner's statistics are gathered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from backups.drivers.base import Artefact, NotAsBackedUp, Place, Verified
from backups.drivers.counting import counted, some
from backups.drivers.postgres import header, survey
from backups.drivers.postgres.each_table import Analyzing, Counting
from backups.drivers.postgres.survey import Count, SequenceState, Table
from backups.drivers.postgres.target import Connection, Target
from backups.drivers.words import ManifestEntry, Progress

CONNECTIONS = 2
_LISTED = 200


@dataclass(frozen=True)
class Wanted:
    """What of a manifest a restored part must hold, by titles: tables, tables without their rows, sequences."""

    tables: frozenset[str]
    structure: frozenset[str]
    sequences: frozenset[str]


def verify(
    target: Target, place: Place, artefact: Artefact, progress: Progress, wanted: Wanted | None = None
) -> Verified:
    """See :meth:`Driver.verify`; with ``wanted`` the database is held against that part of the manifest."""
    expected = _Expected(artefact)
    if wanted is not None:
        expected.narrow(wanted)
    with ExitStack() as stack:
        connection = stack.enter_context(target.connect(place.beside))
        tables = survey.tables(connection, ["r", "p", "m"])
        ours = [table for table in tables if table.holds_rows]
        total = sum(table.size for table in ours) + 1
        analyzed = [table for table in tables if table.kind in "rm"]
        with (
            Counting(lambda: target.open(place.beside), CONNECTIONS, ours) as counting,
            Analyzing(lambda: target.open(place.beside), 1, analyzed) as analyzing,
        ):
            differences = [
                *_whole(connection, expected.head, expected.objects),
                *_relations(expected.tables, tables),
                *_sequences(expected.sequences, survey.sequences(connection, survey.known_sequences(connection))),
                *_large_objects(expected.large_objects, connection),
            ]
            while not (counting.wait(0.5) and analyzing.wait(0.5)):
                progress(counting.bytes_done, total)
        major = connection.info.server_version // 10000
    digests = major == expected.head["server_major"]
    differences += _contents(expected.tables, counting.counts, digests)
    progress(total, total)
    if differences:
        raise NotAsBackedUp(
            f"The restored database differs from the backup in {counted(len(differences), 'point')}: {some(differences, 3)}.",
            detail="\n".join(differences[:_LISTED]),
        )
    rows = sum(count.rows for count in counting.counts.values())
    how = "every row counted, and all values compared by digest" if digests else "every row counted"
    return Verified(
        f"{counted(len(ours), 'table')} with {counted(rows, 'row')} ({how}), {counted(len(expected.sequences), 'sequence')},"
        f" {counted(expected.large_objects['count'], 'large object')}: as in the manifest",
        {
            "tables": len(ours),
            "rows": rows,
            "digests": sum(count.digest is not None for count in counting.counts.values()) if digests else 0,
            "sequences": len(expected.sequences),
            "large objects": expected.large_objects["count"],
        },
    )


class _Expected:
    """The manifest, by what its lines are about."""

    def __init__(self, artefact: Artefact) -> None:
        self.tables: dict[str, ManifestEntry] = {}
        self.sequences: dict[str, ManifestEntry] = {}
        self.large_objects: ManifestEntry = {}
        self.head: ManifestEntry = {}
        self.objects: Mapping[str, int] = {}
        number = 0
        last: Any = None
        for number, entry in enumerate(artefact.manifest(), 1):
            last = entry.get("entry")
            match last:
                case "database":
                    self.head = header.checked(entry)
                case "table":
                    self.tables[entry["name"]] = entry
                case "sequence":
                    self.sequences[entry["name"]] = entry
                case "large objects":
                    self.large_objects = entry
                case "end" if entry["entries"] == number:
                    continue
                case _:
                    raise _incomplete(number)
        if last != "end" or not self.head or not self.large_objects:
            raise _incomplete(number)
        self.objects = self.head["objects"]

    def narrow(self, wanted: Wanted) -> None:
        """Expect that part alone. Counts of everything there is say nothing about it."""
        bare = {name: _without_rows(self.tables[name]) for name in wanted.structure}
        self.tables = {name: self.tables[name] for name in wanted.tables} | bare
        self.sequences = {name: self.sequences[name] for name in wanted.sequences}
        self.large_objects = {"count": 0, "bytes": 0}
        self.objects = {}


def _without_rows(entry: ManifestEntry) -> ManifestEntry:
    """The same table, empty. A materialised view is not filled then, either."""
    if entry["rows"] is None:
        return {**entry, "populated": entry["populated"] and entry["kind"] != "m"}
    return {**entry, "rows": 0, "digest": None if entry["digest"] is None else "0"}


def _incomplete(number: int) -> NotAsBackedUp:
    return NotAsBackedUp(
        "The manifest of the backup is not complete, so nothing can be compared with it. Choose another backup.",
        detail=f"manifest entries read: {number}",
    )


def _whole(connection: Connection, head: ManifestEntry, objects: Mapping[str, int]) -> Iterator[str]:
    """The database as such, and what there is beside tables."""
    missing = sorted(set(head["extensions"]) - set(survey.extensions(connection)))
    if missing:
        yield f"extensions missing: {', '.join(missing)}"
    found = survey.objects(connection)
    for noun, number in objects.items():
        if found.get(noun) != number:
            yield f"{noun}: {found.get(noun):,}, {number:,} in the backup"
    yield from (text for text in survey.unfinished(connection) if text not in head["unvalidated"])


def _relations(expected: Mapping[str, ManifestEntry], tables: list[Table]) -> Iterator[str]:
    found = {table.title: table for table in tables}
    for name in sorted(expected.keys() - found.keys()):
        yield f"table {name} is missing"
    for name in sorted(found.keys() - expected.keys()):
        yield f"table {name} is not in the backup"
    for name in sorted(found.keys() & expected.keys()):
        if found[name].kind != expected[name]["kind"]:
            yield f"{name} is of another kind than in the backup"
        elif found[name].populated != expected[name]["populated"]:
            yield f"materialised view {name} is {'' if found[name].populated else 'not '}filled, unlike in the backup"


def _contents(expected: Mapping[str, ManifestEntry], counts: Mapping[str, Count], digests: bool) -> Iterator[str]:
    for name, entry in expected.items():
        count = counts.get(name)
        if count is None or entry["rows"] is None:
            if entry["rows"] is not None or count is not None:
                yield f"table {name} was not counted on both sides"
        elif count.rows != entry["rows"]:
            yield f"table {name} has {counted(count.rows, 'row')}, {entry['rows']:,} in the backup"
        elif digests and count.digest != entry["digest"]:
            yield f"table {name} has the right number of rows, {count.rows:,}, but other values than in the backup"


def _sequences(expected: Mapping[str, ManifestEntry], sequences: list[SequenceState]) -> Iterator[str]:
    found = {one.title: one for one in sequences}
    for name in sorted(expected.keys() - found.keys()):
        yield f"sequence {name} is missing"
    for name in sorted(found.keys() - expected.keys()):
        yield f"sequence {name} is not in the backup"
    for name in sorted(found.keys() & expected.keys()):
        entry, one = expected[name], found[name]
        now, before, after = (one.value, one.called), tuple(entry["before"]), tuple(entry["after"])
        # It was read between the two looks. One that wraps around may have stood anywhere, also if it came round to where it
        # was; others only in between.
        if entry["cycles"]:
            continue
        low, high = sorted((before, after))
        if not low <= now <= high:
            backed_up = f"{low[0]} to {high[0]}" if before != after else str(low[0])
            yield f"sequence {name} stands at {one.value}, {backed_up} in the backup"


def _large_objects(expected: ManifestEntry, connection: Connection) -> Iterator[str]:
    number, size = survey.large_objects(connection)
    if number != expected["count"]:
        yield f"large objects: {number:,}, {expected['count']:,} in the backup"
    elif size is not None and expected["bytes"] is not None and size != expected["bytes"]:
        yield f"large objects: {counted(size, 'byte')}, {expected['bytes']:,} in the backup"
