"""A subject of each kind for a test, with the servers that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drivers.cases import mysql
from tests.drivers.databases import Database
from tests.drivers.mariadb import missing_program
from tests.faults.subjects import LiveDatabase, LiveMachine, LiveMariaDB, Subject, Tree, new_name


@contextmanager
def subject_of(kind: str, request: pytest.FixtureRequest, scratch: Path) -> Iterator[Subject]:
    """One of that kind, and nothing of it afterwards. Skips the test where its server is not installed."""
    if kind == "postgres":
        with Database(request.getfixturevalue("postgres_server"), scratch, new_name()) as database:
            yield LiveDatabase(database)
        return
    made: Subject
    if kind == "files":
        made = Tree()
    elif kind == "mysql":
        if missing := missing_program():
            pytest.skip(f"{missing} is not installed")
        made = LiveMariaDB(mysql.server(), new_name())
    else:
        request.getfixturevalue("ec2")  # the account, and everything in it removed afterwards
        made = LiveMachine()
    try:
        yield made
    finally:
        made.remove()
