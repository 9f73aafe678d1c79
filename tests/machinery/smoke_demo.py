"""The demo as a visitor has it, in a fresh clone: ``python3 tests/machinery/smoke_demo.py``. CI runs it.

First start from nothing with an empty home; pages and API answer; Ctrl-C leaves no process; a second start is quick and
keeps the data; a start that was killed half-way is made good by the next; kill -9 leaves no process either.
"""

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
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIRST_SECONDS, SECOND_SECONDS, STOP_SECONDS = 300.0, 45.0, 15.0  # generous: CI's machine may be busy


class Demo:
    """``make demo`` in a clone of the repository."""

    def __init__(self, work: Path) -> None:
        self.clone, self.data, self.home = work / "clone", work / "data", work / "home"
        self.home.mkdir()
        self.log = work / "log"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.clone)], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, target: str = "demo") -> None:
        """In a session of its own, as in a terminal."""
        self.log.unlink(missing_ok=True)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DATABASE_"))
        }
        environment |= {"HOME": str(self.home), "PORT": str(self.port), "DATA_DIR": str(self.data)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", target], cwd=self.clone, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def ready(self, seconds: float) -> float:
        """Wait for the line that says so; how long it took."""
        began = time.monotonic()
        line = f"Portal ready at http://127.0.0.1:{self.port}\n"
        while line not in self.log.read_text():
            check(self.process is not None and self.process.poll() is None, f"it ended: {self.log.read_text()}")
            check(time.monotonic() - began < seconds, f"it is not ready after {seconds} s: {self.log.read_text()}")
            time.sleep(0.1)
        return time.monotonic() - began

    def send(self, number: int) -> None:
        """A signal to all of the terminal's foreground, as Ctrl-C is."""
        if self.process is not None:
            os.killpg(self.process.pid, number)

    def gone(self) -> None:
        """Wait until no process works on the data any more."""
        until = time.monotonic() + STOP_SECONDS
        while left := self._processes():
            check(time.monotonic() < until, f"these are still there: {left}")
            time.sleep(0.2)
        if self.process is not None:
            self.process.wait()

    def _processes(self) -> list[str]:
        mark = f"DATA_DIR={self.data}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return [one for one in found if one]

    def ask(self, path: str, body: dict[str, str] | None = None, token: str = "") -> Any:
        """What the portal answers, as JSON or text."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Token {token}")
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(request, data, timeout=20) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers["Content-Type"] else text

    def test_a_backup(self) -> None:
        """As IT, over the API: a worker of the queue for checkups restores it and removes the scratch."""
        token = self.ask("/api/token/", {"username": "tara", "password": "tara-tests-backups"})["token"]
        backup = self.ask("/api/backups/?page_size=1", token=token)["results"][0]["id"]
        trial = self.ask(f"/api/backups/{backup}/test/", {"reason": "To see that it restores."}, token=token)["id"]
        until = time.monotonic() + 60
        while (status := self.ask(f"/api/trials/{trial}/", token=token)["status"]) != "passed":
            check(status in ("queued", "running") and time.monotonic() < until, f"the test of a backup is {status}")
            time.sleep(0.5)

    def look_around(self) -> int:
        """Sign in as the client over the API; see that all is there; how many backups there are."""
        check("nora-likes-tents" in self.ask("/sign-in/"), "the sign-in page shows no cast")
        token = self.ask("/api/token/", {"username": "nora", "password": "nora-likes-tents"})["token"]
        names = {one["name"] for one in self.ask("/api/resources/", token=token)["results"]}
        check(names == {"shop-db", "shop-uploads", "wiki-pages"}, f"nora sees {names}")
        statuses = sorted(one["status"] for one in self.ask("/api/restore-requests/", token=token)["results"])
        check(statuses == ["awaiting_consent", "completed", "submitted"], f"nora's requests are {statuses}")
        return len(self.ask("/api/backups/?page_size=200", token=token)["results"])


def check(holds: bool, otherwise: str) -> None:
    """Raise with the sentence unless it holds."""
    if not holds:
        raise SystemExit(f"The demo's smoke test failed: {otherwise}")


def main(work: Path) -> None:
    """All of it."""
    demo = Demo(work)
    try:
        demo.start()
        print(f"first start, installation included: {demo.ready(FIRST_SECONDS):.0f} s", flush=True)
        check("as in the manifest" in demo.log.read_text(), "no proof of a restore was printed")
        backups = demo.look_around()
        check(backups > 90, f"only {backups} backups")
        demo.test_a_backup()
        demo.send(signal.SIGINT)
        demo.gone()

        demo.start()
        print(f"second start: {demo.ready(SECOND_SECONDS):.0f} s", flush=True)
        check(demo.look_around() == backups, "the second start did not keep the backups")
        demo.send(signal.SIGKILL)
        demo.gone()

        demo.start("demo-reset")
        while "night by night" not in demo.log.read_text():
            time.sleep(0.1)
        time.sleep(3)
        demo.send(signal.SIGKILL)
        demo.start()
        print(f"start after one that was killed half-way: {demo.ready(FIRST_SECONDS):.0f} s", flush=True)
        check("made anew" in demo.log.read_text(), "the half-made demo was taken for a whole one")
        check(demo.look_around() == backups, "the demo made anew is not whole")
        demo.send(signal.SIGINT)
        demo.gone()

        demo.start("demo-aws")
        print(f"with a simulated AWS account, installation included: {demo.ready(FIRST_SECONDS):.0f} s", flush=True)
        token = demo.ask("/api/token/", {"username": "ivo", "password": "ivo-mends-disks"})["token"]
        left = {one["name"] for one in demo.ask("/api/unprotected/", token=token)["results"]}
        check(
            left == {"shop-web-1", "shop-search-1", "shop-orders", "shop-invoices", "old-batch", "copy before upgrade"},
            f"without backups are {left}",
        )
        machines = demo.ask("/api/resources/?kind=ec2", token=token)["results"]
        check([one["name"] for one in machines] == ["mail-1"], f"the machines are {machines}")
        demo.send(signal.SIGINT)
        demo.gone()
    finally:
        demo.send(signal.SIGKILL) if demo.process and demo.process.poll() is None else None
    print("The demo starts, stops, keeps its data and recovers.")


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="portal-smoke-"))
    try:
        main(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()
