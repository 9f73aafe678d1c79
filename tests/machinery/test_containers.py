"""docker-compose.yml and the Dockerfile name only what exists: queues, commands, variables, files, secrets, volumes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from celery.bin.celery import celery
from django.core.management import get_commands

from portal.celery import QUEUES
from portal.environment import VARIABLES, read_environment

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("image") == "haas-backup-portal"}
READ = {one.name for one in VARIABLES} | {f"{one.name}_FILE" for one in VARIABLES if one.secret}


ABSENT = {
    "DATA_DIR": "the image sets it",
    "PORT": "the web server has a port of its own; compose publishes it as PORT",
    "DEMO": "containers are for real data",
    "SCRATCH_DIR": "a volume is mounted where it is by default",
    "PG_BIN": "the image has the tools where they usually are",
    "MYSQL_BIN": "the image has the tools where they usually are",
    "MYSQL_SSL_CA": "the authorities of the image's system are trusted",
    "SECRETS_ENV_PREFIX": "resources' secrets are files of a directory that is mounted",
}


def option(command, name):
    return command[command.index(name) + 1]


def test_every_queue_has_a_worker_and_restores_one_of_their_own():
    served = [
        option(one["command"], "--queues").split(",") for one in OURS.values() if "worker" in one.get("command", [])
    ]
    assert sorted(queue for queues in served for queue in queues) == sorted(QUEUES)
    assert ["restores"] in served


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(name):
    command = OURS[name].get("command")
    if not command:
        return
    if command[0] == "python":
        assert (ROOT / command[1]).exists()
        assert command[2] in get_commands()
        return
    assert command[:3] == ["celery", "--app", "portal.celery:app"]
    known = {name for parameter in celery.commands[command[3]].params for name in parameter.opts}
    assert {word for word in command[4:] if word.startswith("--")} <= known


@pytest.mark.parametrize("name", OURS)
def test_variables_secrets_volumes_and_dependencies_exist(name):
    service = OURS[name]
    assert set(service["environment"]) <= READ
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    named = {volume.split(":")[0] for volume in service["volumes"] if volume[0].isalpha()}
    assert named <= set(COMPOSE["volumes"])
    assert set(service["depends_on"]) <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", OURS)
def test_every_variable_can_be_set_or_is_left_out_for_a_reason(name):
    passed = {key.removesuffix("_FILE") for key in OURS[name]["environment"]}
    assert passed | set(ABSENT) == {one.name for one in VARIABLES}
    assert not passed & set(ABSENT)


def test_the_portal_takes_what_compose_passes_by_default():
    passed = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
        for name, value in OURS["web"]["environment"].items()
        if not name.endswith("_FILE")
    }
    assert read_environment(passed)["KEEP_ORIGINAL_DAYS"] == 7


def test_no_secret_stands_in_the_file():
    for service in COMPOSE["services"].values():
        for key in service.get("environment", {}):
            assert key.endswith("_FILE") or not re.search("PASSWORD|SECRET(?!S_)|TOKEN", key)


def test_the_image_is_made_of_files_that_exist_and_runs_as_nobody_special():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY"):
            for source in shlex.split(line)[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users[-1:] not in ([], ["root"])
