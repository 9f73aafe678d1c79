"""A real worker whose disk is filled while it restores, and that dies with kill -9 while it cleans up after that:
``python -m tests.faults.cramped REQUEST DIRECTORY MOMENT``.

MOMENT is a number: it dies before its n-th change of a disk in there, or ``done``: all is cleaned up and not recorded.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import django


def main() -> None:
    request, directory, moment = sys.argv[1:4]
    django.setup()

    from restores.actions import cleaning, performing
    from restores.stepnames import StepName
    from tests.faults.death import once_done
    from tests.faults.dying import die_at
    from tests.faults.room import Room

    discarded, room = vars(cleaning)["_rest"], Room(Path(directory))

    def fill() -> None:
        room.fill()
        if moment != "done":  # from now on it flushes one new directory, then fails and removes
            die_at(int(moment))

    def resting(*args: Any, **facts: Any) -> None:
        if moment == "done" and "tidied_at" in facts:
            os.kill(os.getpid(), signal.SIGKILL)
        discarded(*args, **facts)

    vars(cleaning)["_rest"] = resting
    performing.perform_restore(int(request), clock=once_done(StepName.PIN, fill))


if __name__ == "__main__":
    main()
