"""Running other programs: success, failure, secrets, and nothing left behind when the portal dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from backups.drivers.base import DriverError
from backups.processes import ProcessFailed, ProgramMissing, Streaming, run

SH = "/bin/sh"


def gone(pid: int, within: float = 8.0) -> bool:
    """Whether the process ends (or is a zombie nobody reaped) within some seconds."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_output_and_input() -> None:
    done = run(["cat"], stdin=b"x" * 300_000)
    assert done.code == 0
    assert done.stdout == b"x" * 300_000


def test_empty_input_is_an_end_and_not_a_wait() -> None:
    assert run(["cat"], stdin=b"").stdout == b""


def test_the_environment_is_minimal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    names = {line.partition(b"=")[0] for line in run(["env"], env={"PGPASSWORD": "x"}).stdout.splitlines()}
    assert names == {b"PATH", b"LANG", b"PGPASSWORD"}


def test_failure_tells_the_program_the_code_and_its_last_words_without_secrets() -> None:
    with pytest.raises(ProcessFailed) as failed:
        run([SH, "-c", "echo noise; echo wrong password hunter2 >&2; exit 3"], redact=["hunter2", ""])
    assert failed.value.code == 3
    assert failed.value.sentence == "sh ended with exit code 3."
    assert failed.value.detail == "wrong password •••"
    assert isinstance(failed.value, DriverError)


def test_only_the_end_of_a_long_complaint_is_kept() -> None:
    with pytest.raises(ProcessFailed) as failed:
        run([SH, "-c", "yes complaint | head -n 100000 >&2; echo the end >&2; exit 1"])
    assert len(failed.value.stderr) <= 16 * 1024
    assert failed.value.detail.endswith("the end")


def test_a_signal_is_told_as_such() -> None:
    with pytest.raises(ProcessFailed, match="was ended by signal 9"):
        run([SH, "-c", "kill -9 $$"])


def test_other_exit_codes_can_mean_success() -> None:
    assert run([SH, "-c", "exit 1"], ok=(0, 1)).code == 1


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ProgramMissing, match="The program pg_nothing is not installed"):
        run(["pg_nothing"])
    with pytest.raises(ProgramMissing):
        Streaming(["pg_nothing"], mode="read")


def test_timeout_stops_it_and_its_children(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match=r"did not finish within 0\.3 seconds"):
        run([SH, "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"], timeout=0.3)
    assert gone(int((tmp_path / "pid").read_text()))


def test_reading_a_stream_to_its_successful_end() -> None:
    with Streaming(["head", "-c", "5000000", "/dev/zero"], mode="read") as process:
        total = 0
        while chunk := process.read(1 << 16):
            total += len(chunk)
        assert process.read() == b""
    assert total == 5_000_000
    assert process.code == 0


def test_the_end_of_a_failed_stream_is_an_error_and_not_an_end() -> None:
    with Streaming([SH, "-c", "echo half; exit 1"], mode="read") as process:
        assert process.read() == b"half\n"
        with pytest.raises(ProcessFailed):
            process.read()


def test_a_stream_waits_for_the_exit_code_even_when_output_closed_early() -> None:
    with Streaming([SH, "-c", "echo half; exec >&-; sleep 0.2; exit 7"], mode="read") as process:
        process.read()
        with pytest.raises(ProcessFailed) as failed:
            process.read()
    assert failed.value.code == 7


def test_reading_into_a_buffer() -> None:
    buffer = bytearray(10)
    with Streaming(["printf", "abc"], mode="read") as process:
        assert process.readinto(memoryview(buffer)) == 3
        assert process.readinto(buffer) == 0
        assert process.readinto(buffer) == 0
    assert buffer[:3] == b"abc"


def test_abandoning_a_stream_stops_the_program() -> None:
    with Streaming(["yes"], mode="read") as process:
        process.read(10)
    assert gone(process.pid)


def test_a_file_as_standard_input(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"content")
    with (tmp_path / "in").open("rb") as source, Streaming(["cat"], mode="read", stdin=source) as process:
        assert process.read() == b"content"


def test_writing_a_stream(tmp_path: Path) -> None:
    with Streaming([SH, "-c", f"cat > {tmp_path}/out"], mode="write") as process:
        for _ in range(50):
            process.write(b"y" * 100_000)
    assert (tmp_path / "out").stat().st_size == 5_000_000


def test_leaving_the_block_raises_when_the_written_program_failed() -> None:
    with (
        pytest.raises(ProcessFailed, match="exit code 4"),
        Streaming([SH, "-c", "cat >/dev/null; exit 4"], mode="write") as process,
    ):
        process.write(b"data")


@pytest.mark.parametrize(("code", "words"), [(0, "stopped reading before the end"), (5, "exit code 5")])
def test_a_program_that_no_longer_reads(code: int, words: str) -> None:
    with pytest.raises(ProcessFailed, match=words), Streaming([SH, "-c", f"exit {code}"], mode="write") as process:
        for _ in range(100):
            process.write(b"z" * 100_000)


def test_an_exception_inside_the_block_stops_the_program() -> None:
    with pytest.raises(ZeroDivisionError), Streaming(["cat"], mode="write") as process:
        raise ZeroDivisionError
    assert gone(process.pid)


def test_stopping_from_another_thread_ends_the_reader() -> None:
    with Streaming([SH, "-c", "echo one; sleep 60"], mode="read") as process:
        process.read()
        threading.Timer(0.1, process.stop).start()
        with pytest.raises(ProcessFailed):
            process.read()


def test_a_program_that_ignores_polite_signals_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups.processes.TERM_GRACE_SECONDS", 0.2)
    with Streaming([SH, "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], mode="read") as process:
        process.read()
        started = time.monotonic()
        process.stop()
        assert time.monotonic() - started < 3


PARENT = """
import sys, time
from backups.processes import Streaming
process = Streaming(["/bin/sh", "-c", sys.argv[1]], mode="read")
print(process.read().decode(), process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    "script",
    ["sleep 60 & echo $$ $!; wait", "trap '' TERM; (trap '' TERM; sleep 60) & echo $$ $!; sleep 60"],
    ids=["polite", "stubborn"],
)
def test_killing_the_portal_leaves_no_child_and_no_grandchild(script: str) -> None:
    portal = subprocess.Popen([sys.executable, "-c", PARENT, script], stdout=subprocess.PIPE, text=True)
    assert portal.stdout is not None
    pids = [int(word) for word in (portal.stdout.readline() + portal.stdout.readline()).split()]
    assert len(pids) == 3
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
    portal.send_signal(signal.SIGKILL)
    portal.wait()
    portal.stdout.close()
    assert all(gone(pid) for pid in pids)


def test_no_descriptor_is_left_open() -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    run(["true"])
    before = descriptors()
    for _ in range(5):
        run(["cat"], stdin=b"x")
        with Streaming(["yes"], mode="read") as reading:
            reading.read(1)
        with Streaming(["cat"], mode="write") as writing:
            writing.write(b"x")
    assert descriptors() == before
