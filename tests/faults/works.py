"""The portal's own workers, its beat twice, and a broker of their own, as processes over the test's database."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connection

from portal.supervisor.programs import CELERY, worker
from tests.faults.death import database_url

IMPATIENT = {"SWEEP_SECONDS": "1", "RESEND_AFTER_SECONDS": "2", "HEARTBEAT_LOST_SECONDS": "10", "LOG_LEVEL": "WARNING"}


class Redis:
    """A server that keeps nothing: killed and started again it is empty."""

    def __init__(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(self._answers, 10)

    def _answers(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def lose_all(self) -> None:
        """Killed with -9; a moment later an empty one is there."""
        self.stop()
        time.sleep(2)
        self.start()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Files:
    """The embedded queue, below DATA_DIR."""

    url = "filesystem://"

    def start(self) -> None:
        shutil.rmtree(settings.DATA_DIR / "broker", ignore_errors=True)

    def lose_all(self) -> None:
        """Whatever is on its way, for two seconds."""
        until = time.monotonic() + 2
        while time.monotonic() < until:
            for message in (settings.DATA_DIR / "broker" / "messages").glob("*.msg"):
                message.unlink(missing_ok=True)
            time.sleep(0.02)

    def stop(self) -> None:
        """There is nothing to stop."""


class Works:
    """A context manager: workers for restores and for the sweeps, and two beats."""

    def __init__(self, broker: Redis | Files, folder: Path) -> None:
        self.broker = broker
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.broker.start()
        try:
            self._start("restores", worker("restores", "restores", 4).argv)
            self._start("control", worker("control", "control", 2).argv)
            for name in ("beat-1", "beat-2"):
                self._start(name, (*CELERY, "beat", "--schedule", str(self._folder / name), "--pidfile", ""))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self.broker.stop()

    def _start(self, name: str, argv: tuple[str, ...]) -> None:
        environment = {
            **os.environ, **IMPATIENT, "DATABASE_URL": database_url(), "BROKER_URL": self.broker.url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }  # fmt: skip
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *argv[1:]], env=environment, cwd=settings.BASE_DIR, stdout=log, stderr=log
            )

    def kill_while(self, busy: Callable[[], bool]) -> None:
        """Kill the worker for restores with -9 while that holds; another one is started, as the supervisor does."""
        process = self._processes["restores"]

        def caught() -> bool:
            if not busy():
                return False
            process.send_signal(signal.SIGSTOP)
            if busy():
                return True
            process.send_signal(signal.SIGCONT)
            return False

        eventually(caught, 60, every=0.01)
        process.kill()
        process.wait()
        self._start("restores", worker("restores", "restores", 4).argv)

    def said(self) -> str:
        """All of their logs."""
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self._folder.glob("*.log")))


def eventually(holds: Callable[[], bool], seconds: float, *, every: float = 0.1) -> None:
    """Wait until it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(every)


def cut_everybody_off() -> None:
    """PostgreSQL ends all other sessions, again and again; SQLite's file is written to by somebody else meanwhile."""
    if connection.vendor == "sqlite":
        writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=20)
        writer.execute("BEGIN IMMEDIATE")
        time.sleep(3)
        writer.close()
        return
    for _ in range(6):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        time.sleep(0.5)
