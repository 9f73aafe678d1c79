"""The mark: a small table in the one database of a restore that is not live.

It tells what the database is, whatever it is called: ``id`` is the identity of the restored data, ``events`` are the
events as they are when live (in here they sleep), ``journal`` is there while an exchange is under way. ``live`` is the
database it is a restore of, ``exchanged`` another value for each exchange, ``tables`` what it made live. It goes along
in the statement that exchanges the tables, so where it lies *is* which data is live. Live databases never have one.
"""

from __future__ import annotations

import json
from typing import Any

import pymysql

from backups.drivers.mysql.survey import MARK, execute, rows
from backups.drivers.mysql.target import Connection
from backups.drivers.mysql.words import quoted

ID, EVENTS, JOURNAL, BUILDING = "id", "events", "journal", "building"
LIVE, EXCHANGED, TABLES = "live", "exchanged", "tables"


def make(connection: Connection, name: str, values: dict[str, Any]) -> None:
    """Put a mark into a database; over one that is there already."""
    table = quoted(name, MARK)
    execute(
        connection,
        f"CREATE TABLE IF NOT EXISTS {table} (what VARCHAR(64) PRIMARY KEY, value LONGTEXT NOT NULL)"
        " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'HaaS backup portal: belongs to a restore'",
    )
    write(connection, name, values)


def write(connection: Connection, name: str, values: dict[str, Any]) -> None:
    """Set some of what it says, all at once; None takes it away."""
    table = quoted(name, MARK)
    connection.begin()
    for what, value in values.items():
        execute(connection, f"DELETE FROM {table} WHERE what = %s", [what])  # noqa: S608
        if value is not None:
            execute(connection, f"INSERT INTO {table} VALUES (%s, %s)", [what, json.dumps(value)])  # noqa: S608
    connection.commit()


def read(connection: Connection, name: str) -> dict[str, Any] | None:
    """What the mark of a database says; None when there is none, or no such database."""
    try:
        return {what: json.loads(value) for what, value in rows(connection, f"SELECT what, value FROM {quoted(name, MARK)}")}  # noqa: S608  # fmt: skip
    except pymysql.MySQLError as error:
        if error.args[0] in (1146, 1049):
            return None
        raise


def marked(connection: Connection) -> list[str]:
    """Every database with a mark that the user may see."""
    query = "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME = %s"
    return sorted(name for (name,) in rows(connection, query, [MARK]))
