"""A real worker process to which something happens at a chosen moment: ``python -m tests.faults.worker WHAT ID STEP WHEN FATE``.

It carries out the real action; only the recorder of steps is watched, to know the moment, or, where an incident's list is
filed, how many were. WHEN may be ``effect N of KIND`` as well: before the driver's n-th change of the world in that step;
where STEP is ``all``, since the beginning. It is ``killed`` with -9, or ``cut off`` from the portal's database.
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


def at_effect(when: str, befalls: Callable[[], None]) -> Callable[[bool], None]:
    """Count what the driver does to the world, while the returned function says so."""
    from tests.drivers import aws
    from tests.drivers.cases import mysql

    _, number, _, kind = when.split()
    left, counting = [int(number)], [False]

    def effect() -> None:
        if counting[0]:
            left[0] -= 1
            if not left[0]:
                befalls()

    {"ec2": aws.before_each_step, "mysql": mysql.before_each_effect}[kind](effect)

    def count(on: bool) -> None:
        counting[0] = on

    return count


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

    from backups.actions import copying, taking
    from backups.models import Copy
    from checkups.actions import trying
    from checkups.actions.steps import Steps
    from restores.actions import incident_running
    from restores.actions.performing import perform_restore
    from restores.actions.recording import Recorder
    from restores.actions.undoing import perform_undo

    count = at_effect(when, befalls) if when.startswith("effect ") else lambda on: None
    count(step == "all")

    def watch(recorder: type[Recorder] | type[Steps]) -> None:
        real: Callable[..., Any] = recorder.step

        @contextmanager
        def watched(self: Any, name: Any) -> Iterator[Any]:
            with real(self, name) as told:
                if name == step and when == "begun":
                    befalls()
                if name == step:
                    count(True)
                yield told
                if name == step:
                    count(False)
                if name == step and when == "done, not recorded":
                    befalls()
            if name == step and when == "recorded":
                befalls()

        setattr(recorder, "step", watched)  # noqa: B010

    watch(Recorder)
    watch(Steps)
    remove = vars(trying)["remove_scratch"]

    def removing(*args: Any, **facts: Any) -> Any:
        if step == "remove" and when == "begun":
            befalls()
        done = remove(*args, **facts)
        if step == "remove" and when == "recorded":
            befalls()
        return done

    vars(trying)["remove_scratch"] = removing

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

    finish, copied = vars(taking)["finish_backup"], vars(copying)["copy_artefact"]

    def finishing(*args: Any, **facts: Any) -> Any:
        if when == "done, not recorded":
            befalls()
        return finish(*args, **facts)

    def copying_artefact(*args: Any) -> Any:
        done = copied(*args)
        if when == "done, not recorded":
            befalls()
        return done

    if what == "take":
        vars(taking)["finish_backup"] = finishing
    if what == "copy":
        vars(copying)["copy_artefact"] = copying_artefact

    def take(pk: int) -> None:
        for _ in range(5):  # one that sleeps until its provider is done is woken at once
            taking.perform_backup(pk)

    def copy(resource: int) -> None:
        copying.copy_to_other_region(resource)
        for pk in Copy.objects.filter(backup__resource=resource, wakes_at__isnull=False).values_list("pk", flat=True):
            copying.continue_copy(pk)

    {
        "take": take,
        "copy": copy,
        "restore": perform_restore,
        "undo": perform_undo,
        "try": trying.perform_trial,
        "file": lambda pk: incident_running.file_turn(pk, timezone.now()),
    }[what](int(number))


if __name__ == "__main__":
    main()
