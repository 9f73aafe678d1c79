"""Timing for the benchmarks: commands run in turns, best and median, peak memory, and a table with ratios."""

from __future__ import annotations

import atexit
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PEAK_FILE = "BENCHMARK_PEAK_FILE"  # where a program that run_program() started says its peak memory, when it ends


@dataclass
class Series:
    """The runs of one contender."""

    name: str
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0  # of our own process alone; 0 when it was not measured

    @property
    def best(self) -> float:
        """The quickest run, in seconds."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The middle run, in seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Contender:
    """One way to do the job. ``prepare`` is not timed.

    ``run`` is a function, or the arguments of a program: a process of our own, whose peak memory is then known.
    """

    name: str
    run: Callable[[], object] | Sequence[str]
    prepare: Callable[[], object] = lambda: None


def peak_mb() -> float:
    """The most memory that this process ever had resident, in MB.

    From the kernel's account of this program alone: what ``getrusage`` says of a child begins with its parent's size.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def run_program(arguments: Sequence[str]) -> float:
    """Run a Python program that imports this module; its own peak memory in MB. Raises when it failed."""
    with tempfile.NamedTemporaryFile("r") as file:
        subprocess.run(arguments, env={**os.environ, PEAK_FILE: file.name}, check=True)
        return float(file.read())


def _tell_peak(path: str) -> None:
    Path(path).write_text(f"{peak_mb():.1f}")


if PEAK_FILE in os.environ:
    atexit.register(_tell_peak, os.environ[PEAK_FILE])


def compete(contenders: Sequence[Contender], rounds: int = 3) -> dict[str, Series]:
    """Run all contenders in turns, ``rounds`` times, so that a slow minute of the machine hits all alike."""
    series = {contender.name: Series(contender.name) for contender in contenders}
    for turn in range(rounds):
        # Every other round backwards, so that nobody always inherits the same neighbour's dirty pages.
        for contender in contenders if turn % 2 == 0 else list(reversed(contenders)):
            contender.prepare()
            os.sync()
            one = series[contender.name]
            started = time.perf_counter()
            if callable(contender.run):
                contender.run()
            else:
                one.peak_mb = max(one.peak_mb, run_program(contender.run))
            one.seconds.append(time.perf_counter() - started)
    return series


def table(title: str, series: Mapping[str, Series], total_bytes: int, reference: str) -> str:
    """The results as text: MB/s of the best and the median run, and the ratio to the reference."""
    lines = [title, f"{'':44} {'best':>8} {'median':>8} {'MB/s':>7} {'ratio':>6} {'(median)':>8} {'peak MB':>8}"]
    base = series[reference]
    for one in series.values():
        speed = total_bytes / 1e6 / one.best
        peak = f"{one.peak_mb:8.0f}" if one.peak_mb else " " * 8
        lines.append(
            f"{one.name:44} {one.best:7.2f}s {one.median:7.2f}s {speed:7.0f} {base.best / one.best:6.2f}"
            f" {base.median / one.median:8.2f} {peak}"
        )
    return "\n".join(lines)
