"""PostgreSQL databases: taken with pg_dump from a snapshot, restored beside, compared, exchanged by renaming."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from backups.drivers.base import Artefact, Driver, Found, Mode, Place, Sink, Standing, Taken, Verified
from backups.drivers.databases import not_of_a_restore
from backups.drivers.hosts import same_database
from backups.drivers.postgres import checks, exchange, names, preflight, restore, take, trial, verify
from backups.drivers.postgres.parts import PostgresParts
from backups.drivers.postgres.target import SETTINGS, Target
from backups.drivers.provider import KeptAt
from backups.drivers.words import Progress, Setting, Settings
from backups.proof import Proof


class PostgresDriver:
    """The verbs of :class:`~backups.drivers.base.Driver`, each in a module of its own."""

    kind: ClassVar[str] = "postgres"
    label: ClassVar[str] = "PostgreSQL database"
    noun: ClassVar[str] = "database"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    export_suffix: ClassVar[str] = ".dump.zst"
    stops_writers: ClassVar[bool] = True
    exchanged: ClassVar[str] = "took the live name in one step"
    interrupts: ClassVar[str] = (
        "For a moment the database is closed, and all connections to it are ended: applications have to connect again."
    )
    appears: ClassVar[str] = "A new database appears next to {name}."
    afterwards: ClassVar[str] = "Connect to it, and take from it what you need."
    modes: ClassVar[frozenset[Mode]] = frozenset(Mode)
    proves: ClassVar[Proof] = Proof.CONTENT_MATCHED
    kept: ClassVar[None] = None
    discovery: ClassVar[None] = None
    shares_with: ClassVar[frozenset[str]] = frozenset({"postgres"})
    answers: ClassVar[bool] = True
    parts: ClassVar[PostgresParts] = PostgresParts()

    def check(self, settings: Settings) -> Found:
        """Connect, and see that the role can read everything."""
        target = Target.of(settings)
        not_of_a_restore(target.dbname)
        return checks.check(target)

    def locator(self, settings: Settings) -> str:
        """``host:port/dbname``."""
        return Target.of(settings).locator

    def overlaps(self, one: str, other: str) -> bool:
        """Databases share nothing, so only the same overlaps, by whichever of its names this machine is called."""
        return same_database(one, other)

    def exclusive(self, locator: str) -> str:
        """Itself."""
        return locator

    def take(self, settings: Settings, sink: Sink, progress: Progress) -> Taken:
        """pg_dump's custom format, uncompressed; the manifest from the same snapshot."""
        return take.take(Target.of(settings), sink, progress)

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """``shop_restore_TOKEN`` and ``shop_before_TOKEN`` next to ``shop``."""
        return names.place(Target.of(settings), token, mode)

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """Versions, rights, extensions, names, what holds on to the live database, space."""
        return preflight.preflight(Target.of(settings), place, mode, artefact, workdir)

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """A new database, filled by a strict pg_restore, with the original's settings and rights."""
        restore.restore(Target.of(settings), place, artefact, workdir, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Every table counted and digested; sequences, large objects, extensions, indexes, constraints."""
        return verify.verify(Target.of(settings), place, artefact, progress)

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """Its own: the portal's store brings the copy here."""
        return settings

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Closed to most; subscriptions, event triggers and jobs of extensions off. Triggers stay."""
        return trial.neutralise(Target.of(settings), place)

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """A cursor in a read-only transaction, with the search path that applications have."""
        return trial.ask(Target.of(settings), place, question, seconds)

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """Host, port, database, user."""
        return Target.of(settings).reach(place.beside)

    def identify(self, settings: Settings, place: Place) -> Place:
        """By the oids of the databases, which a rename does not change."""
        return names.identify(Target.of(settings), place)

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """The live database closed for connections, and its sessions ended."""
        return exchange.stop_writers(Target.of(settings), place)

    def swap(self, settings: Settings, place: Place) -> None:
        """Both renames in one transaction. The restored one is open at once, the kept one stays closed."""
        exchange.swap(Target.of(settings), place)

    def swap_back(self, settings: Settings, place: Place) -> None:
        """Both renames in one transaction. The original is open after resume_writers()."""
        exchange.swap_back(Target.of(settings), place)

    def standing(self, settings: Settings, place: Place) -> Standing:
        """By the oid under the live name."""
        target = Target.of(settings)
        with target.connect(target.maintenance_db) as connection:
            return names.standing(connection, place)

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """Whatever is called as the live database is opened."""
        exchange.resume_writers(Target.of(settings), place)

    def health(self, settings: Settings, place: Place) -> str:
        """The live name answers, is the restored database and has its tables."""
        return exchange.health(Target.of(settings), place)

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """``DROP DATABASE``, for this restore's own names only."""
        exchange.discard(Target.of(settings), place, name)


POSTGRES: Driver = PostgresDriver()
