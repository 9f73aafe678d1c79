"""A portal whose database is on a throwaway PostgreSQL, for benchmarks: its programs find it in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drivers.servers import SUPERUSER, PostgresServer

ROOT = Path(__file__).resolve().parents[2]
SERVER_OPTIONS = {"shared_buffers": "512MB", "work_mem": "32MB", "random_page_cost": "1.1"}


@contextmanager
def portal_on_postgres(*, pages: bool = False) -> Iterator[PostgresServer]:
    """Migrated and empty; the database is called ``portal``. Programs started meanwhile find it.

    ``pages``: what these need is collected as well.
    """
    with PostgresServer(options=SERVER_OPTIONS) as server, tempfile.TemporaryDirectory() as data:
        server.create_database("portal")
        os.environ.update(
            DATABASE_URL=f"postgres://{SUPERUSER}@{str(server.directory).replace('/', '%2F')}:{server.port}/portal",
            DATA_DIR=data,
            SECRET_KEY="only-for-the-benchmark-0123456789-0123456789-0123456789",
            DJANGO_SETTINGS_MODULE="portal.settings",
            BROKER_URL="memory://",
            LOG_LEVEL="ERROR",
            ALLOWED_HOSTS="testserver",
        )
        for step in ("migrate", "collectstatic") if pages else ("migrate",):
            subprocess.run([sys.executable, "manage.py", step, "-v0", "--no-input"], cwd=ROOT, check=True)
        yield server
