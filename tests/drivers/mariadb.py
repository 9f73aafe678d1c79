"""A throwaway MariaDB server: Debian's, on a free loopback port and a socket, in a directory of its own.

It forgets nothing it is told but flushes little, runs its event scheduler, and is gone with its data when closed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pymysql
from pymysql.cursors import Cursor

SUPERUSER = "root"
PASSWORD = 'sup3r "S3cret" \\ of # tests'
_SBIN = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))


def missing_program() -> str:
    """The first program that a MariaDB server needs and this machine lacks; empty when all are there."""
    needed = ("mariadbd", "mariadb-install-db", "mariadb-dump", "mariadb")
    return next((name for name in needed if shutil.which(name, path=_SBIN) is None), "")


class MariaDBServer:
    """A running server. Use as a context manager, or call :meth:`close`."""

    host = "127.0.0.1"

    def __init__(self, options: Mapping[str, str] | None = None, *, on_disk: bool = False) -> None:
        # Short: so must a socket's path be. In memory, where there is room: each definition changed is flushed many times.
        shared = Path("/dev/shm")
        in_memory = not on_disk and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 4 << 30
        self.directory = Path(tempfile.mkdtemp(prefix="my-", dir=shared if in_memory else "/tmp"))
        self.socket = str(self.directory / "socket")
        self.log = self.directory / "log"
        self.port = _free_port()
        self._user = next((u.pw_name for u in pwd.getpwall() if u.pw_name in ("mysql", "nobody")), "nobody")
        self._options = {
            "datadir": str(self.directory / "data"),
            "socket": self.socket,
            "port": str(self.port),
            "bind-address": self.host,
            "pid-file": str(self.directory / "pid"),
            "tmpdir": str(self.directory),
            "innodb-flush-log-at-trx-commit": "2",
            "innodb-log-file-size": "64M",
            "event-scheduler": "ON",
            "max-allowed-packet": "64M",
            "skip-log-bin": "1",
            **(options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._initialise()
            self.start()
            self.execute(
                f"ALTER USER root@localhost IDENTIFIED BY {_text(PASSWORD)};"
                f"CREATE USER root@'%' IDENTIFIED BY {_text(PASSWORD)};"
                "GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION",
                password="",
            )
        except BaseException:
            self.close()
            raise

    def _as_user(self) -> list[str]:
        return [f"--user={self._user}"] if os.geteuid() == 0 else []

    def _initialise(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.directory, self._user)
        done = subprocess.run(
            [
                shutil.which("mariadb-install-db", path=_SBIN) or "", "--no-defaults", *self._as_user(), "--skip-test-db",
                "--auth-root-authentication-method=normal", f"--datadir={self._options['datadir']}",
            ],
            capture_output=True, text=True, cwd="/",
            # Each server that starts removes what looks like a dead one's temporary tables: not another's, beginning just then.
            env={**os.environ, "TMPDIR": str(self.directory)},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db: {done.stderr}{done.stdout}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = [f"--{name}={value}" for name, value in self._options.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [shutil.which("mariadbd", path=_SBIN) or "", "--no-defaults", *self._as_user(), *arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((self.host, self.port), 5).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"MariaDB did not start: {self.log.read_text()[-2000:]}") from None
                time.sleep(0.03)

    def kill(self) -> None:
        """As a power cut would, but for what the kernel still writes out."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop it and remove every trace."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)  # nothing here is worth an orderly end
            self._process.wait(20)
            self._process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self, password: str = PASSWORD, database: str | None = None) -> pymysql.Connection[Cursor]:
        """An autocommit connection of the superuser through the socket."""
        return pymysql.connect(
            unix_socket=self.socket, user=SUPERUSER, password=password, database=database, charset="utf8mb4",
            autocommit=True, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )  # fmt: skip

    def execute(self, statements: str, database: str | None = None, password: str = PASSWORD) -> None:
        """Run statements as superuser."""
        connection = self.connect(password, database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statements)
                while cursor.nextset():
                    pass
        finally:
            connection.close()

    def rows(self, query: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """A query's rows, as superuser."""
        connection = self.connect(database=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def databases(self) -> set[str]:
        """Names of all databases but the server's own."""
        own = {"mysql", "information_schema", "performance_schema", "sys"}
        return {name for (name,) in self.rows("SHOW DATABASES")} - own

    def create_database(self, name: str) -> None:
        """A new empty database."""
        self.execute(f"CREATE DATABASE {quoted(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")

    def drop_database(self, name: str) -> None:
        """Away with it, whoever refers to it."""
        self.execute(f"SET foreign_key_checks = 0; DROP DATABASE IF EXISTS {quoted(name)}")


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return "`" + name.replace("`", "``") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
