"""The environment of the demo's simulated AWS account, and what keeps every demo from a real one. Knows nothing of Django."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from portal.elsewhere import ENDPOINT, NOWHERE
from portal.supervisor.checks import CannotStart

KEPT_IN = "aws.json"
"""Below DATA_DIR: how other commands of this demo find its simulated account."""

_NONE = {
    ENDPOINT: NOWHERE,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "BOTO_CONFIG": os.devnull,
}
"""Leads to no AWS at all: neither credentials nor an address are found, whatever the person has set up for others."""


def aws_environment() -> dict[str, str]:
    """What leads the demo's processes to the simulated account. Raises CannotStart where that is not installed."""
    if find_spec("moto") is None:
        raise CannotStart("The simulated AWS account is not installed. Start this demo with 'make demo-aws'.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        ENDPOINT: f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }


def keep_aws(data: Path, simulated: Mapping[str, str]) -> None:
    """Have other commands find the account that is started now; none is found where this demo has none."""
    (data / KEPT_IN).write_text(json.dumps(simulated))


def kept_aws(data: Path) -> dict[str, str]:
    """What leads to the simulated account of the demo in ``data``; empty where it has none."""
    try:
        found: dict[str, str] = json.loads((data / KEPT_IN).read_text())
    except FileNotFoundError:
        return {}
    return found


def without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the demo leads to an account of the person's own."""
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")} | _NONE
