"""Trying out a restored database: nothing in it acts by itself, few get in, and one question is put to it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

from backups.drivers.base import Place
from backups.drivers.counting import counted, some
from backups.drivers.postgres import survey
from backups.drivers.postgres.acting import silence, unsubscribe
from backups.drivers.postgres.target import Connection, Target
from backups.drivers.questions import answer_of, refused, too_late

# Where extensions keep what their workers run: schema, table, and the column that says whether it is run.
_JOBS = (
    ("cron", "job", "active"),
    ("pgagent", "pga_job", "jobenabled"),
    ("_timescaledb_config", "bgw_job", "scheduled"),
)
_OF_AN_EXTENSION = """
    SELECT true FROM pg_depend
     WHERE deptype = 'e' AND classid = 'pg_class'::regclass AND objid = to_regclass(format('%%I.%%I', %s::text, %s::text))
"""
_GRANTEES = """
    SELECT DISTINCT g.rolname
      FROM pg_database AS d
     CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
      LEFT JOIN pg_roles AS g ON g.oid = a.grantee
     WHERE d.datname = current_database() AND a.grantee <> d.datdba AND g.rolname IS DISTINCT FROM current_user
     ORDER BY g.rolname NULLS FIRST
"""


def neutralise(target: Target, place: Place) -> list[str]:
    """See :meth:`Driver.neutralise`. Rights, subscriptions, event triggers and what extensions keep are not compared."""
    with target.connect(place.beside) as connection:
        return [
            _close(connection, place.beside),
            _event_triggers(connection),
            _subscriptions(target, connection, place.beside),
            *_jobs(connection),
        ]


def _close(connection: Connection, name: str) -> str:
    owner = survey.one(connection, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
    database = sql.Identifier(name)
    with connection.transaction():
        # Before the others go: it may have been one of them.
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO CURRENT_USER").format(database))
        for (grantee,) in survey.rows(connection, _GRANTEES):
            whom = sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee)
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {} CASCADE").format(database, whom))
    return f"Only {owner}, who owns it, the portal and superusers can connect to the restored database."


def _event_triggers(connection: Connection) -> str:
    found = silence(connection)
    return f"Event triggers are off: {some(found)}." if found else "No event trigger is on."


def _subscriptions(target: Target, connection: Connection, name: str) -> str:
    found = unsubscribe(target, connection, name)
    if not found:
        return "It has no subscriptions."
    return f"It takes nothing from elsewhere: {counted(len(found), 'subscription')} removed, {some(found)}; the slots stay."


def _jobs(connection: Connection) -> Iterator[str]:
    """Tables of that name that an application has made itself are its data, and nobody runs what is in them."""
    there = [one for one in _JOBS if survey.one(connection, _OF_AN_EXTENSION, one[:2])]
    for schema, table, column in there:
        update = sql.SQL("UPDATE {} SET {} = false WHERE {}").format(
            sql.Identifier(schema, table), sql.Identifier(column), sql.Identifier(column)
        )
        stopped = connection.execute(update).rowcount
        yield f"No job of {schema}.{table} runs; {stopped:,} did."
    if not there:
        yield "It has no jobs of pg_cron, pgAgent or TimescaleDB."


def ask(target: Target, place: Place, question: str, seconds: float) -> str:
    """See :meth:`Driver.ask`. A cursor takes nothing but a query, and by it only the first row is ever made."""
    with target.connect(place.beside) as connection:
        try:
            with connection.transaction(force_rollback=True):
                connection.execute("SET TRANSACTION READ ONLY")
                connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(max(1, round(seconds * 1000))))
                connection.execute("SET LOCAL search_path TO DEFAULT")  # as applications have it
                # Binary, because that is sent in the way that takes one statement alone.
                connection.execute(b"DECLARE question NO SCROLL CURSOR FOR " + question.encode(), binary=True)
                return answer_of(connection.execute("FETCH FIRST FROM question").fetchone())
        except psycopg.errors.QueryCanceled as error:
            raise too_late(seconds, str(error)) from None
        except psycopg.Error as error:
            if connection.broken:
                raise
            raise refused(error.diag.message_primary or str(error), str(error)) from None
