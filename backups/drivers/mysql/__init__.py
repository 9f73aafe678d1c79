"""MariaDB and MySQL databases: one consistent dump, restored beside, compared, exchanged table by table at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from backups.drivers.base import Artefact, Driver, Found, Mode, Place, Sink, Standing, Taken, Verified
from backups.drivers.databases import not_of_a_restore
from backups.drivers.hosts import same_database
from backups.drivers.mysql import checks, exchange, names, preflight, restore, take, trial, verify
from backups.drivers.mysql.parts import MysqlParts
from backups.drivers.mysql.target import SETTINGS, Target
from backups.drivers.provider import KeptAt
from backups.drivers.words import Progress, Setting, Settings
from backups.proof import Proof


class MysqlDriver:
    """The verbs of :class:`~backups.drivers.base.Driver`, each in a module of its own."""

    kind: ClassVar[str] = "mysql"
    label: ClassVar[str] = "MariaDB or MySQL database"
    noun: ClassVar[str] = "database"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    export_suffix: ClassVar[str] = ".sql.zst"
    stops_writers: ClassVar[bool] = False
    exchanged: ClassVar[str] = "took the live names in one statement"
    interrupts: ClassVar[str] = (
        "Applications stay connected and wait for a moment; what they write until then stays in what is replaced."
    )
    appears: ClassVar[str] = "A new database appears next to {name}."
    afterwards: ClassVar[str] = "Connect to it, and take from it what you need."
    modes: ClassVar[frozenset[Mode]] = frozenset(Mode)
    proves: ClassVar[Proof] = Proof.CONTENT_MATCHED
    kept: ClassVar[None] = None
    discovery: ClassVar[None] = None
    shares_with: ClassVar[frozenset[str]] = frozenset({"mysql"})
    answers: ClassVar[bool] = True
    parts: ClassVar[MysqlParts] = MysqlParts()

    def check(self, settings: Settings) -> Found:
        """Connect, and see that the user can read everything, definitions too."""
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
        """An SQL script; what it holds is counted and digested as it flows by."""
        return take.take(Target.of(settings), sink, progress)

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """``shop_restore_TOKEN`` and ``shop_before_TOKEN`` next to ``shop``."""
        return names.place(Target.of(settings), token, mode)

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """Versions, rights, definers, names, foreign keys from elsewhere, space."""
        return preflight.preflight(Target.of(settings), place, mode, artefact)

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """A new database, filled by one strict client; events asleep."""
        restore.restore(Target.of(settings), place, artefact, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Every table counted and digested, every definition compared."""
        return verify.verify(Target.of(settings), place, artefact, progress)

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """Its own: the portal's store brings the copy here."""
        return settings

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Events asleep. Nothing closes a single database."""
        return trial.neutralise(Target.of(settings), place)

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """A query in a read-only transaction."""
        return trial.ask(Target.of(settings), place, question, seconds)

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """Host, port, database, user."""
        return Target.of(settings).reach(place.beside)

    def identify(self, settings: Settings, place: Place) -> Place:
        """By a mark that moves with the tables, but never into the live database."""
        return names.identify(Target.of(settings), place)

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """Nothing: a single database cannot be closed. Says so."""
        return exchange.stop_writers(Target.of(settings), place)

    def swap(self, settings: Settings, place: Place) -> None:
        """All tables in one statement, then what acts on them."""
        exchange.swap(Target.of(settings), place)

    def swap_back(self, settings: Settings, place: Place) -> None:
        """All tables in one statement, then what acts on them."""
        exchange.swap_back(Target.of(settings), place)

    def standing(self, settings: Settings, place: Place) -> Standing:
        """By where the mark lies. An exchange that was cut off is first taken back, or finished when the tables had moved."""
        return names.standing(Target.of(settings), place)

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """Nobody was stopped."""

    def health(self, settings: Settings, place: Place) -> str:
        """The live name answers, has the restored tables and all of them."""
        return exchange.health(Target.of(settings), place)

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """``DROP DATABASE``, for this restore's own names only."""
        exchange.discard(Target.of(settings), place, name)


MYSQL: Driver = MysqlDriver()
