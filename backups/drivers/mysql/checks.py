"""What the database and the user must be like for a backup, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pymysql

from backups.drivers.base import DriverError, Found
from backups.drivers.counting import counted, megabytes, some
from backups.drivers.mysql import clients, programs, survey
from backups.drivers.mysql.errors import translated
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.mysql.words import quoted

OLDEST_MARIADB, OLDEST_MYSQL = (10, 5), (8, 0)
_ALL_PRIVILEGES = "ALL PRIVILEGES"


def check(target: Target) -> Found:
    """See that the database can be backed up whole; see :meth:`Driver.check`."""
    with target.connect(target.dbname) as connection:
        title = server_title(connection)
        clients.for_server(survey.is_mariadb(connection))
        tables = survey.tables(connection, target.dbname)
        refuse_unreadable(connection, target, tables)
        refuse_hidden(target, programs.read(connection, target.dbname))
        size = survey.size(tables)
    number = counted(len(tables), "table")
    return Found(target.locator, f"{title}, database {target.dbname}, {number}, {megabytes(size)}", size)


def server_title(connection: Connection) -> str:
    """``MariaDB 10.11.19``, of a server that this driver can handle."""
    mariadb, version = survey.is_mariadb(connection), survey.version(connection)
    family, oldest = ("MariaDB", OLDEST_MARIADB) if mariadb else ("MySQL", OLDEST_MYSQL)
    if clients.series(version) < oldest:
        raise DriverError(
            f"The server runs {family} {version}, which is too old. Upgrade it to {oldest[0]}.{oldest[1]} or newer.",
            setting="host",
        )
    return f"{family} {version}"


def refuse_unreadable(connection: Connection, target: Target, tables: list[survey.Table]) -> None:
    """Raise, naming the first tables, when the user cannot read everything: the backup would not be whole."""
    lacking = missing_grants(connection, target.dbname, ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "LOCK TABLES"))
    if lacking:
        raise DriverError(
            f"The user {target.user} lacks {', '.join(lacking)} on the database {target.dbname}, so a backup would not be"
            f" whole. {grant(target, lacking)}",
            detail="grants seen: " + "; ".join(grants(connection)),
            setting="user",
        )
    damaged = [table.name for table in tables if not table.engine]
    if damaged:
        raise DriverError(
            f"The database server cannot open {some(damaged)}. Repair or remove it; a backup would not be whole.",
            detail=", ".join(damaged),
        )
    for table in tables:
        if table.holds_rows:
            with translated(target.describe()):
                survey.rows(connection, f"SELECT 1 FROM {quoted(target.dbname, table.name)} LIMIT 0")  # noqa: S608


def refuse_hidden(target: Target, found: programs.Found) -> None:
    """Raise when the body of a routine, view, trigger or event cannot be read: the dump would silently lack it."""
    if found.hidden:
        raise DriverError(
            f"The user {target.user} may see that there is {some(found.hidden)}, but not what it does. Grant it SELECT on"
            " mysql.proc (MariaDB), SHOW CREATE ROUTINE (MariaDB 11.3 and newer) or SHOW_ROUTINE (MySQL).",
            detail=", ".join(found.hidden),
            setting="user",
        )


def grant(target: Target, rights: list[str]) -> str:
    """The statement that gives the rights."""
    return f"GRANT {', '.join(rights)} ON {quoted(target.dbname)}.* TO {target.user}."


def grants(connection: Connection) -> list[str]:
    """What the server says the user may, without password hashes."""
    found = [str(row[0]) for row in survey.rows(connection, "SHOW GRANTS")]
    return [re.sub(r" IDENTIFIED .*", "", line) for line in found]


_GRANT = re.compile(r"GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO ", re.DOTALL)


def rights(connection: Connection, database: str) -> set[str]:
    """The user's rights on a whole database, by global grants, grants on it and on patterns. In capitals."""
    found: set[str] = set()
    for line in _with_roles(connection):
        match = _GRANT.match(line)
        if match and match[3] == "*" and (match[2] == "*" or _fits(match[2], database)):
            found |= {right.strip().upper() for right in re.sub(r"\([^)]*\)", "", match[1]).split(",")}
    return found


def missing_grants(connection: Connection, database: str, wanted: tuple[str, ...]) -> list[str]:
    """Those of the wanted rights that the user does not have on that whole database."""
    found = rights(connection, database)
    return [] if _ALL_PRIVILEGES in found else [right for right in wanted if right not in found]


def _with_roles(connection: Connection) -> Iterator[str]:
    lines = grants(connection)
    yield from lines
    role = survey.one(connection, "SELECT CURRENT_ROLE()") if survey.is_mariadb(connection) else None
    if role:
        try:
            for row in survey.rows(connection, f"SHOW GRANTS FOR {quoted(str(role))}"):
                yield str(row[0])
        except pymysql.MySQLError:
            return


def _fits(pattern: str, database: str) -> bool:
    r"""Whether a database name fits a grant's: ``_`` and ``%`` stand for others unless escaped."""
    pattern = pattern[1:-1].replace("``", "`")
    signs = re.findall(r"\\.|.", pattern, re.DOTALL)
    regex = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign[-1])) for sign in signs)
    return re.fullmatch(regex, database, re.DOTALL) is not None
