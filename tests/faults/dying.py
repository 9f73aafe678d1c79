"""A real worker process that dies with kill -9 at its n-th change of a disk: ``python -m tests.faults.dying WHAT ID AT N``.

It carries out the real action; only the system calls that change names on a disk, or flush it, are counted.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

COUNTED = ("rename", "unlink", "fsync", "rmdir")


def die_at(number: int) -> None:
    """Kill this process just before the n-th of those calls."""
    left = [number]

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    for name in COUNTED:
        setattr(os, name, counted(getattr(os, name)))


def main() -> None:
    what, pk, at, number = sys.argv[1:5]
    django.setup()

    from backups.actions.copying import copy_to_other_region
    from backups.actions.retaining import apply_run

    moment = datetime.fromisoformat(at)
    die_at(int(number))
    {"copy": copy_to_other_region, "retention": apply_run}[what](int(pk), clock=lambda: moment)


if __name__ == "__main__":
    main()
