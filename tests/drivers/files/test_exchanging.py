"""Before a restore, exchanging, and removing: refused in words, or done whole."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.drivers.base import DriverError, Mode, Standing
from backups.drivers.files.mounts import mounts_within
from tests.drivers.cases.files import (
    FilesCase,
    before_each_step_without_exchange,
    build_tree,
    fingerprint,
    remove_tree,
)
from tests.drivers.child import Job, run
from tests.drivers.files.tree import NOBODY, Tree, as_nobody, quiet
from tests.drivers.rooms import prepared, small_directory

# Before a restore


def test_preflight_touches_nothing_and_says_what_it_saw(tree: Tree) -> None:
    build_tree(tree.live)
    artefact = tree.take()
    before, names = fingerprint(tree.live), sorted(os.listdir(tree.roots))
    for mode in Mode:
        said = tree.preflight(artefact, mode)
        assert all(sentence.endswith(".") for sentence in said)
    assert (fingerprint(tree.live), sorted(os.listdir(tree.roots))) == (before, names)


def test_preflight_says_how_much_room_is_missing(tree: Tree) -> None:
    tree.live.mkdir()
    artefact = tree.take()
    huge = StoredArtefact(tree.store, "backup", replace(artefact.info, source_bytes=10**18))
    with pytest.raises(DriverError, match="needs 2000 PB free"):
        tree.preflight(huge)


def test_preflight_refuses_what_only_root_may_restore(open_tree: Tree) -> None:
    (open_tree.live / "file").touch()
    artefact = open_tree.take()
    if os.geteuid() == 0:
        with as_nobody(open_tree), pytest.raises(DriverError, match="belongs to another user"):
            open_tree.preflight(artefact)


def test_preflight_refuses_a_parent_that_cannot_be_written(open_tree: Tree) -> None:
    if os.geteuid() == 0:
        os.chown(open_tree.live, NOBODY, NOBODY)
    artefact = open_tree.take()
    with as_nobody(open_tree):
        os.chmod(open_tree.roots, 0o555)
        with pytest.raises(DriverError, match="may not write"):
            open_tree.preflight(artefact)


def test_other_file_systems_inside_are_stored_told_and_never_emptied(tree: Tree) -> None:
    assert mounts_within("/") != []
    tree.live.mkdir()
    with small_directory(tree.live / "inner", megabytes=1) as inner:
        if not os.path.ismount(inner):
            return  # we may not mount; that the kernel's list is read was seen above
        (inner / "file").write_text("content")
        artefact = tree.take()
        assert "inner" in tree.taken.warnings[0]
        assert "inner/file" in [entry["path"] for entry in artefact.manifest()]
        with pytest.raises(DriverError, match="mounted inside"):
            tree.preflight(artefact)
        place = tree.driver.identify(tree.settings, tree.restore(artefact))
        tree.driver.swap(tree.settings, place)
        try:
            with pytest.raises(DriverError, match="Unmount"):
                tree.driver.discard(tree.settings, place, place.kept)
            assert Path(place.kept, "inner", "file").read_text() == "content"
        finally:
            tree.driver.swap_back(tree.settings, place)


def test_a_file_system_of_its_own_is_not_exchanged(tree: Tree) -> None:
    with small_directory(tree.live, megabytes=1) as live:
        if os.path.ismount(live):
            with pytest.raises(DriverError, match="file system of its own"):
                tree.preflight(tree.take())


# Names, exchanging, removing


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "✓" * 85, "a"])
def test_the_longest_names_can_be_restored_in_place(tree: Tree, name: str) -> None:
    tree.live = tree.roots / name
    tree.settings = {"path": str(tree.live)}
    tree.live.mkdir()
    (tree.live / "file").write_text("old")
    artefact = tree.take()
    (tree.live / "file").write_text("new")
    place = tree.driver.identify(tree.settings, tree.restore(artefact))
    for one in (place.beside, place.kept):
        assert len(os.fsencode(os.path.basename(one))) <= 250
    tree.driver.swap(tree.settings, place)
    assert (tree.live / "file").read_text() == "old"
    assert Path(place.kept, "file").read_text() == "new"


def test_a_stranger_under_the_live_name_is_left_alone(tree: Tree) -> None:
    tree.live.mkdir()
    place = tree.driver.identify(tree.settings, tree.restore(tree.take()))
    tree.live.rename(tree.roots / "elsewhere")
    tree.live.mkdir()
    (tree.live / "precious").touch()
    for verb in (tree.driver.swap, tree.driver.swap_back):
        with pytest.raises(DriverError):
            verb(tree.settings, place)
    assert tree.driver.standing(tree.settings, place) is Standing.UNKNOWN
    assert (tree.live / "precious").exists()


def test_what_may_be_the_last_of_it_is_not_removed(tree: Tree) -> None:
    tree.live.mkdir()
    (tree.live / "file").touch()
    place = tree.driver.identify(tree.settings, tree.restore(tree.take()))
    tree.driver.swap(tree.settings, place)
    tree.live.rename(tree.roots / "elsewhere")
    with pytest.raises(DriverError, match="may be all that is left"):
        tree.driver.discard(tree.settings, place, place.kept)
    (tree.roots / "elsewhere").rename(tree.live)
    os.rename(place.kept, place.beside)  # as if killed in the middle of a swap
    with pytest.raises(DriverError, match="holds the original"):
        tree.driver.discard(tree.settings, place, place.beside)
    assert Path(place.beside, "file").exists()


def test_removing_follows_no_link_and_minds_no_mode(open_tree: Tree) -> None:
    outside = open_tree.home / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    artefact = open_tree.take()
    with as_nobody(open_tree):
        place = open_tree.place()
        beside = Path(place.beside)
        (beside / "a" / "b").mkdir(parents=True)
        (beside / "a" / "b" / "file").touch()
        os.symlink(outside, beside / "a" / "link")
        os.symlink(outside, beside / "link")
        for path, mode in ((beside / "a" / "b", 0), (beside / "a", 0o555), (beside, 0o111)):
            path.chmod(mode)
        open_tree.driver.discard(open_tree.settings, place, place.beside)
    assert sorted(os.listdir(open_tree.roots)) == ["live"]
    assert (outside / "precious").exists()
    assert artefact.info.entries == 1


def test_a_removal_that_was_cut_short_is_finished(tree: Tree) -> None:
    tree.live.mkdir()
    place = tree.restore(tree.take())
    Path(place.beside).rename(place.beside + ".gone")
    tree.driver.discard(tree.settings, place, place.beside)
    assert os.listdir(tree.roots) == ["live"]


def test_a_restore_with_another_live_name_is_refused(tree: Tree) -> None:
    tree.live.mkdir()
    other = tree.roots / "other"
    other.mkdir()
    place = tree.driver.place({"path": str(other)}, "t1", Mode.IN_PLACE)
    with pytest.raises(DriverError, match="elsewhere"):
        tree.driver.swap(tree.settings, place)


@pytest.mark.usefixtures("no_exchange")
def test_without_exchange_preflight_says_so_and_two_renames_do_it(tree: Tree) -> None:
    tree.live.mkdir()
    (tree.live / "file").write_text("old")
    artefact = tree.take()
    (tree.live / "file").write_text("new")
    assert "will be absent" in tree.preflight(artefact)[-1]
    place = tree.driver.identify(tree.settings, tree.restore(artefact))
    for _ in range(2):
        tree.driver.swap(tree.settings, place)
        assert (tree.live / "file").read_text() == "old"
        tree.driver.swap_back(tree.settings, place)
        assert (tree.live / "file").read_text() == "new"
        assert not os.path.exists(place.kept)


@pytest.mark.usefixtures("no_exchange")
@pytest.mark.parametrize("killed_in", ["swap", pytest.param("swap_back", marks=pytest.mark.slow)])
def test_without_exchange_a_killed_swap_can_be_finished_or_undone(tmp_path: Path, killed_in: str) -> None:
    tmp_path = tmp_path / "home"
    case = FilesCase(tmp_path, before_each_step_without_exchange)
    tree_settings = dict(case.settings)
    store = prepared("here", tmp_path.parent / "store")
    with ArtefactWriter(store, "backup", kind="files", header={}) as writer:
        artefact = StoredArtefact(store, "backup", writer.finish(case.driver.take(case.settings, writer, quiet)))
    before = case.snapshot(case.settings["path"])
    case.mutate()
    newer = case.snapshot(case.settings["path"])
    place = case.driver.place(case.settings, "t", Mode.IN_PLACE)
    case.driver.restore(case.settings, place, artefact, tmp_path, quiet)
    place = case.driver.identify(case.settings, place)
    gaps = 0
    for on in (case.driver.swap, case.driver.swap_back):
        step, died = 0, True
        while died:
            step += 1
            (case.driver.swap_back if killed_in == "swap" else case.driver.swap)(case.settings, place)
            job = Job(killed_in, case.driver, tree_settings, store, place=place, die_at_step=step)
            died = run(replace(job, before_each_step=before_each_step_without_exchange)) != 0
            if not case.exists(place.live):
                gaps += 1
                assert case.driver.standing(case.settings, place) is Standing.NOTHING
                for name in (place.beside, place.kept):
                    with pytest.raises(DriverError):
                        case.driver.discard(case.settings, place, name)
            on(case.settings, place)
            assert case.snapshot(place.live) == (before if on == case.driver.swap else newer)
    assert gaps > 0
    with suppress(FileNotFoundError):
        remove_tree(tmp_path)
