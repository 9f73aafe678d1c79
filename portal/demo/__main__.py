"""``python -m portal.demo [--reset|--aws]``: sets the demo's environment, then becomes ``manage.py run --demo``.

``python -m portal.demo manage COMMAND …`` runs any other command on the demo that is there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from portal.demo.awsground import aws_environment, keep_aws, kept_aws, without_aws
from portal.demo.ground import take_ground
from portal.environment import without_portal
from portal.supervisor.checks import CannotStart, check_port

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ("PORT", "PG_BIN")
"""What the demo takes from the person's environment, besides DATA_DIR. All else may be that of a real portal."""


def demo_environment(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the demo's processes: nothing in it leads to a database, broker or store but the demo's."""
    return {
        **without_aws(without_portal(environ, keep=KEPT)),
        "DATA_DIR": str(data),
        "DEMO": "1",
        "FILES_ROOTS": str(data / "demo/files"),
        "SECRETS_DIR": str(data / "demo/secrets"),
        "POLICY_TIME_ZONE": "Europe/Berlin",
    }


def main(arguments: list[str]) -> None:
    """Never returns."""
    aws = arguments == ["--aws"]
    data = Path(os.environ.get("DATA_DIR") or ROOT / ".demo").expanduser().resolve()
    if arguments[:1] == ["manage"]:
        _become(arguments[1:], data, kept_aws(data))
    if arguments not in ([], ["--reset"], ["--aws"]):
        sys.exit("Usage: python -m portal.demo [--reset|--aws], or: python -m portal.demo manage COMMAND …")
    try:
        check_port(os.environ.get("PORT") or "8000")  # before anything is made
        more = aws_environment() if aws else {}
        told = take_ground(data, reset=bool(arguments))  # the simulated account forgets everything, so all begins anew
        keep_aws(data, more)
    except CannotStart as error:
        sys.exit(str(error))
    if told:
        print(told, flush=True)  # noqa: T201  (this is a command)
    _become(["run", "--demo"], data, more)


def _become(command: list[str], data: Path, more: Mapping[str, str]) -> NoReturn:
    argv = [sys.executable, str(ROOT / "manage.py"), *command]
    os.execve(sys.executable, argv, {**demo_environment(data, os.environ), **more})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
