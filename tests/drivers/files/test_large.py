"""Large trees: constant memory and honest speed, each verb in a process of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.benchmarks.files import Bench
from tests.benchmarks.measure import run_program
from tests.drivers.cases.files import fingerprint, remove_tree

pytestmark = pytest.mark.slow
MOST_MB = 200
GB = 10**9


def small_files(root: Path) -> None:
    for number in range(100_000):
        directory = root / f"directory {number // 500}"
        if number % 500 == 0:
            directory.mkdir()
        (directory / f"file {number}").write_bytes(b"%d\n" % number * (number % 40))


def one_directory(root: Path) -> None:
    for number in range(100_000):
        (root / f"file {number}").write_bytes(b"%d\n" % number)


def dense_file(root: Path) -> None:
    blocks = [Random(1).randbytes(1 << 20), bytes(1 << 20), b"text and more text " * 55_000]
    with (root / "dense").open("wb") as file:
        for number in range(2 * GB >> 20):
            file.write(blocks[number % 3])


def sparse_file(root: Path) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(2 * GB)
        for number in range(0, 2 * GB, 50_000_000):
            file.seek(number)
            file.write(Random(number).randbytes(3_000_000))


def hard_links(root: Path) -> None:
    for number in range(20_000):
        (root / f"a{number}").write_bytes(b"%d" % number)
        for other in "bc":
            os.link(root / f"a{number}", root / f"{other}{number}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.source.mkdir(parents=True)
    yield made
    remove_tree(tmp_path)


@pytest.mark.parametrize("build", [small_files, one_directory, dense_file, sparse_file, hard_links])
def test_memory_does_not_grow_with_the_tree(bench: Bench, build: Callable[[Path], None]) -> None:
    build(bench.source)
    for verb in ("take", "restore", "verify"):
        started = time.perf_counter()
        peak = run_program(
            [sys.executable, "-m", "tests.benchmarks.files", "--directory", str(bench.home), "--verb", verb]
        )
        print(f"{build.__name__} {verb}: {time.perf_counter() - started:.1f} s, peak {peak:.0f} MB")
        assert peak < MOST_MB
    assert fingerprint(bench.place.beside) == fingerprint(bench.source)
