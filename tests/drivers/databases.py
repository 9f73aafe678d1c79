"""A database on a throwaway server, with the driver's verbs as the restoring machinery calls them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

from psycopg import sql

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.drivers.base import Mode, Place, Taken, Verified
from backups.drivers.postgres import POSTGRES
from backups.drivers.words import Progress, Settings
from backups.stores.directory import DirectoryStore
from tests.drivers.servers import PASSWORD, SUPERUSER, PostgresServer

VARIABLE = "TEST_POSTGRES_PASSWORD"


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """A progress that nobody looks at."""


class Database:
    """A context manager around one database; every database and role made meanwhile is removed at its end."""

    def __init__(self, server: PostgresServer, scratch: Path, name: str = "shop") -> None:
        self.server = server
        self.name = name
        self.scratch = scratch
        self.store = DirectoryStore("here", scratch / "store")
        self.store.prepare()
        self.taken: Taken | None = None
        self._number = 0
        os.environ[VARIABLE] = PASSWORD
        self.settings: Settings = self.as_role(SUPERUSER)

    def as_role(self, role: str, **more: str) -> Settings:
        """The settings of this database for a role; every role's password is the same."""
        return {
            "host": self.server.host,
            "port": str(self.server.port),
            "dbname": self.name,
            "user": role,
            "password": f"env:{VARIABLE}",
            **more,
        }

    def role(self, name: str, options: str = "") -> Settings:
        """Make a role that may log in; the settings for it."""
        self.server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {options}")
        return self.as_role(name)

    def execute(self, statements: str, name: str = "") -> None:
        """Run statements as superuser, in this database or in another."""
        self.server.execute(statements, name or self.name)

    def rows(self, query: str, name: str = "") -> list[tuple[Any, ...]]:
        """A query's rows, as superuser."""
        with self.server.connect(name or self.name) as connection:
            return connection.execute(query.encode()).fetchall()

    def take(self, settings: Settings | None = None, progress: Progress = quiet) -> StoredArtefact:
        """A stored backup."""
        self._number += 1
        prefix = f"backup{self._number}"
        with ArtefactWriter(self.store, prefix, kind=POSTGRES.kind, header={}) as writer:
            self.taken = POSTGRES.take(settings or self.settings, writer, progress)
            return StoredArtefact(self.store, prefix, writer.finish(self.taken))

    def workdir(self) -> Path:
        """A new empty directory."""
        self._number += 1
        path = self.scratch / f"work{self._number}"
        path.mkdir(mode=0o700)
        return path

    def place(self, mode: Mode = Mode.IN_PLACE, settings: Settings | None = None) -> Place:
        """A place never used before."""
        self._number += 1
        return POSTGRES.place(settings or self.settings, f"rr{self._number}-1", mode)

    def preflight(
        self, artefact: StoredArtefact, place: Place | None = None, settings: Settings | None = None,
        mode: Mode = Mode.IN_PLACE,
    ) -> str:  # fmt: skip
        """What preflight says, in one text."""
        place = place or self.place(mode, settings)
        return "\n".join(POSTGRES.preflight(settings or self.settings, place, mode, artefact, self.workdir()))

    def restore(
        self, artefact: StoredArtefact, place: Place | None = None, settings: Settings | None = None
    ) -> tuple[Place, Verified]:
        """A restored and verified database."""
        place = place or self.place(settings=settings)
        POSTGRES.restore(settings or self.settings, place, artefact, self.workdir(), quiet)
        return place, POSTGRES.verify(settings or self.settings, place, artefact, quiet)

    def ready(self, artefact: StoredArtefact) -> Place:
        """A restore that can be swapped in."""
        place, _ = self.restore(artefact)
        return POSTGRES.identify(self.settings, place)

    def at(self, server: PostgresServer) -> Settings:
        """The same settings for a database of this name on another server."""
        return {**self.settings, "port": str(server.port)}

    def __enter__(self) -> Self:
        self._before = self.server.databases()
        with self.server.connect() as connection:
            self._roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        self.server.create_database(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self.server.databases() - self._before:
            self.server.drop_database(name)
        with self.server.connect() as connection:
            for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall():
                if name not in self._roles:
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
