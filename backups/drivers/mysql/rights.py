"""What the user may do, as a restore needs it."""

from __future__ import annotations

from collections.abc import Sequence

from backups.drivers.base import DriverError
from backups.drivers.counting import some
from backups.drivers.mysql import checks
from backups.drivers.mysql.programs import TRIGGER, Program
from backups.drivers.mysql.survey import one, rows
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


def trusted(connection: Connection, wanted: Sequence[Program]) -> bool:
    """Whether the server lets the user make all of these in spite of its binary log."""
    if not any(program.kind in ("FUNCTION", TRIGGER) for program in wanted):
        return True
    careful = one(connection, "SELECT @@log_bin AND NOT @@log_bin_trust_function_creators")
    return not careful or not {"SUPER", "ALL PRIVILEGES"}.isdisjoint(checks.rights(connection, ""))


def refuse_untrusted(connection: Connection, target: Target, wanted: Sequence[Program]) -> None:
    """Raise when the server, for its binary log, does not let the user make all of these."""
    if not trusted(connection, wanted):
        raise DriverError(
            "The server writes a binary log and lets only trusted users make functions and triggers. Set"
            f" log_bin_trust_function_creators = ON on the server, or grant {target.user} SUPER.",
            setting="user",
        )


def refuse_lost(connection: Connection, target: Target, name: str, acting: Sequence[Program]) -> None:
    """Raise when the user could not make again what acts in a database, once it was taken off."""
    lost = [program for program in acting if not may_define(connection, target, [program])]
    if lost:
        raise DriverError(
            f"In {name}, {some([program.title for program in lost])} act in the name of {some(foreign(connection, lost))},"
            f" and the user {target.user} could not make them again where the exchange puts them, so nothing was exchanged."
            " Grant it SET USER (MariaDB), or SET_ANY_DEFINER (MySQL; before 8.2 SET_USER_ID), or remove them.",
            setting="user",
        )
    refuse_untrusted(connection, target, acting)


def foreign(connection: Connection, wanted: Sequence[Program]) -> list[str]:
    """The definers that are not the user himself."""
    user, _, host = str(one(connection, "SELECT CURRENT_USER()")).rpartition("@")
    return sorted({"@".join(each.definer) for each in wanted if each.definer and each.definer != (user, host)})


def absent(connection: Connection, definers: Sequence[str]) -> list[str]:
    """Definers that the server has no account for, as far as the user may look."""
    if not definers or "SELECT" not in checks.rights(connection, "mysql") | _granted_all(connection):
        return []
    known = {f"{user}@{host}" for user, host in rows(connection, "SELECT User, Host FROM mysql.user")}
    return [definer for definer in definers if definer not in known]


def _granted_all(connection: Connection) -> set[str]:
    return {"SELECT"} if "ALL PRIVILEGES" in checks.rights(connection, "mysql") else set()
