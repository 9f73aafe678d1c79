"""The programs that make up the portal on one machine.

Restores have a worker of their own, so that none waits behind backups, and so have the sweepers, so that they find the
dead while everybody else is busy, mail and chat, whose servers may let one wait, and checkups, which take days and give
way to everything else. The workers' pools are threads:
their work is moving bytes through programs and libraries that leave Python's lock alone, and one process each starts at
once.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from portal.supervisor.children import Program

CELERY = (sys.executable, "-m", "celery", "--app", "portal.celery:app", "--quiet")
RESTORE_THREADS = 4
BACKUP_THREADS = 2
CHECKUP_THREADS = 2
NICE = shutil.which("nice")
LATER = (NICE, "-n", "10") if NICE else ()
"""Before a program that gives way to all others: nobody waits for a checkup. By its whole path: nobody looks it up."""


def web(port: int) -> Program:
    """The web server, on this machine's own address only."""
    return Program(
        "web",
        (
            sys.executable, "-m", "gunicorn", "portal.wsgi:application",
            "--bind", f"127.0.0.1:{port}",
            "--worker-class", "gthread", "--workers", "1", "--threads", "8",
            "--timeout", "120", "--graceful-timeout", "3",
            "--no-control-socket",
        ),
    )  # fmt: skip


def worker(name: str, queues: str, threads: int, *, before: tuple[str, ...] = ()) -> Program:
    """A Celery worker for some queues."""
    return Program(
        f"worker-{name}",
        (
            *before, *CELERY, "worker", "--hostname", f"{name}@portal", "--queues", queues,
            "--pool", "threads", "--concurrency", str(threads),
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO",
        ),
    )  # fmt: skip


def beat(data_dir: Path) -> Program:
    """What sends the regular tasks."""
    return Program("beat", (*CELERY, "beat", "--schedule", str(data_dir / "beat-schedule"), "--pidfile", ""))


def portal_programs(port: int, data_dir: Path) -> list[Program]:
    """All of them."""
    return [
        web(port),
        worker("restores", "restores", RESTORE_THREADS),
        worker("control", "control", 1),
        worker("telling", "telling", 1),
        worker("backups", "backups", BACKUP_THREADS),
        worker("checkups", "checkups", CHECKUP_THREADS, before=LATER),
        beat(data_dir),
    ]
