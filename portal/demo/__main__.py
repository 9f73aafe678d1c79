"""``python -m portal.demo [--reset]``: sets the demo's environment, then becomes ``manage.py run --demo``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from portal.demo.ground import take_ground
from portal.environment import without_portal
from portal.supervisor.checks import CannotStart

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ("PORT", "PG_BIN")
"""What the demo takes from the person's environment, besides DATA_DIR. All else may be that of a real portal."""


def demo_environment(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the demo's processes: nothing in it leads to a database, broker or store but the demo's."""
    return {
        **without_portal(environ, keep=KEPT),
        "DATA_DIR": str(data),
        "DEMO": "1",
        "FILES_ROOTS": str(data / "demo/files"),
        "SECRETS_DIR": str(data / "demo/secrets"),
        "POLICY_TIME_ZONE": "Europe/Berlin",
    }


def main(arguments: list[str]) -> None:
    """Never returns."""
    if arguments not in ([], ["--reset"]):
        sys.exit("Usage: python -m portal.demo [--reset]")
    data = Path(os.environ.get("DATA_DIR") or ROOT / ".demo").expanduser().resolve()
    try:
        told = take_ground(data, reset=bool(arguments))
    except CannotStart as error:
        sys.exit(str(error))
    if told:
        print(told, flush=True)  # noqa: T201  (this is a command)
    command = [sys.executable, str(ROOT / "manage.py"), "run", "--demo"]
    os.execve(sys.executable, command, demo_environment(data, os.environ))  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
