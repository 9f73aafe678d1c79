"""The suite's one fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.cases import KEPT_BY_PROVIDER, factories
from tests.drivers.contract.bench import Bench
from tests.drivers.rooms import prepared

FACTORIES = factories()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is killed at a simulated provider takes half a minute; and volumes are handled by the code of whole machines."""
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("bench")  # type: ignore[attr-defined]
        if kind == "ebs" or (kind in KEPT_BY_PROVIDER and "killed" in item.name):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=sorted(FACTORIES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A fresh case of each kind, with an empty store."""
    yield from _bench(request.param, tmp_path)


@pytest.fixture(params=sorted(set(FACTORIES) - KEPT_BY_PROVIDER))
def streaming_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Likewise, of each kind whose bytes pass through the driver."""
    yield from _bench(request.param, tmp_path)


def _bench(kind: str, tmp_path: Path) -> Iterator[Bench]:
    home = tmp_path / "home"
    scratch = tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    with FACTORIES[kind](home) as case:
        yield Bench(case, prepared("here", tmp_path / "store"), scratch)
