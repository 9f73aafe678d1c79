"""A small and awkward database with a store, on the server of the contract's case or on one of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.cases.mysql import MysqlCase, open_case
from tests.drivers.contract.bench import Bench
from tests.drivers.mariadb import MariaDBServer, missing_program
from tests.drivers.rooms import prepared


class Shop(Bench):
    """The bench of one case, whose type is known."""

    case: MysqlCase

    @property
    def name(self) -> str:
        """The live database."""
        return self.case.live

    def execute(self, statements: str, name: str = "") -> None:
        """Run statements as superuser, in the live database or another."""
        self.case.server.execute(statements, name or self.name)


def _bench(case: MysqlCase, path: Path) -> Shop:
    scratch = path / "scratch"
    scratch.mkdir()
    return Shop(case, prepared("here", path / "store"), scratch)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The case's database."""
    with open_case(tmp_path) as case:
        yield _bench(case, tmp_path)


@pytest.fixture
def own_shop(tmp_path: Path) -> Iterator[Shop]:
    """The same on a server of the test's own, to kill."""
    if missing := missing_program():
        pytest.skip(f"{missing} is not installed")
    # What is committed is on disk, as on any server with data that somebody wants back.
    with MariaDBServer({"innodb-flush-log-at-trx-commit": "1"}) as server:
        yield _bench(MysqlCase(server), tmp_path)
