"""The environment of the demo's simulated AWS account. Knows nothing of Django."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from importlib.util import find_spec

from portal.supervisor.checks import CannotStart

ENDPOINT = "AWS_ENDPOINT_URL"


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
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }


def without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the demo leads to an account of the person's own."""
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}
