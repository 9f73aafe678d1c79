"""Whoever may write to a directory above the resource leads a worker, which may be root, nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from backups.drivers.base import DriverError, Mode
from backups.drivers.files import places
from backups.drivers.files.inodes import identity_of
from tests.drivers.files.tree import Tree, quiet


class MovesTheParent:
    """A stored backup; when its bytes are asked for, the directory above the target has just become a link elsewhere."""

    def __init__(self, artefact: Any, parent: Path, elsewhere: Path) -> None:
        self._artefact = artefact
        self._parent, self._elsewhere = parent, elsewhere

    def __getattr__(self, name: str) -> Any:
        return getattr(self._artefact, name)

    def open(self) -> BinaryIO:
        self._parent.rename(self._parent.with_name("moved"))
        self._parent.symlink_to(self._elsewhere)
        opened: BinaryIO = self._artefact.open()
        return opened


def test_a_restore_is_built_in_the_directory_that_was_made(tree: Tree) -> None:
    parent = tree.roots / "client"
    live, elsewhere = parent / "www", tree.home / "elsewhere"
    live.mkdir(parents=True)
    elsewhere.mkdir()
    (live / "page").write_text("ours")
    tree.settings = {"path": str(live)}
    artefact = tree.take()
    place = tree.driver.place(tree.settings, "t1", Mode.BESIDE)
    (elsewhere / os.path.basename(place.beside)).mkdir()
    # Whether it ends well is not the question (the clean-up will find the link): nothing may be written elsewhere.
    try:
        tree.driver.restore(tree.settings, place, MovesTheParent(artefact, parent, elsewhere), tree.home, quiet)
    except DriverError:
        pass
    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []


def test_a_link_above_is_not_followed(tree: Tree) -> None:
    (tree.roots / "real" / "www").mkdir(parents=True)
    (tree.roots / "link").symlink_to(tree.roots / "real")
    with pytest.raises(DriverError, match="symbolic link now"), places.opened(str(tree.roots / "link" / "www")):
        pass


def test_a_directory_made_anew_is_another_one(tree: Tree) -> None:
    root = os.open(tree.roots, os.O_RDONLY)
    try:
        seen = set()
        for _ in range(5):  # the inode's number is often given away again at once
            tree.live.mkdir()
            seen.add(identity_of(root, "live"))
            tree.live.rmdir()
        assert len(seen) == 5
        assert identity_of(root, "live") == ""
    finally:
        os.close(root)


def test_checking_a_large_tree_leaves_nothing_open(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups.drivers.files.survey.MOST", 3)
    tree.live.mkdir()
    for number in range(5):
        (tree.live / str(number)).touch()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        assert "more than 3 entries" in tree.driver.check(tree.settings).sentence
    assert len(os.listdir("/proc/self/fd")) == before
