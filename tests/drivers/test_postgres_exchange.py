"""PostgreSQL: putting a restored database under the live name while applications hammer it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import psycopg
import pytest

from backups.drivers.base import DriverError, Mode, Place, Standing
from backups.drivers.postgres import POSTGRES, exchange
from tests.drivers.databases import Database

EXCUSES = (
    "not currently accepting connections", "just been dropped or renamed", "terminating connection",
    "server closed the connection",
)  # fmt: skip


class Hammer(threading.Thread):
    """An application that reconnects without pause; it keeps what it read, with the order, and its errors."""

    def __init__(self, database: Database) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.read: list[str] = []
        self.errors: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                with self.database.server.connect(self.database.name) as connection:
                    for _ in range(20):
                        row = connection.execute("SELECT word FROM words").fetchone()
                        assert row is not None
                        self.read.append(row[0])
                        if self.stopping.is_set():
                            break
            except psycopg.Error as error:
                self.errors.append(str(error))

    def finish(self) -> None:
        self.stopping.set()
        self.join()


@pytest.fixture
def ready(database: Database) -> Place:
    """A live database that says "new", and a restore of the time when it said "old"."""
    database.execute("CREATE TABLE words (word text); INSERT INTO words VALUES ('old')")
    artefact = database.take()
    database.execute("UPDATE words SET word = 'new'")
    return database.ready(artefact)


def said(database: Database) -> str:
    return str(database.rows("SELECT word FROM words")[0][0])


def oids(database: Database) -> dict[str, int]:
    return dict(database.rows("SELECT datname, oid::int FROM pg_database", "postgres"))


def test_applications_that_reconnect_see_one_then_the_other(database: Database, ready: Place) -> None:
    hammers = [Hammer(database) for _ in range(4)]
    for hammer in hammers:
        hammer.start()
    for verb, word in ((POSTGRES.swap, "old"), (POSTGRES.swap_back, "new"), (POSTGRES.swap, "old")):
        time.sleep(0.15)
        POSTGRES.stop_writers(database.settings, ready)
        verb(database.settings, ready)
        for hammer in hammers:
            hammer.read.clear()  # a thread may still add one that it fetched before
        POSTGRES.resume_writers(database.settings, ready)
        time.sleep(0.15)
        assert said(database) == word
        for hammer in hammers:
            assert set(hammer.read[1:]) == {word}
    for hammer in hammers:
        hammer.finish()
        assert hammer.errors
        assert [error for error in hammer.errors if not any(excuse in error for excuse in EXCUSES)] == []


@pytest.mark.slow  # PostgreSQL waits five seconds for the session to leave
def test_a_swap_is_all_or_nothing(database: Database, ready: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its second rename fails for real: somebody stays connected to the restored database."""
    before = oids(database)
    with database.server.connect(ready.beside) as stubborn:
        stubborn.execute("SELECT 1")
        monkeypatch.setattr(exchange, "_end_sessions", lambda *_: 0)
        with pytest.raises(DriverError) as refused:
            POSTGRES.swap(database.settings, ready)
    assert refused.value.retry
    assert oids(database) == before
    monkeypatch.undo()
    POSTGRES.resume_writers(database.settings, ready)
    assert said(database) == "new"
    POSTGRES.swap(database.settings, ready)
    POSTGRES.resume_writers(database.settings, ready)
    assert said(database) == "old"


def test_a_name_taken_in_between_stops_the_swap(database: Database, ready: Place) -> None:
    database.server.create_database(ready.kept)
    before = oids(database)
    with pytest.raises(DriverError, match="already exists"):
        POSTGRES.swap(database.settings, ready)
    assert oids(database) == before
    POSTGRES.resume_writers(database.settings, ready)
    assert said(database) == "new"


def test_sessions_end_and_are_told(database: Database, ready: Place) -> None:
    with database.server.connect(database.name) as one, database.server.connect(database.name):
        assert "2 sessions ended" in POSTGRES.stop_writers(database.settings, ready)
        with pytest.raises(psycopg.OperationalError):
            one.execute("SELECT 1")
        assert "0 sessions" in POSTGRES.stop_writers(database.settings, ready)
    with pytest.raises(DriverError, match="exchanged or is closed") as closed:
        POSTGRES.check(database.settings)
    assert closed.value.retry
    for _ in range(2):
        POSTGRES.resume_writers(database.settings, ready)
    POSTGRES.check(database.settings)


def test_sessions_that_the_role_may_not_end_are_named(database: Database) -> None:
    owner = database.role("shop_owner", "CREATEDB")
    database.execute("ALTER DATABASE shop OWNER TO shop_owner")
    place = POSTGRES.place(owner, "x", Mode.IN_PLACE)
    with database.server.connect(database.name), pytest.raises(DriverError, match="may not end the sessions"):
        POSTGRES.stop_writers(owner, place)
    POSTGRES.resume_writers(owner, place)
    POSTGRES.check(database.settings)


def test_the_kept_original_takes_no_connections(database: Database, ready: Place) -> None:
    POSTGRES.stop_writers(database.settings, ready)
    POSTGRES.swap(database.settings, ready)
    POSTGRES.resume_writers(database.settings, ready)
    with pytest.raises(psycopg.OperationalError, match="not currently accepting"):
        database.server.connect(ready.kept)


def test_a_live_database_made_by_somebody_else_in_between_is_not_replaced(database: Database, ready: Place) -> None:
    database.server.drop_database(database.name)
    database.server.create_database(database.name)
    assert POSTGRES.standing(database.settings, ready) is Standing.UNKNOWN
    for verb in (POSTGRES.swap, POSTGRES.swap_back):
        with pytest.raises(DriverError, match="neither the original nor the restored"):
            verb(database.settings, ready)


def test_a_live_database_dropped_after_identification(database: Database, ready: Place) -> None:
    database.server.drop_database(database.name)
    assert "nobody is connected" in POSTGRES.stop_writers(database.settings, ready)
    POSTGRES.swap(database.settings, ready)
    POSTGRES.resume_writers(database.settings, ready)
    assert said(database) == "old"
    with pytest.raises(DriverError, match="no longer kept"):
        POSTGRES.swap_back(database.settings, ready)
    assert said(database) == "old"


def test_a_half_done_exchange_by_other_hands_is_finished_or_undone(database: Database, ready: Place) -> None:
    """The live name stands empty between the two renames; no transaction of ours leaves it so."""
    rename = f'ALTER DATABASE shop RENAME TO "{ready.kept}"'
    database.server.execute(rename)
    POSTGRES.swap_back(database.settings, ready)
    assert said(database) == "new"
    database.server.execute(rename)
    POSTGRES.swap(database.settings, ready)
    assert said(database) == "old"
    assert POSTGRES.standing(database.settings, ready) is Standing.RESTORED


def test_the_original_is_not_discarded_while_it_is_needed(database: Database, ready: Place) -> None:
    database.server.execute(f'ALTER DATABASE shop RENAME TO "{ready.kept}"')
    with pytest.raises(DriverError, match="Swap back first"):
        POSTGRES.discard(database.settings, ready, ready.kept)
    POSTGRES.swap_back(database.settings, ready)
    assert said(database) == "new"


def test_without_identity_nothing_is_exchanged(database: Database, ready: Place) -> None:
    unknown = replace(ready, identity={})
    assert POSTGRES.standing(database.settings, unknown) is Standing.ORIGINAL
    for verb in (POSTGRES.swap, POSTGRES.swap_back, POSTGRES.health):
        with pytest.raises(DriverError, match="not identified"):
            verb(database.settings, unknown)


def test_health_is_refused_to_a_restore_that_lost_tables(database: Database, ready: Place) -> None:
    POSTGRES.swap(database.settings, ready)
    POSTGRES.resume_writers(database.settings, ready)
    database.execute("DROP TABLE words")
    with pytest.raises(DriverError, match="has 0 tables where 1 were restored"):
        POSTGRES.health(database.settings, ready)


def test_discarding_wins_over_those_who_reconnect(database: Database, ready: Place) -> None:
    hammer = Hammer(database)
    hammer.start()
    POSTGRES.swap(database.settings, ready)
    back = replace(ready, live="postgres", beside=database.name)
    POSTGRES.discard(database.settings, back, database.name)
    hammer.finish()
    assert database.name not in database.server.databases()
