"""What a checkup does with a backup: restore it beside, still it, compare it, ask it, and leave nothing behind."""

from __future__ import annotations

import pytest

from backups.artefacts import StoredArtefact
from backups.drivers.base import DriverError, Mode, NotAnswered, Place
from tests.drivers import aws
from tests.drivers.case import until_done
from tests.drivers.child import run
from tests.drivers.contract.bench import PREFIX, Bench, job, quiet

TOKEN = "cu-7-1203-ff9db6"
HALF_WAY = {"files": 2, "ebs": 2}
"""Before which of its changes a restore is killed, others before their fourth: something is there then, and not all."""


def tried(bench: Bench) -> Place:
    """A restore beside that is only tried out."""
    place = bench.case.driver.place(bench.case.settings, TOKEN, Mode.BESIDE)
    bench.restore(place, bench.take())
    return place


def test_what_acts_by_itself_is_off_and_all_is_as_it_was_backed_up(bench: Bench) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    names, artefact = case.names(), bench.take()
    place = driver.place(settings, TOKEN, Mode.BESIDE)
    assert driver.preflight(settings, place, Mode.BESIDE, artefact, bench.workdir())
    bench.restore(place, artefact)
    case.stir(place.beside)
    for _ in range(2):
        said = until_done(lambda: driver.neutralise(settings, place))
        assert all(sentence.endswith(".") for sentence in said)
        assert case.acting(place.beside) == []
        assert driver.verify(settings, place, artefact, quiet).sentence
    for _ in range(2):
        driver.discard(settings, place, place.beside)
        assert case.names() == names


def test_what_is_tried_out_can_be_found_and_nothing_secret_is_told(bench: Bench) -> None:
    driver, settings = bench.case.driver, bench.case.settings
    place = tried(bench)
    reached = driver.reach(settings, place)
    where = {"files": "path", "postgres": "database", "mysql": "database", "s3": "bucket", "rds": "instance"}
    if driver.kind in where:
        assert reached[where[driver.kind]] == place.beside
    else:
        assert reached["volumes"].startswith("vol-")
    assert all(isinstance(value, str) for value in reached.values())
    assert not {"password", settings.get("password", "nothing")} & {*reached, *reached.values()}
    driver.discard(settings, place, place.beside)


def test_what_is_tried_out_is_no_resource(bench: Bench) -> None:
    driver, settings = bench.case.driver, bench.case.settings
    place = tried(bench)
    named = {"files": "path", "postgres": "dbname", "mysql": "dbname", "s3": "bucket", "rds": "instance"}
    if driver.kind in named:
        with pytest.raises(DriverError, match="belongs to a restore"):
            driver.check({**settings, named[driver.kind]: place.beside})
    if driver.discovery:
        found = [one.locator for one in driver.discovery.everything(settings["account"], settings["region"])]
        assert not [one for one in found if place.beside in one or "vol-" in one]
    driver.discard(settings, place, place.beside)


def test_the_copy_in_the_other_region_is_tried_where_the_provider_keeps_it(bench: Bench) -> None:
    case, driver, keeper = bench.case, bench.case.driver, bench.case.driver.kept
    artefact = bench.take()
    if keeper is None:
        assert driver.trial_settings(case.settings, None) == case.settings
        return
    assert artefact.kept is not None
    assert driver.trial_settings(case.settings, artefact.kept) == case.settings
    kept = artefact.kept
    away = until_done(lambda: keeper.copy(case.settings, kept, aws.AWAY, "r/copy", quiet))
    until_done(lambda: keeper.delete(case.settings, aws.HOME, PREFIX, kept))
    names, copy = case.names(), StoredArtefact(bench.store, PREFIX, artefact.info, away)
    settings = driver.trial_settings(case.settings, away)
    place = driver.place(settings, TOKEN, Mode.BESIDE)
    said = driver.preflight(settings, place, Mode.BESIDE, copy, bench.workdir())
    assert all(sentence.endswith(".") for sentence in said)
    workdir = bench.workdir()
    until_done(lambda: driver.restore(settings, place, copy, workdir, quiet))
    until_done(lambda: driver.neutralise(settings, place))
    assert driver.verify(settings, place, copy, quiet).sentence
    reached = driver.reach(settings, place)
    assert reached["region"] == settings["region"]
    assert reached.get("zone", settings["region"]).startswith(settings["region"])
    if driver.kind != "s3":
        assert settings["region"] == aws.AWAY
        assert case.names() == names, "nothing was made at home"
    driver.discard(settings, place, place.beside)
    with pytest.raises(DriverError):
        driver.reach(settings, place) if driver.kind != "s3" else driver.neutralise(settings, place)
    assert case.names() == names
    until_done(lambda: keeper.delete(case.settings, aws.AWAY, "r/copy", away))


def test_the_scratch_of_a_killed_trial_is_removed_by_its_names_alone(bench: Bench) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    artefact, names = bench.take(), case.names()
    live = case.snapshot(bench.place().live)
    place = Place.from_json(driver.place(settings, TOKEN, Mode.BESIDE).as_json())
    half = {"place": place, "info": artefact.info, "kept": artefact.kept, "workdir": bench.workdir()}

    def removed() -> bool:
        until_done(lambda: driver.discard(settings, place, place.beside))
        return case.names() == names

    assert removed(), "before there was anything"
    step = HALF_WAY.get(driver.kind, 4)
    assert run(job(bench, "restore", before_each_step=case.before_each_step, die_at_step=step, **half)) == -9
    assert case.names() > names
    assert removed(), "half-way"
    bench.restore(place, artefact)
    assert case.names() > names
    assert removed(), "complete"
    assert case.snapshot(place.live) == live


SLOW = {"postgres": "SELECT 1 FROM pg_sleep(9)", "mysql": "SELECT sleep(9)"}
WRITES = {
    "postgres": (
        "SELECT nextval('backwards')",
        "COPY orders TO PROGRAM 'true'",
        "SELECT 1 AS x INTO made",
        "CALL nothing()",
    ),
    "mysql": ("SELECT nextval(numbers)", "SELECT 1 INTO OUTFILE 'made'", "CALL `add ``one`` more`(7)", "KILL 1"),
}
NO = (
    ("SELECT id FROM orders WHERE id < 0", "no row at all"),
    ("SELECT count(*) FROM empty", "“0”"),
    ("SELECT NULL, 1", "NULL"),
    ("SELECT 1 = 2", "counts as no"),
    ("SELECT '  '", "counts as no"),
    ("SELECT 0.00", "counts as no"),
    ("SELECT x FROM nowhere", "nowhere"),
    ("SELECT 1; SELECT 2", ""),
    ("SELECT 1; DROP TABLE empty", ""),
    ("", ""),
    ("DELETE FROM orders", ""),
    ("DROP TABLE empty", ""),
    ("COMMIT", ""),
    ("SELECT id FROM orders FOR UPDATE; DELETE FROM orders", ""),
)


def test_a_question_is_answered_or_it_is_said_why_not_and_nothing_is_written(bench: Bench) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    place = tried(bench)
    if not driver.answers:
        with pytest.raises(DriverError, match="cannot be asked by SQL"):
            driver.ask(settings, place, "SELECT 1", 5)
        return
    before = case.snapshot(place.beside)
    assert driver.ask(settings, place, "SELECT count(*), 'percent %s' FROM orders -- all of them", 5).endswith("“500”.")
    assert driver.ask(settings, place, "\nWITH x AS (SELECT 'yes' AS y) SELECT y FROM x;", 5).endswith("“yes”.")
    assert len(driver.ask(settings, place, "SELECT repeat('a b\n', 900)", 5)) < 150
    for question, said in (*NO, *((writes, "") for writes in WRITES[driver.kind])):
        with pytest.raises(NotAnswered) as no:
            driver.ask(settings, place, question, 5)
        assert said in no.value.sentence, question
        assert no.value.sentence.endswith("."), question
    with pytest.raises(NotAnswered, match="not answered within 0.3 s"):
        driver.ask(settings, place, SLOW[driver.kind], 0.3)
    assert case.snapshot(place.beside) == before
