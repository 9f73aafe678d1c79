"""A checkup beside a live database: it holds up neither a restore nor a backup, and its events come back to no life."""

from __future__ import annotations

import time

import pytest

from backups.drivers.base import Mode, NotAnswered, Place
from backups.drivers.mysql import MYSQL, journal, mark
from backups.drivers.mysql.target import Target
from tests.drivers.contract.bench import quiet
from tests.drivers.mysql.conftest import Shop


def trial(shop: Shop) -> Place:
    return MYSQL.place(shop.case.settings, "cu-7-1203-ff9db6", Mode.BESIDE)


def test_a_checkup_holds_up_neither_a_restore_nor_a_backup(shop: Shop) -> None:
    artefact, place, target = shop.take(), trial(shop), Target.of(shop.case.settings)
    shop.restore(place, artefact)
    with target.connect() as connection:
        mark.write(connection, place.beside, {mark.BUILDING: place.live})  # as it is in the middle of a restore
        said = MYSQL.preflight(shop.case.settings, shop.place(), Mode.IN_PLACE, artefact, shop.workdir())
        assert "Nobody else restores this database." in said
        before = journal.marks(connection, shop.name)
        MYSQL.discard(shop.case.settings, place, place.beside)
        assert journal.exchanged(before, journal.marks(connection, shop.name)) == []


def test_a_question_sets_nothing_for_the_server_and_writes_no_file(shop: Shop) -> None:
    place = trial(shop)
    shop.restore(place, shop.take())
    made = shop.case.server.directory / "made"
    before = shop.case.server.rows("SELECT @@GLOBAL.wait_timeout", place.beside)
    for question in (
        f"SELECT 1 INTO OUTFILE '{made}'",
        "SET GLOBAL wait_timeout = 28799",
        "/* SELECT */ SET GLOBAL wait_timeout = 9",
    ):
        with pytest.raises(NotAnswered, match="Only a query can be put"):
            MYSQL.ask(shop.case.settings, place, question, 5)
    assert shop.case.server.rows("SELECT @@GLOBAL.wait_timeout", place.beside) == before
    assert not made.exists()
    assert MYSQL.ask(shop.case.settings, place, "-- so\n/* it */ (SELECT 1)", 5)


def test_only_the_copy_answers(shop: Shop) -> None:
    """The live database is on the same server, and would answer as well."""
    shop.execute("CREATE TABLE till (id INT); INSERT INTO till VALUES (1), (2)")
    place = trial(shop)
    shop.restore(place, shop.take())
    shop.execute("DELETE FROM till", place.beside)
    for question in (
        f"SELECT count(*) FROM {shop.name}.till",
        f"SELECT count(*) FROM (`{shop.name}` . till)",
        f"SELECT count(*) FROM till o JOIN {shop.name}.till l",
        f"SELECT count(*) FROM till o, {shop.name}.till l WHERE o.id = 1",
    ):
        with pytest.raises(NotAnswered, match=f"names the database {shop.name}, which is not the copy"):
            MYSQL.ask(shop.case.settings, place, question, 5)
    with pytest.raises(NotAnswered, match="counts as no"):
        MYSQL.ask(shop.case.settings, place, "SELECT count(*) FROM till", 5)
    assert MYSQL.ask(shop.case.settings, place, f"SELECT 1 + count(`{shop.name}`.id) FROM till `{shop.name}`", 5)


def test_an_event_that_somebody_woke_fires_no_more_and_is_as_it_was(shop: Shop) -> None:
    shop.execute("CREATE USER app; GRANT ALL ON *.* TO app; CREATE TABLE fired (at INT)")
    shop.execute("CREATE DEFINER = app EVENT fires ON SCHEDULE EVERY 1 SECOND DISABLE DO INSERT INTO fired VALUES (1)")
    artefact, place = shop.take(), trial(shop)
    shop.restore(place, artefact)
    shop.execute("ALTER DEFINER = app EVENT fires ENABLE", place.beside)
    try:
        until = time.monotonic() + 10
        while not shop.case.server.rows("SELECT * FROM fired", place.beside) and time.monotonic() < until:
            time.sleep(0.1)
        assert shop.case.server.rows("SELECT * FROM fired", place.beside)
        MYSQL.neutralise(shop.case.settings, place)
        shop.execute("TRUNCATE fired", place.beside)
        time.sleep(1.5)
        MYSQL.verify(shop.case.settings, place, artefact, quiet)
    finally:
        shop.execute("DROP USER app")
