"""The suite's one fixture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.cases import KEPT_BY_PROVIDER, factories
from tests.drivers.contract.bench import Bench
from tests.drivers.rooms import prepared

FACTORIES = factories()
_SWAP = "test_a_swap_killed_before_any_step_can_be_finished_or_undone"
LONG = (
    f"{_SWAP}[ebs-",
    f"{_SWAP}[s3-",
    *(f"{_SWAP}[{kind}-{way}-{way}]" for kind in ("ec2", "mysql", "rds") for way in ("swap", "swap_back")),
)
"""Minutes each, and close to what others try."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes a minute: kills at a simulated provider, and in the forty steps of an exchange of MariaDB's tables.

    Of what a provider keeps machines do for every day; volumes are handled by the same code, and databases and buckets have
    tests of their own besides.
    Of the others' exchanges each half is killed and gone on with in one direction, unless PORTAL_EVERY_KILL=1.
    """
    if os.environ.get("PORTAL_EVERY_KILL") != "1":
        items[:] = [item for item in items if not item.name.startswith(LONG)]
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("bench")  # type: ignore[attr-defined]
        of_provider = kind in KEPT_BY_PROVIDER and "killed" in item.name
        if (
            kind in KEPT_BY_PROVIDER - {"ec2"}
            or of_provider
            or (kind == "mysql" and item.name.startswith("test_a_swap_killed_before_any_step"))
        ):
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
