"""The tools' last words lead to the same sentences as the server's own numbers."""

from __future__ import annotations

import pymysql
import pytest

from backups.drivers.base import NotFound
from backups.drivers.mysql.errors import driver_error
from backups.processes import ProcessFailed

# ruff: noqa: E501  # words as they come
ABOUT = {"host": "db", "port": "3306", "dbname": "shop", "live": "yes", "user": "portal"}


@pytest.mark.parametrize(
    ("words", "begins", "setting", "retry"),
    [
        ("mariadb-dump: Got error: 1045: \"Access denied for user 'x'\" when trying to connect", "The database server does not accept portal", "password", False),
        ("ERROR 1021 (HY000) at line 7: Disk full (/tmp/x)", "The disk of the database server is full", "", False),
        ("ERROR 1114 (HY000): The table 't' is full", "The disk of the database server is full", "", False),
        ("mariadb-dump: Couldn't execute 'SHOW CREATE TABLE `t`': Lost connection to server during query (2013)", "The connection to the database server broke", "", True),
        ("mariadb-dump: Error 2013: Lost connection to server during query when dumping table `t` at row: 5", "The connection to the database server broke", "", True),
        ("ERROR 2006 (HY000) at line 3: Server has gone away", "The connection to the database server broke", "", True),
        ("ERROR 1153 (08S01): Got a packet bigger than 'max_allowed_packet' bytes", "A row is larger than", "", False),
        ("ERROR 1205 (HY000): Lock wait timeout exceeded", "Other work in shop holds a lock", "", True),
        ("mariadb-dump: Error 1412: Table definition has changed, please retry transaction when dumping table", "Tables of shop were changed", "", True),
        ("ERROR 1142 (42000): INSERT command denied", "The user portal lacks a right", "user", False),
        ("mariadb-dump: Got errno 28 on write, No space left on device", "The disk of the database server is full", "", False),
        ("something unheard of", "mariadb ended with exit code 1", "", False),
    ],
)  # fmt: skip
def test_last_words(words: str, begins: str, setting: str, retry: bool) -> None:
    error = driver_error(ProcessFailed("mariadb", 1, words), ABOUT)
    assert error.sentence.startswith(begins)
    assert (error.setting, error.retry) == (setting, retry)
    assert words.splitlines()[0][:20] in error.detail


def test_only_the_live_database_can_be_gone() -> None:
    unknown = pymysql.OperationalError(1049, "Unknown database 'shop'")
    assert isinstance(driver_error(unknown, ABOUT), NotFound)
    assert not isinstance(driver_error(unknown, {**ABOUT, "live": ""}), NotFound)


def test_what_is_not_known_is_still_a_sentence() -> None:
    error = driver_error(pymysql.OperationalError(4444, "Strange things happen."), ABOUT)
    assert error.sentence == "The database server refused: Strange things happen."
    assert error.detail.startswith("4444")
