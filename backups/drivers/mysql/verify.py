"""Comparing a restored database with the manifest of its backup, all of it.

Its rows are dumped and read by the same reader as when the backup was taken, and nothing is kept: every row is counted
and every value compared by digest. Between servers of different versions a value may be written differently as text, so
there only the counts are compared, and the sentence and the proof say so. Definitions are compared word by word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from backups.drivers.base import Artefact, NotAsBackedUp, Place, Verified
from backups.drivers.counting import counted, some
from backups.drivers.mysql import clients, header, programs, survey
from backups.drivers.mysql.dumping import dump_rows
from backups.drivers.mysql.errors import translated
from backups.drivers.mysql.header import Manifest
from backups.drivers.mysql.programs import Program
from backups.drivers.mysql.restore import comes
from backups.drivers.mysql.rights import may_define
from backups.drivers.mysql.rows import Count, Rows
from backups.drivers.mysql.survey import Table
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.mysql.words import quoted
from backups.drivers.words import ManifestEntry, Progress
from backups.proof import Proof

_LISTED = 200


def verify(
    target: Target, place: Place, artefact: Artefact, progress: Progress, only: Collection[str] | None = None
) -> Verified:
    """See :meth:`Driver.verify`; with ``only`` the database is held against those tables of the manifest alone."""
    manifest = header.read(artefact)
    if only is not None:
        manifest.tables = {name: entry for name, entry in manifest.tables.items() if name in only}
    manifest.programs = [program for program in manifest.programs if comes(program, only)]
    name = place.beside
    with target.connect(name) as connection, translated(target.describe(name)):
        mariadb = survey.is_mariadb(connection)
        client = clients.for_server(mariadb)
        exact = _writes_alike(connection, mariadb, client, manifest.head)
        tables = survey.tables(connection, name)
        expected = sum(entry["size_bytes"] for entry in manifest.tables.values()) or 1
        rows = Rows()
        dump_rows(
            target, client, name, tables, survey.named(connection, name, "SEQUENCE") + survey.named(connection, name, "VIEW"),
            rows, lambda read: progress(read, max(read, expected)),
        )  # fmt: skip
        found: Sequence[Program] = programs.read(connection, name).programs
        if not may_define(connection, target, manifest.programs):
            manifest.programs, found = _disowned(manifest.programs), _disowned(found)
        differences = [
            *_whole(connection, name, manifest, only),
            *_tables(connection, name, manifest.tables, tables, exact),
            *_contents(manifest.tables, rows.tables, exact),
            *_sequences(connection, name, manifest.sequences, mariadb),
            *_programs(found, manifest.programs),
        ]
        _analyze(connection, name, tables)
    if differences:
        raise NotAsBackedUp(
            f"The restored database differs from the backup in {counted(len(differences), 'point')}: {some(differences, 3)}.",
            detail="\n".join(differences[:_LISTED]),
        )
    return _said(manifest, rows.tables, exact, tables)


def _said(manifest: Manifest, counts: Mapping[str, Count], exact: bool, tables: Sequence[Table]) -> Verified:
    number = sum(count.rows for count in counts.values())
    how = "every row counted, and all values compared by digest" if exact else (
        "every row counted; values were not compared, because the server or its programs are of another version"
    )  # fmt: skip
    acting = [one for one in manifest.programs if one.kind != programs.VIEW]
    views = len(manifest.programs) - len(acting)
    loose = [f"{table.name} ({table.engine})" for table in tables if table.holds_rows and not table.transactional]
    unflushed = (
        ". These tables know no transactions, and the server may not have written all of them to its disk yet, so a power"
        f" cut soon after could damage them: {some(loose)}"
    ) if loose else ""  # fmt: skip
    return Verified(
        f"{counted(len(manifest.tables), 'table')} with {counted(number, 'row')} ({how}), {counted(views, 'view')},"
        f" {counted(len(acting), 'routine, trigger or event', 'routines, triggers and events')}: as in the manifest{unflushed}",
        {
            "tables": len(manifest.tables),
            "rows": number,
            "digests": len(counts) if exact else 0,
            "definitions": len(manifest.programs),
            "sequences": len(manifest.sequences),
        },
        None if exact else Proof.RESTORED,
    )


def _writes_alike(connection: Connection, mariadb: bool, client: clients.Client, head: ManifestEntry) -> bool:
    """Whether server and client write values and definitions as those of the backup did."""
    family = "MariaDB" if mariadb else "MySQL"
    server = clients.series(survey.version(connection)) == clients.series(head["server_version"])
    return family == head["family"] and server and client.title.split()[0] == head["dump_version"].split()[0]


def _whole(connection: Connection, name: str, manifest: Manifest, only: Collection[str] | None) -> Iterator[str]:
    found = survey.database(connection, name)
    for what in ("charset", "collation") if found and only is None else ():
        if getattr(found, what) != manifest.head[what]:
            yield f"the database's {what} is {getattr(found, what)}, {manifest.head[what]} in the backup"


def _tables(
    connection: Connection, name: str, expected: Mapping[str, ManifestEntry], tables: list[Table], exact: bool
) -> Iterator[str]:
    found = {table.name for table in tables}
    for table in sorted(expected.keys() - found):
        yield f"table {table} is missing"
    for table in sorted(found - expected.keys()):
        yield f"table {table} is not in the backup"
    for table in sorted(found & expected.keys()):
        create, counter = survey.without_counter(survey.definition(connection, name, table))
        if exact and create != expected[table]["create"]:
            yield f"table {table} is made differently than in the backup"
        if counter < expected[table]["auto_increment"]:
            yield f"table {table} goes on counting at {counter}, at {expected[table]['auto_increment']} in the backup"


def _contents(expected: Mapping[str, ManifestEntry], counts: Mapping[str, Count], exact: bool) -> Iterator[str]:
    for name, entry in expected.items():
        count = counts.get(name)
        if count is None or entry["rows"] is None:
            if entry["rows"] is not None or count is not None:
                yield f"table {name} was not counted on both sides"
        elif count.rows != entry["rows"]:
            yield f"table {name} has {counted(count.rows, 'row')}, {entry['rows']:,} in the backup"
        elif exact and count.digest != entry["digest"]:
            yield f"table {name} has the right number of rows, {count.rows:,}, but other values than in the backup"


def _sequences(
    connection: Connection, name: str, expected: Mapping[str, ManifestEntry], mariadb: bool
) -> Iterator[str]:
    found = set(survey.named(connection, name, "SEQUENCE") if mariadb else ())
    for sequence in sorted(found ^ expected.keys()):
        yield f"sequence {sequence} is {'not in the backup' if sequence in found else 'missing'}"
    for sequence in sorted(found & expected.keys()):
        _, state = survey.sequence(connection, name, sequence)
        if state != expected[sequence]["state"]:
            yield f"sequence {sequence} stands at {state[0]}, at {expected[sequence]['state'][0]} in the backup"


def _disowned(found: Sequence[Program]) -> list[Program]:
    """Without in whose names they act: in the portal user's, where others may not be given."""
    return [program.disowned() for program in found]


def _programs(found: Sequence[Program], expected: Sequence[Program]) -> Iterator[str]:
    there = {one.title: one for one in found}
    wanted = {one.title: one.asleep() for one in expected}
    for title in sorted(wanted.keys() - there.keys()):
        yield f"{title} is missing, or refers to nothing"
    for title in sorted(there.keys() - wanted.keys()):
        yield f"{title} is not in the backup"
    for title in sorted(there.keys() & wanted.keys()):
        if there[title] != wanted[title]:
            yield f"{title} is another than in the backup"
    orders = [[one.title for one in side if one.kind == programs.TRIGGER] for side in (found, expected)]
    if orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]):
        yield "triggers run in another order than in the backup"


def _analyze(connection: Connection, name: str, tables: list[Table]) -> None:
    """Statistics for the planner: what was just loaded has none yet, and the application would crawl at first."""
    for table in tables:
        if table.holds_rows and table.transactional:
            survey.rows(connection, f"ANALYZE NO_WRITE_TO_BINLOG TABLE {quoted(name, table.name)}")
