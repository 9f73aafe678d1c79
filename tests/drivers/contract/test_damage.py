"""A damaged backup, a tampered restore: noticed, named, and live untouched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from backups.drivers.base import DamagedBackup, NotAsBackedUp
from backups.stores.directory import DirectoryStore
from tests.drivers.contract.bench import PREFIX, AlteredManifest, Bench, quiet


def damage(store: DirectoryStore, root: Path, how: str, name: str) -> None:
    """Harm one stored object behind the store's back."""
    path = root / PREFIX / name
    size = path.stat().st_size
    os.chmod(path, 0o600)
    if how == "missing":
        path.unlink()
    elif how == "empty":
        os.truncate(path, 0)
    elif how == "cut":
        os.truncate(path, size - 1)
    elif how == "longer":
        with path.open("ab") as file:
            file.write(b"x")
    else:
        position = {"first byte": 0, "middle byte": size // 2, "last byte": size - 1}[how]
        with path.open("r+b") as file:
            file.seek(position)
            byte = file.read(1)
            file.seek(position)
            file.write(bytes([byte[0] ^ 0x10]))


HARMS = ("missing", "empty", "cut", "longer", "first byte", "middle byte", "last byte")


def test_damaged_data_is_noticed_and_live_untouched(bench: Bench, tmp_path: Path) -> None:
    case = bench.case
    artefact = bench.take()
    good = tmp_path / "good"
    shutil.copytree(tmp_path / "store" / PREFIX, good)
    place = bench.place()
    before, names = case.snapshot(place.live), case.names()
    for how in HARMS:
        damage(bench.store, tmp_path / "store", how, "data.zst")
        with pytest.raises(DamagedBackup) as damaged:
            bench.restore(place, artefact)
        assert damaged.value.sentence.endswith("."), how
        with pytest.raises(DamagedBackup):
            artefact.check(quiet)
        case.driver.discard(case.settings, place, place.beside)
        assert case.names() == names, how
        shutil.copytree(good, tmp_path / "store" / PREFIX, dirs_exist_ok=True)
    assert case.snapshot(place.live) == before
    artefact.check(quiet)


def test_a_damaged_manifest_is_noticed(bench: Bench, tmp_path: Path) -> None:
    artefact = bench.take()
    good = tmp_path / "good"
    shutil.copytree(tmp_path / "store" / PREFIX, good)
    place = bench.place()
    bench.restore(place, artefact)
    for how in HARMS:
        damage(bench.store, tmp_path / "store", how, "manifest.jsonl.zst")
        for ask in (
            lambda: list(artefact.manifest()),
            lambda: bench.case.driver.verify(bench.case.settings, place, artefact, quiet),
            lambda: artefact.check(quiet),
        ):
            with pytest.raises(DamagedBackup):
                ask()
        shutil.copytree(good, tmp_path / "store" / PREFIX, dirs_exist_ok=True)
    bench.case.driver.verify(bench.case.settings, place, artefact, quiet)


def test_a_restored_thing_that_differs_is_named(bench: Bench) -> None:
    artefact = bench.take()
    place = bench.place()
    bench.restore(place, artefact)
    text = bench.case.tamper(place.beside)
    with pytest.raises(NotAsBackedUp) as differs:
        bench.case.driver.verify(bench.case.settings, place, artefact, quiet)
    assert text in differs.value.detail
    assert differs.value.sentence.endswith(".")


def test_a_manifest_that_differs_is_named(bench: Bench) -> None:
    artefact = bench.take()
    place = bench.place()
    bench.restore(place, artefact)
    entries = list(artefact.manifest())
    changed, text = bench.case.tamper_manifest(list(entries))
    assert changed != entries
    with pytest.raises(NotAsBackedUp) as differs:
        bench.case.driver.verify(bench.case.settings, place, AlteredManifest(artefact, changed), quiet)
    assert text in differs.value.detail
    for fewer in (entries[:-1], entries[1:], []):
        with pytest.raises(NotAsBackedUp):
            bench.case.driver.verify(bench.case.settings, place, AlteredManifest(artefact, fewer), quiet)
