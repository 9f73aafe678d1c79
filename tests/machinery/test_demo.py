"""The demo's parts: its ground, its calendar, its cast, its changing data. That all of it works is CI's smoke test."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.management import CommandError, call_command

from backups.slots import Point, fill_slots
from portal.demo.__main__ import demo_environment
from portal.demo.awsground import aws_environment, keep_aws, kept_aws
from portal.demo.calendar import backup_days, backup_moments, checkup_dates
from portal.demo.cast import CAST, CLIENTS
from portal.demo.ground import is_complete, mark_complete, take_ground
from portal.demo.trees import TREES, change_tree
from portal.elsewhere import NOWHERE
from portal.environment import VARIABLES, read_environment, without_portal
from portal.roles import COMPANY_WIDE, Role
from portal.supervisor.checks import CannotStart, lock_data_dir

BERLIN = ZoneInfo("Europe/Berlin")


def content(root: Path) -> dict[str, object]:
    return {
        os.fsdecode(path.relative_to(root)): (
            path.lstat().st_mtime_ns,
            path.is_symlink() or path.is_dir() or path.read_bytes(),
        )
        for path in root.rglob("*")
    }


def test_a_demo_of_an_earlier_portal_is_not_gone_on_with(tmp_path):
    take_ground(tmp_path, reset=False)
    (tmp_path / "portal.sqlite3").touch()
    (tmp_path / "demo-complete").touch()
    with pytest.raises(CannotStart, match="make demo-reset"):
        take_ground(tmp_path, reset=False)
    assert (tmp_path / "portal.sqlite3").exists()
    take_ground(tmp_path, reset=True)
    assert not (tmp_path / "portal.sqlite3").exists()


def test_ground_is_taken_once_and_kept(tmp_path):
    assert take_ground(tmp_path / "new", reset=False) == ""
    (tmp_path / "new/portal.sqlite3").write_text("all of it")
    mark_complete(tmp_path / "new")
    assert take_ground(tmp_path / "new", reset=False) == ""
    assert (tmp_path / "new/portal.sqlite3").exists()


def test_a_demo_made_half_is_made_anew(tmp_path):
    take_ground(tmp_path, reset=False)
    (tmp_path / "demo/files").mkdir(parents=True)
    (tmp_path / "portal.sqlite3").write_text("half of it")
    assert "made anew" in take_ground(tmp_path, reset=False)
    assert {path.name for path in tmp_path.iterdir()} == {"demo-data", "run.lock"}


def test_reset_deletes_what_is_the_demos_and_follows_no_link(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    data = tmp_path / "data"
    take_ground(data, reset=False)
    (data / "link").symlink_to(tmp_path / "precious")
    mark_complete(data)
    assert take_ground(data, reset=True) == "The demo's data was deleted."
    assert not is_complete(data)
    assert (tmp_path / "precious/file").exists()


@pytest.mark.parametrize("reset", [False, True])
def test_another_directory_is_never_touched(tmp_path, reset):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CannotStart, match="not the demo's"):
        take_ground(tmp_path, reset=reset)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_running_demo_is_not_deleted(tmp_path):
    take_ground(tmp_path, reset=False)
    lock = lock_data_dir(tmp_path)
    with pytest.raises(CannotStart, match="already runs"):
        take_ground(tmp_path, reset=True)
    os.close(lock)


def test_nothing_set_for_a_real_portal_reaches_the_demo(tmp_path):
    real = tmp_path / "real"
    real.write_text("postgres://portal:secret@database.example.com/portal")
    real_portal = {name: str(real) for variable in VARIABLES for name in variable.names}
    given = demo_environment(tmp_path / "demo", {**real_portal, "PORT": "8001", "PG_BIN": "", "HOME": "/home/ada"})
    assert (given["HOME"], given["PORT"]) == ("/home/ada", "8001")
    assert not [name for name, value in given.items() if str(real) in value]
    read = read_environment(given)
    assert read["DEMO"]
    assert read["DATABASE_URL"] == f"sqlite:///{tmp_path}/demo/portal.sqlite3"


ASKS_AWS = """
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
import boto3
told = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
try:
    print(boto3.client("sts", region_name="eu-central-1", config=told).get_caller_identity())
except (EndpointConnectionError, NoCredentialsError) as error:
    print(type(error).__name__)
session = boto3.Session()
print(session.get_credentials(), boto3.client("ec2", region_name="eu-central-1").meta.endpoint_url)
"""


def test_a_demo_reaches_no_aws_of_the_persons_own(tmp_path):
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    keys = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
    (home / ".aws/credentials").write_text(f"[default]\n{keys}[work]\n{keys}")
    (home / ".boto").write_text(f"[Credentials]\n{keys}")
    own = {
        "HOME": str(home),
        "AWS_PROFILE": "work",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "PATH": os.environ["PATH"],
    }
    env = {**demo_environment(tmp_path / "demo", own), **kept_aws(tmp_path / "demo")}
    printed = subprocess.run([sys.executable, "-c", ASKS_AWS], env=env, capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines() == ["NoCredentialsError", f"None {NOWHERE}"]


def test_commands_find_the_simulated_aws_of_the_demo_that_was_started_last(tmp_path):
    simulated = aws_environment()
    keep_aws(tmp_path, simulated)
    assert {**demo_environment(tmp_path, {}), **kept_aws(tmp_path)}["AWS_ENDPOINT_URL"] == simulated["AWS_ENDPOINT_URL"]
    keep_aws(tmp_path, {})
    assert demo_environment(tmp_path, {}) == {**demo_environment(tmp_path, {}), **kept_aws(tmp_path)}


def test_nothing_set_for_a_real_portal_reaches_the_tests(tmp_path):
    (tmp_path / "url").write_text("postgres://portal:secret@database.example.com/portal")
    printed = subprocess.run(
        [sys.executable, "-c", "import tests.settings as s; print(s.DATABASES['default']['ENGINE'], s.DEFAULT_FROM_EMAIL)"],
        env={
            **without_portal(os.environ),
            "PORTAL_TEST_DIR": str(tmp_path),
            "DATABASE_URL_FILE": str(tmp_path / "url"),
            "EMAIL_FROM": "real@example.com",
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert printed.stdout.split() == ["django.db.backends.sqlite3", "backups@localhost"]


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2026, 3, 1), date(2028, 2, 29), date(2026, 12, 31)])
def test_the_calendar_fills_every_slot(today):
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    moments = backup_moments(now, BERLIN, minute=5)
    assert moments == sorted(set(moments))
    assert moments[-1] < now
    slots = fill_slots((Point(number, at, True) for number, at in enumerate(moments)), BERLIN)
    assert [day for day, _ in slots.daily] == [today - timedelta(days=back) for back in range(6, -1, -1)]
    assert len(slots.monthly) == 6
    assert slots.monthly[-1][0] == today.replace(day=1)


def test_early_in_the_night_todays_backup_is_yet_to_come():
    now = datetime(2026, 11, 23, 0, 30, tzinfo=BERLIN)
    assert backup_moments(now, BERLIN, minute=5)[-1].date() == date(2026, 11, 22)
    assert backup_days(now.date())[-1] == now.date()


def test_the_cast_has_everybody_for_each_client():
    roles = {person.role for person in CAST}
    assert roles == set(Role)
    assert len({person.username for person in CAST}) == len(CAST)
    assert sum(person.role is Role.IT for person in CAST) == 2
    for client in CLIENTS:
        for role in set(Role) - COMPANY_WIDE:
            assert any(person.role is role and client in person.clients for person in CAST)
    for person in CAST:
        assert bool(person.clients) == (person.role not in COMPANY_WIDE)
        assert len(person.password) >= 12
        validate_password(person.password)


@pytest.mark.parametrize("name", TREES)
def test_trees_differ_from_day_to_day_and_carry_their_days_times(name, tmp_path):
    first = datetime(2026, 11, 1, 3, 12, tzinfo=UTC)
    root = tmp_path / name
    change_tree(name, root, first)
    before = content(root)
    change_tree(name, root, first + timedelta(days=1))
    after = content(root)
    assert {path for path in after if after[path] != before.get(path)}
    assert {path for path in before if after.get(path) == before[path]}
    assert all(path.lstat().st_mtime < (first + timedelta(days=1)).timestamp() for path in root.rglob("*"))


def test_the_same_days_make_the_same_tree(tmp_path):
    moment = datetime(2026, 11, 1, 3, 12, tzinfo=UTC)
    for name in ("one", "two"):
        change_tree("shop-uploads", tmp_path / name, moment)
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize("command", [["demo", "story"], ["run", "--demo"]])
def test_outside_the_demo_nothing_of_it_runs(command):
    with pytest.raises(CommandError, match="not the demo"):
        call_command(*command)


@pytest.mark.parametrize("today", [date(2026, 1, 5), date(2026, 7, 1), date(2026, 11, 30), date(2026, 12, 16)])
def test_the_demo_has_two_checkups_in_this_year_and_two_in_the_next(today: date) -> None:
    past = today - timedelta(days=12)
    dates = checkup_dates(today, [past])
    assert min(dates) > today
    for year in (today.year, today.year + 1):
        assert sum(day.year == year for day in [past, *dates]) == 2, (year, dates)
