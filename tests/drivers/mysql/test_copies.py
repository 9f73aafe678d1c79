"""What only this kind has: scripts that load by hand, copies that do not act, names and values at the edges."""

from __future__ import annotations

import subprocess
import time

import pytest

from backups.artefacts import ArtefactWriter
from backups.drivers.base import DriverError, Mode, Taken
from backups.drivers.mysql import MYSQL, verify
from backups.drivers.mysql.target import NAME_LENGTH
from backups.proof import Proof
from tests.drivers.contract.bench import quiet
from tests.drivers.mariadb import PASSWORD
from tests.drivers.mysql.conftest import Shop


def taken(shop: Shop) -> Taken:
    with ArtefactWriter(shop.store, "taken", kind=MYSQL.kind, header={}) as writer:
        done = MYSQL.take(shop.case.settings, writer, quiet)
        writer.finish(done)
    return done


def test_an_export_loads_by_hand(shop: Shop) -> None:
    shop.execute("DROP EVENT busy")  # it would run in what a person loads
    before = shop.case.snapshot_of(shop.name, acting=False)
    artefact = shop.take()
    shop.execute("CREATE DATABASE `by hand`", "mysql")
    with artefact.open() as script:
        done = subprocess.run(
            [
                "mariadb", "--no-defaults", f"--socket={shop.case.server.socket}", "--user=root", "--binary-mode", "--comments",
                "by hand",
            ],
            input=script.read(), env={"MYSQL_PWD": PASSWORD, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = shop.case.snapshot_of("by hand", acting=False)
    before.pop("database")
    loaded.pop("database")
    assert loaded == before


def test_what_is_not_in_the_backup_as_it_is_is_said(shop: Shop) -> None:
    shop.execute("CREATE TABLE goes (x INT); CREATE VIEW broken AS SELECT x FROM goes; DROP TABLE goes")
    said = " ".join(taken(shop).warnings)
    assert "no transactions" in said
    assert "aria (Aria)" in said
    assert "FLOAT" in said
    assert "odd.f" in said
    assert "broken" in said


def test_a_view_that_refers_to_nothing_does_not_stop_a_swap_and_stays(shop: Shop) -> None:
    shop.execute("CREATE TABLE goes (x INT); CREATE VIEW broken AS SELECT x FROM goes; DROP TABLE goes")
    place = shop.ready(shop.take())
    MYSQL.swap(shop.case.settings, place)
    views = "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_NAME = 'broken'"
    assert shop.case.server.rows(views) == [("broken",)]
    MYSQL.swap_back(shop.case.settings, place)


def test_events_sleep_in_copies_and_wake_up_live(shop: Shop) -> None:
    shop.execute("CREATE TABLE ticks (at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6)); CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND"
                 " DO INSERT INTO ticks VALUES ()")  # fmt: skip
    place = shop.ready(shop.take())
    count = "SELECT count(*) FROM ticks"
    sleeping = shop.case.server.rows(count, place.beside)
    time.sleep(2.2)
    assert shop.case.server.rows(count, place.beside) == sleeping
    MYSQL.swap(shop.case.settings, place)
    kept = shop.case.server.rows(count, place.kept)
    time.sleep(2.2)
    assert shop.case.server.rows(count, place.kept) == kept
    assert shop.case.server.rows(count, shop.name) > sleeping


def test_sequences_of_a_copy_are_its_own(shop: Shop) -> None:
    place = shop.ready(shop.take())
    shop.execute("INSERT INTO numbered (x) VALUES (2)", place.beside)
    state = "SELECT next_not_cached_value FROM numbers"
    live = shop.case.server.rows(state, shop.name)
    MYSQL.swap(shop.case.settings, place)
    assert shop.case.server.rows(state, place.kept) == live
    shop.execute("INSERT INTO numbered (x) VALUES (3)")
    shop.execute("INSERT INTO numbered (x) VALUES (3)", place.kept)


def test_a_foreign_key_from_another_database_refuses_the_exchange(shop: Shop) -> None:
    artefact = shop.take()
    shop.execute(
        f"CREATE DATABASE other; CREATE TABLE other.tied (id BIGINT, FOREIGN KEY (id) REFERENCES `{shop.name}`.orders (id))"
    )
    settings = shop.case.settings
    try:
        with pytest.raises(DriverError, match=r"other\.tied"):
            MYSQL.preflight(settings, shop.place(), Mode.IN_PLACE, artefact, shop.workdir())
        assert MYSQL.preflight(settings, shop.place(Mode.BESIDE), Mode.BESIDE, artefact, shop.workdir())
    finally:
        shop.execute("DROP DATABASE other")  # what it refers to could not be dropped before


def test_a_row_that_the_server_would_not_take_is_refused_before(shop: Shop) -> None:
    shop.execute("CREATE TABLE large (x LONGBLOB); INSERT INTO large VALUES (repeat('x', 20000000))")
    artefact = shop.take()
    shop.execute("SET GLOBAL max_allowed_packet = 16777216")
    try:
        with pytest.raises(DriverError, match="max_allowed_packet"):
            MYSQL.preflight(shop.case.settings, shop.place(), Mode.IN_PLACE, artefact, shop.workdir())
    finally:
        shop.execute("SET GLOBAL max_allowed_packet = 67108864")


def test_long_names_keep_their_endings(shop: Shop) -> None:
    settings = {**shop.case.settings, "dbname": "x" * NAME_LENGTH}
    place = MYSQL.place(settings, "rr-1042-1-ff9db6", Mode.IN_PLACE)
    assert place.beside.endswith("_restore_rr-1042-1-ff9db6")
    assert place.kept.endswith("_before_rr-1042-1-ff9db6")
    assert {len(place.beside), len(place.kept)} == {NAME_LENGTH}


def test_a_database_of_a_restore_is_no_resource(shop: Shop) -> None:
    for ending in ("restore", "restored", "before"):
        with pytest.raises(DriverError, match="belongs to a restore"):
            MYSQL.check({**shop.case.settings, "dbname": f"shop_{ending}_rr-1042-1-ff9db6"})


def test_an_empty_database(shop: Shop) -> None:
    shop.case.lose()
    shop.case.server.create_database(shop.name)
    place = shop.ready(shop.take())
    shop.execute("CREATE TABLE newer (x INT)")
    MYSQL.swap(shop.case.settings, place)
    assert shop.case.server.rows("SHOW TABLES", shop.name) == []
    assert MYSQL.health(shop.case.settings, place)
    MYSQL.swap_back(shop.case.settings, place)
    assert shop.case.server.rows("SHOW TABLES", shop.name) == [("newer",)]


def test_locators_of_one_server(shop: Shop) -> None:
    one = MYSQL.locator({**shop.case.settings, "host": "LOCALHOST."})
    assert MYSQL.overlaps(one, MYSQL.locator(shop.case.settings))
    assert MYSQL.overlaps(one, MYSQL.locator({**shop.case.settings, "host": shop.case.server.socket}))
    assert not MYSQL.overlaps(one, MYSQL.locator({**shop.case.settings, "dbname": "other"}))


def test_over_the_socket(shop: Shop) -> None:
    settings = {**shop.case.settings, "host": shop.case.server.socket}
    assert MYSQL.check(settings).sentence
    with ArtefactWriter(shop.store, "socket", kind=MYSQL.kind, header={}) as writer:
        writer.finish(MYSQL.take(settings, writer, quiet))


def test_between_servers_that_write_differently_no_more_is_proven_than_was_compared(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefact = shop.take()
    place = shop.place()
    shop.restore(place, artefact)
    assert MYSQL.verify(shop.case.settings, place, artefact, quiet).proof is None
    monkeypatch.setattr(verify, "_writes_alike", lambda *_: False)
    verified = MYSQL.verify(shop.case.settings, place, artefact, quiet)
    assert "values were not compared" in verified.sentence
    assert verified.proof is Proof.RESTORED < MYSQL.proves


def test_a_comparison_says_which_tables_a_power_cut_could_still_damage(shop: Shop) -> None:
    artefact = shop.take()
    place = shop.place()
    shop.restore(place, artefact)
    said = MYSQL.verify(shop.case.settings, place, artefact, quiet).sentence
    assert said.endswith("could damage them: aria (Aria), myisam (MyISAM)")
    shop.execute("ALTER TABLE aria ENGINE = InnoDB; ALTER TABLE myisam ENGINE = InnoDB")
    artefact = shop.take("safe")
    shop.restore(place, artefact)
    assert MYSQL.verify(shop.case.settings, place, artefact, quiet).sentence.endswith("as in the manifest")
