"""Taking a backup: one dump of all rows from one snapshot, with the definitions of everything around it.

Definitions know no snapshots. So they are read before the dump and again after it, and when they changed meanwhile the
backup is not used: what fits together is worth more than what is quick. The same goes for the exchange of a restore: the
dump lets go of each table it has read, so tables can be exchanged between two of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.drivers.base import DriverError, Sink, Taken
from backups.drivers.counting import some
from backups.drivers.mysql import checks, clients, header, journal, programs, script, survey
from backups.drivers.mysql.clients import Client
from backups.drivers.mysql.dumping import dump_rows
from backups.drivers.mysql.errors import translated
from backups.drivers.mysql.header import Manifest
from backups.drivers.mysql.rows import Count, Rows
from backups.drivers.mysql.survey import Table
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.words import ManifestEntry, Progress


def take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Stream an SQL script into ``sink`` and record the manifest; see :meth:`Driver.take`."""
    name = target.dbname
    with target.connect(name) as connection:
        title = checks.server_title(connection)
        mariadb = survey.is_mariadb(connection)
        client = clients.for_server(mariadb)
        marks = journal.marks(connection, name)
        journal.refuse_half_done(connection, name)
        tables = survey.tables(connection, name)
        rounds = survey.rounded_columns(connection, name)
        checks.refuse_unreadable(connection, target, tables)
        found = programs.read(connection, name)
        checks.refuse_hidden(target, found)
        manifest = _definitions(connection, name, tables, found, mariadb)
        expected = survey.size(tables)
        done = 0

        def keep(text: bytes) -> None:
            nonlocal done
            sink.write(text)
            done += len(text)

        keep(script.before(name, title, manifest))
        start = done
        rows = Rows(keep)
        with translated(target.describe(name)):
            views = survey.named(connection, name, "VIEW")
            dump_rows(
                target, client, name, tables, [*manifest.sequences, *views], rows,
                lambda read: progress(read, max(read, expected)),
            )  # fmt: skip
        rows_at = [start, done]
        later = _definitions(connection, name, survey.tables(connection, name), None, mariadb)
        _refuse_changed(manifest, later, name)
        manifest.sequences = (
            later.sequences
        )  # no snapshot holds them: what they have reached by now is never too little
        keep(script.after(manifest))
        again = programs.read(connection, name)
        if again != found:
            raise _changed(name, "views, routines, triggers or events")
        database = survey.database(connection, name)
        if moved := journal.exchanged(marks, journal.marks(connection, name)):
            raise DriverError(
                f"A restore of {name} was put in its place, taken back or removed while {name} was read, so the backup may"
                " be of two moments. Try again.",
                detail=f"marks changed in {', '.join(moved)}",
                retry=True,
            )
    for table in tables:
        manifest.tables[table.name] = _counted(manifest.tables[table.name], rows.tables.get(table.name))
    head = {
        "family": "MariaDB" if mariadb else "MySQL",
        "server": title,
        "server_version": title.partition(" ")[2],
        "dump_version": client.title,
        "charset": database.charset if database else "utf8mb4",
        "collation": database.collation if database else "",
        "comment": database.comment if database else "",
        "size_bytes": header.rounded(expected),
        "longest_statement": max((count.longest for count in rows.tables.values()), default=0),
        "definers": sorted({"@".join(one.definer) for one in found.programs if one.definer}),
        "broken_views": list(found.broken),
        "rows_at": rows_at,
    }
    for entry in header.entries(head, manifest):
        sink.record(entry)
    return Taken(
        source_bytes=done,
        summary={
            "tables": len(tables),
            "rows": sum(count.rows for count in rows.tables.values()),
            "views": sum(one.kind == programs.VIEW for one in found.programs),
            "routines": sum(one.kind in programs.ROUTINES for one in found.programs),
            "triggers": sum(one.kind == programs.TRIGGER for one in found.programs),
            "events": sum(one.kind == programs.EVENT for one in found.programs),
            "sequences": len(manifest.sequences),
        },
        warnings=tuple(_warnings(tables, found, client, rounds)),
    )


def _definitions(
    connection: Connection, name: str, tables: list[Table], found: programs.Found | None, mariadb: bool
) -> Manifest:
    manifest = Manifest({}, programs=list(found.programs) if found else [])
    for table in tables:
        create, counter = survey.without_counter(survey.definition(connection, name, table.name))
        manifest.tables[table.name] = {
            "entry": "table",
            "name": table.name,
            "engine": table.engine,
            "create": create,
            "auto_increment": counter,
        }
    for sequence in survey.named(connection, name, "SEQUENCE") if mariadb else ():
        create, state = survey.sequence(connection, name, sequence)
        manifest.sequences[sequence] = {"entry": "sequence", "name": sequence, "create": create, "state": state}
    return manifest


def _refuse_changed(before: Manifest, after: Manifest, name: str) -> None:
    """Rows of one definition and the definition of another do not fit together."""
    for one, other in ((before.tables, after.tables), (before.sequences, after.sequences)):
        changed = [key for key in one.keys() | other.keys() if _form(one.get(key)) != _form(other.get(key))]
        if changed:
            raise _changed(name, some(sorted(changed)))


def _form(entry: ManifestEntry | None) -> str:
    return entry["create"] if entry else ""


def _changed(name: str, what: str) -> DriverError:
    return DriverError(f"The form of {name} was changed while it was read: {what}. Try again.", retry=True)


def _counted(entry: ManifestEntry, count: Count | None) -> ManifestEntry:
    return {
        **entry,
        "rows": count.rows if count else None,
        "digest": count.digest if count else None,
        "size_bytes": count.size if count else 0,
    }


def _warnings(tables: list[Table], found: programs.Found, client: Client, rounds: list[str]) -> Iterator[str]:
    """What is not, or not exactly, in the backup by the server's nature, in sentences."""
    elsewhere = [table.name for table in tables if not table.holds_rows]
    if elsewhere:
        yield f"The rows of these tables live elsewhere and are not in the backup: {some(elsewhere)}."
    loose = [f"{table.name} ({table.engine})" for table in tables if table.holds_rows and not table.transactional]
    if loose:
        yield (
            "These tables know no transactions, so what was written to them during the backup may be there in part:"
            f" {some(loose)}. Convert them to InnoDB, or back up when nobody writes."
        )
    if rounds:
        yield (
            f"Columns of type FLOAT are written with six digits, as in every SQL dump: {some(rounds)}. DOUBLE keeps all."
        )
    versioned = [table.name for table in tables if table.versioned]
    if versioned and not client.dumps_history:
        yield f"{client.title} writes no history, so of {some(versioned)} only the present rows are in the backup."
    if found.broken:
        yield f"These views refer to what no longer exists and are not in the backup: {some(found.broken)}."
