"""PostgreSQL: other versions, servers that die, no room, and what preflight refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql

from backups.artefacts import StoredArtefact
from backups.drivers.base import DamagedBackup, DriverError, Mode, Place
from backups.drivers.postgres import POSTGRES, archive
from backups.drivers.postgres.clients import for_server
from backups.drivers.postgres.create import MARK
from backups.drivers.words import ManifestEntry, Settings
from backups.processes import run
from tests.drivers.cases.postgres import CONTENT
from tests.drivers.databases import Database, quiet
from tests.drivers.rooms import small_directory
from tests.drivers.servers import PASSWORD, Binaries, PostgresServer, installations

pytestmark = pytest.mark.slow  # servers that fail

BULK = "CREATE TABLE bulk AS SELECT g AS id, repeat(md5(g::text), 30) AS text FROM generate_series(1, {}) AS g"


@pytest.mark.slow
@pytest.mark.parametrize("binaries", installations(), ids=lambda one: f"PostgreSQL {one.major}")
def test_every_version_here_takes_and_restores(binaries: Binaries, tmp_path: Path) -> None:
    with PostgresServer(binaries) as server, Database(server, tmp_path) as database:
        database.execute(CONTENT)
        artefact = database.take()
        _, verified = database.restore(artefact)
        assert verified.compared["digests"] > 0
        for other in installations():
            if other.major > server.major:
                with PostgresServer(other) as newer:
                    place = database.place(Mode.BESIDE)
                    settings = database.at(newer)
                    POSTGRES.preflight(settings, place, Mode.BESIDE, artefact, database.workdir())
                    POSTGRES.restore(settings, place, artefact, database.workdir(), quiet)
                    found = POSTGRES.verify(settings, place, artefact, quiet)
                    assert found.compared["digests"] == 0
                    assert "digest" not in found.sentence
            elif other.major < server.major:
                with PostgresServer(other) as older, pytest.raises(DriverError, match="runs the older"):
                    POSTGRES.preflight(
                        database.at(older), database.place(), Mode.IN_PLACE, artefact, database.workdir()
                    )


def take(database: Database, place: Place) -> None:
    """Kill the server while it is dumped."""

    def die(bytes_done: int, bytes_expected: int | None = None) -> None:
        database.server.kill()

    database.take(progress=die)


@contextmanager
def killing(database: Database, when: Callable[[], bool]) -> Iterator[None]:
    """Kill the server as soon as it is so."""

    def kill() -> None:
        while not when():
            time.sleep(0.01)
        database.server.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        killer.join()


def restore(database: Database, place: Place) -> None:
    """Kill it while pg_restore fills the new database."""
    artefact = database.take()
    with killing(database, lambda: database.server.sessions(place.beside) > 1):
        POSTGRES.restore(database.settings, place, artefact, database.workdir(), quiet)


def verify(database: Database, place: Place) -> None:
    """Kill it while the restored tables are counted."""
    artefact = database.take()
    POSTGRES.restore(database.settings, place, artefact, database.workdir(), quiet)
    with killing(database, lambda: database.server.sessions(place.beside) > 1):
        POSTGRES.verify(database.settings, place, artefact, quiet)


@pytest.mark.parametrize("lost", [restore, *(pytest.param(verb, marks=pytest.mark.slow) for verb in (take, verify))])
def test_a_server_that_dies_is_a_sentence_and_can_be_tried_again(
    own_server: PostgresServer, tmp_path: Path, lost: Callable[[Database, Place], None]
) -> None:
    with Database(own_server, tmp_path) as database:
        database.execute(BULK.format(60_000))
        place = database.place()
        with pytest.raises(DriverError) as told:
            lost(database, place)
        assert told.value.retry, told.value.detail
        assert told.value.sentence.endswith(".")
        assert PASSWORD not in told.value.detail
        if lost is take:
            assert list(database.store.list()) == []
        own_server.start()
        database.restore(database.take(), place)


def test_without_room_in_the_work_directory_the_restore_is_streamed(database: Database, tmp_path: Path) -> None:
    database.execute(BULK.format(5000))
    artefact = database.take()
    place = database.place()
    with small_directory(tmp_path / "small", megabytes=1) as small:
        assert "will be streamed" in "".join(
            POSTGRES.preflight(database.settings, place, Mode.IN_PLACE, artefact, small)
        )
        POSTGRES.restore(database.settings, place, artefact, small, quiet)
        assert list(small.iterdir()) == []
    POSTGRES.verify(database.settings, place, artefact, quiet)


def test_preflight_sees_what_would_go_wrong(database: Database) -> None:
    database.execute("CREATE TABLE t (x int)")
    artefact = database.take()
    said = database.preflight(artefact)
    for words in (
        "The server runs PostgreSQL",
        "Nobody else restores",
        "may be renamed",
        "free;",
        "work directory has room",
    ):
        assert words in said
    assert "taken" not in database.preflight(artefact, mode=Mode.EXPORT)

    def refused(words: str, settings: Settings | None = None) -> None:
        with pytest.raises(DriverError, match=words) as error:
            database.preflight(artefact, settings=settings)
        assert error.value.sentence.endswith(".")

    refused("Choose another maintenance database", {**database.settings, "maintenance_db": "shop"})
    database.execute("SELECT pg_create_logical_replication_slot('slot', 'test_decoding')")
    refused("1 replication slot,")
    database.execute("SELECT pg_drop_replication_slot('slot')")
    database.execute("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'half'")
    refused("1 prepared transaction,")
    database.execute("ROLLBACK PREPARED 'half'")
    place = database.place()
    database.server.create_database(place.kept)
    with pytest.raises(DriverError, match="already"):
        database.preflight(artefact, place)
    with database.server.connect() as connection:
        other = sql.Identifier("shop_restore_rr0-1")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(other))
        assert "Nobody else restores" in database.preflight(artefact)
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(other, MARK))
    refused("Another restore of shop is being built")


def test_places_of_data_are_found_in_every_versions_archive(database: Database, tmp_path: Path) -> None:
    """A dump that went through a pipe becomes what pg_dump writes into a file."""
    database.execute(CONTENT)
    for client in {for_server(one.major) for one in installations()}:
        where = [f"--dbname=host={database.server.directory} port={database.server.port} user=postgres dbname=shop"]
        options = ["--format=custom", "--compress=0", *where]
        piped = tmp_path / "piped"
        piped.write_bytes(run([client.pg_dump, *options]).stdout)
        run([client.pg_dump, f"--file={tmp_path}/written", *options])
        places = archive.Places()
        with piped.open("rb") as passing:
            while data := passing.read(4093):  # a prime: everything lies across the end of a chunk some time
                places.passes(data)
        assert places.fill_in(piped) > 5
        assert table_of_contents(piped) == table_of_contents(tmp_path / "written")
        run([client.pg_restore, "--exit-on-error", "--jobs=2", f"--file={tmp_path}/text", str(piped)], ok=(0, 1))


def table_of_contents(path: Path) -> bytes:
    """An archive without the seconds in which it was made."""
    content = path.read_bytes()
    return content[:11] + content[60:]


def test_a_database_whose_removal_was_interrupted_is_removed(database: Database) -> None:
    place = database.place()
    database.server.create_database(place.beside)
    database.execute(f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{place.beside}'")
    POSTGRES.discard(database.settings, place, place.beside)
    assert place.beside not in database.server.databases()


def test_a_manifest_of_something_else_is_refused(database: Database) -> None:
    class Foreign(StoredArtefact):
        def manifest(self) -> Iterator[ManifestEntry]:
            yield {"entry": "directory"}

    artefact = database.take()
    foreign = Foreign(database.store, artefact.prefix, artefact.info)
    with pytest.raises(DamagedBackup, match="does not begin as"):
        database.preflight(foreign)


@pytest.mark.parametrize(
    "options",
    [
        "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
    ],
)
def test_encoding_and_locale_are_kept(database: Database, options: str) -> None:
    if "icu" in options and not database.rows("SELECT FROM pg_collation WHERE collprovider = 'i'"):
        pytest.skip("This PostgreSQL was built without ICU")
    database.server.drop_database("shop")
    database.server.execute(f"CREATE DATABASE shop TEMPLATE template0 {options}")
    database.execute("CREATE TABLE t (x text PRIMARY KEY); INSERT INTO t VALUES ('ä'), ('Z'), ('é')")
    place, _ = database.restore(database.take())
    query = """SELECT to_jsonb(d) - ARRAY['oid', 'datname', 'datfrozenxid', 'datminmxid', 'datacl']
                 FROM pg_database AS d WHERE datname = '{}'"""
    assert database.rows(query.format(place.beside)) == database.rows(query.format("shop"))


def test_settings_that_only_a_superuser_may_make_are_refused_early(database: Database) -> None:
    creator = database.role("creator", "CREATEDB")
    database.execute("ALTER DATABASE shop OWNER TO creator; ALTER DATABASE shop SET log_min_duration_statement = 0")
    artefact = database.take()
    with pytest.raises(DriverError, match="only a superuser may make: log_min_duration_statement") as refused:
        database.preflight(artefact, settings=creator)
    assert refused.value.setting == "user"
    database.restore(artefact)
