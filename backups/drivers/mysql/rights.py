"""What the user may do, as a restore needs it."""

from __future__ import annotations

from collections.abc import Sequence

from backups.drivers.mysql import checks, survey
from backups.drivers.mysql.programs import Program
from backups.drivers.mysql.survey import rows
from backups.drivers.mysql.target import Connection, Target

BUILDING = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "LOCK TABLES", "CREATE VIEW",
    "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "EVENT", "TRIGGER",
)  # fmt: skip
"""On the database of a restore; and on the live one, when it is exchanged."""

_DEFINING = {"ALL PRIVILEGES", "SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"}


def may_define(connection: Connection, target: Target, wanted: Sequence[Program]) -> bool:
    """Whether the user may make all of these in the names of those in whose names they were."""
    return not foreign(connection, wanted) or not _DEFINING.isdisjoint(checks.rights(connection, ""))


def foreign(connection: Connection, wanted: Sequence[Program]) -> list[str]:
    """The definers that are not the user himself."""
    user, _, host = str(survey.one(connection, "SELECT CURRENT_USER()")).rpartition("@")
    return sorted({"@".join(one.definer) for one in wanted if one.definer and one.definer != (user, host)})


def absent(connection: Connection, definers: Sequence[str]) -> list[str]:
    """Definers that the server has no account for, as far as the user may look."""
    if not definers or "SELECT" not in checks.rights(connection, "mysql") | _granted_all(connection):
        return []
    known = {f"{user}@{host}" for user, host in rows(connection, "SELECT User, Host FROM mysql.user")}
    return [definer for definer in definers if definer not in known]


def _granted_all(connection: Connection) -> set[str]:
    return {"SELECT"} if "ALL PRIVILEGES" in checks.rights(connection, "mysql") else set()
