"""An independent oracle: for backups without damage or holds restic keeps the same, by its own --keep-daily 7 --keep-monthly 6.

The one documented difference: restic keeps a month's latest snapshot, the policy its earliest, which never moves once
taken. So the monthlies are compared by their month; everything else by the very snapshot.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backups.retention import Entry, plan

ZONE = ZoneInfo("UTC")
START = datetime(2025, 1, 3, 3, 12, tzinfo=UTC)


def nightly(chance: random.Random) -> list[datetime]:
    return [START + timedelta(days=n) for n in range(45)]


def with_gaps(chance: random.Random) -> list[datetime]:
    return [START + timedelta(days=n, minutes=chance.randint(0, 600)) for n in sorted(chance.sample(range(300), 40))]


def several_a_day(chance: random.Random) -> list[datetime]:
    return [START + timedelta(hours=n * 5) for n in range(45)]


def years(chance: random.Random) -> list[datetime]:
    return [START + timedelta(days=n * 27, seconds=chance.randint(0, 86_000)) for n in range(30)]


def few(chance: random.Random) -> list[datetime]:
    return [START, START + timedelta(minutes=1), START + timedelta(days=40)]


@pytest.fixture
def restic(tmp_path: Path) -> Callable[..., Any]:
    program = shutil.which("restic")
    if program is None:
        pytest.skip("restic is not installed")
    (tmp_path / "password").write_text("oracle")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("the same every day")
    fixed = [
        "--no-cache",
        "--quiet",
        "--json",
        "--repo",
        str(tmp_path / "repo"),
        "--password-file",
        str(tmp_path / "password"),
    ]

    def call(*words: str) -> Any:
        done = subprocess.run(
            [program, *fixed, *words],
            cwd=tmp_path / "data",
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            check=True,
        )
        lines = done.stdout.decode().strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    call("init")
    return call


@pytest.mark.slow
@pytest.mark.parametrize("history", [nightly, with_gaps, several_a_day, years, few])
def test_restic_keeps_the_same(restic: Callable[..., Any], history: Callable[[random.Random], list[datetime]]) -> None:
    moments = history(random.Random(20261124))
    for moment in moments:
        restic("backup", "--time", f"{moment:%Y-%m-%d %H:%M:%S}", "--host", "oracle", ".")
    (answer,) = restic("forget", "--keep-daily", "7", "--keep-monthly", "6", "--dry-run")
    reasons = {datetime.fromisoformat(one["snapshot"]["time"]): one["matches"] for one in answer["reasons"]}
    theirs_daily = {moment for moment, why in reasons.items() if "daily snapshot" in why}
    theirs_monthly = {f"{moment:%Y-%m}" for moment, why in reasons.items() if "monthly snapshot" in why}

    entries = [Entry(number, moment, True) for number, moment in enumerate(moments)]
    made = plan(entries, now=moments[-1] + timedelta(hours=1), zone=ZONE, production=True)
    ours = {moments[verdict.id]: " ".join(verdict.reasons) for verdict in made.kept}
    assert {moment for moment, why in ours.items() if "daily of" in why} == theirs_daily
    assert {f"{moment:%Y-%m}" for moment, why in ours.items() if "monthly of" in why} == theirs_monthly
    for moment, why in ours.items():
        if "monthly of" in why:
            assert moment == min(other for other in moments if f"{other:%Y-%m}" == f"{moment:%Y-%m}")
