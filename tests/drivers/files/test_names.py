"""Sorted names of a directory, whether they fit into memory or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backups.drivers.files import names


@pytest.mark.parametrize("run", [1, 3, 100])
def test_runs_on_disk_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: int) -> None:
    monkeypatch.setattr(names, "RUN", run)
    wanted = ["a", "a b", "a\nb", "aa", "b", "\udcff\udc80", "\u00e9", "\u4e2d", "Z", "~"]
    for name in wanted[:-2]:
        (tmp_path / name).touch()
    for name in wanted[-2:]:
        (tmp_path / name).mkdir()
    before = len(os.listdir("/proc/self/fd"))
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        found = list(names.sorted_names(directory))
    finally:
        os.close(directory)
    assert found == sorted((name, name not in wanted[-2:]) for name in wanted)
    assert len(os.listdir("/proc/self/fd")) == before
