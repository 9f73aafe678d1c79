"""What the artefact of a directory tree holds. Real files, the real GNU tar."""

from __future__ import annotations

import os
import socket
import stat
import subprocess

import pytest

from backups.drivers.base import DriverError
from backups.drivers.files import FilesDriver
from tests.drivers.cases.files import (
    build_tree,
    fingerprint,
)
from tests.drivers.files.tree import Tree

# Settings


def test_one_directory_has_one_locator(tree: Tree) -> None:
    tree.live.mkdir()
    os.symlink(tree.roots, tree.home / "way")
    for path in (f"{tree.live}/", f"{tree.roots}//live", f"{tree.roots}/./x/../live", f"{tree.home}/way/live"):
        assert tree.driver.locator({"path": path}) == str(tree.live)
        assert tree.driver.check({"path": path}).locator == str(tree.live)


def test_directories_overlap_when_nested_and_not_when_alike(tree: Tree) -> None:
    overlaps = tree.driver.overlaps
    assert overlaps("/a/b", "/a")
    assert overlaps("/a", "/a/b")
    assert not overlaps("/a/b", "/a/bc")


def test_without_roots_nothing_is_allowed(tree: Tree) -> None:
    tree.live.mkdir()
    with pytest.raises(DriverError, match="FILES_ROOTS"):
        FilesDriver(()).check(tree.settings)


def test_a_refusal_names_the_allowed_roots(tree: Tree) -> None:
    with pytest.raises(DriverError) as refused:
        tree.driver.check({"path": "/etc"})
    assert str(tree.roots) in refused.value.sentence


# What the artefact holds


def test_gnu_tar_alone_brings_everything_back(tree: Tree) -> None:
    build_tree(tree.live)
    tree.take()
    target = tree.roots / "by hand"
    target.mkdir()
    stored = tree.home / "store" / "backup" / "data.zst"
    command = f"zstd -dc {stored} | tar -C '{target}' -xp --xattrs --xattrs-include='*'"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "implausibly old time stamp" not in line]  # 1969 is meant
    assert (done.returncode, said) == (0, [])
    assert fingerprint(target) == fingerprint(tree.live)


def test_the_awkward_tree_is_awkward(tree: Tree) -> None:
    """Else the tests that compare fingerprints would prove little."""
    build_tree(tree.live)
    text = "\n".join(f"{name} {what}" for name, what in fingerprint(tree.live).items())
    for part in ("user.odd=%name", "posix_acl_access", "posix_acl_default", "one inode", "\\xff", "-12345678901234567"):
        assert part in text
    if os.geteuid() == 0:
        for part in ("security.capability", "trusted.of-link", "4000000000", "3000000"):
            assert part in text


def test_the_manifest_begins_with_the_root_and_has_every_path_once(tree: Tree) -> None:
    build_tree(tree.live)
    paths = [entry["path"] for entry in tree.take().manifest()]
    assert paths[0] == ""
    assert len(paths) == len(set(paths))
    assert "not utf-8 \udcff\udcfe" in paths
    assert [path.split("/") for path in paths[1:]] == sorted(path.split("/") for path in paths[1:])


def test_holes_are_neither_stored_nor_filled(tree: Tree) -> None:
    tree.live.mkdir()
    with (tree.live / "sparse").open("wb") as file:
        file.truncate(1 << 26)
        for position in (0, 30 << 20, (1 << 26) - 4096):
            file.seek(position)
            file.write(b"data")
    if (tree.live / "sparse").stat().st_blocks * 512 > 1 << 25:
        return  # a file system without holes
    restored = tree.round_trip()
    assert (tree.home / "store" / "backup" / "data.zst").stat().st_size < 100_000
    assert (restored / "sparse").stat().st_blocks * 512 < 1 << 20
    assert (restored / "sparse").stat().st_size == 1 << 26


def test_hard_links_are_one_inode_again(tree: Tree) -> None:
    build_tree(tree.live)
    restored = tree.round_trip()
    one, two, three = (restored / name for name in ("readme.txt", "zz hard link", "order/hard link"))
    assert one.stat().st_ino == two.stat().st_ino == three.stat().st_ino
    assert tree.taken.summary["hard_links"] == 3


def test_sockets_are_passed_over_and_told(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.live.mkdir()
    (tree.live / "file").touch()
    monkeypatch.chdir(tree.live)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("a.sock")
        tree.round_trip()
    assert [warning for warning in tree.taken.warnings if "a.sock" in warning]


def test_an_empty_directory_is_a_backup_too(tree: Tree) -> None:
    tree.live.mkdir(mode=0o700)
    assert fingerprint(tree.round_trip()) == fingerprint(tree.live)


def test_the_time_of_last_access_is_left_alone(tree: Tree) -> None:
    tree.live.mkdir()
    (tree.live / "file").write_text("content")
    os.utime(tree.live / "file", ns=(1, 2))
    tree.take()
    assert (tree.live / "file").stat().st_atime_ns == 1


def test_modes_are_private_while_a_restore_is_built(tree: Tree) -> None:
    build_tree(tree.live)
    artefact = tree.take()
    place = tree.place()
    seen: set[int] = set()

    def look(bytes_done: int, bytes_expected: int | None = None) -> None:
        if bytes_done < artefact.source_bytes:
            seen.add(stat.S_IMODE(os.stat(place.beside).st_mode))

    tree.driver.restore(tree.settings, place, artefact, tree.home, look)
    assert seen <= {0o700}
