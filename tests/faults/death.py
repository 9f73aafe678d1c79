"""A worker that dies, or loses its database, at a chosen moment, and the sweeper that finds it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from restores.actions.cleaning import clean_up
from restores.actions.sweeping import sweep_restores
from restores.models import RestoreRequest, Step
from restores.stepnames import StepName
from tests import nursery


def database_url() -> str:
    """Where a process of its own finds the test's database."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def killed(what: str, number: int, step: str, when: str) -> None:
    """Run the worker until it kills itself there."""
    done = _worker(what, number, step, when, "killed")
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def cut_off(what: str, number: int, step: str, when: str) -> None:
    """Run a worker that loses its database there, whatever becomes of it."""
    done = _worker(what, number, step, when, "cut off")
    assert done.returncode in (0, 1), done.stderr.decode()
    assert b"The database is gone." in done.stdout, done.stderr.decode()


def ran_out_and_killed(request: int, directory: Path, moment: str) -> None:
    """Run a worker whose disk is filled while it restores, and that kills itself at that moment of cleaning up."""
    done = _run("tests.faults.cramped", str(request), str(directory), moment)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def _worker(what: str, number: int, step: str, when: str, fate: str) -> subprocess.CompletedProcess[bytes]:
    return _run("tests.faults.worker", what, str(number), str(step), when, fate)


def _run(module: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    return nursery.run(module, *words, environment={**os.environ, "DATABASE_URL": database_url()})


def found_dead() -> None:
    """The sweeper, once the heartbeat is late; then the clean-up that it hands over."""
    later = timezone.now() + timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS + 5)
    sweep_restores(later, lost_before=later - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))


def cleaned_up(attempt_id: int) -> None:
    """What the sweeper handed over then."""
    clean_up(attempt_id, clock=lambda: timezone.now() + timedelta(minutes=5))


def once_done(step: StepName, act: Callable[[], None], request: RestoreRequest | None = None) -> Callable[[], datetime]:
    """A worker's clock, which lets something happen in the world as soon as that step is recorded as done.

    Of that request, where others have come so far before.
    """
    happened: list[bool] = []

    def clock() -> datetime:
        done = Step.objects.filter(name=step, status="done")
        if not happened and (done.filter(attempt__request=request) if request else done).exists():
            happened.append(True)
            act()
        return timezone.now()

    return clock
