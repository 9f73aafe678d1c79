"""Trying out a restored database: no event in it runs, and one question is put to it."""

from __future__ import annotations

import math
import re

import pymysql

from backups.drivers.base import NotAnswered, Place
from backups.drivers.counting import some
from backups.drivers.mysql import journal, programs, survey
from backups.drivers.mysql.errors import translated
from backups.drivers.mysql.programs import EVENT
from backups.drivers.mysql.target import Connection, Target
from backups.drivers.questions import answer_of, names_database, refused, too_late

# The server takes one statement, and writes nothing into tables; what else there is it would do: SHUTDOWN, KILL, SET GLOBAL.
_QUERY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|#[^\n]*\n|/\*(?![!M]).*?\*/)*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL
)
_INTO_FILE = re.compile(r"\binto\s+(?:outfile|dumpfile)\b", re.IGNORECASE)
_TOO_LATE = frozenset({1969, 3024, 1205})


def neutralise(target: Target, place: Place) -> list[str]:
    """See :meth:`Driver.neutralise`. A restore makes events asleep, and they are compared so; one that somebody woke sleeps again."""
    with target.connect() as connection, translated(target.describe(place.beside)):
        events = [one for one in programs.read(connection, place.beside).programs if one.kind == EVENT]
        awake = [one for one in events if one.asleep() != one]
        journal.agree(connection, place.beside, journal.asleep(awake), ())
    return [
        f"None of its events runs: {some([one.name for one in events])}." if events else "It has no events.",
        "It cannot be closed by itself: who has rights on all databases, or on names that begin like its own, gets in.",
    ]


def _refuse_others(connection: Connection, place: Place, question: str) -> None:
    """The server would answer for any of its databases, the live one among them: that proves nothing of the copy."""
    others = survey.rows(connection, "SELECT schema_name FROM information_schema.schemata")
    for (name,) in others:
        if name not in (place.beside, "information_schema") and names_database(name, question):
            raise NotAnswered(f"The question names the database {name}, which is not the copy. Leave its name out.")


def ask(target: Target, place: Place, question: str, seconds: float) -> str:
    """See :meth:`Driver.ask`."""
    if not _QUERY.match(question) or _INTO_FILE.search(question):
        raise NotAnswered(
            "Only a query can be put as a question. Begin it with SELECT or WITH, and have it write no file."
        )
    with target.connect(place.beside) as connection:
        _refuse_others(connection, place, question)
        mariadb = survey.is_mariadb(connection)
        limit = (
            f"max_statement_time = {seconds}" if mariadb else f"max_execution_time = {max(1, round(seconds * 1000))}"
        )
        waits = max(1, math.ceil(seconds))
        survey.execute(
            connection, f"SET SESSION {limit}, SESSION lock_wait_timeout = {waits}, SESSION sql_select_limit = 1"
        )
        survey.execute(connection, "SET SESSION TRANSACTION READ ONLY")  # also after what a routine might commit
        survey.execute(connection, "START TRANSACTION READ ONLY")
        try:
            found = survey.rows(connection, question)
        except pymysql.MySQLError as error:
            if not connection.open:
                raise
            detail = ": ".join(map(str, error.args))
            if error.args[0] in _TOO_LATE:
                raise too_late(seconds, detail) from None
            raise refused(str(error.args[-1]), detail) from None
    return answer_of(found[0] if found else None)
