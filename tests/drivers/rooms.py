"""Regions for the drivers' tests, and directories that really have no room: the kernel itself answers, nothing pretends."""

from __future__ import annotations

import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backups.stores.directory import DirectoryStore


def prepared(region: str, root: Path) -> DirectoryStore:
    """A region that is ready for use."""
    store = DirectoryStore(region, root)
    store.prepare()
    return store


@contextmanager
def small_directory(path: Path, megabytes: int) -> Iterator[Path]:
    """A small file system at ``path`` where we may mount one; elsewhere a limit on the size of any file this process writes."""
    path.mkdir(exist_ok=True)
    if _mounted(path, megabytes):
        try:
            yield path
        finally:
            _unmount(path)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, before[1]))
    try:
        yield path
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def small_file_system(path: Path, megabytes: int) -> Iterator[Path]:
    """A small file system at ``path``, for what asks how much room there is. Skips where none may be mounted."""
    path.mkdir(exist_ok=True)
    if not _mounted(path, megabytes):
        pytest.skip("mount: only root may use it")
    try:
        yield path
    finally:
        _unmount(path)


def _mounted(path: Path, megabytes: int) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(path)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def _unmount(path: Path) -> None:
    subprocess.run(["umount", str(path)], check=True)
