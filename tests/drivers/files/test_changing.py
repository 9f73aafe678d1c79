"""A tree that changes while it is backed up: what is stored verifies, what differs is told, nothing is followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backups.drivers.base import DriverError
from tests.drivers.files.tree import Tree, as_nobody, once


@pytest.mark.parametrize("size", [5, 300_000, 2_000_000])
@pytest.mark.parametrize("change", ["grows", "shrinks", "is rewritten"])
def test_a_file_that_changes_while_read_is_told_and_still_verifies(tree: Tree, size: int, change: str) -> None:
    tree.live.mkdir()
    path = tree.live / "changing"
    path.write_bytes(b"a" * size)
    os.utime(path, ns=(0, 0))

    def act() -> None:
        if change == "grows":
            with path.open("ab") as file:
                file.write(b"b" * 1000)
        elif change == "shrinks":
            os.truncate(path, size // 2)
        else:
            path.write_bytes(b"c" * size)

    artefact = tree.take(once(b"./changing", act))
    assert len(tree.taken.warnings) == 1
    assert "changing" in tree.taken.warnings[0]
    assert [entry["path"] for entry in artefact.manifest() if entry.get("changed")] == ["changing"]
    place = tree.restore(artefact)
    tree.verify(artefact)
    assert (Path(place.beside) / "changing").stat().st_size == size


def test_what_vanishes_meanwhile_is_told(tree: Tree) -> None:
    tree.live.mkdir()
    for name in ("a", "b file", "d"):
        (tree.live / name).touch()
    (tree.live / "c directory").mkdir()

    def act() -> None:
        (tree.live / "b file").unlink()
        (tree.live / "c directory").rmdir()

    artefact = tree.take(once(b"./a", act))
    assert [entry["path"] for entry in artefact.manifest()] == ["", "a", "d"]
    assert "b file, c directory" in tree.taken.warnings[0]


def test_what_is_replaced_meanwhile_is_never_followed(tree: Tree) -> None:
    tree.live.mkdir()
    outside = tree.home / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    for name in ("a", "b", "d", "e"):
        (tree.live / name).touch()
    (tree.live / "c").mkdir()

    def act() -> None:
        (tree.live / "b").unlink()
        os.symlink(outside / "secret", tree.live / "b")
        (tree.live / "c").rmdir()
        os.symlink(outside, tree.live / "c")
        (tree.live / "d").unlink()
        os.mkfifo(tree.live / "d")
        (tree.live / "e").unlink()
        (tree.live / "e").mkdir()

    artefact = tree.take(once(b"./a", act))
    types = {entry["path"]: entry["type"] for entry in artefact.manifest()}
    assert types == {"": "directory", "a": "file", "b": "symlink", "c": "symlink", "d": "fifo", "e": "directory"}


def test_what_cannot_be_read_is_an_error_that_names_it(open_tree: Tree) -> None:
    for name in ("closed file", "closed directory"):
        path = open_tree.live / name
        path.mkdir() if "directory" in name else path.touch()
        path.chmod(0)
        with as_nobody(open_tree):
            with pytest.raises(DriverError, match=name):
                open_tree.take()
            with pytest.raises(DriverError, match=name) as refused:
                open_tree.driver.check(open_tree.settings)
        assert refused.value.setting == "path"  # a form shows it beside that field
        path.rmdir() if "directory" in name else path.unlink()
