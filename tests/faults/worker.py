"""A real worker process to which something happens at a chosen moment: ``python -m tests.faults.worker WHAT ID STEP WHEN FATE``.

It carries out the real action; only the recorder of steps is watched, to know the moment, or, where an incident's list is
filed, how many were. It is ``killed`` with -9, or
``cut off`` from the portal's database.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def cut_off() -> None:
    """PostgreSQL ends this worker's session; SQLite's file is written to by somebody else until this process ends."""
    from django.db import connection

    print("The database is gone.")
    if connection.vendor == "sqlite":
        writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        writer.execute("BEGIN EXCLUSIVE")
        HELD.append(writer)
        return
    connection.ensure_connection()
    assert connection.connection is not None
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()


HELD: list[sqlite3.Connection] = []
FATES: dict[str, Callable[[], None]] = {"killed": die, "cut off": cut_off}


def main() -> None:
    what, number, step, when, fate = sys.argv[1:6]
    django.setup()

    from django.conf import settings
    from django.utils import timezone

    if fate == "cut off" and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"]["OPTIONS"]["timeout"] = 0.5  # it waits in vain each time
    befalls = FATES[fate]

    from restores.actions import incident_running
    from restores.actions.performing import perform_restore
    from restores.actions.recording import Recorder
    from restores.actions.undoing import perform_undo

    real = Recorder.step

    @contextmanager
    def watched(self: Recorder, name: Any) -> Iterator[Any]:
        with real(self, name) as told:
            if name == step and when == "begun":
                befalls()
            yield told
            if name == step and when == "done, not recorded":
                befalls()
        if name == step and when == "recorded":
            befalls()

    Recorder.step = watched  # type: ignore[method-assign, assignment]

    approve, file, filed = vars(incident_running)["apply_move"], incident_running._file, [0]

    def approving(*args: Any, **facts: Any) -> Any:
        filed[0] += 1
        if str(filed[0]) == step and when == "begun":
            befalls()
        approved = approve(*args, **facts)
        if str(filed[0]) == step and when == "done, not recorded":
            befalls()
        return approved

    def filing(*args: Any) -> None:
        file(*args)
        if str(filed[0]) == step and when == "recorded":
            befalls()

    vars(incident_running).update(apply_move=approving, _file=filing)

    {
        "restore": perform_restore,
        "undo": perform_undo,
        "file": lambda pk: incident_running.file_turn(pk, timezone.now()),
    }[what](int(number))


if __name__ == "__main__":
    main()
