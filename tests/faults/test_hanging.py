"""A program that hangs is ended once its backup was given up, so that it keeps no worker from its other work."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup
from backups.drivers.postgres import clients
from backups.models import Backup, BackupOrigin, BackupStatus
from tests.app.world import World, backup_now, make_resource_of
from tests.drivers.databases import Database
from tests.drivers.servers import PostgresServer
from tests.faults.subjects import LiveDatabase, new_name

HANGS = """#!/bin/sh
case "$*" in *--version*) exec {real} --version;; esac
echo hanging > {mark}
exec sleep 600
"""


def test_a_dump_that_hangs(world: World, own_server: PostgresServer, tmp_path: Path, monkeypatch: Any) -> None:
    with Database(own_server, tmp_path, new_name()) as database:
        resource = make_resource_of(world, "postgres", LiveDatabase(database).settings, name="shop")
        real, mark = clients.for_server(own_server.major), tmp_path / "hangs"
        programs = tmp_path / "bin"
        programs.mkdir()
        for name in ("pg_dump", "pg_restore"):
            (programs / name).write_text(HANGS.format(real=real.directory / name, mark=mark))
            (programs / name).chmod(0o755)
        monkeypatch.setenv(clients.BIN_VARIABLE, str(programs))
        now = timezone.now()
        backup = Backup.objects.create(
            resource=resource, origin=BackupOrigin.SCHEDULED, queued_at=now, resend_at=now, status=BackupStatus.QUEUED
        )

        def work() -> None:
            perform_backup(backup.pk)
            connection.close()  # this thread's own

        worker = threading.Thread(target=work)
        worker.start()
        until = time.monotonic() + 30
        while not mark.exists():
            assert time.monotonic() < until, "pg_dump was not started"
            time.sleep(0.05)
        Backup.objects.filter(pk=backup.pk).update(progress_at=now - timedelta(days=1))
        sweep_backups(timezone.now(), lost_before=now - timedelta(minutes=1))
        worker.join(30)
        assert not worker.is_alive(), "the worker is free again"
        backup.refresh_from_db()
        assert "got no further for" in backup.error
        monkeypatch.undo()
        assert backup_now(resource).status == BackupStatus.FINISHED
