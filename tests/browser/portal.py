"""A whole portal in processes of its own: web, workers and beat under the one command that people use."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.browser.servers import own_servers

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 90


@dataclass
class RunningPortal:
    """One portal on a directory of its own. ``company`` is what :mod:`tests.browser.company` made in it."""

    directory: Path
    port: int
    company: dict[str, Any] = field(default_factory=dict)
    servers: dict[str, str] = field(default_factory=own_servers)
    process: subprocess.Popen[bytes] | None = None

    window: str = field(default_factory=lambda: in_hours(6, 7))
    """When the portal takes daily backups by itself: not while stories are told, also where CI runs at night."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tree(self) -> Path:
        return Path(self.company["tree"])

    def environment(self) -> dict[str, str]:
        """That of every process of this portal, and of nothing else that may be set here."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "PG_BIN") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(REPOSITORY),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "DATA_DIR": str(self.directory / "data"),
            "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789",
            "FILES_ROOTS": str(self.directory / "files"),
            "POLICY_TIME_ZONE": "Europe/Berlin",
            "BACKUP_WINDOW": self.window,
            "SWEEP_SECONDS": "5",
            **self.servers,
        }

    def run(self, *argv: str) -> str:
        """What a program of this portal prints; raises with its complaints when it fails."""
        done = subprocess.run(
            [sys.executable, *argv], cwd=REPOSITORY, env=self.environment(), capture_output=True, timeout=180
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def start(self) -> None:
        """Fill it and start it; returns when it answers."""
        self.company = json.loads(self.run("-m", "tests.browser.company"))
        with (self.directory / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--port", str(self.port)],
                cwd=REPOSITORY, env=self.environment(), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < until, self.log()
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def log(self) -> str:
        """What the portal's programs said, for a test that failed."""
        files = [self.directory / "run.log", *sorted((self.directory / "data" / "logs").glob("*.log"))]
        return "\n".join(
            f"--- {file.name}\n{file.read_text(errors='replace')[-4000:]}" for file in files if file.exists()
        )

    def stop(self) -> None:
        """End it as Ctrl-C does, and remove its directory."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def in_hours(*hours: int) -> str:
    """A window of the day, from so many hours from now on until so many."""
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    return "-".join(f"{now + timedelta(hours=one):%H:%M}" for one in hours)


def new_portal() -> RunningPortal:
    """A portal that is not started yet, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return RunningPortal(Path(tempfile.mkdtemp(prefix="portal-browser-")), int(probe.getsockname()[1]))
