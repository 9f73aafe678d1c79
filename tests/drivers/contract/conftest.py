"""The suite's one fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.cases import factories
from tests.drivers.contract.bench import Bench
from tests.drivers.rooms import prepared

FACTORIES = factories()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An exchange of MariaDB's tables has forty steps, and each one a process: a minute, and tests of its own every day."""
    for item in items:
        if item.name.startswith("test_a_swap_killed_before_any_step") and "[mysql" in item.name:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=sorted(FACTORIES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A fresh case of each kind, with an empty store."""
    home = tmp_path / "home"
    scratch = tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    with FACTORIES[request.param](home) as case:
        yield Bench(case, prepared("here", tmp_path / "store"), scratch)
