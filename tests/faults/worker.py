"""A real worker process that dies with kill -9 at a chosen moment: ``python -m tests.faults.worker WHAT ID STEP WHEN``.

It carries out the real action; only the recorder of steps is watched, to know the moment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    what, number, step, when = sys.argv[1:5]
    django.setup()

    from restores.actions.performing import perform_restore
    from restores.actions.recording import Recorder
    from restores.actions.undoing import perform_undo

    real = Recorder.step

    @contextmanager
    def watched(self: Recorder, name: Any) -> Iterator[Any]:
        with real(self, name) as told:
            if name == step and when == "begun":
                die()
            yield told
            if name == step and when == "done, not recorded":
                die()
        if name == step and when == "recorded":
            die()

    Recorder.step = watched  # type: ignore[method-assign, assignment]
    {"restore": perform_restore, "undo": perform_undo}[what](int(number))


if __name__ == "__main__":
    main()
