"""Every verb, once and twice, in the order in which a restore calls them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backups.drivers.base import DriverError, Mode, NotFound, Place, Standing
from tests.drivers.contract.bench import Bench, quiet

# Settings


def test_check_finds_the_resource(bench: Bench) -> None:
    found = bench.case.driver.check(bench.case.settings)
    assert found.locator == bench.case.driver.locator(bench.case.settings)
    assert found.sentence
    assert bench.case.driver.check(bench.case.settings).locator == found.locator


def test_check_refuses_bad_settings_in_a_sentence_beside_the_setting(bench: Bench) -> None:
    for bad in bench.case.bad_inputs:
        with pytest.raises(DriverError) as refused:
            bench.case.driver.check(bad.settings)
        assert refused.value.setting == bad.setting, bad.what
        assert refused.value.sentence.endswith("."), bad.what
        assert not refused.value.sentence[0].islower(), bad.what


def test_a_resource_that_is_gone_is_told_from_a_place_that_does_not_answer(bench: Bench) -> None:
    """What is not found twice is called vanished; a refused or failed look says nothing."""
    says_nothing = {"nobody listens", "unknown host", "wrong password", "no such role", "a file", "elsewhere"}
    for bad in bench.case.bad_inputs:
        if bad.what in says_nothing:
            with pytest.raises(DriverError) as refused:
                bench.case.driver.check(bad.settings)
            assert not isinstance(refused.value, NotFound), bad.what
    bench.case.lose()
    with pytest.raises(NotFound):
        bench.case.driver.check(bench.case.settings)


def test_a_locator_overlaps_itself(bench: Bench) -> None:
    locator = bench.case.driver.locator(bench.case.settings)
    assert bench.case.driver.overlaps(locator, locator)


def test_place_is_the_same_for_the_same_token_and_another_for_another(bench: Bench) -> None:
    driver, settings = bench.case.driver, bench.case.settings
    for mode in Mode:
        one = driver.place(settings, "t-1", mode)
        assert one == driver.place(settings, "t-1", mode)
        assert Place.from_json(one.as_json()) == one
        other = driver.place(settings, "t-2", mode)
        assert len({one.live, one.beside, one.kept, other.beside, other.kept}) == 5
        assert "t-1" in one.beside


# Taking and restoring


def test_a_restore_beside_is_identical(bench: Bench) -> None:
    before = bench.case.snapshot(bench.place().live)
    artefact = bench.take()
    place = bench.place(Mode.BESIDE)
    said = bench.case.driver.preflight(bench.case.settings, place, Mode.BESIDE, artefact, bench.workdir())
    assert said
    assert not bench.case.exists(place.beside)
    for _ in range(2):  # restoring again replaces the first restore
        bench.restore(place, artefact)
        verified = bench.case.driver.verify(bench.case.settings, place, artefact, quiet)
        assert verified.sentence
        assert sum(verified.compared.values()) > 0
    assert bench.case.snapshot(place.beside) == before
    assert bench.case.snapshot(place.live) == before


def test_two_backups_of_the_same_content_have_the_same_manifest(bench: Bench) -> None:
    assert list(bench.take("one").manifest()) == list(bench.take("two").manifest())


def test_swap_undo_and_every_verb_twice(bench: Bench) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    before = case.snapshot(bench.place().live)
    names = case.names()
    artefact = bench.take()
    case.mutate()
    newer = case.snapshot(bench.place().live)
    assert newer != before
    place = bench.place()
    assert bench.standing(place) is Standing.ORIGINAL
    for _ in range(2):
        driver.preflight(settings, place, Mode.IN_PLACE, artefact, bench.workdir())
    for _ in range(2):
        bench.restore(place, artefact)
        driver.verify(settings, place, artefact, quiet)
    place = driver.identify(settings, place)
    assert place.identity
    assert driver.identify(settings, place) == place
    assert bench.standing(place) is Standing.ORIGINAL
    assert case.snapshot(place.live) == newer

    for _ in range(2):
        assert driver.stop_writers(settings, place)
        driver.swap(settings, place)
        assert bench.standing(place) is Standing.RESTORED
    for _ in range(2):
        driver.resume_writers(settings, place)
        assert driver.health(settings, place)
    assert case.snapshot(place.live) == before
    assert case.snapshot(place.kept) == newer
    assert not case.exists(place.beside)

    for _ in range(2):
        driver.swap_back(settings, place)
        driver.resume_writers(settings, place)
        assert bench.standing(place) is Standing.ORIGINAL
    assert case.snapshot(place.live) == newer
    assert case.snapshot(place.beside) == before
    assert not case.exists(place.kept)
    with pytest.raises(DriverError):
        driver.health(settings, place)

    driver.swap(settings, place)  # and forth again
    driver.resume_writers(settings, place)
    assert case.snapshot(place.live) == before
    for _ in range(2):
        driver.discard(settings, place, place.kept)
        driver.discard(settings, place, place.beside)
    assert case.names() == names
    assert case.snapshot(place.live) == before


def test_a_resource_that_is_gone_comes_back(bench: Bench) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    before = case.snapshot(bench.place().live)
    artefact = bench.take()
    case.lose()
    place = bench.place()
    assert not case.exists(place.live)
    with pytest.raises(DriverError):
        driver.check(settings)
    driver.preflight(settings, place, Mode.IN_PLACE, artefact, bench.workdir())
    place = bench.ready(artefact)
    driver.stop_writers(settings, place)
    for _ in range(2):
        driver.swap(settings, place)
        assert bench.standing(place) is Standing.RESTORED
    driver.resume_writers(settings, place)
    assert driver.health(settings, place)
    assert case.snapshot(place.live) == before
    for _ in range(2):
        driver.swap_back(settings, place)
        assert bench.standing(place) is Standing.ORIGINAL
    assert not case.exists(place.live)
    assert case.snapshot(place.beside) == before
    driver.swap(settings, place)
    driver.resume_writers(settings, place)
    assert case.snapshot(place.live) == before


# What discard must never do


def test_discard_refuses_what_is_live_and_what_is_not_its_own(bench: Bench) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    before = case.snapshot(place.live)
    for name in (place.live, place.live + "x", ""):
        with pytest.raises(DriverError):
            driver.discard(settings, place, name)
    for forged in (replace(place, beside=place.live), replace(place, kept=place.live)):
        with pytest.raises(DriverError):
            driver.discard(settings, forged, place.live)
    assert case.snapshot(place.live) == before
    driver.discard(settings, place, place.beside)
    assert not case.exists(place.beside)
    with pytest.raises(DriverError):
        driver.swap(settings, place)
    assert case.snapshot(place.live) == before
