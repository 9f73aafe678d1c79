"""What the role may not do on a server that a restore as it was would need."""

from __future__ import annotations

from backups.drivers.counting import some
from backups.drivers.postgres import survey
from backups.drivers.postgres.target import Connection
from backups.drivers.words import ManifestEntry


def missing_rights(connection: Connection, head: ManifestEntry) -> list[str]:
    """Sentences; empty when owners and rights can be restored as they were."""
    found = []
    # To give something to an owner and to work in it afterwards.
    give = "SET" if connection.info.server_version >= 160000 else "MEMBER"
    query = f"SELECT rolname, pg_has_role(oid, '{give}') AND pg_has_role(oid, 'USAGE') FROM pg_roles"  # noqa: S608
    known = dict(survey.rows(connection, query))
    absent = [role for role in head["roles"] if role not in known]
    if absent:
        found.append(f"The server has no role called {some(absent)}, which the backup refers to. Create it first.")
    foreign = [role for role in head["owners"] if role in known and not known[role]]
    if foreign:
        found.append(
            f"The portal's role is no member of {some(foreign)}, which owns what is in the backup. Grant it membership."
        )
    return found
