"""Where the run is on PostgreSQL and Redis (DATABASE_URL, BROKER_URL), the running portal has its own share of both."""

from __future__ import annotations

import os
import uuid
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

LAST_REDIS_DATABASE = 15  # counted down from here: the test processes themselves count up from 0


def own_servers() -> dict[str, str]:
    """The variables that name a new empty database and a queue of its own; none when the run is on files."""
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "BROKER_URL")}
    own: dict[str, str] = {}
    if given["DATABASE_URL"].startswith("postgres"):
        name = f"portal_browser_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(given["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        own["DATABASE_URL"] = urlsplit(given["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    if given["BROKER_URL"].startswith("redis"):
        mine = int(urlsplit(given["BROKER_URL"]).path.strip("/") or 0)
        own["BROKER_URL"] = urlsplit(given["BROKER_URL"])._replace(path=f"/{LAST_REDIS_DATABASE - mine}").geturl()
    return own
