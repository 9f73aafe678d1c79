"""Full stores, cancelled and killed work: no torn backup, live whole, and a way on."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.artefacts import ArtefactWriter, StoredArtefact, read_index
from backups.drivers.base import DriverError, Standing
from backups.stores.base import NotStored
from backups.stores.keys import MARK
from tests.drivers.child import run
from tests.drivers.contract.bench import PREFIX, Bench, job, quiet
from tests.drivers.rooms import prepared, small_directory


def test_a_full_store_is_a_sentence_and_leaves_nothing(streaming_bench: Bench, tmp_path: Path) -> None:
    bench = streaming_bench
    bench.case.grow(8)
    with small_directory(tmp_path / "small", megabytes=2) as root:
        store = prepared("small", root)
        with (
            pytest.raises(DriverError) as full,
            ArtefactWriter(store, PREFIX, kind=bench.case.driver.kind, header={}) as writer,
        ):
            writer.finish(bench.case.driver.take(bench.case.settings, writer, quiet))
        assert full.value.sentence.endswith(".")
        assert "small" in full.value.sentence
        assert list(store.list()) == []
        assert [path.name for path in root.rglob("*") if path.is_file()] == [MARK]


class Cancelled(Exception):
    """Raised by a progress to stop the work."""


def test_cancelling_through_progress_leaves_nothing(streaming_bench: Bench) -> None:
    bench = streaming_bench
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    case.grow(8)
    calls = 0

    def cancel(bytes_done: int, bytes_expected: int | None = None) -> None:
        nonlocal calls
        calls += 1
        if bytes_done > 0:
            raise Cancelled

    with (
        pytest.raises(Cancelled),
        ArtefactWriter(bench.store, "cancelled", kind=driver.kind, header={}) as writer,
    ):
        writer.finish(driver.take(settings, writer, cancel))
    assert bench.objects() == []
    artefact = bench.take()
    place = bench.place()
    names, before = case.names(), case.snapshot(place.live)
    with pytest.raises(Cancelled):
        driver.restore(settings, place, artefact, bench.workdir(), cancel)
    driver.discard(settings, place, place.beside)
    assert case.names() == names
    assert case.snapshot(place.live) == before
    bench.restore(place, artefact)
    with pytest.raises(Cancelled):
        driver.verify(settings, place, artefact, cancel)
    assert calls >= 3


@pytest.mark.slow
def test_a_killed_take_is_never_a_backup(streaming_bench: Bench) -> None:
    bench = streaming_bench
    bench.case.grow(8)
    place = bench.place()
    before, names = bench.case.snapshot(place.live), bench.case.names()
    for megabytes in (1, 5, 8):
        assert run(job(bench, "take", die_at_byte=megabytes << 20)) == -9
        assert bench.objects() == []
        with pytest.raises(NotStored):
            read_index(bench.store, PREFIX)
    died = True
    step = 0
    while died:  # before each outside effect of storing
        step += 1
        died = run(job(bench, "take", before_each_step=bench.case.before_each_step, die_at_step=step)) != 0
        if died and f"{PREFIX}/index.json" in bench.objects():
            info = read_index(bench.store, PREFIX).info
            StoredArtefact(bench.store, PREFIX, info).check(quiet)
    assert step > 3
    assert bench.case.snapshot(place.live) == before
    assert bench.case.names() == names
    artefact = bench.take()
    artefact.check(quiet)
    bench.store.sweep(0, now=2**40)
    assert len(bench.objects()) == 3


def test_a_killed_restore_leaves_live_whole_and_can_be_repeated(bench: Bench) -> None:
    case = bench.case
    case.grow(8)
    artefact = bench.take()
    place = bench.place()
    before = case.snapshot(place.live)
    for megabytes in (1, 5, 8):
        what = {"place": place, "info": artefact.info, "kept": artefact.kept, "workdir": bench.workdir()}
        killed = job(bench, "restore", die_at_byte=megabytes << 20, **what)
        assert run(killed) == -9
        assert case.snapshot(place.live) == before
        assert bench.standing(place) is Standing.ORIGINAL
    bench.restore(place, artefact)
    case.driver.verify(case.settings, place, artefact, quiet)
    assert case.snapshot(place.beside) == before


@pytest.mark.parametrize(
    ("killed_in", "way_on"),
    [
        ("swap", "swap_back"),
        *(
            pytest.param(*ways, marks=pytest.mark.slow)
            for ways in (("swap", "swap"), ("swap_back", "swap"), ("swap_back", "swap_back"))
        ),
    ],
)
def test_a_swap_killed_before_any_step_can_be_finished_or_undone(bench: Bench, killed_in: str, way_on: str) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    before = case.snapshot(bench.place().live)
    artefact = bench.take()
    case.mutate()
    place = bench.ready(artefact)
    newer = case.snapshot(place.live)
    step = 0
    died = True
    while died:
        step += 1
        (driver.swap_back if killed_in == "swap" else driver.swap)(settings, place)
        driver.resume_writers(settings, place)
        status = run(job(bench, killed_in, place=place, before_each_step=case.before_each_step, die_at_step=step))
        assert status in (0, -9)
        died = status != 0
        standing = bench.standing(place)
        if standing is Standing.ORIGINAL:
            assert case.snapshot(place.live) == newer
        elif standing is Standing.RESTORED:
            assert case.snapshot(place.live) == before
        (driver.swap if way_on == "swap" else driver.swap_back)(settings, place)
        driver.resume_writers(settings, place)
        live, other = (before, newer) if way_on == "swap" else (newer, before)
        assert case.snapshot(place.live) == live
        assert case.snapshot(place.kept if way_on == "swap" else place.beside) == other
        assert not case.exists(place.beside if way_on == "swap" else place.kept)
    assert step > 1
