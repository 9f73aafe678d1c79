"""Refusing early, in words, a restore that could not end well. Touches nothing."""

from __future__ import annotations

import ipaddress
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pymysql

from backups.drivers.base import Artefact, DriverError, Mode, Place
from backups.drivers.counting import counted, megabytes, some
from backups.drivers.databases import of_a_checkup
from backups.drivers.mysql import checks, clients, header, mark, programs, rights, survey
from backups.drivers.mysql.header import Manifest
from backups.drivers.mysql.survey import one, rows
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.mysql.words import quoted


def preflight(
    target: Target, place: Place, mode: Mode, artefact: Artefact, manifest: Manifest | None = None
) -> list[str]:
    """See :meth:`Driver.preflight`. ``manifest`` is the backup's, of a part with what belongs to the part."""
    manifest = manifest or header.read(artefact)
    head = manifest.head
    if mode is Mode.EXPORT:
        return [f"The backup is an SQL script of {head['server']} by {head['dump_version']}."]
    with target.connect() as connection:
        return [
            *_versions(connection, manifest),
            *_user(connection, target, place, mode),
            *_definers(connection, target, manifest, mode),
            *_free_names(connection, place),
            *(_live(connection, target, place) if mode is Mode.IN_PLACE else ()),
            *_packet(connection, manifest),
            *_space(connection, target, int(head["size_bytes"])),
        ]


def _versions(connection: Connection, manifest: Manifest) -> Iterator[str]:
    head = manifest.head
    title, mariadb = checks.server_title(connection), survey.is_mariadb(connection)
    if head["family"] != ("MariaDB" if mariadb else "MySQL"):
        raise DriverError(
            f"The backup is of {head['server']}, and the server runs {title}. The two families no longer understand each"
            f" other's databases; restore into a {head['family']} server."
        )
    if clients.series(survey.version(connection)) < clients.series(head["server_version"]):
        raise DriverError(
            f"The backup is of {head['server']}, and the server runs the older {title}. Restore into a server of that"
            " version or a newer one."
        )
    client = clients.for_server(mariadb)
    if client.mariadb is not mariadb:
        yield f"Only {client.title} is installed here, of the other family: it loads the rows, and less is known of how well."
    yield f"The server runs {title}; the backup is of {head['server']} by {head['dump_version']}."
    known = rows(connection, "SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')")
    engines = {name.lower() for (name,) in known}
    lacking = sorted({entry["engine"] for entry in manifest.tables.values() if entry["engine"].lower() not in engines})
    if lacking:
        raise DriverError(
            f"The server lacks the storage engine {some(lacking)}, which the backup needs. Install it first."
        )


def _user(connection: Connection, target: Target, place: Place, mode: Mode) -> Iterator[str]:
    databases = [place.beside, *((place.live, place.kept) if mode is Mode.IN_PLACE else ())]
    for database in databases:
        lacking = checks.missing_grants(connection, database, rights.BUILDING)
        if lacking:
            pattern = _pattern(target.dbname, place, database)
            raise DriverError(
                f"The user {target.user} lacks {', '.join(lacking)} on {pattern}, which a restore needs."
                f" GRANT {', '.join(lacking)} ON {quoted(pattern)}.* TO {target.user}.",
                detail="grants seen: " + "; ".join(checks.grants(connection)),
                setting="user",
            )
    yield f"The user {target.user} may make and fill the database {place.beside}" + (
        " and exchange it with the live one." if mode is Mode.IN_PLACE else "."
    )


def _pattern(dbname: str, place: Place, database: str) -> str:
    """How a grant names all databases of restores, as far as the name was not cut."""
    escaped = dbname.replace("_", r"\_")
    for ending in ("restored", "restore", "before"):
        if database.startswith(f"{dbname}_{ending}_"):
            return rf"{escaped}\_{ending}\_%"
    return escaped if database == dbname else database


def _definers(connection: Connection, target: Target, manifest: Manifest, mode: Mode) -> Iterator[str]:
    foreign = rights.foreign(connection, manifest.programs)
    if not rights.may_define(connection, target, manifest.programs):
        said = (
            f"Views, routines, triggers or events act in the name of {some(foreign)}, and the user {target.user} may not"
            " make such. Grant it SET USER (MariaDB), or SET_ANY_DEFINER (MySQL; before 8.2 SET_USER_ID)."
        )
        if mode is Mode.IN_PLACE:
            raise DriverError(said, detail="restoring beside works without, in the portal user's name", setting="user")
        yield f"{said} Without that, they will act in the name of {target.user}."
    elif manifest.programs:
        yield "Views, routines, triggers and events will act in whose name they did."
    if absent := rights.absent(connection, list(manifest.head["definers"])):
        yield (
            f"The server has no account {some(absent)}, in whose name something in the backup acts: it fails when it is"
            " used, until the account is made."
        )
    rights.refuse_untrusted(connection, target, manifest.programs)


def _free_names(connection: Connection, place: Place) -> Iterator[str]:
    """Nobody else restores here, and what would be renamed to is free."""
    others = []
    for name in mark.marked(connection):
        said = mark.read(connection, name) or {}
        if name != place.beside and said.get(mark.BUILDING) == place.live and not of_a_checkup(name):
            others.append(name)
    if others:
        raise DriverError(
            f"Another restore of {place.live} is being built or was left behind: {some(others)}. Wait for it, or have"
            " it removed.",
            retry=True,
        )
    if survey.database(connection, place.kept):
        raise DriverError(
            f"There is a database called {place.kept} already. Remove or rename it, then try again.", detail=place.kept
        )
    yield "Nobody else restores this database."


def _live(connection: Connection, target: Target, place: Place) -> Iterator[str]:
    """The live tables can be exchanged, if there are any."""
    if survey.database(connection, place.live) is None:
        yield f"There is no database {place.live} any more; the restored one takes its name."
        return
    ties = rows(
        connection,
        """SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE
            WHERE REFERENCED_TABLE_SCHEMA = %s AND TABLE_SCHEMA <> %s""",
        [place.live, place.live],
    )
    if ties:
        tied = sorted(f"{schema}.{table}" for schema, table in ties)
        raise DriverError(
            f"Foreign keys of other databases lead into {place.live} and would go on leading to the original:"
            f" {some(tied)}. Drop these keys first, or restore beside."
        )
    acting = programs.read(connection, place.live)
    checks.refuse_hidden(target, acting)
    rights.refuse_lost(connection, target, place.live, acting.programs)
    tables = survey.tables(connection, place.live)
    yield f"The database {place.live} is there, and its {counted(len(tables), 'table')} may be exchanged."


def _packet(connection: Connection, manifest: Manifest) -> Iterator[str]:
    allowed, longest = int(one(connection, "SELECT @@max_allowed_packet")), int(manifest.head["longest_statement"])
    if longest + 4096 > allowed:
        raise DriverError(
            f"The largest row of the backup needs {megabytes(longest)} in one piece, and the server accepts"
            f" {megabytes(allowed)}. Raise max_allowed_packet on the server.",
        )
    yield f"The server accepts the largest statement of the backup, {megabytes(longest)}."


def _space(connection: Connection, target: Target, size: int) -> Iterator[str]:
    """The server does not tell how much room it has; on this machine the file system does."""
    needed = 2 * size
    free = _free_bytes_here(connection, target)
    if free is None:
        yield f"Room on the server could not be checked from here; the restore needs about {megabytes(needed)}."
    elif free < needed:
        raise DriverError(
            f"The server has {megabytes(free)} free, and a safe restore needs {megabytes(needed)}. Make room first."
        )
    else:
        yield f"The server has {megabytes(free)} free; {megabytes(needed)} are needed."


def _free_bytes_here(connection: Connection, target: Target) -> int | None:
    if not (target.by_socket or _loopback(target.host)):
        return None
    try:
        directory, pid_file = rows(connection, "SELECT @@datadir, @@pid_file")[0]
        # A container's port may be on this machine while its files are not.
        pid = int((Path(directory) / pid_file).read_text())
        if os.stat(f"/proc/{pid}").st_uid != os.stat(directory).st_uid:
            return None
        return shutil.disk_usage(directory).free
    except (OSError, ValueError, pymysql.MySQLError):
        return None


def _loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
