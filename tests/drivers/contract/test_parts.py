"""A part of a backup, of every kind that can restore one: the same promises as for a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.artefacts import StoredArtefact
from backups.drivers.base import DamagedBackup, DriverError, Mode, NotAsBackedUp, Parts, Place, Verified
from backups.drivers.keys import key_of, names_of
from tests.drivers.contract.bench import AlteredManifest, Bench, quiet
from tests.drivers.contract.test_damage import damage

VIEWS = {"mysql": ["a_above", "mine", "z_base"], "postgres": ["public.sums"]}


@pytest.fixture
def bench(streaming_bench: Bench) -> Bench:
    """What the provider keeps is restored whole."""
    return streaming_bench


def parts_of(bench: Bench) -> Parts:
    parts = bench.case.driver.parts
    assert parts is not None, "a kind of which everything is restored is no case of this suite"
    return parts


def tampered_key(bench: Bench) -> str:
    """The key of what tamper() harms: it names it by that."""
    return {"files": "large", "mysql": "orders", "postgres": "public.orders"}[bench.case.driver.kind]


def restore(bench: Bench, place: Place, artefact: StoredArtefact, part: list[str]) -> Verified:
    parts, settings = parts_of(bench), bench.case.settings
    assert parts.preflight(settings, place, artefact, part, bench.workdir())
    parts.restore(settings, place, artefact, part, bench.workdir(), quiet)
    return parts.verify(settings, place, artefact, part, quiet)


def test_each_item_can_be_named_and_counted(bench: Bench) -> None:
    parts, artefact = parts_of(bench), bench.take()
    found = list(parts.items(artefact))
    keys = [key_of(item.names) for item in found]
    assert len(set(keys)) == len(keys) > 5
    for key, item in zip(keys, found, strict=True):
        assert names_of(key) == item.names
        assert item.kind in parts.nouns


def test_all_items_together_restore_twice_and_leave_the_live_one_alone(bench: Bench) -> None:
    artefact, before, names = bench.take(), bench.case.snapshot(bench.place().live), bench.case.names()
    parts, place = parts_of(bench), bench.place(Mode.BESIDE)
    everything = [key_of(item.names) for item in parts.items(artefact)]
    for _ in range(2):  # restoring again replaces the first restore
        verified = restore(bench, place, artefact, everything)
        assert verified.sentence
        assert sum(verified.compared.values()) > 0
    restored = bench.case.snapshot(place.beside)
    if views := VIEWS.get(bench.case.driver.kind):  # they, and large objects, are no tables
        before_, restored = (
            {name: rows for name, rows in seen.items() if name.startswith("rows of")} for seen in (before, restored)
        )
        for view in views:
            del before_[f"rows of {view}"]
        assert restored == before_
    else:
        assert restored == before
    assert bench.case.snapshot(place.live) == before
    bench.case.driver.discard(bench.case.settings, place, place.beside)
    assert bench.case.names() == names


def test_a_part_that_differs_is_named(bench: Bench) -> None:
    artefact, part, place = bench.take(), [tampered_key(bench)], bench.place(Mode.BESIDE)
    restore(bench, place, artefact, part)
    text = bench.case.tamper(place.beside)
    with pytest.raises(NotAsBackedUp) as differs:
        parts_of(bench).verify(bench.case.settings, place, artefact, part, quiet)
    assert text in differs.value.detail


def test_a_part_is_not_believed_to_be_another(bench: Bench) -> None:
    artefact, place = bench.take(), bench.place(Mode.BESIDE)
    parts = parts_of(bench)
    everything = [key_of(item.names) for item in parts.items(artefact) if not item.holds and not item.same_as]
    one, other = [key for key in everything if key != tampered_key(bench)][:1], [tampered_key(bench)]
    restore(bench, place, artefact, one)
    for expected in (other, one + other):
        with pytest.raises(NotAsBackedUp):
            parts.verify(bench.case.settings, place, artefact, expected, quiet)


def test_what_is_not_there_is_refused_and_nothing_made(bench: Bench) -> None:
    artefact, names = bench.take(), bench.case.names()
    for part in ([], ["nothing of that name"], [tampered_key(bench), "nothing"], ["\\"]):
        with pytest.raises(DriverError) as refused:
            parts_of(bench).preflight(bench.case.settings, bench.place(Mode.BESIDE), artefact, part, bench.workdir())
        assert refused.value.sentence.endswith("."), part
    assert bench.case.names() == names


@pytest.mark.parametrize("how", ["missing", "cut", "longer", "middle byte", "last byte"])
def test_damage_anywhere_is_noticed_and_nothing_left(bench: Bench, tmp_path: Path, how: str) -> None:
    artefact, part, names = bench.take(), [tampered_key(bench)], bench.case.names()
    place = bench.place(Mode.BESIDE)
    damage(bench.store, tmp_path / "store", how, "data.zst")
    with pytest.raises(DamagedBackup):
        parts_of(bench).restore(bench.case.settings, place, artefact, part, bench.workdir(), quiet)
    bench.case.driver.discard(bench.case.settings, place, place.beside)
    assert bench.case.names() == names


def test_a_manifest_that_is_cut_short_is_no_manifest(bench: Bench) -> None:
    artefact, part, place = bench.take(), [tampered_key(bench)], bench.place(Mode.BESIDE)
    restore(bench, place, artefact, part)
    with pytest.raises(DriverError):
        parts_of(bench).verify(bench.case.settings, place, AlteredManifest(artefact, []), part, quiet)
