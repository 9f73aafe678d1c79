"""Finding the programs that write a dump and load it, MariaDB's or MySQL's.

Either family's programs talk to either family's servers, with less to say about the other's peculiarities; so those of
the server's own family come first. Both names may lead to the same program (Debian's ``mysqldump`` is MariaDB's), so
each is asked what it is.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from backups.drivers.base import DriverError
from backups.processes import run

BIN_VARIABLE = "MYSQL_BIN"
FIRST_WITH_HISTORY = (10, 11)
_PAIRS = (("mariadb-dump", "mariadb"), ("mysqldump", "mysql"))


@dataclass(frozen=True)
class Client:
    """A program that dumps, and the one that loads."""

    dump: str  # absolute paths
    load: str
    mariadb: bool
    version: str  # "10.11.19"

    @property
    def title(self) -> str:
        """How sentences call it."""
        return f"{os.path.basename(self.dump)} {self.version}"

    @property
    def dumps_history(self) -> bool:
        """Whether it can write the past of system-versioned tables."""
        return self.mariadb and series(self.version) >= FIRST_WITH_HISTORY


def series(version: str) -> tuple[int, int]:
    """The first two numbers of a version."""
    major, minor = [*re.findall(r"\d+", version), "0", "0"][:2]
    return int(major), int(minor)


def installed() -> Iterator[Client]:
    """Every usable pair of programs."""
    path = os.pathsep.join(filter(None, (os.environ.get(BIN_VARIABLE), os.environ.get("PATH", os.defpath))))
    for dump, load in _PAIRS:
        found = [shutil.which(name, path=path) for name in (dump, load)]
        if found[0] and found[1]:
            known = _version(found[0], os.stat(found[0]).st_mtime_ns)
            if known:
                yield Client(os.path.abspath(found[0]), os.path.abspath(found[1]), *known)


@lru_cache(maxsize=64)
def _version(program: str, changed: int) -> tuple[bool, str] | None:
    """Whether it is MariaDB's, and its version; asked once per state of its file."""
    try:
        said = run([program, "--version"], timeout=20).stdout.decode("utf-8", "replace")
    except DriverError:
        return None
    # MariaDB: mysqldump Ver 10.19 Distrib 10.11.19-MariaDB, later from 11.4.2-MariaDB; MySQL: Ver 8.0.36 for Linux.
    found = re.search(r"(?:Distrib |from )(\d+\.\d+\.\d+)-MariaDB", said)
    if found:
        return True, found[1]
    found = re.search(r"(?:Distrib|Ver) (\d+\.\d+\.\d+)", said)
    return (False, found[1]) if found else None


def for_server(mariadb: bool) -> Client:
    """The programs for a server of that family. Raises :class:`DriverError` when there are none."""
    found = sorted(installed(), key=lambda client: client.mariadb is not mariadb)
    if found:
        return found[0]
    package = "mariadb-client" if mariadb else "mysql-client"
    raise DriverError(
        f"This needs the programs that dump and load a database. Install {package} on the portal's machine, or name"
        f" their directory in {BIN_VARIABLE}.",
        detail="looked for mariadb-dump with mariadb, and mysqldump with mysql",
    )
