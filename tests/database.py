"""The database of a test process, made and emptied quickly. The tests find in it what they would find anyway."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection, connections
from django.test import TransactionTestCase

_LEFT = {ContentType._meta.db_table, Permission._meta.db_table}
"""Django writes these anew after each migration, always the same; flushing them costs more than most tests."""


def empty_tables(case: TransactionTestCase) -> None:
    """What Django does after a test whose transactions were real, but for the tables that no test changes."""
    for name in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        opened = connections[name]
        tables = opened.introspection.django_table_names(only_existing=True, include_views=False)
        emptied = [table for table in tables if table not in _LEFT]
        with _without_triggers(opened):  # they refuse to let go of a signed checkup
            opened.ops.execute_sql_flush(opened.ops.sql_flush(no_style(), emptied))


def end_other_sessions() -> None:
    """A server drops no database that somebody is connected to: a thread of the live server, or a worker that was killed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@contextmanager
def _without_triggers(opened: Any) -> Iterator[None]:
    with opened.cursor() as cursor:
        if opened.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            yield
            cursor.execute("SET session_replication_role = DEFAULT")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _, statement in triggers:
            cursor.execute(statement)


@contextmanager
def migrated(folder: Path) -> Iterator[bool]:
    """Puts an SQLite database in place to which all migrations were applied, or says no and keeps the one made inside.

    It is kept from run to run for as long as the migrations stay the same. One process makes it, the others wait.
    """
    if connection.vendor != "sqlite":
        yield False
        return
    kept = folder / f"{_fingerprint()}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.is_file():
            shutil.copyfile(kept, connection.creation._get_test_db_name())  # type: ignore[attr-defined]
            yield True
            return
        yield False
        _keep(kept)


def _keep(file: Path) -> None:
    """Keep the database that is open now, and no older one."""
    for old in file.parent.glob("*.sqlite3"):
        old.unlink()
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(new)])
    new.rename(file)


def _fingerprint() -> str:
    """Of all migrations, and of what applies them."""
    digest = hashlib.sha256(f"{django.VERSION} {sqlite3.sqlite_version}".encode())
    for app in apps.get_app_configs():
        found = find_spec(f"{app.name}.migrations")
        for folder in found.submodule_search_locations or () if found else ():
            for file in sorted(Path(folder).glob("*.py")):
                digest.update(f"{app.name} {file.name} ".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
