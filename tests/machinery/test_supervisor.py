"""The supervisor with small programs in place of the portal's: keeps them up, ends them all, says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from portal.supervisor import checks
from portal.supervisor.checks import CannotStart, check_data_dir, check_port, lock_data_dir
from portal.supervisor.children import Child, Program
from portal.supervisor.supervisor import Stopped, Supervisor

SLEEPER = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"
STUBBORN = (
    "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"
)


def program(name: str, code: str, *arguments: object, **options) -> Program:
    return Program(name, (sys.executable, "-c", code, *map(str, arguments)), **options)


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def eventually(condition, seconds: float = 15.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


@pytest.fixture
def supervisor(tmp_path):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    lock = lock_data_dir(tmp_path)
    told: list[str] = []
    with Supervisor(tmp_path / "logs", lock, told.append) as one:
        one.told = told  # type: ignore[attr-defined]
        yield one
    os.close(lock)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_program_that_dies_is_started_again_and_told_about(supervisor, tmp_path):
    supervisor.start([program("worker", SLEEPER, tmp_path / "pids")])
    assert supervisor.watch(15, until=lambda: len(pids(tmp_path / "pids")) == 1)
    os.kill(pids(tmp_path / "pids")[0], signal.SIGKILL)
    assert supervisor.watch(15, until=lambda: len(pids(tmp_path / "pids")) == 2)
    assert len(supervisor.told) == 1
    assert "worker ended (exit 137); it starts again in 1 s" in supervisor.told[0]


def test_one_that_dies_at_once_is_started_ever_later(tmp_path):
    child = Child(program("broken", "raise SystemExit('no good')"), *os.pipe(), tmp_path)
    told = []
    for _ in range(3):
        child.start()
        assert eventually(lambda: not child.running)
        told.append(child.keep_running())
    assert [line.partition("again in ")[2].split()[0] for line in told] == ["1", "2", "4"]
    assert "no good" in child.last_words()


def test_asked_to_stop_it_ends_everything(supervisor, tmp_path):
    supervisor.start(
        [program("one", SLEEPER, tmp_path / "pids"), program("two", SLEEPER, tmp_path / "pids", last=True)]
    )
    assert supervisor.watch(15, until=lambda: len(pids(tmp_path / "pids")) == 2)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Stopped):
        supervisor.watch(15)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 5
    assert not any(alive(pid) for pid in pids(tmp_path / "pids"))


def test_what_does_not_stop_is_killed(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr("portal.supervisor.supervisor.GRACE_SECONDS", 0.3)
    supervisor.start([program("stubborn", STUBBORN, tmp_path / "pids")])
    assert supervisor.watch(15, until=lambda: pids(tmp_path / "pids") != [])
    supervisor.stop()
    assert eventually(lambda: not alive(pids(tmp_path / "pids")[0]))


def test_a_step_that_fails_stops_the_start_with_its_last_words(supervisor):
    fine, bad = program("fine", "print('all well')"), program("bad", "raise SystemExit('disk on fire')")
    with pytest.raises(CannotStart, match="(?s)Seeding failed.*bad.log.*disk on fire"):
        supervisor.run_all([fine, bad], "Seeding")


def test_killed_itself_it_leaves_nothing_and_a_new_one_waits_for_that(tmp_path):
    code = textwrap.dedent(
        f"""
        import sys; from pathlib import Path
        from portal.supervisor.checks import lock_data_dir
        from portal.supervisor.children import Program
        from portal.supervisor.supervisor import Supervisor
        data = Path({str(tmp_path)!r})
        with Supervisor(data / "logs", lock_data_dir(data), print) as one:
            one.start([Program("stubborn", (sys.executable, "-c", {STUBBORN!r}, str(data / "pids")))])
            one.watch()
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    assert eventually(lambda: pids(tmp_path / "pids") != [])
    with pytest.raises(CannotStart, match=f"already runs on .*{parent.pid}"):
        lock_data_dir(tmp_path)
    parent.kill()  # and nobody has waited for it yet
    os.close(lock_data_dir(tmp_path))  # waits for what it started
    parent.wait()
    assert not alive(pids(tmp_path / "pids")[0])


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken"):
            check_port(str(port))
    assert check_port(str(port)) == port


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1", "８０"])
def test_a_port_is_a_number(text):
    with pytest.raises(CannotStart, match="must be a number from 1 to 65535"):
        check_port(text)


def test_a_data_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot be written to .* Set DATA_DIR"):
        check_data_dir(tmp_path / "file" / "data")


def test_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(CannotStart, match="MB left, and the portal needs"):
        check_data_dir(tmp_path)
