"""The small company of the actions' tests, the real servers of the drivers', and which kills are tried every time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from restores.stepnames import StepName
from tests.app.conftest import five, sent, tree, world
from tests.drivers.conftest import own_server, postgres_server
from tests.faults.death import cut_off
from tests.fixtures_aws import account, ec2

__all__ = ["account", "ec2", "five", "own_server", "postgres_server", "sent", "tree", "world"]

MOMENTS = ("begun", "done, not recorded", "recorded")

TELLING = frozenset(
    {
        # test_killed_workers: exchanged and not recorded; exchanged, and the machine stands still
        "test_in_place[mysql-swap-done, not recorded]",
        "test_in_place[ec2-health-begun]",
        "test_beside[ec2-whole-restore-done, not recorded]",
        "test_undo[ec2-killed-hand_over-begun]",
        "test_the_message_comes_to_two_workers_at_once[ec2-whole]",
        "test_the_message_comes_to_two_workers_at_once[mysql-whole]",
        # test_killed_midway: one volume made; stopped; one volume off; one on; tables exchanged by half; and back
        "test_in_place[ec2-restore-2]",
        "test_in_place[ec2-stop_writers-4]",
        "test_in_place[ec2-swap-4]",
        "test_in_place[ec2-swap-14]",
        "test_in_place[mysql-swap-6]",
        "test_in_place[mysql-swap-18]",
        "test_undo[ec2-10]",
        "test_undo[mysql-12]",
        "test_a_machine_that_cannot_be_put_right_yet_is_not_forgotten[ec2]",
        # test_killed_backups: begun and no answer; the first of them noted; whole and not recorded
        "test_taking_one[ec2-2]",
        "test_taking_one[ec2-4]",
        "test_taking_one[ec2-stored]",
        "test_taking_one[mysql-3]",
        "test_taking_one[mysql-stored]",
        "test_copying_one[ec2-4]",
        "test_copying_one[ec2-stored]",
    }
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the kills over machines and MariaDB databases the telling ones, unless PORTAL_EVERY_KILL=1: what comes in between
    goes the same ways, and each takes some seconds. Of those over PostgreSQL databases what directories do not show as well.
    """
    every = os.environ.get("PORTAL_EVERY_KILL") == "1"
    items[:] = [
        one
        for one in items
        if (
            _makes_sense(one) and (every or one.name in TELLING)
            if _kind(one) in ("ec2", "mysql")
            else every or not _seldom(one)
        )
    ]
    for item in items:
        if _kind(item) in ("ec2", "mysql"):
            item.add_marker(pytest.mark.slow)


def _params(item: pytest.Item) -> dict[str, Any]:
    params: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return params


def _kind(item: pytest.Item) -> object:
    """What a test here kills workers over."""
    if item.path.parent != Path(__file__).parent:
        return None
    return _params(item).get("subject") or _params(item).get("kind")


def _seldom(item: pytest.Item) -> bool:
    """What differs in nothing that matters from kills that are tried every time; of each two of kind, step, moment, extent and
    fate some kill has both.

    Over a PostgreSQL database: once a step is recorded and before the next one begins nothing is done to it, so that there
    directories stand for all; and what befalls outside the steps that are of a part, or that go back, is the same for the
    whole, and for who is killed.

    Where the portal's own database is SQLite, that is gone at one moment of each step and mode, by turns; on a server at every one.
    """
    params = _params(item)
    if item.name.startswith("test_the_database_is_gone[") and connection.vendor == "sqlite":
        return _turn(params["how"], params["step"]) != MOMENTS.index(params["when"])
    if _kind(item) != "postgres" or item.path.name != "test_killed_workers.py":
        return False
    step, when = params.get("step"), params.get("when")
    if when == "recorded":
        return step not in (StepName.SWAP, StepName.SWAP_BACK, StepName.RESTORE)
    if params.get("extent") == "part":
        return when == "begun" and step not in (StepName.RESTORE, StepName.VERIFY)
    return params.get("befalls") is cut_off and step is not StepName.SWAP_BACK and when == "begun"


def _turn(how: str, step: StepName) -> int:
    """Which of the moments it is: another one for each mode, and from step to step."""
    return (("in place", "beside", "part", "export").index(how) + list(StepName).index(step)) % len(MOMENTS)


def _makes_sense(item: pytest.Item) -> bool:
    """Machines are not restored in part, and their snapshots are not downloaded."""
    return _kind(item) != "ec2" or not (_params(item).get("extent") == "part" or item.name.startswith("test_export"))
