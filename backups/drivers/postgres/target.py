"""A resource's settings, checked, and the two ways to the server: a connection of ours, the environment of a tool.

The password goes to tools as ``PGPASSWORD`` in their environment, which only their own user (and root) can read,
as it would a password file, and which leaves no file behind when the portal is killed. It never is an argument.
The portal's own ``PGPASSWORD``, ``PGOPTIONS`` and the like, meant for its own database, are never used here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from backups.drivers.base import DriverError
from backups.drivers.databases import check_server, password_of, values_of
from backups.drivers.postgres.errors import translated
from backups.drivers.words import Setting, Settings

Connection = psycopg.Connection[tuple[Any, ...]]

APPLICATION_NAME = "haas-backup-portal"
OLDEST_SERVER = 13
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
NAME_BYTES = 63  # what PostgreSQL keeps of a name

SETTINGS = (
    Setting("host", "Host", "Host name or address, or the absolute path of the directory with the server's socket"),
    Setting("port", "Port", required=False, default="5432"),
    Setting("dbname", "Database"),
    Setting("user", "Role", "The database role that takes backups and restores them"),
    Setting("password", "Password", "Where the role's password is kept", required=False, secret=True),
    Setting("sslmode", "Encryption", f"One of {', '.join(SSL_MODES)}", required=False, default="prefer"),
    Setting(
        "maintenance_db",
        "Maintenance database",
        "Another database of the server, to connect to while this one is exchanged",
        required=False,
        default="postgres",
    ),
)

# Dead connections are noticed within a minute and a half, by our connections and by the tools.
_ALIVE: Mapping[str, Any] = {
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "6",
    "tcp_user_timeout": "90000",
}

# What a database or a role may have set for others must not stop us, nor change how a value is written as text:
# digests are made of such text. Names that a server's version does not know are skipped.
_SESSION = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "search_path": "",
    "row_security": "off",  # an error instead of silently fewer rows
    "synchronous_commit": "on",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # the live server has other work
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "xmloption": "content",
}


@dataclass(frozen=True)
class Target:
    """One database of one server, as the settings name it."""

    host: str
    port: int
    dbname: str
    user: str
    password_reference: str
    sslmode: str
    maintenance_db: str

    @classmethod
    def of(cls, settings: Settings) -> Target:
        """The settings, checked in themselves. Raises :class:`DriverError` naming the one at fault."""
        values = values_of(settings, SETTINGS)
        _check(values)
        return cls(
            host=values["host"],
            port=int(values["port"]),
            dbname=values["dbname"],
            user=values["user"],
            password_reference=values["password"],
            sslmode=values["sslmode"],
            maintenance_db=values["maintenance_db"],
        )

    @property
    def locator(self) -> str:
        """``host:port/dbname``; socket directories by their real path."""
        host = os.path.realpath(self.host) if self.host.startswith("/") else self.host.lower().rstrip(".")
        return f"{host}:{self.port}/{self.dbname}"

    def password(self) -> str:
        """The password, looked up now; empty when there is none."""
        return password_of(self.password_reference)

    @contextmanager
    def connect(self, dbname: str | None = None) -> Iterator[Connection]:
        """An autocommit connection to ``dbname`` (default: the resource's), with a session of known settings.

        PostgreSQL's errors inside the block, the connection's included, come out as :class:`DriverError`.
        """
        with translated(self.describe(dbname)), self.open(dbname) as connection:
            yield connection

    def open(self, dbname: str | None = None) -> Connection:
        """Like :meth:`connect`, for whoever closes it himself and translates errors himself."""
        connection: Connection = psycopg.connect(
            host=self.host,
            port=self.port,
            dbname=self.dbname if dbname is None else dbname,
            user=self.user,
            password=self.password(),  # given even when empty: else the portal's own PGPASSWORD would be sent
            sslmode=self.sslmode,
            application_name=APPLICATION_NAME,
            client_encoding="UTF8",
            options="",
            autocommit=True,
            prepare_threshold=None,
            **_ALIVE,
        )
        try:
            names, values = list(_SESSION), list(_SESSION.values())
            connection.execute(
                "SELECT pg_catalog.set_config(s.name, v.value, false)"
                " FROM unnest(%s::text[], %s::text[]) AS v(name, value)"
                " JOIN pg_catalog.pg_settings AS s ON lower(s.name) = lower(v.name)",
                [names, values],
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def describe(self, dbname: str | None = None) -> Mapping[str, str]:
        """What error sentences may say about the target."""
        return {
            "host": self.host,
            "port": str(self.port),
            "dbname": self.dbname if dbname is None else dbname,
            "user": self.user,
            "maintenance": "" if dbname != self.maintenance_db or dbname == self.dbname else "yes",
        }

    def reach(self, dbname: str) -> Mapping[str, str]:
        """How a program is told a database of the server, without the password."""
        return {"host": self.host, "port": str(self.port), "database": dbname, "user": self.user}

    def tool_arguments(self, dbname: str) -> list[str]:
        """How a tool is told the database. A connection string: a name with ``=`` in it would be taken for one."""
        return ["--dbname", make_conninfo("", dbname=dbname, **_ALIVE), "--no-password"]

    def tool_environment(self, options: Mapping[str, str] | None = None) -> dict[str, str]:
        """The rest of the connection, the password included. ``options`` are settings of the tool's sessions."""
        given = {name: os.environ[name] for name in ("PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY") if os.environ.get(name)}
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGSSLMODE": self.sslmode,
            "PGAPPNAME": APPLICATION_NAME,
            "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in (options or {}).items()),
            "PGPASSWORD": self.password(),
            **given,
        }


def _check(values: Mapping[str, str]) -> None:
    """What can be wrong with settings without asking a server."""
    check_server(
        values,
        SSL_MODES,
        socket="one absolute directory",
        never_in_host=", /\t",
        usual_port="PostgreSQL's usual one is 5432",
    )
    for name, label in (("dbname", "Database"), ("maintenance_db", "Maintenance database")):
        if len(values[name].encode()) > NAME_BYTES:
            raise DriverError(f"{label} must not be longer than {NAME_BYTES} bytes.", setting=name)
