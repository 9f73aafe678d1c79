"""``python -m portal.demo [--reset]``: sets the demo's environment, then becomes ``manage.py run --demo``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from portal.demo.ground import take_ground
from portal.supervisor.checks import CannotStart

ROOT = Path(__file__).resolve().parent.parent.parent
FORGOTTEN = ("SECRET_KEY", "DATABASE_URL", "BROKER_URL", "STORE_REGIONS", "SCRATCH_DIR", "EMAIL_URL", "HTTPS")
"""What the person may have set for a real portal. The demo never touches those."""


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
    for name in FORGOTTEN:
        os.environ.pop(name, None)
    os.environ.update(
        DATA_DIR=str(data), DEMO="1", FILES_ROOTS=str(data / "demo/files"), POLICY_TIME_ZONE="Europe/Berlin"
    )
    os.execv(sys.executable, [sys.executable, str(ROOT / "manage.py"), "run", "--demo"])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
