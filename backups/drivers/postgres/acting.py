"""What a restored database has of the original's that acts by itself: event triggers and subscriptions.

PostgreSQL removes no database that has a subscription, and an event trigger may refuse that the subscription is removed.
"""

from __future__ import annotations

from psycopg import sql

from backups.drivers.postgres import survey
from backups.drivers.postgres.target import Connection, Target

_SUBSCRIPTIONS = """
    SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = %s) ORDER BY 1
"""


def silence(inside: Connection) -> list[str]:
    """Switch all event triggers of the connection's database off; the names of those that were on."""
    query = "SELECT evtname FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1"
    found = [name for (name,) in survey.rows(inside, query)]
    for name in found:
        inside.execute(sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name)))
    return found


def unsubscribe(target: Target, connection: Connection, database: str) -> list[str]:
    """Remove all subscriptions of a database; their names. Their slots stay as they are: the original takes from those."""
    found = [name for (name,) in survey.rows(connection, _SUBSCRIPTIONS, [database])]
    if found:
        with target.connect(database) as inside:
            silence(inside)
            for name in found:
                for change in ("ALTER SUBSCRIPTION {} DISABLE", "ALTER SUBSCRIPTION {} SET (slot_name = NONE)"):
                    inside.execute(sql.SQL(change).format(sql.Identifier(name)))
                inside.execute(sql.SQL("DROP SUBSCRIPTION {}").format(sql.Identifier(name)))
    return found
