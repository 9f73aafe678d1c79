"""The parts of the stored SQL around the rows: what makes the database, and what acts in it.

A restore by the portal does not run them: it makes things one by one from the manifest and can say which one failed. They
are for whoever loads an export by hand, ``zstd -dc FILE | mariadb --binary-mode --comments DATABASE``.
"""

from __future__ import annotations

from collections.abc import Iterator

from pymysql.charset import charset_by_name

from backups.drivers.mysql.header import Manifest
from backups.drivers.mysql.programs import VIEW, Program
from backups.drivers.mysql.words import quoted
from backups.drivers.words import ManifestEntry

_BEFORE = """\
-- Backup of the database {name} of {server}, to be loaded into an empty database.
SET @old_sql_mode = @@SESSION.sql_mode, @old_time_zone = @@SESSION.time_zone, @old_autocommit = @@SESSION.autocommit;
SET NAMES utf8mb4;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0;
SET SESSION innodb_strict_mode = 0;
"""
LOADING = """\
SET NAMES binary;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0;
SET SESSION autocommit = 0;
"""
LOADED = "COMMIT;\nSET SESSION autocommit = 1;\n"
_AFTER = """\
SET NAMES utf8mb4;
SET SESSION sql_mode = @old_sql_mode, time_zone = @old_time_zone, autocommit = @old_autocommit;
SET SESSION foreign_key_checks = 1, unique_checks = 1;
-- The backup is complete.
"""


def before(name: str, server: str, manifest: Manifest) -> bytes:
    """Everything up to the rows."""
    one_line = name.replace("\n", " ")
    text = _BEFORE.format(name=one_line, server=server)
    for sequence in manifest.sequences.values():
        text += f"{sequence['create']};\n"
    for table in manifest.tables.values():
        text += f"{with_counter(table)};\n"
    return (text + LOADING).encode("utf-8", "surrogateescape")


def after(manifest: Manifest) -> bytes:
    """Everything from the end of the rows."""
    stands = "".join(f"{standing(sequence)};\n" for sequence in manifest.sequences.values())
    return (
        (LOADED + "SET NAMES utf8mb4;\n" + stands).encode() + b"".join(_programs(manifest.programs)) + _AFTER.encode()
    )


def standing(sequence: ManifestEntry) -> str:
    """The statement that puts a sequence where it stood."""
    value, rounds = sequence["state"]
    return f"SELECT SETVAL({quoted(sequence['name'])}, {value}, 0, {rounds})"


def with_counter(table: ManifestEntry) -> str:
    """A table's definition with its next AUTO_INCREMENT value."""
    create, counter = str(table["create"]), table["auto_increment"]
    body, close, options = create.rpartition("\n)")
    engine, blank, rest = options.partition(" DEFAULT CHARSET=")
    return f"{body}{close}{engine} AUTO_INCREMENT={counter}{blank}{rest}" if counter and blank else create


def _programs(programs: list[Program]) -> Iterator[bytes]:
    # A view may need another one that comes later: whoever loads a script makes stand-ins first.
    for program in programs:
        if program.kind == VIEW:
            yield f"CREATE OR REPLACE VIEW {quoted(program.name)} AS SELECT 1;\n".encode()
    for program in programs:
        end = ";;"
        while end in program.sql:
            end += ";"
        encoding = charset_by_name(program.charset).encoding or "utf8"
        mode = "NO_AUTO_VALUE_ON_ZERO" if program.kind == VIEW else program.sql_mode
        yield f"SET character_set_client = {program.charset}, collation_connection = {program.collation};\n".encode()
        yield f"SET SESSION sql_mode = '{mode}', time_zone = '{program.time_zone or '+00:00'}';\n".encode()
        sql = program.sql
        if program.kind == VIEW:
            sql = sql.replace("CREATE ", "CREATE OR REPLACE ", 1)
        yield f"DELIMITER {end}\n".encode() + sql.encode(encoding) + f"{end}\nDELIMITER ;\n".encode()
