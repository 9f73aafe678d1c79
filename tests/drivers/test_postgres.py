"""PostgreSQL: what a backup holds, who may take it, and what happens when something goes wrong on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from backups.drivers.base import DriverError, Mode
from backups.drivers.postgres import POSTGRES
from backups.drivers.words import Settings
from tests.drivers.databases import Database
from tests.drivers.servers import PASSWORD

BULK = "CREATE TABLE bulk AS SELECT g AS id, repeat(md5(g::text), 30) AS text FROM generate_series(1, {}) AS g"


@contextmanager
def meanwhile(database: Database, work: Callable[[psycopg.Connection, int], None]) -> Iterator[list[int]]:
    """Somebody else busy with the database; yields how often it was done. Locks held by the backup are waited for."""
    stop = threading.Event()
    done = [0]
    broken: list[Exception] = []

    def run() -> None:
        with database.server.connect(database.name) as connection:
            connection.execute("SET lock_timeout = '100ms'")
            while not stop.is_set():
                try:
                    work(connection, done[0])
                    done[0] += 1
                except psycopg.errors.LockNotAvailable:
                    pass
                except Exception as error:
                    broken.append(error)
                    return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
    assert broken == []


def test_a_backup_taken_among_writers_is_of_one_moment(database: Database) -> None:
    """Counts and digests of the manifest are those of the dump, to the row."""
    database.execute(
        """CREATE TABLE account (id serial PRIMARY KEY, cents bigint); CREATE TABLE log (at timestamptz, text text);
           INSERT INTO account (cents) SELECT 1000 FROM generate_series(1, 200);"""
        + BULK.format(30_000)
    )

    def transfer(connection: psycopg.Connection, number: int) -> None:
        with connection.transaction():
            connection.execute("UPDATE account SET cents = cents - 7 WHERE id = %s", [1 + number % 200])
            connection.execute("INSERT INTO account (cents) VALUES (7)")
            connection.execute("INSERT INTO log VALUES (clock_timestamp(), repeat('x', 500))")
            connection.execute("DELETE FROM bulk WHERE id %% 1000 = %s", [number % 1000])

    with meanwhile(database, transfer) as transfers:
        artefact = database.take()
    assert transfers[0] > 3
    place, verified = database.restore(artefact)
    assert verified.compared["digests"] == 3
    (total,) = database.rows("SELECT sum(cents) FROM account", place.beside)[0]
    (accounts,) = database.rows("SELECT count(*) FROM account", place.beside)[0]
    (logged,) = database.rows("SELECT count(*) FROM log", place.beside)[0]
    assert accounts == 200 + logged
    assert total == 200_000


def test_a_backup_taken_among_changes_of_structure_is_of_one_moment(database: Database) -> None:
    """Truncating and rewriting ignore snapshots; the backup's locks keep them out."""
    database.execute("CREATE TABLE short (id int); INSERT INTO short VALUES (1), (2);" + BULK.format(20_000))

    def change(connection: psycopg.Connection, number: int) -> None:
        connection.execute(f"CREATE TABLE IF NOT EXISTS made_{number} AS SELECT {number} AS x".encode())
        connection.execute(f"DROP TABLE IF EXISTS made_{max(number - 1, 0)}".encode())
        connection.execute("TRUNCATE short")
        connection.execute("INSERT INTO short VALUES (1), (2)")
        connection.execute("ALTER TABLE bulk ALTER COLUMN id TYPE bigint")
        connection.execute("SELECT pg_sleep(0.05)")

    with meanwhile(database, change):
        for _ in range(3):
            database.restore(database.take())


@pytest.mark.parametrize(
    "change",
    [
        "TRUNCATE short",
        *(
            pytest.param(change, marks=pytest.mark.slow)
            for change in ("ALTER TABLE bulk ALTER COLUMN id TYPE bigint", "DROP SEQUENCE s")
        ),
    ],
)
def test_changes_that_wait_patiently_and_the_backup_never_wait_for_each_other(
    database: Database, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change between the locks of two of the backup's sessions would hold up one, and be held up by the other."""
    monkeypatch.setattr("backups.drivers.postgres.take.NEXT_LOCK_MS", 200)
    database.execute("CREATE TABLE short (id int); CREATE SEQUENCE s;" + BULK.format(10_000))

    def patient(connection: psycopg.Connection, _: int) -> None:
        connection.execute("SET lock_timeout = 0")
        connection.execute(change.encode())
        connection.execute("CREATE SEQUENCE IF NOT EXISTS s")
        connection.execute("SELECT pg_sleep(0.02)")

    with meanwhile(database, patient):
        for _ in range(2):
            try:
                artefact = database.take()
            except DriverError as error:
                refusal = error
            else:
                database.restore(artefact)
                continue
            assert refusal.retry, refusal.detail


def test_a_sequence_that_moves_during_the_backup_is_no_false_alarm(database: Database) -> None:
    database.execute(
        "CREATE SEQUENCE ticket; CREATE SEQUENCE wheel MAXVALUE 50 CYCLE; CREATE SEQUENCE rest START 5;"
        + BULK.format(9000)
    )

    def draw(connection: psycopg.Connection, _: int) -> None:
        connection.execute("SELECT nextval('ticket'), nextval('wheel')")

    with meanwhile(database, draw):
        artefact = database.take()
    entries = {entry["name"]: entry for entry in artefact.manifest() if entry["entry"] == "sequence"}
    assert entries["public.ticket"]["before"] < entries["public.ticket"]["after"]
    assert entries["public.rest"]["before"] == entries["public.rest"]["after"] == [5, False]
    database.restore(artefact)


def test_everything_that_pg_dump_leaves_to_others_comes_back(database: Database) -> None:
    database.role("owner_of_shop")
    database.role("reporter")
    database.execute(
        """ALTER DATABASE shop OWNER TO owner_of_shop; ALTER DATABASE shop SET work_mem = '7MB';
           ALTER DATABASE shop SET search_path = "$user", public, "odd ""schema";
           ALTER DATABASE shop SET app.motto = 'it''s';
           ALTER ROLE reporter IN DATABASE shop SET statement_timeout = '5s'; ALTER DATABASE shop CONNECTION LIMIT 17;
           REVOKE ALL ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO reporter WITH GRANT OPTION;
           COMMENT ON DATABASE shop IS 'The "shop"'; CREATE TABLE t (x int); ALTER TABLE t OWNER TO owner_of_shop;
           GRANT SELECT ON t TO reporter;"""
    )
    query = """SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),
                      array(SELECT a::text FROM unnest(datacl) AS a ORDER BY 1),
                      array(SELECT (setrole, setconfig)::text FROM pg_db_role_setting
                             WHERE setdatabase = d.oid ORDER BY 1)
                 FROM pg_database AS d WHERE datname = '{}'"""
    before = database.rows(query.format("shop"))
    place, _ = database.restore(database.take())
    assert database.rows(query.format(place.beside)) == before
    assert database.rows(
        "SELECT relacl::text, relowner::regrole::text FROM pg_class WHERE relname = 't'", place.beside
    ) == (database.rows("SELECT relacl::text, relowner::regrole::text FROM pg_class WHERE relname = 't'"))


def test_extensions_inheritance_and_left_out_rows(database: Database) -> None:
    if not database.rows("SELECT FROM pg_available_extensions WHERE name = 'hstore'"):
        pytest.skip("PostgreSQL's contrib extensions are not installed")
    database.execute(
        """CREATE EXTENSION hstore; CREATE EXTENSION postgres_fdw;
           CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
           CREATE FOREIGN TABLE elsewhere (x int) SERVER other; CREATE TABLE pairs (h hstore);
           INSERT INTO pairs VALUES ('a=>1, b=>NULL');
           CREATE TABLE parent (z int); CREATE TABLE child (a int) INHERITS (parent);
           ALTER TABLE parent ADD COLUMN b text;
           INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 3, 'c');
           CREATE MATERIALIZED VIEW unfilled AS SELECT 1 WITH NO DATA;
           CREATE MATERIALIZED VIEW stale AS SELECT count(*) FROM parent; INSERT INTO parent VALUES (5, 'later');
           ALTER TABLE pairs ADD CHECK (h IS NOT NULL) NOT VALID;
           CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE m (m mood[])"""
    )
    artefact = database.take()
    assert database.taken
    assert "public.elsewhere" in database.taken.warnings[0]
    assert "hstore" in database.preflight(artefact)
    _, verified = database.restore(artefact)
    assert verified.compared["tables"] == 4
    assert "all values compared by digest" in verified.sentence


def test_what_there_is_one_of_is_said_so(database: Database) -> None:
    database.execute("CREATE TABLE one (id serial PRIMARY KEY); INSERT INTO one DEFAULT VALUES; SELECT lo_create(0)")
    _, verified = database.restore(database.take())
    assert verified.sentence.startswith("1 table with 1 row (")
    assert "1 sequence, 1 large object: as in" in verified.sentence


@pytest.mark.parametrize("options", ["", "NOINHERIT"])
def test_a_role_that_may_only_read_can_back_up_but_not_restore(database: Database, options: str) -> None:
    database.execute("CREATE TABLE t (x serial); INSERT INTO t VALUES (1)")
    reader = database.role("reader", options)
    database.execute("GRANT pg_read_all_data TO reader" if not options else "GRANT SELECT ON t, t_x_seq TO reader")
    assert POSTGRES.check(reader).sentence.startswith("PostgreSQL ")
    artefact = database.take(reader)
    database.restore(artefact)
    with pytest.raises(DriverError, match="may not create databases") as refused:
        database.preflight(artefact, settings=reader)
    assert refused.value.setting == "user"


def test_what_a_role_cannot_read_is_named_and_no_backup_is_taken(database: Database) -> None:
    database.execute(
        """CREATE TABLE public (x int); CREATE TABLE "Secret" (x serial); CREATE SCHEMA vault;
           CREATE TABLE vault.t (x int);
           CREATE TABLE mine (x int); ALTER TABLE mine ENABLE ROW LEVEL SECURITY; SELECT lo_create(7)"""
    )
    reader = database.role("reader")
    database.execute("GRANT SELECT ON public, mine TO reader; GRANT SELECT ON vault.t TO reader")

    def refused(words: str) -> None:
        for verb in (lambda: POSTGRES.check(reader), lambda: database.take(reader)):
            with pytest.raises(DriverError, match=words) as error:
                verb()
            assert error.value.setting == "user"
        assert list(database.store.list()) == []

    refused(r'cannot read public\."Secret", public\."Secret_x_seq", vault\.t\. Grant it')
    database.execute('GRANT SELECT ON "Secret", "Secret_x_seq" TO reader; GRANT USAGE ON SCHEMA vault TO reader')
    refused(r"Row-level security hides rows of public\.mine")
    database.execute("ALTER ROLE reader BYPASSRLS")
    refused("cannot read 1 large object")
    database.execute("GRANT SELECT ON LARGE OBJECT 7 TO reader")
    database.restore(database.take(reader))


def test_a_role_that_owns_all_restores_without_being_superuser(database: Database) -> None:
    owner = database.role("shop_owner", "CREATEDB")
    database.execute("ALTER DATABASE shop OWNER TO shop_owner")
    with psycopg.connect(**{**connection_settings(owner), "autocommit": True}) as connection:  # type: ignore[arg-type]
        connection.execute("CREATE TABLE t (x serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES; SELECT lo_create(0)")
    artefact = database.take(owner)
    assert "Owners and rights will be as they were" in database.preflight(artefact, settings=owner)
    place, _ = database.restore(artefact, settings=owner)
    place = POSTGRES.identify(owner, place)
    POSTGRES.stop_writers(owner, place)
    POSTGRES.swap(owner, place)
    POSTGRES.resume_writers(owner, place)
    assert "answers as the restored one" in POSTGRES.health(owner, place)
    POSTGRES.discard(owner, place, place.kept)
    assert database.rows("SELECT relowner::regrole::text FROM pg_class WHERE relname = 't'") == [("shop_owner",)]


def connection_settings(settings: Settings) -> dict[str, str]:
    return {"host": settings["host"], "port": settings["port"], "dbname": settings["dbname"], "user": settings["user"],
            "password": PASSWORD}  # fmt: skip


def test_roles_that_are_missing_or_foreign(database: Database) -> None:
    creator = database.role("creator", "CREATEDB")
    database.role("somebody")
    database.execute("CREATE TABLE t (x int); ALTER TABLE t OWNER TO somebody; GRANT SELECT ON t TO creator")
    database.execute("ALTER DATABASE shop OWNER TO creator")
    artefact = database.take()
    with pytest.raises(DriverError, match="no member of somebody") as refused:
        database.preflight(artefact, settings=creator)
    assert refused.value.setting == "user"
    assert "everything will belong to creator" in database.preflight(artefact, settings=creator, mode=Mode.BESIDE)
    place = database.place(Mode.BESIDE)
    database.restore(artefact, place, creator)
    assert database.rows("SELECT relowner::regrole::text FROM pg_class WHERE relname = 't'", place.beside) == [
        ("creator",)
    ]
    database.execute("ALTER TABLE t OWNER TO creator; DROP ROLE somebody")
    with pytest.raises(DriverError, match="no role called somebody"):
        database.preflight(artefact)
    database.restore(artefact, database.place(Mode.BESIDE))


def test_secrets_are_in_no_argument_and_no_error(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at through /proc, as any user of the machine can."""
    database.execute(BULK.format(20_000))
    seen: set[str] = set()

    def look(bytes_done: int, bytes_expected: int | None = None) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue

    artefact = database.take(progress=look)
    place = database.place()
    POSTGRES.restore(database.settings, place, artefact, database.workdir(), look)
    assert any("pg_dump" in line and "--snapshot" in line for line in seen)
    assert not any(PASSWORD in line for line in seen)
    monkeypatch.setenv("WRONG", "almost-" + PASSWORD)
    with pytest.raises(DriverError, match="does not accept the password") as refused:
        POSTGRES.check({**database.settings, "password": "env:WRONG"})
    assert PASSWORD not in refused.value.detail + refused.value.sentence


def test_the_portals_own_password_is_never_sent(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as environment:  # undone before the database's own clean-up
        environment.setenv("PGPASSWORD", PASSWORD)
        environment.setenv("PGOPTIONS", "-c nonsense=1")
        with pytest.raises(DriverError, match="asks for a password"):
            POSTGRES.check({**database.settings, "password": ""})
        POSTGRES.check(database.settings)


def test_an_empty_database(database: Database) -> None:
    _, verified = database.restore(database.take())
    assert verified.compared["tables"] == 0
