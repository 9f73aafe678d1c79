"""Keeps the children running, and ends them all together."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType

from portal.supervisor.checks import CannotStart
from portal.supervisor.children import Child, Program
from portal.supervisor.probe import answers

GRACE_SECONDS = 6.0  # from the first request to stop until force
LAST_GRACE_SECONDS = 3.0  # the same for those that go last
READY_SECONDS = 90.0
LOOK_SECONDS = 0.2


class Stopped(Exception):
    """A person or the system asked the portal to stop."""


class Supervisor:
    """A context manager around all children.

    ``tell`` prints one line for the person at the terminal; ``host`` is a name under which the portal answers;
    ``lock`` is the descriptor of :func:`portal.supervisor.checks.lock_data_dir`.
    """

    def __init__(self, logs: Path, lock: int, tell: Callable[[str], None], host: str = "127.0.0.1") -> None:
        self._logs = logs
        self._lock = lock
        self._host = host
        self._tell = tell
        self._children: list[Child] = []
        self._stop = threading.Event()
        self._lifeline, self._held = os.pipe()

    def __enter__(self) -> Supervisor:
        self._logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        os.close(self._held)
        os.close(self._lifeline)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set():  # asked twice: no more patience
            for child in self._children:
                child.kill()
        self._stop.set()

    def start(self, programs: Iterable[Program]) -> None:
        """Start the programs."""
        for program in programs:
            self.check()
            child = Child(program, self._lifeline, self._lock, self._logs)
            child.start()
            self._children.append(child)

    def check(self) -> None:
        """Raise :class:`Stopped` when it was asked to stop."""
        if self._stop.is_set():
            raise Stopped

    def watch(self, seconds: float = float("inf"), until: Callable[[], bool] = lambda: False) -> bool:
        """Keep the children running for so long, or until the condition holds; whether it does. Raises Stopped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until():
                return True
            for child in self._children:
                told = child.keep_running()
                if told:
                    self._tell(told)
            self._stop.wait(LOOK_SECONDS)
            self.check()
        return False

    def run_all(self, programs: Sequence[Program], what: str) -> None:
        """Run programs to their end, all at once, beside the others.

        Raises :class:`CannotStart` when one fails, with the end of its log.
        """
        runs = [Child(program, self._lifeline, self._lock, self._logs) for program in programs]
        try:
            for child in runs:
                child.forget_log()
                child.start()
            while any(child.running for child in runs):
                self.watch(LOOK_SECONDS)
        finally:
            for child in runs:
                child.kill()
        for child in runs:
            if not child.succeeded:
                raise CannotStart(f"{what} failed. The end of {child.log}:\n{child.last_words()}")

    def wait_ready(self, port: int) -> None:
        """Wait until the portal answers there. Raises :class:`CannotStart` when it does not within reason."""
        if not self.watch(READY_SECONDS, until=lambda: answers(port, self._host)):
            words = "\n".join(f"{one.log}:\n{one.last_words()}" for one in self._children if one.program.name == "web")
            raise CannotStart(f"The portal did not answer within {READY_SECONDS:.0f} s. {words}")

    def stop(self) -> None:
        """End all children: politely, then by force, those marked ``last`` after the others."""
        for group, grace in (
            ([child for child in self._children if not child.program.last], GRACE_SECONDS),
            ([child for child in self._children if child.program.last], LAST_GRACE_SECONDS),
        ):
            for child in group:
                child.ask_to_stop()
            until = time.monotonic() + grace
            for child in group:
                if not child.wait(until):
                    child.kill()
                    child.wait(time.monotonic() + 1)
        self._children.clear()
