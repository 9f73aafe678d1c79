"""What the database and the role must be like for a backup, in sentences."""

from __future__ import annotations

from backups.drivers.base import DriverError, Found
from backups.drivers.counting import counted, megabytes, some
from backups.drivers.postgres import clients, survey
from backups.drivers.postgres.target import OLDEST_SERVER, Connection, Target


def check(target: Target) -> Found:
    """See that the database can be backed up whole; see :meth:`Driver.check`."""
    with target.connect() as connection:
        major = server_major(connection)
        clients.for_server(major)
        refuse_unreadable(connection, target)
        number = sum(table.holds_rows for table in survey.tables(connection))
        size = int(survey.one(connection, "SELECT pg_database_size(current_database())"))
        version = (connection.info.parameter_status("server_version") or "").split()[0]
    sentence = f"PostgreSQL {version}, database {target.dbname}, {counted(number, 'table')}, {megabytes(size)}"
    return Found(target.locator, sentence, size)


def server_major(connection: Connection) -> int:
    """The server's major version, if it is one this driver can handle."""
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        raise DriverError(
            f"The server runs PostgreSQL {major}, which is too old. Upgrade it to version {OLDEST_SERVER} or newer.",
            setting="host",
        )
    return major


def refuse_unreadable(connection: Connection, target: Target) -> None:
    """Raise, naming the first tables, when the role cannot read everything: the backup would not be whole."""
    denied, hidden, large_objects = survey.unreadable(connection)
    if denied:
        raise DriverError(
            f"The role {target.user} cannot read {some(denied)}. Grant it SELECT on all tables and sequences and USAGE"
            " on their schemas; membership in pg_read_all_data does it for all, in future too.",
            detail="no SELECT on: " + ", ".join(denied),
            setting="user",
        )
    if hidden:
        raise DriverError(
            f"Row-level security hides rows of {some(hidden)} from the role {target.user}. Grant it BYPASSRLS.",
            detail="row-level security on: " + ", ".join(hidden),
            setting="user",
        )
    if large_objects:
        raise DriverError(
            f"The role {target.user} cannot read {counted(large_objects, 'large object')}. Grant it SELECT on"
            " them, or use their owner.",
            setting="user",
        )
