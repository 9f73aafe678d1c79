"""The PostgreSQL driver without a server: settings, names, tools, and what errors are turned into."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.drivers.base import DriverError, Mode
from backups.drivers.postgres import POSTGRES, archive
from backups.drivers.postgres.clients import Client, for_server, installed
from backups.drivers.postgres.create import _value
from backups.drivers.postgres.errors import driver_error
from backups.drivers.postgres.target import Target
from backups.drivers.words import Settings
from backups.processes import ProcessFailed

GOOD: Settings = {"host": "DB.example.org.", "dbname": "Shop", "user": "backup", "password": "env:SHOP_PASSWORD"}
ABOUT = Target.of(GOOD).describe()


def test_locators_are_canonical(tmp_path: Path) -> None:
    assert POSTGRES.locator(GOOD) == "db.example.org:5432/Shop"
    assert POSTGRES.locator({**GOOD, "port": "05432"}) == POSTGRES.locator(GOOD)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert POSTGRES.locator({**GOOD, "host": f"{tmp_path}/link/"}) == f"{tmp_path}/real:5432/Shop"
    assert not POSTGRES.overlaps(POSTGRES.locator(GOOD), POSTGRES.locator({**GOOD, "dbname": "shop"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", ""), ("host", "a,b"), ("host", "relative/path"), ("host", "a b"), ("port", "0"), ("port", "65536"),
        ("port", "-1"), ("port", "５４３２"), ("dbname", ""), ("dbname", "é" * 32), ("dbname", "a\0b"), ("user", " "),
        ("sslmode", "off"), ("password", "hunter2"), ("maintenance_db", "x" * 64),
    ],
)  # fmt: skip
def test_settings_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(DriverError) as refused:
        POSTGRES.locator({**GOOD, name: value})
    assert refused.value.setting == name
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("dbname", ["shop", "x" * 63, "ü" * 31, "日本" * 10, "a=b", "postgresql://x"])
def test_names_fit_whole_tokens_into_63_bytes(dbname: str) -> None:
    place = POSTGRES.place({**GOOD, "dbname": dbname}, "rr1042-1-abcdef", Mode.IN_PLACE)
    beside = POSTGRES.place({**GOOD, "dbname": dbname}, "rr1042-1-abcdef", Mode.BESIDE)
    assert place.beside.endswith("_restore_rr1042-1-abcdef")
    assert place.kept.endswith("_before_rr1042-1-abcdef")
    assert beside.beside.endswith("_restored_rr1042-1-abcdef")
    assert all(len(name.encode()) <= 63 for name in (place.live, place.beside, place.kept, beside.beside))


@pytest.mark.parametrize("mode", [Mode.IN_PLACE, Mode.BESIDE])
@pytest.mark.parametrize("which", ["kept", "beside"])
def test_what_a_restore_has_made_or_put_aside_is_no_resource(which: str, mode: Mode) -> None:
    place = POSTGRES.place(GOOD, "rr-1042-1-abcdef", mode)
    with pytest.raises(DriverError, match="belongs to a restore") as refused:
        POSTGRES.check({**GOOD, "dbname": getattr(place, which)})
    assert refused.value.setting == "dbname"


def test_a_token_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(DriverError, match="too long"):
        POSTGRES.place(GOOD, "t" * 60, Mode.IN_PLACE)


@pytest.mark.parametrize(
    ("client", "server", "serves"),
    [(15, 15, True), (16, 15, True), (15, 16, False), (18, 16, False), (18, 17, True), (17, 18, False)],
)
def test_which_tools_serve_which_server(client: int, server: int, serves: bool) -> None:
    assert Client(Path("/bin"), f"{client}.3").serves(server) is serves


def test_the_servers_own_version_is_preferred() -> None:
    for client in installed():
        assert for_server(client.major).major == client.major


def test_missing_tools_are_named() -> None:
    with pytest.raises(DriverError, match="Install postgresql-client-99"):
        for_server(99)
    with pytest.raises(DriverError, match="written by pg_dump 99"):
        for_server(15, 99)


def test_tools_can_be_told_where_to_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("pg_dump", "pg_restore"):
        (tmp_path / program).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 42.1 (Debian 42.1-1)'\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    assert for_server(42) == Client(tmp_path, "42.1")
    (tmp_path / "pg_dump").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(DriverError):
        for_server(42)


@pytest.mark.parametrize(
    ("text", "setting", "retry", "words"),
    [
        ('FATAL:  password authentication failed for user "backup"', "password", False, "does not accept the password"),
        ("fe_sendauth: no password supplied", "password", False, "asks for a password"),
        ('FATAL:  database "Shop" does not exist', "dbname", False, "no database called Shop"),
        (
            'FATAL:  database "Shop" does not exist\nDETAIL:  It seems to have just been dropped or renamed.',
            "dbname", True, "being exchanged",
        ),
        ('FATAL:  role "backup" does not exist', "user", False, "no role called backup"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "user", False, "pg_hba.conf"),
        ("could not translate host name", "host", False, "no host called DB.example.org."),
        ("Temporary failure in name resolution", "host", True, "cannot be looked up"),
        ("Connection refused", "port", True, "Nothing answers"),
        ("timeout expired", "host", True, "does not answer"),
        ("FATAL:  sorry, too many clients already", "", True, "no free connection"),
        ("FATAL:  the database system is starting up", "", True, "starting"),
        ("server does not support SSL, but SSL was required", "sslmode", False, "encryption"),
        ("SSL error: certificate verify failed", "sslmode", False, "certificate"),
        ("FATAL:  Passwort-Authentifizierung fehlgeschlagen", "", True, "Check the host"),
    ],
)  # fmt: skip
def test_failed_connections(text: str, setting: str, retry: bool, words: str) -> None:
    whole = f'connection failed: connection to server at "10.1.2.3", port 5432 failed: {text}'
    told = driver_error(psycopg.OperationalError(whole), ABOUT)
    assert (told.setting, told.retry) == (setting, retry)
    assert words in told.sentence
    assert text in told.detail
    of_tool = driver_error(ProcessFailed("pg_dump", 1, f"pg_dump: error: {whole}"), ABOUT)
    assert of_tool.setting == setting


@pytest.mark.parametrize(
    ("error", "words", "retry"),
    [
        (psycopg.errors.InsufficientPrivilege("permission denied for table x"), "lacks a right", False),
        (psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"), "holds a lock", True),
        (psycopg.errors.DiskFull("could not extend file"), "disk of the database server is full", False),
        (psycopg.errors.AdminShutdown("terminating connection"), "stopped or ended", True),
        (psycopg.errors.SerializationFailure("conflict with recovery"), "got in the way", True),
        (psycopg.errors.DataCorrupted("invalid page"), "damaged", False),
        (psycopg.errors.DivisionByZero("division by zero"), "refused: division by zero", False),
        (psycopg.OperationalError("consuming input failed: server closed the connection"), "broke", True),
        (ProcessFailed("pg_restore", 1, 'pg_restore: error: role "x" does not exist'), "role", False),
        (ProcessFailed("pg_restore", 1, "could not write: No space left on device"), "disk is full", False),
        (ProcessFailed("pg_dump", 1, "server closed the connection unexpectedly"), "broke", True),
        (ProcessFailed("pg_dump", 3, "something else"), "pg_dump ended with exit code 3", False),
    ],
)  # fmt: skip
def test_failures_at_work(error: psycopg.Error | ProcessFailed, words: str, retry: bool) -> None:
    told = driver_error(error, ABOUT)
    assert words in told.sentence
    assert told.retry is retry
    assert told.sentence.endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "literal"),
    [
        ("work_mem", "4MB", "'4MB'"),
        ("search_path", '"$user", public, "a ""b"', "'$user', 'public', 'a \"b'"),
        ("search_path", "", "''"),
        ("app.motto", "it's; DROP", "'it''s; DROP'"),
    ],
)
def test_values_of_settings(name: str, value: str, literal: str) -> None:
    assert _value(name, value).as_string() == literal


@pytest.mark.parametrize("content", [b"", b"PGDMP", b"x" * 100, b"PGDMP\x01\x0e\x00\x04\x08\x01" + b"\xff" * 90])
def test_an_unknown_archive_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    places = archive.Places()
    places.passes(content)
    assert places.fill_in(path) == 0
    assert path.read_bytes() == content


@given(st.binary(max_size=40).map(lambda data: bytes(byte % 2 for byte in data)), st.integers(1, 9))
def test_the_end_of_a_tables_data_is_found_across_chunks(data: bytes, chunk: int) -> None:
    dump = archive.Passing()
    looking = dump.skip_past(bytes(5))
    next(looking)
    ended: type[Exception] | None = None
    for start in [*range(0, len(data), chunk), len(data)]:
        try:
            looking.send(data[start : start + chunk])
        except (StopIteration, archive.Unexpected) as error:
            ended = type(error)
            break
    end = data.find(bytes(5))
    assert ended is (archive.Unexpected if end < 0 else StopIteration)
    if end >= 0:
        assert dump.position == end + 5


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "LOCALHOST."])
def test_this_machine_has_several_names_and_each_database_one_resource(host: str) -> None:
    one = POSTGRES.locator({"host": host, "dbname": "shop", "user": "backup"})
    assert POSTGRES.overlaps(one, "localhost:5432/shop")
    assert POSTGRES.overlaps("/run/postgresql:5432/shop", "127.0.0.1:5432/shop")
    assert not POSTGRES.overlaps("/run/postgresql:5433/shop", "127.0.0.1:5432/shop")
    assert not POSTGRES.overlaps("/run/postgresql:5432/shop", "db.example.org:5432/shop")
    assert not POSTGRES.overlaps("/run/one:5432/shop", "/run/other:5432/shop")
    assert not POSTGRES.overlaps(one, "localhost:5433/shop")
    assert not POSTGRES.overlaps(one, "localhost:5432/news")
    assert not POSTGRES.overlaps(one, "db.example.org:5432/shop")
