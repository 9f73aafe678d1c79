"""A company's life under the policy: after every day the regions hold what the policy says, whatever failed or died."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as portal_settings
from django.utils import timezone

from backups.kinds import REGIONS, store_of
from tests.app.world import World
from tests.faults.company import Company

SIZE = int(os.environ.get("PORTAL_COMPANY_SIZE", "8"))
"""Resources in each of the four companies. A resource lives through its 400 days in about 15 s of one core."""


@pytest.fixture
def regions(settings: Any) -> Iterator[None]:
    """Regions of this test's own, in memory where there is such a place: what is tested is order, not the disk."""
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(prefix="portal-company-", dir=memory if memory.is_dir() else None))
    settings.STORE_REGIONS = {name: str(root / name) for name in REGIONS}
    settings.RETENTION_LIMIT_PERCENT = 100
    for name in REGIONS:
        store_of(name).prepare()
    yield
    shutil.rmtree(root)


def live_through(world: World, size: int, days: int, seed: int) -> Company:
    zone = ZoneInfo(portal_settings.POLICY_TIME_ZONE)
    start = timezone.now().astimezone(zone).replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=1)
    company = Company(world, size, seed)
    outage = 0
    try:
        for number in range(days):
            now = (start.replace(tzinfo=None) + timedelta(days=number)).replace(tzinfo=zone)
            outage = 10 if company.chance.random() < 0.004 else max(outage - 1, 0)
            if not outage:  # else the portal itself is down, for ten days
                company.live(datetime.fromtimestamp(now.timestamp(), tz=ZoneInfo("UTC")))
                company.check(now)
    finally:
        company.end()
    return company


@pytest.mark.usefixtures("regions")
def test_some_weeks_of_a_small_company(world: World) -> None:
    live_through(world, size=3, days=40, seed=20261124)


@pytest.mark.slow
@pytest.mark.usefixtures("regions")
@pytest.mark.parametrize("seed", range(4 if "PORTAL_COMPANY_SIZE" in os.environ else 1))
def test_more_than_a_year_of_a_whole_company(world: World, seed: int) -> None:
    """One company; with PORTAL_COMPANY_SIZE=50 four, side by side, of 200 resources together."""
    assert live_through(world, size=SIZE, days=400, seed=seed).crashes > 3
