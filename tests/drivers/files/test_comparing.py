"""A restored tree is compared in everything, and what differs is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backups.drivers.base import NotAsBackedUp
from tests.drivers.cases.files import (
    build_tree,
)
from tests.drivers.files.tree import Tree

TAMPERINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "mode": (lambda root: (root / "large").chmod(0o601), "large: mode is 0601"),
    "time": (
        lambda root: os.utime(root / "large", ns=(0, 1)),
        "large: time is 1970-01-01 00:00:00.000000001 UTC instead of 2020-09-13 12:26:40.000000000 UTC",
    ),
    "extra file": (lambda root: (root / "extra").touch(), "extra: file is not in the backup"),
    "extra inside": (lambda root: (root / "empty directory" / "x").touch(), "empty directory/x: file is not in"),
    "missing file": (lambda root: (root / "empty").unlink(), "empty: file is missing"),
    "missing link": (lambda root: (root / "broken link").unlink(), "broken link: symlink is missing"),
    "link target": (lambda root: _relink(root / "loop", ".."), "loop: link target is .. instead of ."),
    "attribute": (lambda root: os.setxattr(root / "setgid", "user.plain", b"other"), "attributes differ: user.plain"),
    "access list": (
        lambda root: os.removexattr(root / "readonly", "system.posix_acl_access"),
        "readonly: attributes differ: system.posix_acl_access",
    ),
    "hard link": (lambda root: _unshare(root / "zz hard link"), "zz hard link: type is file instead of hardlink"),
    "type": (lambda root: _retype(root / "fifo"), "fifo: type is directory instead of fifo"),
    "longer": (lambda root: _append(root / "large"), "large: size is 3000002 instead of 3000001"),
    "content": (lambda root: _flip(root / "large"), "large: content differs"),
    "content of a hole": (lambda root: _flip(root / "all hole"), "all hole: content differs"),
    "odd name": (
        lambda root: os.unlink(os.fsencode(root) + b"/not utf-8 \xff\xfe"),
        "not utf-8 \\xff\\xfe: file is missing",
    ),
    "root": (lambda root: root.chmod(0o711), ".: mode is 0711"),
}


def _relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def _unshare(path: Path) -> None:
    shutil.copy2(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def _retype(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def _flip(path: Path) -> None:
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(500_000)
        file.write(b"?")
    os.utime(path, ns=(0, status.st_mtime_ns))


def test_every_kind_of_difference_is_named(tree: Tree) -> None:
    build_tree(tree.live)
    artefact = tree.take()
    for what, (tamper, text) in TAMPERINGS.items():
        place = tree.restore(artefact)
        tamper(Path(place.beside))
        with pytest.raises(NotAsBackedUp) as differs:
            tree.verify(artefact)
        assert text in differs.value.detail, what
        assert "difference" in differs.value.sentence


def test_an_owner_that_differs_is_named(tree: Tree) -> None:
    tree.live.mkdir()
    (tree.live / "file").touch()
    artefact = tree.take()
    other = [group for group in (os.getgroups() if os.geteuid() else [12345]) if group != os.getegid()]
    place = tree.restore(artefact)
    for group in other[:1]:
        os.chown(Path(place.beside) / "file", -1, group)
        with pytest.raises(NotAsBackedUp, match="file: group is"):
            tree.verify(artefact)


def test_many_differences_are_counted_and_ten_are_named(tree: Tree) -> None:
    tree.live.mkdir()
    for number in range(50):
        (tree.live / f"file {number:02}").touch()
    artefact = tree.take()
    place = tree.restore(artefact)
    for number in range(40):
        (Path(place.beside) / f"file {number:02}").unlink()
    os.utime(place.beside, ns=(0, tree.live.stat().st_mtime_ns))
    with pytest.raises(NotAsBackedUp) as differs:
        tree.verify(artefact)
    assert "40 differences" in differs.value.sentence
    assert len(differs.value.detail.splitlines()) == 11
