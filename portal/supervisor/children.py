"""One program that the supervisor keeps running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backups import launcher

LARGEST_LOG = 5_000_000  # bytes; at a start a larger log makes room for a new one
STEADY_SECONDS = 60.0  # who ran for so long starts again at once
LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Program:
    """What to run. ``stop_signal`` ends it; ``last`` are stopped after all others have ended."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    last: bool = False


class Child:
    """A running :class:`Program`, in a process group of its own that dies with the supervisor, however that ends.

    What ends it then is the pipe ``lifeline`` (see :mod:`backups.launcher`). Until it has ended it holds ``lock``, so
    that no second portal begins on the same data.
    """

    def __init__(self, program: Program, lifeline: int, lock: int, logs: Path) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self._lifeline = lifeline
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0
        self._due = 0.0

    def forget_log(self) -> None:
        """Begin with an empty log."""
        self.log.unlink(missing_ok=True)

    def start(self) -> None:
        """Start it; what it says goes to its log."""
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        argv = [sys.executable, "-I", "-S", launcher.__file__, str(self._lifeline), *self.program.argv]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.program.environment},
                pass_fds=[self._lifeline, self._lock],
                start_new_session=True,
            )
        self._started = time.monotonic()
        self._due = 0.0

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def succeeded(self) -> bool:
        """Whether it ended with exit code 0."""
        return self._process is not None and self._process.poll() == 0

    def keep_running(self) -> str:
        """Start it again when it has ended, later each time it ends at once; what to tell about it, if anything."""
        if self.running:
            return ""
        now = time.monotonic()
        if not self._due:
            self._failures = 0 if now - self._started > STEADY_SECONDS else self._failures + 1
            pause = min(2.0 ** (self._failures - 1), LONGEST_PAUSE) if self._failures else 0.0
            self._due = now + pause
            code = self._process.returncode if self._process else 0
            return f"{self.program.name} ended (exit {code}); it starts again in {pause:.0f} s. See {self.log}"
        if now >= self._due:
            self.start()
        return ""

    def ask_to_stop(self) -> None:
        """Send its stop signal to all of its group."""
        self._signal(self.program.stop_signal)

    def kill(self) -> None:
        """End all of its group at once."""
        self._signal(signal.SIGKILL)

    def wait(self, until: float) -> bool:
        """Wait for its end, at most until that moment (monotonic); whether it ended."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                pass
