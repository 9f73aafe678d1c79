"""Copies to another region of what a provider keeps, killed anywhere: begun again they are whole, and there once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.drivers import aws
from tests.drivers.aws import before_each_step
from tests.drivers.case import until_done
from tests.drivers.cases import factories
from tests.drivers.child import Job, run
from tests.drivers.contract.bench import Bench, quiet
from tests.drivers.rooms import prepared

pytestmark = pytest.mark.slow  # a simulated AWS in detail

STRIDE = {"ec2": 1, "rds": 1, "s3": 3}
"""A copy of a bucket makes thirty changes, one like the other."""


@pytest.fixture(params=sorted(STRIDE))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "scratch").mkdir()
    with factories()[request.param](tmp_path) as case:
        yield Bench(case, prepared("here", tmp_path / "store"), tmp_path / "scratch")


@pytest.mark.slow
def test_a_copy_that_is_killed_anywhere_and_begun_again_is_there_once(bench: Bench) -> None:
    driver, settings, kept = bench.case.driver, bench.case.settings, bench.take().kept
    assert kept is not None and driver.kept is not None
    job = Job(
        "copy",
        driver,
        dict(settings),
        bench.store,
        "r/copy",
        kept=kept,
        region=aws.AWAY,
        before_each_step=before_each_step,
    )
    keeper, status, step = driver.kept, -9, 0
    while status == -9:
        step += STRIDE[driver.kind]
        status = run(replace(job, die_at_step=step))
        there = until_done(lambda: keeper.copy(settings, kept, aws.AWAY, "r/copy", quiet))
        keeper.check(settings, there)
        owned = list(keeper.owned(settings, aws.AWAY))
        assert {one.token for one in owned} == {"r/copy"}
        assert len(owned) == len(there.parts)
        assert all(one.sound for one in owned)
        until_done(partial(keeper.delete, settings, aws.AWAY, "r/copy", there))
        assert not list(keeper.owned(settings, aws.AWAY))
    assert status == 0
    assert step > STRIDE[driver.kind]
    keeper.check(settings, kept)
