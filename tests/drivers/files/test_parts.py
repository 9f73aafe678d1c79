"""Restoring a part of a tree: exactly what was picked, with what is below and above, and as it was."""

from __future__ import annotations

import ast
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.artefacts import StoredArtefact
from backups.drivers.base import DamagedBackup, DriverError, Mode, NotAsBackedUp, Verified
from backups.drivers.keys import key_of, names_of, without_doubles
from tests.drivers.cases.files import build_tree, fingerprint, remove_tree
from tests.drivers.files.tree import Tree, quiet

HARD_LINKS = ("readme.txt", "order/hard link", "zz hard link")


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tree, StoredArtefact]]:
    """One of everything that file systems are awkward about, and its backup."""
    tree = Tree(tmp_path_factory.mktemp("parts"))
    build_tree(tree.live)
    for name in ("z1", "z2"):  # further names after a directory of their own, and beside each other
        (tree.live / name).mkdir(mode=0o700)
        os.link(tree.live / "sparse", tree.live / name / ("sparse, " + "again " * 30))
        os.utime(tree.live / name, ns=(5, 6))
    yield tree, tree.take()
    remove_tree(tree.roots)


def restore(tree: Tree, artefact: StoredArtefact, part: list[str]) -> tuple[Path, Verified]:
    """The part, restored and compared."""
    place = tree.place(Mode.BESIDE)
    parts = tree.driver.parts
    assert parts.preflight(tree.settings, place, artefact, part, tree.home)
    assert parts.restore(tree.settings, place, artefact, part, tree.home, quiet) == []
    return Path(place.beside), parts.verify(tree.settings, place, artefact, part, quiet)


def remove(tree: Tree) -> None:
    place = tree.place(Mode.BESIDE)
    tree.driver.discard(tree.settings, place, place.beside)


def paths_below(root: Path) -> list[bytes]:
    top = os.fsencode(root)
    found = [os.path.join(folder, name) for folder, folders, files in os.walk(top) for name in folders + files]
    return sorted(os.path.relpath(path, top) for path in found)


def closed(live: Path, picked: list[bytes]) -> set[bytes]:
    """What was picked with everything below and above, worked out without the driver."""
    everything = paths_below(live)
    below = {path for path in everything for one in picked if path == one or path.startswith(one + b"/")}
    above = {b"/".join(one.split(b"/")[:depth]) for one in picked for depth in range(1, one.count(b"/") + 1)}
    return below | above | {b"."}


def expected_fingerprint(live: Path, picked: list[bytes]) -> dict[str, str]:
    """The original's fingerprint, of these alone; of names of one inode those that are left belong together."""
    wanted = closed(live, picked)
    found: dict[str, str] = {}
    for name, facts in fingerprint(live).items():
        if name.startswith("one inode: "):
            group = sorted(set(ast.literal_eval(name.removeprefix("one inode: "))) & wanted)
            if len(group) > 1:
                found[f"one inode: {group!r}"] = str(len(group))
        elif ast.literal_eval(name) in wanted:
            found[name] = facts
    return found


def key(path: bytes) -> str:
    return key_of(os.fsdecode(path).split("/"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_part_is_restored_exactly(backed_up: tuple[Tree, StoredArtefact], data: st.DataObject) -> None:
    tree, artefact = backed_up
    names = [
        path for path in paths_below(tree.live) if not stat.S_ISSOCK(os.lstat(tree.live / os.fsdecode(path)).st_mode)
    ]
    linked = [path for path in names if os.lstat(os.path.join(os.fsencode(tree.live), path)).st_nlink > 1]
    pick = st.sampled_from(names) | st.sampled_from(linked)
    picked = data.draw(st.lists(pick, min_size=1, max_size=6, unique=True))
    beside, verified = restore(tree, artefact, without_doubles(map(key, picked)))
    try:
        assert fingerprint(beside) == expected_fingerprint(tree.live, picked)
        assert sum(verified.compared.values()) > 0
    finally:
        remove(tree)


def test_a_hard_link_without_its_first_name_keeps_its_content(backed_up: tuple[Tree, StoredArtefact]) -> None:
    """A tar refers to the first name: picked alone, a further one would be a link to nothing."""
    tree, artefact = backed_up
    beside, _ = restore(tree, artefact, ["zz hard link"])
    assert (beside / "zz hard link").read_bytes() == (tree.live / "zz hard link").read_bytes()
    assert (beside / "zz hard link").lstat().st_nlink == 1
    remove(tree)


def test_what_was_not_picked_is_not_demanded_but_nothing_else_may_stand_there(
    backed_up: tuple[Tree, StoredArtefact],
) -> None:
    tree, artefact = backed_up
    beside, _ = restore(tree, artefact, ["readme.txt"])
    assert os.listdir(beside) == ["readme.txt"]
    (beside / "order").mkdir()
    with pytest.raises(NotAsBackedUp) as differs:
        tree.driver.parts.verify(tree.settings, tree.place(Mode.BESIDE), artefact, ["readme.txt"], quiet)
    assert "order: directory is not in the backup" in differs.value.detail
    remove(tree)


@pytest.mark.parametrize("harm", ["content", "mode", "missing"])
def test_a_part_that_differs_is_named(backed_up: tuple[Tree, StoredArtefact], harm: str) -> None:
    tree, artefact = backed_up
    place, part = tree.place(Mode.BESIDE), ["order", "large"]
    beside, _ = restore(tree, artefact, part)
    if harm == "content":
        status = (beside / "large").stat()
        with (beside / "large").open("r+b") as file:
            file.write(b"!")
        os.utime(beside / "large", ns=(status.st_atime_ns, status.st_mtime_ns))
    elif harm == "mode":
        (beside / "order" / "a").chmod(0o123)
    else:
        shutil.rmtree(beside / "order" / "a")
    with pytest.raises(NotAsBackedUp) as differs:
        tree.driver.parts.verify(tree.settings, place, artefact, part, quiet)
    assert {"content": "large: content differs", "mode": "order/a: mode", "missing": "is missing"}[harm] in str(
        differs.value.detail
    )
    remove(tree)


@pytest.mark.parametrize(
    "part", [["not there"], ["readme.txt", "order/nothing"], ["readme.txt/below"], [], [""], ["a\\q"]]
)
def test_what_is_not_in_the_backup_is_refused_before_anything_is_made(
    backed_up: tuple[Tree, StoredArtefact], part: list[str]
) -> None:
    tree, artefact = backed_up
    before = os.listdir(tree.roots)
    with pytest.raises(DriverError) as refused:
        tree.driver.parts.preflight(tree.settings, tree.place(Mode.BESIDE), artefact, part, tree.home)
    assert refused.value.sentence.endswith(".")
    assert os.listdir(tree.roots) == before


class Altered:
    """An artefact in whose stream some bytes are others, as if the checksum could not tell."""

    def __init__(self, real: StoredArtefact, before: bytes, after: bytes) -> None:
        self.real, self.before, self.after = real, before, after
        self.source_bytes = real.source_bytes
        self.manifest = real.manifest

    def open(self) -> BinaryIO:
        import io

        return io.BytesIO(self.real.open().read().replace(self.before, self.after, 1))


@pytest.mark.parametrize(
    ("before", "after"), [(b"./readme.txt\0", b"./reedme.txt\0"), (b"ustar\x0000", b"user\0\x0000")]
)
def test_a_stream_that_is_not_the_portals_is_refused_and_nothing_left(
    backed_up: tuple[Tree, StoredArtefact], before: bytes, after: bytes
) -> None:
    tree, artefact = backed_up
    place, names = tree.place(Mode.BESIDE), os.listdir(tree.roots)
    with pytest.raises(DamagedBackup):
        tree.driver.parts.restore(
            tree.settings, place, Altered(artefact, before, after), ["readme.txt"], tree.home, quiet
        )
    assert os.listdir(tree.roots) == names


def test_damage_far_from_what_was_picked_is_noticed_too(backed_up: tuple[Tree, StoredArtefact]) -> None:
    """What is read is read to its proven end: a part is believed no sooner than a whole."""
    tree, artefact = backed_up
    path = Path(tree.home) / "store" / "backup" / "data.zst"
    good = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(good[:-3] + bytes([good[-3] ^ 1]) + good[-2:])
    try:
        with pytest.raises(DamagedBackup):
            tree.driver.parts.restore(tree.settings, tree.place(Mode.BESIDE), artefact, ["block"], tree.home, quiet)
    finally:
        path.write_bytes(good)
    assert not os.path.lexists(tree.place(Mode.BESIDE).beside)


def test_the_items_are_everything_but_the_directory_itself(backed_up: tuple[Tree, StoredArtefact]) -> None:
    tree, artefact = backed_up
    found = {key_of(item.names): item for item in tree.driver.parts.items(artefact)}
    assert set(found) == set(map(key, paths_below(tree.live)))
    assert all(item.kind in tree.driver.parts.nouns for item in found.values())
    assert found["large"].size == 3_000_001
    assert found["zz hard link"].same_as == ("order", "hard link")
    assert found["order"].holds


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1)
        .map(os.fsencode)
        .filter(bool),
        min_size=1,
    )
)
def test_every_name_has_one_key_on_one_line(names: list[bytes]) -> None:
    written = key_of(map(os.fsdecode, names))
    assert written.isprintable()
    assert names_of(written) == tuple(map(os.fsdecode, names))


@given(st.binary(min_size=1).filter(lambda name: b"/" not in name))
def test_bytes_of_no_encoding_have_a_key_too(name: bytes) -> None:
    assert list(map(os.fsencode, names_of(key_of([os.fsdecode(name)])))) == [name]


@given(st.text())
def test_what_is_no_key_is_refused(text: str) -> None:
    try:
        names = names_of(text)
    except ValueError:
        return
    assert key_of(names) == text
