"""The one module that runs other programs.

What every program started here gets:

- a list of arguments, never a shell; a **minimal environment**: ``PATH``, ``LANG=C.UTF-8`` and what the caller gives.
  Secrets go through the environment or a private file, never through the arguments, which every user can read;
- a **lifeline**: when the portal's process ends, however it ends (``kill -9`` too), the program *and everything it
  started in its process group* is stopped, by :mod:`backups.launcher`. Not covered: a program that leaves its
  process group (a daemon), and the launcher and the portal being killed in the same instant by different hands;
- its last words kept: the end of its standard error, with secrets blacked out.

Failures are :class:`ProcessFailed`, a :class:`~backups.drivers.base.DriverError`: drivers translate what they know
into better sentences, and what they do not know is still fit to be shown.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Literal, Self

from backups.drivers.base import DriverError

STDERR_TAIL = 16 * 1024
TERM_GRACE_SECONDS = 5.0
_LAUNCHER = str(Path(__file__).with_name("launcher.py"))


class ProgramMissing(DriverError):
    """The program is not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(
            f"The program {program} is not installed on this machine. Install it, or add its directory to PATH.",
            detail=f"not found: {program}",
        )
        self.program = program


class ProcessFailed(DriverError):
    """A program ended with an exit code that does not mean success.

    ``code`` is the exit code, 128 + n when signal n ended it, None when it was stopped for taking too long;
    ``stderr`` the end of its standard error without secrets.
    """

    def __init__(self, program: str, code: int | None, stderr: str, why: str = "") -> None:
        why = why or (f"was ended by signal {code - 128}" if code and code > 128 else f"ended with exit code {code}")
        super().__init__(f"{program} {why}.", detail=stderr.strip())
        self.program = program
        self.code = code
        self.stderr = stderr


_started_here: ContextVar[set[_Process] | None] = ContextVar("started_here", default=None)


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Gives a function that stops every program which this thread starts inside and which then runs.

    It may be called from any thread: for work that hangs in a program and cannot look up by itself.
    """
    started: set[_Process] = set()
    token = _started_here.set(started)

    def stop() -> None:
        for process in tuple(started):
            process.stop()

    try:
        yield stop
    finally:
        _started_here.reset(token)


@dataclass(frozen=True)
class Completed:
    """A program that ended well."""

    code: int
    stdout: bytes
    stderr: str  # its end, without secrets


def find_program(name: str) -> str:
    """The absolute path of a program, given as a name to look up on ``PATH`` or as a path."""
    found = shutil.which(name)
    if found is None:
        raise ProgramMissing(name)
    return os.path.abspath(found)


def minimal_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment a program gets: nothing of the portal's own but ``PATH``."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **(extra or {})}


class _Process:
    """A started program with its lifeline and the reader of its standard error."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None,
        stdin: int | IO[bytes],
        stdout: int,
        redact: Collection[str],
        cwd: Path | None,
        pass_fds: Collection[int] = (),
    ) -> None:
        path = find_program(argv[0])
        self.program = os.path.basename(argv[0])
        self._redact = sorted(filter(None, redact), key=len, reverse=True)
        self._tail = bytearray()
        lifeline, self._lifeline = os.pipe()
        try:
            self.popen = subprocess.Popen(
                [sys.executable, "-I", "-S", _LAUNCHER, str(lifeline), path, *argv[1:]],
                env=minimal_environment(env),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                pass_fds=(lifeline, *pass_fds),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)
        self._reader = threading.Thread(target=self._keep_tail, daemon=True)
        self._reader.start()
        self._ending = threading.Lock()
        self._over = False
        self._among = _started_here.get()
        if self._among is not None:
            self._among.add(self)

    def _keep_tail(self) -> None:
        assert self.popen.stderr is not None
        while chunk := self.popen.stderr.read(8192):
            self._tail += chunk
            # Twice the tail is kept until shown, so that cutting does not halve a secret at the edge of what is shown.
            del self._tail[: -2 * STDERR_TAIL]

    @property
    def stderr(self) -> str:
        text = self._tail.decode("utf-8", "replace")
        for secret in self._redact:
            text = text.replace(secret, "•••")
        return text[-STDERR_TAIL:]

    def wait(self) -> int:
        """The exit code, once the program and everything it left in its group are gone."""
        with self._ending:
            if not self._over:
                # The launcher's number stays taken until it is reaped, so the group's number cannot be another's.
                os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOWAIT)
                self._signal(signal.SIGKILL)
                self.popen.wait()
                self._over = True
                if self._among is not None:
                    self._among.discard(self)
                os.close(self._lifeline)
                self._reader.join()
                assert self.popen.stderr is not None
                self.popen.stderr.close()
        code = self.popen.returncode
        return code if code >= 0 else 128 - code

    def stop(self) -> int:
        """End it: politely, then by force after a short grace. Safe from any thread, and when it has ended already."""
        force = threading.Timer(TERM_GRACE_SECONDS, self._signal, (signal.SIGKILL,))
        force.daemon = True
        self._signal(signal.SIGTERM)
        force.start()
        try:
            return self.wait()
        finally:
            force.cancel()

    def _signal(self, number: int) -> None:
        if not self._over:
            try:
                os.killpg(self.popen.pid, number)
            except (ProcessLookupError, PermissionError):  # macOS says the second of a group of zombies
                pass

    def failed(self, code: int | None, why: str = "") -> ProcessFailed:
        return ProcessFailed(self.program, code, self.stderr, why)


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
    redact: Collection[str] = (),
    ok: Collection[int] = (0,),
    cwd: Path | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote, all of it in memory.

    ``timeout`` is in seconds; ``redact`` are secrets to black out in its standard error; ``ok`` the exit codes that
    mean success. Raises :class:`ProcessFailed` or :class:`ProgramMissing`.
    """
    source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    process = _Process(argv, env=env, stdin=source, stdout=subprocess.PIPE, redact=redact, cwd=cwd)
    late = threading.Event()

    def give_up() -> None:
        late.set()
        process.stop()

    watch = threading.Timer(timeout, give_up) if timeout is not None else None
    feeder = threading.Thread(target=_feed, args=(process.popen.stdin, stdin or b""), daemon=True) if stdin else None
    try:
        if watch:
            watch.start()
        if feeder:
            feeder.start()
        elif process.popen.stdin:
            process.popen.stdin.close()
        assert process.popen.stdout is not None
        with process.popen.stdout as stdout:
            output = b"".join(iter(lambda: stdout.read(1 << 20), b""))
        code = process.wait()
    except BaseException:
        process.stop()
        raise
    finally:
        if watch:
            watch.cancel()
    if late.is_set():
        raise process.failed(None, f"did not finish within {timeout:g} seconds and was stopped")
    if code not in ok:
        raise process.failed(code)
    return Completed(code, output, process.stderr)


def _feed(pipe: IO[bytes] | None, data: bytes) -> None:
    """Write everything and close; a program that stops reading says why by its exit code."""
    assert pipe is not None
    view = memoryview(data)
    try:
        while view:
            view = view[pipe.write(view) :]
    except BrokenPipeError:
        pass
    finally:
        pipe.close()


class Streaming:
    """A program whose standard output is read, or whose standard input is written, as a stream.

    ::

        with Streaming([tar, …], mode="read") as process:
            while chunk := process.read(1 << 20): …      # the last read() raises when the program failed
        with Streaming([pg_restore, …], mode="write") as process:
            process.write(chunk)                          # leaving the block waits for success

    Leaving the block by an exception, or in mode "read" before the end, stops the program. :meth:`stop` may be
    called from another thread. ``stdin`` (mode "read") is an open file or descriptor the program reads from;
    ``pass_fds`` are descriptors that it finds open under the same numbers.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        mode: Literal["read", "write"],
        env: Mapping[str, str] | None = None,
        stdin: int | BinaryIO | None = None,
        redact: Collection[str] = (),
        ok: Collection[int] = (0,),
        cwd: Path | None = None,
        pass_fds: Collection[int] = (),
    ) -> None:
        self._mode = mode
        self._ok = ok
        self._finished = False
        source: int | BinaryIO = subprocess.PIPE if mode == "write" else subprocess.DEVNULL if stdin is None else stdin
        target = subprocess.PIPE if mode == "read" else subprocess.DEVNULL
        self._process = _Process(argv, env=env, stdin=source, stdout=target, redact=redact, cwd=cwd, pass_fds=pass_fds)
        pipe = self._process.popen.stdout if mode == "read" else self._process.popen.stdin
        assert pipe is not None
        self._pipe: IO[bytes] = pipe

    @property
    def pid(self) -> int:
        """The process group of the program and its children."""
        return self._process.popen.pid

    @property
    def code(self) -> int:
        """The exit code, after the end."""
        return self._process.wait()

    @property
    def stderr(self) -> str:
        """The end of what the program has written to its standard error so far, without secrets."""
        return self._process.stderr

    def read(self, size: int = 1 << 20) -> bytes:
        """Up to ``size`` bytes, as they come. At the end waits for the program: b"" means that it succeeded."""
        if self._finished:
            return b""
        data: bytes = self._pipe.read(size)
        if not data:
            self.finish()
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Like :meth:`read` into ``buffer``; the number of bytes, 0 at a successful end."""
        if self._finished:
            return 0
        count: int = self._pipe.readinto(buffer)  # type: ignore[attr-defined]  # unbuffered pipes are RawIOBase
        if not count:
            self.finish()
        return count

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of ``data``; raises :class:`ProcessFailed` when the program no longer reads."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._pipe.write(view) :]
        except BrokenPipeError:
            self._finished = True
            code = self._close()
            why = "stopped reading before the end" if code in self._ok else ""
            raise self._process.failed(code, why) from None

    def finish(self) -> None:
        """Close the stream and wait; raises :class:`ProcessFailed` unless the program succeeded."""
        if not self._finished:
            self._finished = True
            code = self._close()
            if code not in self._ok:
                raise self._process.failed(code)

    def stop(self) -> None:
        """End the program now, and with it whatever it started."""
        self._process.stop()

    def _close(self) -> int:
        try:
            self._pipe.close()
        except BrokenPipeError:
            pass
        return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._mode == "write":
            self.finish()
        elif not self._finished:
            self._finished = True
            self._process.stop()
            self._pipe.close()
