"""A resource's settings, checked, and the two ways to the server: a connection of ours, the options of a tool.

The password goes to tools in an options file that has no name on any disk: memory behind a descriptor that only the
tool inherits, so that nothing is left when the portal is killed. It is never an argument, nor in an environment. Option
files of the machine (``/etc/mysql``, ``~/.my.cnf``) are never read.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

from backups.drivers.base import DriverError
from backups.drivers.databases import check_server, password_of, values_of
from backups.drivers.mysql.errors import translated
from backups.drivers.words import Setting, Settings

if TYPE_CHECKING:
    Connection = pymysql.Connection[Cursor]
else:  # generic in its type stubs alone
    Connection = pymysql.Connection

SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
NAME_LENGTH = 64  # characters that a server keeps of a name
CONNECT_SECONDS = 10
READ_SECONDS = 24 * 3600  # a statement may wait for a lock, or load for hours; a dead peer is found by keep-alives
LOCK_SECONDS = 30
CA_VARIABLE = "MYSQL_SSL_CA"

SETTINGS = (
    Setting("host", "Host", "Host name or address, or the absolute path of the server's socket"),
    Setting("port", "Port", required=False, default="3306"),
    Setting("dbname", "Database"),
    Setting("user", "User", "The user of the database server that takes backups and restores them"),
    Setting("password", "Password", "Where the user's password is kept", required=False, secret=True),
    Setting("sslmode", "Encryption", f"One of {', '.join(SSL_MODES)}", required=False, default="prefer"),
)

# A dead connection is noticed within a minute and a half.
_ALIVE = {socket.TCP_NODELAY: 1, socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 6}

# What a server may have set for everybody must not stop us, nor change how a definition is written.
_SESSION = {
    "sql_mode": "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES",
    "time_zone": "+00:00",
    "lock_wait_timeout": str(LOCK_SECONDS),
    "innodb_lock_wait_timeout": str(LOCK_SECONDS),
    "wait_timeout": "86400",
    "net_read_timeout": "600",
    "net_write_timeout": "600",
    "foreign_key_checks": "0",
    "sql_quote_show_create": "1",
    "innodb_strict_mode": "0",
    "autocommit": "1",
}
_IF_KNOWN = {
    "max_statement_time": "0",
    "max_execution_time": "0",
    "information_schema_stats_expiry": "0",
    "sql_require_primary_key": "0",
    "idle_transaction_timeout": "0",
    "system_versioning_alter_history": "KEEP",
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

    @classmethod
    def of(cls, settings: Settings) -> Target:
        """The settings, checked in themselves. Raises :class:`DriverError` naming the one at fault."""
        values = values_of(settings, SETTINGS, printable=True)
        _check(values)
        return cls(
            host=values["host"],
            port=int(values["port"]),
            dbname=values["dbname"],
            user=values["user"],
            password_reference=values["password"],
            sslmode=values["sslmode"],
        )

    @property
    def by_socket(self) -> bool:
        """Whether the host is the path of a socket."""
        return self.host.startswith("/")

    @property
    def locator(self) -> str:
        """``host:port/dbname``; sockets by their real path."""
        host = os.path.realpath(self.host) if self.by_socket else self.host.lower().rstrip(".")
        return f"{host}:{self.port}/{self.dbname}"

    def reach(self, dbname: str) -> Mapping[str, str]:
        """How a program is told a database of the server, without the password."""
        return {"host": self.host, "port": str(self.port), "database": dbname, "user": self.user}

    def password(self) -> str:
        """The password, looked up now; empty when there is none."""
        return password_of(self.password_reference)

    @contextmanager
    def connect(self, dbname: str | None = None) -> Iterator[Connection]:
        """An autocommit connection to ``dbname`` (default: to none), with a session of known settings.

        The server's errors inside the block, the connection's included, come out as :class:`DriverError`.
        """
        with translated(self.describe(dbname)):
            connection = self.open(dbname)
            try:
                yield connection
            finally:
                if connection.open:
                    connection.close()

    def open(self, dbname: str | None = None) -> Connection:
        """Like :meth:`connect`, for whoever closes it himself and translates errors himself."""
        connection: Connection = pymysql.connect(
            host="localhost" if self.by_socket else self.host,
            port=self.port,
            database=dbname,
            user=self.user,
            password=self.password(),
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=READ_SECONDS,
            client_flag=CLIENT.FOUND_ROWS,
            program_name="haas-backup-portal",
            defer_connect=True,
            **self._encryption(),
        )
        connection.connect(self._socket())
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET " + ", ".join(f"SESSION {name} = %s" for name in _SESSION), list(_values(_SESSION)))
                cursor.execute("SHOW SESSION VARIABLES WHERE Variable_name IN %s", [list(_IF_KNOWN)])
                for name, _ in cursor.fetchall():
                    cursor.execute(f"SET SESSION {name} = %s", list(_values({name: _IF_KNOWN[name]})))
        except BaseException:
            connection.close()
            raise
        return connection

    def _socket(self) -> socket.socket:
        """Connected. PyMySQL itself would leave one open that cannot connect, and notices a dead peer after hours."""
        try:
            if not self.by_socket:
                made = socket.create_connection((self.host, self.port), CONNECT_SECONDS)
                for option, value in _ALIVE.items():
                    made.setsockopt(socket.IPPROTO_TCP, option, value)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                return made
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                made.settimeout(CONNECT_SECONDS)
                made.connect(self.host)
            except BaseException:
                made.close()
                raise
            return made
        except OSError as error:
            raise pymysql.OperationalError(2003, f"Can't connect to {self.host} ({error})") from None

    def _encryption(self) -> dict[str, Any]:
        if self.sslmode == "disable" or (self.by_socket and self.sslmode == "prefer"):
            return {"ssl_disabled": True}
        if self.sslmode == "prefer":
            return {}
        context = ssl.create_default_context(cafile=self._authorities() or None)
        context.check_hostname = self.sslmode == "verify-full"
        if self.sslmode == "require":
            context.verify_mode = ssl.CERT_NONE
        return {"ssl": context}

    def _authorities(self) -> str:
        """The file with the certificates that are trusted: a given one, or the machine's."""
        return os.environ.get(CA_VARIABLE, "") or ssl.get_default_verify_paths().cafile or ""

    def describe(self, dbname: str | None = None) -> Mapping[str, str]:
        """What error sentences may say about the target."""
        return {
            "host": self.host,
            "port": str(self.port),
            "dbname": dbname or self.dbname,
            "live": "yes" if dbname in (None, self.dbname) else "",
            "user": self.user,
        }

    @contextmanager
    def options_file(self) -> Iterator[int]:
        """A descriptor of the options file for a tool, which is given ``--defaults-file=/dev/fd/N`` as first argument."""
        lines = [
            "[client]", f"user={_quoted(self.user)}", f"password={_quoted(self.password())}",
            *(
                [f"socket={_quoted(self.host)}"] if self.by_socket
                else [f"host={_quoted(self.host)}", f"port={self.port}", "protocol=tcp"]
            ),
        ]  # fmt: skip
        descriptor = os.memfd_create("options")
        try:
            os.fchmod(descriptor, 0o600)  # what everybody may write to is not read
            os.write(descriptor, "\n".join([*lines, ""]).encode())
            yield descriptor
        finally:
            os.close(descriptor)

    def encryption_arguments(self, mariadb: bool) -> list[str]:
        """How a tool of either family is told the encryption."""
        if not mariadb:
            modes = {"disable": "DISABLED", "prefer": "PREFERRED", "require": "REQUIRED"}
            mode = modes.get(self.sslmode) or {"verify-ca": "VERIFY_CA", "verify-full": "VERIFY_IDENTITY"}[self.sslmode]
            verifies = mode.startswith("VERIFY")
            return [f"--ssl-mode={mode}", *([f"--ssl-ca={self._authorities()}"] if verifies else [])]
        if self.sslmode == "disable" or (self.by_socket and self.sslmode == "prefer"):
            return ["--skip-ssl"]
        if self.sslmode in ("prefer", "require"):
            return ["--skip-ssl-verify-server-cert", *(["--ssl"] if self.sslmode == "require" else [])]
        verify = "" if self.sslmode == "verify-full" else "skip-"
        return [f"--ssl-ca={self._authorities()}", f"--{verify}ssl-verify-server-cert"]


def _values(settings: Mapping[str, str]) -> Iterator[str | int]:
    for value in settings.values():
        yield int(value) if value.isdigit() else value


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _check(values: Mapping[str, str]) -> None:
    """What can be wrong with settings without asking a server."""
    check_server(
        values,
        SSL_MODES,
        socket="the absolute path of a socket",
        never_in_host=", /",
        usual_port="the usual one is 3306",
    )
    if len(values["dbname"]) > NAME_LENGTH:
        raise DriverError(f"Database must not be longer than {NAME_LENGTH} characters.", setting="dbname")
    if values["dbname"].lower() in ("mysql", "information_schema", "performance_schema", "sys"):
        raise DriverError(
            "This is a database of the server's own, which is not backed up as one of an application. Choose another.",
            setting="dbname",
        )
