"""What goes wrong while others work in the database, or the server dies: nothing lost, and a sentence."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from backups.artefacts import ArtefactWriter
from backups.drivers.base import DriverError, Mode, Place, Standing
from backups.drivers.mysql import MYSQL, dumping, exchange, journal, mark, survey, take, target
from backups.drivers.mysql.journal import Journal
from backups.drivers.mysql.target import Target
from tests.drivers.contract.bench import quiet
from tests.drivers.mariadb import quoted
from tests.drivers.mysql.conftest import Shop

pytestmark = pytest.mark.slow  # servers that fail


def ready(shop: Shop) -> tuple[Place, object, object]:
    """A restore to swap in, and what live and restored look like."""
    before = shop.case.snapshot(shop.name)
    artefact = shop.take()
    shop.case.mutate()
    return shop.ready(artefact), before, shop.case.snapshot(shop.name)


def test_a_long_transaction_stops_the_swap_in_time_and_nothing_has_changed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, before, newer = ready(shop)
    monkeypatch.setitem(target._SESSION, "lock_wait_timeout", "1")
    with closing(shop.case.server.connect(database=shop.name)) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM orders")
        started = time.monotonic()
        with pytest.raises(DriverError, match="holds tables of .* for too long") as blocked:
            MYSQL.swap(shop.case.settings, place)
        assert time.monotonic() - started < 20
        assert blocked.value.retry
        assert "root" in blocked.value.sentence
        assert shop.case.snapshot(shop.name) == newer
        assert MYSQL.standing(shop.case.settings, place) is Standing.ORIGINAL
        assert not shop.case.exists(place.kept)
        cursor.execute("COMMIT")
    MYSQL.swap(shop.case.settings, place)
    assert shop.case.snapshot(shop.name) == before


def test_no_write_is_lost_while_tables_are_exchanged(shop: Shop) -> None:
    """A writer goes on all the time: each row is in one of the two, and none misses its trigger but in the last moment."""
    place, _, _ = ready(shop)
    written: list[str] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def write() -> None:
        with closing(shop.case.server.connect(database=shop.name)) as connection, connection.cursor() as cursor:
            while not over.is_set():
                name = f"w{len(written)}"
                try:
                    cursor.execute("INSERT INTO orders (ref, cents) VALUES (%s, 1)", [name])
                    written.append(name)
                except pymysql.MySQLError as error:
                    failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 20:
            time.sleep(0.01)
        MYSQL.swap(shop.case.settings, place)
        enough = len(written) + 20
        while len(written) < enough:
            time.sleep(0.01)
    finally:
        over.set()
        writer.join()
    assert failed == []
    rows = "SELECT ref FROM orders WHERE ref LIKE 'w%' ORDER BY id"
    live, kept = ([ref for (ref,) in shop.case.server.rows(rows, name)] for name in (shop.name, place.kept))
    assert sorted(live + kept) == sorted(written)
    assert live
    assert kept
    audited = shop.case.server.rows("SELECT what FROM audit WHERE what LIKE 'first; w%'", place.kept)
    stamped = {what for (what,) in audited}
    missed = [ref for ref in kept if f"first; {ref}" not in stamped]
    assert missed == kept[len(kept) - len(missed) :]
    assert len(missed) < len(kept) / 2


def test_an_exchange_that_another_process_works_at_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    place, _, _ = ready(shop)
    monkeypatch.setattr(journal, "WAIT_SECONDS", 1)
    with Target.of(shop.case.settings).connect() as connection, journal.alone(connection, shop.name):
        for verb in (MYSQL.standing, MYSQL.swap, MYSQL.swap_back, MYSQL.health):
            with pytest.raises(DriverError, match="is under way") as busy:
                verb(shop.case.settings, place)
            assert busy.value.retry


def test_half_done_is_not_backed_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    place, before, newer = ready(shop)
    cut_off(shop, place, monkeypatch, "finish")
    with pytest.raises(DriverError, match="was cut off there"):
        shop.take("half")
    assert MYSQL.standing(shop.case.settings, place) is Standing.RESTORED
    assert shop.case.snapshot(shop.name) == before
    assert shop.case.snapshot(place.kept) == newer
    shop.take("whole")


def cut_off(shop: Shop, place: Place, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """A swap whose process is gone from there on."""

    class Gone(BaseException):
        pass

    def gone(*_: object) -> None:
        raise Gone

    with monkeypatch.context() as patched:
        patched.setattr(exchange, "_put_back", gone)
        patched.setattr(*{"move": (exchange, "_move"), "finish": (journal, "finish")}[where], gone)
        with pytest.raises(Gone):
            MYSQL.swap(shop.case.settings, place)


@pytest.mark.parametrize("moved", [1, 5, 12, 20])
def test_tables_that_moved_in_part_are_moved_back(shop: Shop, monkeypatch: pytest.MonkeyPatch, moved: int) -> None:
    """As an old server leaves them that crashes in the middle of its statement, which is not atomic there."""
    place, before, newer = ready(shop)
    cut_off(shop, place, monkeypatch, "move")
    with Target.of(shop.case.settings).connect() as connection:
        said = mark.read(connection, place.beside)
        assert said is not None
        done = Journal.from_json(said[mark.JOURNAL])
        for name in (done.live, done.source):
            for (trigger,) in shop.case.server.rows(
                f"SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '{name}'"
            ):
                shop.execute(f"DROP TRIGGER {quoted(trigger)}", name)
        for move in list(done.moves())[:moved]:
            journal.rename(connection, [move])
    assert MYSQL.standing(shop.case.settings, place) is Standing.ORIGINAL
    assert shop.case.snapshot(shop.name) == newer
    assert shop.case.snapshot(place.beside) == before
    assert not shop.case.exists(place.kept)
    MYSQL.swap(shop.case.settings, place)
    assert shop.case.snapshot(shop.name) == before


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4])
def test_a_server_killed_in_the_middle_of_a_swap(own_shop: Shop, delay: float) -> None:
    """With kill -9, at some moment of it: afterwards one of the two is live, whole, and the other is there."""
    shop = own_shop
    shop.execute(
        "".join(
            f"CREATE TABLE many{number} (x INT PRIMARY KEY); INSERT INTO many{number} VALUES (1);"
            for number in range(60)
        )
    )
    place, before, newer = ready(shop)
    begun = threading.Event()
    real = journal.rename

    def rename(*arguments: object) -> None:
        begun.set()
        real(*arguments)  # type: ignore[arg-type]

    failed: list[BaseException] = []

    def swap() -> None:
        try:
            MYSQL.swap(shop.case.settings, place)
        except DriverError as error:
            failed.append(error)

    thread = threading.Thread(target=swap)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "rename", rename)
        thread.start()
        begun.wait(30)
        time.sleep(delay)
        shop.case.server.kill()
        thread.join()
    shop.case.server.start()
    standing = MYSQL.standing(shop.case.settings, place)
    assert standing in (Standing.ORIGINAL, Standing.RESTORED)
    live, other = (newer, before) if standing is Standing.ORIGINAL else (before, newer)
    assert shop.case.snapshot(shop.name) == live
    assert shop.case.snapshot(place.beside if standing is Standing.ORIGINAL else place.kept) == other
    MYSQL.swap(shop.case.settings, place)
    assert shop.case.snapshot(shop.name) == before
    assert shop.case.snapshot(place.kept) == newer


def test_an_empty_database_that_cannot_be_removed_stops_nothing(own_shop: Shop) -> None:
    """A server that was killed has left a file in its directory that it knows nothing of."""
    server = own_shop.case.server
    own_shop.execute("CREATE DATABASE emptied")
    (server.directory / "data" / "emptied" / "left.behind").touch()
    with Target.of(own_shop.case.settings).connect() as connection:
        with pytest.raises(DriverError), Target.of(own_shop.case.settings).connect() as other:
            journal.drop(other, "emptied")
        journal.drop_empty(connection, "emptied")
        journal.drop_empty(connection, "was never there")


def test_a_server_that_dies_while_a_backup_is_taken_leaves_none(own_shop: Shop) -> None:
    own_shop.case.grow(8)

    def kill(bytes_done: int, bytes_expected: int | None = None) -> None:
        if bytes_done > 1 << 20:
            own_shop.case.server.kill()

    with (
        pytest.raises(DriverError) as lost,
        ArtefactWriter(own_shop.store, "lost", kind=MYSQL.kind, header={}) as writer,
    ):
        writer.finish(MYSQL.take(own_shop.case.settings, writer, kill))
    assert lost.value.retry
    assert own_shop.objects() == []


def test_a_change_of_form_while_the_backup_is_taken_spoils_it(shop: Shop) -> None:
    shop.case.grow(4)
    for change in (
        "CREATE TABLE while_taking (x INT)",
        "ALTER TABLE empty ADD COLUMN y INT",
        "DROP TRIGGER guard",
        "CREATE OR REPLACE VIEW mine AS SELECT 2 AS two",
    ):
        done: list[str] = []

        def change_once(
            bytes_done: int, bytes_expected: int | None = None, change: str = change, done: list[str] = done
        ) -> None:
            if not done:
                done.append(change)
                shop.execute(change)

        with (
            pytest.raises(DriverError, match="Try again") as changed,
            ArtefactWriter(shop.store, "changed", kind=MYSQL.kind, header={}) as writer,
        ):
            writer.finish(MYSQL.take(shop.case.settings, writer, change_once))
        assert changed.value.retry
    assert shop.objects() == []


def test_rows_written_while_the_backup_is_taken_are_not_half_in_it(shop: Shop) -> None:
    """Two tables that a transaction always changes together are of one moment in the backup."""
    shop.execute("CREATE TABLE a_left (x INT); CREATE TABLE z_right (x INT)")
    shop.case.grow(8)
    over = threading.Event()

    def write() -> None:
        with closing(shop.case.server.connect(database=shop.name)) as connection, connection.cursor() as cursor:
            while not over.is_set():
                cursor.execute("BEGIN")
                cursor.execute("INSERT INTO a_left VALUES (1)")
                cursor.execute("INSERT INTO z_right VALUES (1)")
                cursor.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.05)
        artefact = shop.take()
    finally:
        over.set()
        writer.join()
    rows = {entry["name"]: entry["rows"] for entry in artefact.manifest() if entry["entry"] == "table"}
    assert rows["a_left"] == rows["z_right"] > 0
    place = shop.place(Mode.BESIDE)
    shop.restore(place, artefact)
    MYSQL.verify(shop.case.settings, place, artefact, quiet)


@pytest.mark.parametrize(
    ("pipe", "words"),
    [
        ("| head -n -1", "ended before its dump was complete"),
        ("| head -c 3000", "ended before its dump was complete|has a form that the portal does not know"),
        (
            "| sed 's/^UNLOCK//; s/^INSERT INTO `orders`/REPLACE INTO `orders`/'",
            "has a form that the portal does not know",
        ),
        ("; exit 3", "ended with exit code 3"),
    ],
)
def test_a_dump_that_is_cut_short_or_odd_is_no_backup(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipe: str, words: str
) -> None:
    """By a program that ends well all the same, as some do."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, command in (("mariadb-dump", f'"$real" "$@" {pipe}'), ("mariadb", 'exec "$real" "$@"')):
        script = programs / name
        only = 'case "$1" in --version) exec "$real" "$@";; esac\n'
        script.write_text(f"#!/bin/sh\nreal={shutil.which(name)}\n{only}{command}\n")
        script.chmod(0o755)
    monkeypatch.setenv("MYSQL_BIN", str(programs))
    with pytest.raises(DriverError, match=words):
        shop.take()
    assert shop.objects() == []


def test_a_change_of_a_table_between_backup_and_swap_is_kept(shop: Shop) -> None:
    place = shop.ready(shop.take())
    shop.execute("CREATE TABLE late (x INT); INSERT INTO late VALUES (1)")
    newer = shop.case.snapshot(shop.name)
    MYSQL.swap(shop.case.settings, place)
    assert shop.case.snapshot(place.kept) == newer
    MYSQL.swap_back(shop.case.settings, place)
    assert shop.case.snapshot(shop.name) == newer


def take_while(shop: Shop, act: Callable[[], object], prefix: str) -> DriverError | None:
    """What a backup is refused with when something is done after its rows have been read, and before it is whole."""

    def dump_rows(*arguments: Any) -> None:
        dumping.dump_rows(*arguments)
        act()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(take, "dump_rows", dump_rows)
        try:
            shop.take(prefix)
        except DriverError as refused:
            return refused
    return None


def test_tables_exchanged_between_two_tables_of_a_dump_spoil_the_backup(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.case.grow(8)
    artefact = shop.take()
    shop.execute("UPDATE aria SET x = x + 1; UPDATE orders SET cents = 1")
    place = shop.ready(artefact)
    failed: list[BaseException] = []

    def swap() -> None:
        try:
            MYSQL.swap(shop.case.settings, place)
        except DriverError as error:
            failed.append(error)

    thread = threading.Thread(target=swap)

    def look(bytes_done: int, bytes_expected: int | None = None) -> None:
        if thread.ident is None:  # the large table is being read, and locked as long
            thread.start()
            time.sleep(0.5)

    def dump_rows(*arguments: Any) -> None:
        dumping.dump_rows(*arguments)
        thread.join()  # half done, it would be seen by other signs

    monkeypatch.setattr(take, "dump_rows", dump_rows)
    with (
        pytest.raises(DriverError, match="two moments") as refused,
        ArtefactWriter(shop.store, "mixed", kind=MYSQL.kind, header={}) as writer,
    ):
        writer.finish(MYSQL.take(shop.case.settings, writer, look))
    assert failed == []
    assert refused.value.retry
    assert MYSQL.standing(shop.case.settings, place) is Standing.RESTORED


def test_no_exchange_while_a_backup_is_taken_goes_unseen(shop: Shop) -> None:
    """Also one back and forth, and one of which nothing is left at the end but the original that is kept."""
    artefact = shop.take()
    place, other = shop.ready(artefact), shop.ready(artefact)
    settings = shop.case.settings

    def there_and_back() -> None:
        MYSQL.swap(settings, place)
        MYSQL.swap_back(settings, place)

    def there_and_done() -> None:
        MYSQL.swap(settings, other)
        MYSQL.discard(settings, other, other.kept)

    acts: list[Callable[[], object]] = [
        lambda: MYSQL.swap(settings, place),
        lambda: MYSQL.swap_back(settings, place),
        there_and_back,
        there_and_done,
        lambda: MYSQL.swap(settings, shop.ready(artefact)),
    ]
    for number, act in enumerate(acts):
        refused = take_while(shop, act, f"spoilt{number}")
        assert refused is not None, number
        assert refused.retry
        assert "two moments" in refused.sentence
    assert take_while(shop, lambda: None, "sound") is None


def test_a_restore_that_exchanges_nothing_here_does_not_spoil_a_backup(shop: Shop) -> None:
    """One of another database, whatever it does, and one that is only built beside this."""
    artefact = shop.take()
    name = f"{shop.name} other"
    shop.case.server.create_database(name)
    settings = {**shop.case.settings, "dbname": name}
    place = MYSQL.place(settings, "o1-t", Mode.IN_PLACE)
    MYSQL.restore(settings, place, artefact, shop.workdir(), quiet)
    place = MYSQL.identify(settings, place)
    acts: list[Callable[[], object]] = [
        lambda: MYSQL.swap(settings, place),
        lambda: MYSQL.swap_back(settings, place),
        lambda: MYSQL.discard(settings, place, place.beside),
        lambda: shop.ready(artefact),
    ]
    for number, act in enumerate(acts):
        assert take_while(shop, act, f"beside{number}") is None


@pytest.mark.parametrize("where", ["wait_in_line", "UNLOCK"])
def test_nothing_goes_on_while_the_exchanging_statement_may_still_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The session that holds the locks fails: the statement has ended before anything is put right, and either way it is."""
    place, before, newer = ready(shop)
    failure = pymysql.OperationalError(2013, "Lost connection to server during query")
    seen: list[bool] = []
    recover, run, rename = journal.recover, survey.execute, journal.rename

    def fails(*_: object) -> None:
        raise failure

    def execute(connection: Any, statement: str, *more: Any) -> None:
        if statement.startswith("UNLOCK"):
            raise failure
        run(connection, statement, *more)

    def slowly(*arguments: Any) -> None:
        time.sleep(0.3)
        rename(*arguments)

    def looks(*arguments: Any) -> None:
        seen.append(any(isinstance(thread, exchange._Renaming) for thread in threading.enumerate()))
        recover(*arguments)

    with monkeypatch.context() as patched:
        if where == "UNLOCK":
            patched.setattr(exchange, "execute", execute)
        else:
            patched.setattr(exchange._Renaming, "wait_in_line", fails)
        patched.setattr(journal, "rename", slowly)
        patched.setattr(journal, "recover", looks)
        with pytest.raises(DriverError, match="connection to the database server broke"):
            MYSQL.swap(shop.case.settings, place)
    assert seen
    assert not any(seen)
    assert MYSQL.standing(shop.case.settings, place) is Standing.RESTORED
    assert shop.case.snapshot(shop.name) == before
    assert shop.case.snapshot(place.kept) == newer


def test_a_table_that_an_application_makes_at_once_is_told_and_a_missing_one_refused(shop: Shop) -> None:
    place, _, _ = ready(shop)
    MYSQL.swap(shop.case.settings, place)
    assert "made since" not in MYSQL.health(shop.case.settings, place)
    shop.execute("CREATE TABLE cached (x INT)")
    assert "made since: cached" in MYSQL.health(shop.case.settings, place)
    shop.execute("DROP TABLE empty")
    with pytest.raises(DriverError, match="are gone: empty"):
        MYSQL.health(shop.case.settings, place)


def test_where_nothing_had_been_live_more_tables_are_told_and_fewer_refused(shop: Shop) -> None:
    artefact = shop.take()
    shop.case.lose()
    place = shop.ready(artefact)
    MYSQL.swap(shop.case.settings, place)
    assert MYSQL.health(shop.case.settings, place).endswith("tables.")
    shop.execute("CREATE TABLE cached (x INT)")
    assert "were restored" in MYSQL.health(shop.case.settings, place)
    shop.execute("DROP TABLE cached; DROP TABLE empty")
    with pytest.raises(DriverError, match="Look at who changes it"):
        MYSQL.health(shop.case.settings, place)
