"""Starts the programs that tests kill, without the second that each would spend on reading the portal's code.

A process that has read it already forks for each of them, as Celery's own workers are made: what runs, dies and is waited
for is a process of its own all the same, with an environment, an output and an exit status of its own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
CHANGES_ALWAYS = "PYTEST_CURRENT_TEST"
READ_BEFORE = (
    "django.contrib.admin.sites", "psycopg", "backups.actions.copying", "backups.actions.retaining", "backups.actions.taking",
    "restores.actions.incident_running", "restores.actions.performing", "restores.actions.undoing",
)  # fmt: skip


class Nursery:
    """One process, which forks for as long as the environment stays as it was."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env={**environment, "DJANGO_SETTINGS_MODULE": "portal.settings"},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # each answer is asked for by itself, and what is read ahead could not be waited for
        )

    def run(
        self, command: Sequence[str], said: Path, told: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """``python -m`` these words; ``told`` is what it reads. As subprocess.run(capture_output=True)."""
        (said / "in").write_bytes(told)
        self._ask({"command": list(command), "said": str(said)})
        child = self._answer(START_SECONDS)
        try:
            status = self._answer(timeout)
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            self._answer(START_SECONDS)
            raise subprocess.TimeoutExpired(list(command), timeout) from None
        return subprocess.CompletedProcess(
            list(command), status, (said / "out").read_bytes(), (said / "err").read_bytes()
        )

    def _ask(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self, seconds: float) -> int:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            raise TimeoutError(f"The nursery says nothing for {seconds} s.")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """It ends once nobody can ask it any more."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


_open: list[Nursery] = []
MOST = 3


def run(
    *command: str, environment: Mapping[str, str] | None = None, told: bytes = b"", timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m`` these words to their end, in that environment or in this process's."""
    given = dict(os.environ if environment is None else environment)
    given.pop(CHANGES_ALWAYS, None)
    found = next((one for one in _open if one.environment == given), None)
    if found is None:
        while len(_open) >= MOST:
            _open.pop(0).close()
        found = Nursery(given)
        _open.append(found)
    with tempfile.TemporaryDirectory(prefix="program-") as said:
        return found.run(command, Path(said), told, timeout)


@atexit.register
def close() -> None:
    """No process is left of it."""
    while _open:
        _open.pop().close()


def main() -> None:
    """Fork for each line that comes, until none can come any more."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    import django

    django.setup()
    for name in READ_BEFORE:
        __import__(name)
    gc.freeze()
    while line := asked.readline():
        child = os.fork()
        if not child:
            asked.close()
            answers.detach()  # type: ignore[attr-defined]
            _become(**json.loads(line))
            return
        print(child, file=answers, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _become(command: list[str], said: str) -> None:
    """The program itself, which ends as any other does."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, file in enumerate(
        (os.open(f"{said}/in", os.O_RDONLY), os.open(f"{said}/out", flags), os.open(f"{said}/err", flags))
    ):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0, closefd=False)  # what the old one has read ahead was not for this one
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
