"""Refusing early, in words, a restore that could not end well. Touches nothing."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator
from pathlib import Path

from backups.drivers.base import Artefact, DriverError, Mode, Place
from backups.drivers.counting import counted, megabytes, some
from backups.drivers.databases import of_a_checkup
from backups.drivers.postgres import clients, header, names, survey
from backups.drivers.postgres.checks import server_major
from backups.drivers.postgres.create import MARK
from backups.drivers.postgres.restore import unpacks
from backups.drivers.postgres.rights import missing_rights
from backups.drivers.postgres.target import Connection, Target
from backups.drivers.words import ManifestEntry


def preflight(
    target: Target,
    place: Place,
    mode: Mode,
    artefact: Artefact,
    workdir: Path,
    head: ManifestEntry | None = None,
) -> list[str]:
    """See :meth:`Driver.preflight`. ``head`` is the backup's header, of a part with the part's size."""
    head = head or header.read(artefact)
    if mode is Mode.EXPORT:
        return [f"The backup is a dump of PostgreSQL {head['server_version']} by pg_dump {head['dump_version']}."]
    with target.connect(target.maintenance_db) as connection:
        return [
            *_versions(connection, head),
            *_role(connection, target, head, mode),
            *_extensions(connection, head),
            *_free_names(connection, place),
            *(_live(connection, target, place, head) if mode is Mode.IN_PLACE else ()),
            *_server_space(connection, target, head),
            *_work_space(workdir, artefact),
        ]


def _versions(connection: Connection, head: ManifestEntry) -> Iterator[str]:
    major = server_major(connection)
    if major < head["server_major"]:
        raise DriverError(
            f"The backup is of PostgreSQL {head['server_version']}, and the server runs the older {major}."
            f" Restore into a server of version {head['server_major']} or newer."
        )
    client = clients.for_server(major, int(head["dump_version"].partition(".")[0]))
    version = (connection.info.parameter_status("server_version") or "").split()[0]
    yield (
        f"The server runs PostgreSQL {version}; the backup is of PostgreSQL {head['server_version'].split()[0]} by"
        f" pg_dump {head['dump_version']}, pg_restore {client.version} can read it."
    )
    system = survey.system_identifier(connection)
    if system and head["system_identifier"] and system != head["system_identifier"]:
        yield "This is another database server than the one that was backed up."


def _role(connection: Connection, target: Target, head: ManifestEntry, mode: Mode) -> Iterator[str]:
    if not survey.one(connection, "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"):
        raise DriverError(
            f"The role {target.user} may not create databases, which a restore does. Grant it CREATEDB.", setting="user"
        )
    yield f"The role {target.user} may create databases."
    missing = missing_rights(connection, head)
    if not missing:
        yield "Owners and rights will be as they were."
    elif mode is Mode.IN_PLACE:
        raise DriverError(" ".join(missing), detail="restoring beside works without owners and rights", setting="user")
    else:
        yield " ".join(missing) + f" Without that, everything will belong to {target.user}, and rights are left out."
    spaces = {name for (name,) in survey.rows(connection, "SELECT spcname FROM pg_tablespace")}
    absent = sorted({*head["tablespaces"], head["tablespace"]} - spaces)
    if absent:
        yield f"The server has no tablespace called {some(absent)}: what was there goes to the usual place."
    _refuse_settings(connection, target, head)


def _refuse_settings(connection: Connection, target: Target, head: ManifestEntry) -> None:
    """Settings of the database that the role may not set again would stop the restore at its very end."""
    kept = {setting.partition("=")[0] for _, settings in head["settings"] or () for setting in settings}
    query = "SELECT name FROM pg_settings WHERE name = ANY (%s) AND context LIKE 'superuser%%' ORDER BY name"
    denied = [name for (name,) in survey.rows(connection, query, [sorted(kept)])]
    if denied and not survey.is_superuser(connection):
        raise DriverError(
            f"The database has settings that only a superuser may make: {some(denied)}. Restore as one, or take them"
            f" from the database and back it up again; {target.user} may not make them.",
            setting="user",
        )


def _extensions(connection: Connection, head: ManifestEntry) -> Iterator[str]:
    available = dict(
        survey.rows(
            connection,
            """SELECT e.name, bool_or(v.trusted OR NOT v.superuser) FROM pg_available_extensions AS e
                 JOIN pg_available_extension_versions AS v ON v.name = e.name AND v.version = e.default_version
                GROUP BY e.name""",
        )
    )
    missing = [name for name in head["extensions"] if name not in available]
    if missing:
        raise DriverError(
            f"The server lacks the extension {some(missing)}, which the backup needs. Install it on the server."
        )
    denied = [name for name in head["extensions"] if not available[name]]
    if denied and not survey.is_superuser(connection):
        raise DriverError(
            f"Only a superuser can create the extension {some(denied)}. Restore as one, or have it marked as trusted.",
            setting="user",
        )
    if head["extensions"]:
        yield f"Extensions are available: {', '.join(head['extensions'])}."


def _free_names(connection: Connection, place: Place) -> Iterator[str]:
    """Nobody else restores here, and what would be renamed to is free."""
    marked = survey.rows(
        connection,
        "SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') = %s AND datname <> %s",
        [MARK, place.beside],
    )
    beginning = place.beside[: place.beside.rindex("_restore")] + "_restore"
    others = [name for (name,) in marked if name.startswith(beginning) and not of_a_checkup(name)]
    if others:
        raise DriverError(
            f"Another restore of {place.live} is being built or was left behind: {some(others)}. Wait for it, or have"
            " it removed.",
            retry=True,
        )
    if place.kept in names.oids(connection, place):
        raise DriverError(
            f"There is a database called {place.kept} already. Remove or rename it, then try again.", detail=place.kept
        )
    yield "Nobody else restores this database."


def _live(connection: Connection, target: Target, place: Place, head: ManifestEntry) -> Iterator[str]:
    """The live database can be renamed, if it is there."""
    if target.maintenance_db == place.live:
        raise DriverError(
            "A database cannot be exchanged while the portal works from within it."
            " Choose another maintenance database.",
            setting="maintenance_db",
        )
    live = survey.rows(
        connection,
        """SELECT oid, pg_has_role(datdba, 'MEMBER'), pg_get_userbyid(datdba), datistemplate,
                  pg_encoding_to_char(encoding)
             FROM pg_database WHERE datname = %s""",
        [place.live],
    )
    if not live:
        yield f"There is no database {place.live} any more; the restored one takes its name."
        return
    oid, owned, owner, template, encoding = live[0]
    if not owned:
        raise DriverError(
            f"The database {place.live} belongs to {owner}, so {target.user} may not rename it. Grant it membership.",
            setting="user",
        )
    if template:
        raise DriverError(f"The database {place.live} is a template and is not exchanged. Restore beside it.")
    ties = survey.rows(
        connection,
        """SELECT 'prepared transaction', count(*) FROM pg_prepared_xacts WHERE database = %(name)s
            UNION ALL SELECT 'replication slot', count(*) FROM pg_replication_slots WHERE database = %(name)s
            UNION ALL SELECT 'subscription', count(subdbid) FROM pg_subscription WHERE subdbid = %(oid)s""",
        {"name": place.live, "oid": oid},
    )
    tied = [counted(number, noun) for noun, number in ties if number]
    if tied:
        raise DriverError(
            f"The database {place.live} has {' and '.join(tied)}, which hold on to it. End them, then try again."
        )
    yield f"The database {place.live} is there ({encoding}), may be renamed, and nothing holds on to it."


def _server_space(connection: Connection, target: Target, head: ManifestEntry) -> Iterator[str]:
    """PostgreSQL does not tell how much room it has; on this machine the file system does."""
    needed = 2 * head["size_bytes"]
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
    if not (_local(target.host) and survey.is_superuser(connection)):
        return None
    directory, started = survey.rows(
        connection, "SELECT current_setting('data_directory'), (pg_stat_file('postmaster.pid')).modification"
    )[0]
    try:
        # A container's port may be on this machine while its files are not.
        if int((Path(directory) / "postmaster.pid").stat().st_mtime) != int(started.timestamp()):
            return None
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def _local(host: str) -> bool:
    if host.startswith("/") or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _work_space(workdir: Path, artefact: Artefact) -> Iterator[str]:
    if unpacks(workdir, artefact):
        yield f"The work directory has room for the unpacked backup, {megabytes(artefact.source_bytes)}."
    else:
        yield "The work directory has no room for the unpacked backup: it will be streamed, which takes longer."
