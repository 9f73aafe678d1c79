"""The verbs, each done by a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.awssettings import ACCOUNT, REGION, not_of_a_restore
from backups.drivers.base import Artefact, Found, Mode, Place, Sink, Standing, Taken, Verified
from backups.drivers.provider import KeptAt, Owned
from backups.drivers.questions import not_by_sql
from backups.drivers.rds import exchange, preflight, restore, snapshots, take, target, trial
from backups.drivers.rds.discovery import RdsDiscovery
from backups.drivers.rds.instance import GIB, instance, see_fit
from backups.drivers.rds.target import Target
from backups.drivers.words import Progress, Setting, Settings
from backups.proof import Proof


@dataclass(frozen=True)
class RdsKept:
    """The snapshots; see :class:`~backups.drivers.provider.Kept`."""

    accounts: Accounts

    def region(self, settings: Settings) -> str:
        """The setting of that name."""
        return settings["region"].strip()

    def regions(self, settings: Settings) -> Sequence[str]:
        """Those of the account."""
        return sorted(self.accounts(settings["account"].strip()).regions)

    def copy(self, settings: Settings, kept: KeptAt, region: str, token: str, progress: Progress) -> KeptAt:
        """The snapshot copied there, encrypted with that region's key where one is set."""
        return snapshots.copy(self._in(settings, kept.region), self._in(settings, region), kept, token, progress)

    def check(self, settings: Settings, kept: KeptAt) -> None:
        """The snapshot is there, complete."""
        snapshots.check(self._in(settings, kept.region), kept)

    def delete(self, settings: Settings, region: str, token: str, kept: KeptAt | None) -> None:
        """That of the token and that of ``kept``."""
        snapshots.delete(self._in(settings, region), token, kept)

    def owned(self, settings: Settings, region: str) -> Iterator[Owned]:
        """Every snapshot with the portal's tag."""
        return snapshots.owned(self._in(settings, region))

    def _in(self, settings: Settings, region: str) -> Access:
        return Access(self.accounts(settings["account"].strip()), region)


@dataclass(frozen=True)
class RdsDriver:
    """Database instances. See :mod:`backups.drivers.rds`."""

    accounts: Accounts

    kind: ClassVar[str] = "rds"
    label: ClassVar[str] = "RDS instance"
    noun: ClassVar[str] = "database instance"
    settings: ClassVar[tuple[Setting, ...]] = (ACCOUNT, REGION, target.INSTANCE)
    export_suffix: ClassVar[str] = ""
    stops_writers: ClassVar[bool] = False
    exchanged: ClassVar[str] = "took the live name, after the other was renamed"
    interrupts: ClassVar[str] = "For some minutes no instance has the name, and applications are cut off."
    appears: ClassVar[str] = "A new instance appears next to {name}, under a name of its own."
    afterwards: ClassVar[str] = "Connect to it under its own name, and take from it what you need."
    modes: ClassVar[frozenset[Mode]] = frozenset({Mode.IN_PLACE, Mode.BESIDE})
    proves: ClassVar[Proof] = Proof.RESTORED
    shares_with: ClassVar[frozenset[str]] = frozenset({"rds"})
    answers: ClassVar[bool] = False
    parts: ClassVar[None] = None

    @property
    def kept(self) -> RdsKept:
        """The snapshots."""
        return RdsKept(self.accounts)

    @property
    def discovery(self) -> RdsDiscovery:
        """All instances, those included that cannot be backed up."""
        return RdsDiscovery(self.accounts)

    def check(self, settings: Settings) -> Found:
        """The instance is there, and RDS makes snapshots of such."""
        asked = self._target(settings)
        not_of_a_restore("instance", asked.name)
        found = instance(asked.access, asked.name)
        see_fit(found)
        return Found(asked.locator, f"Instance {found.name} ({found.status}): {found.words}", found.size * GIB)

    def locator(self, settings: Settings) -> str:
        """``account/region/instance``."""
        return target.locator_of(settings)

    def overlaps(self, one: str, other: str) -> bool:
        """Only the same."""
        return one == other

    def exclusive(self, locator: str) -> str:
        """The instance itself."""
        return locator

    def take(self, settings: Settings, sink: Sink, progress: Progress) -> Taken:
        """A manual snapshot; the description of the instance into the sink."""
        return take.take(self._target(settings), sink, progress)

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """The identifiers that the two instances have when they are not live."""
        return Place(self.locator(settings), f"haas-{token}", f"haas-{token}-before")

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """The snapshot and its key, what the original was set up with, the account's limits, and for in place the instance."""
        return preflight.preflight(self._own(settings, place), place, mode, artefact)

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """An instance of the snapshot, like the original in everything."""
        restore.restore(self._own(settings, place), place, artefact, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Of the right snapshot, and every property as it was."""
        return restore.verify(self._own(settings, place), place, artefact, progress)

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """The same instance in the region of the snapshot, where there is none of it."""
        return {**settings, "region": kept.region} if kept else settings

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Taken off the internet. What runs inside of it nothing switches off."""
        return trial.neutralise(self._own(settings, place), place)

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """Refused: the portal knows no user of what is in an instance."""
        raise not_by_sql(self.noun)

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """The instance, its endpoint, database and master user."""
        return trial.reach(self._own(settings, place), place)

    def identify(self, settings: Settings, place: Place) -> Place:
        """By the ids of the instances, which stay whatever they are called."""
        return exchange.identify(self._own(settings, place), place)

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """Nothing: there is no such switch. Says so."""
        self._own(settings, place)
        return exchange.NO_STOPPING

    def swap(self, settings: Settings, place: Place) -> None:
        """The original renamed, then the restored instance given its name."""
        exchange.swap(self._own(settings, place), place)

    def swap_back(self, settings: Settings, place: Place) -> None:
        """The reverse."""
        exchange.swap_back(self._own(settings, place), place)

    def standing(self, settings: Settings, place: Place) -> Standing:
        """By the id of what has the live name."""
        return exchange.standing(self._target(settings), place)

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """Nobody was stopped; what is live loses the restore's marks."""
        exchange.resume_writers(self._own(settings, place), place)

    def health(self, settings: Settings, place: Place) -> str:
        """The restored instance has the name, and is available."""
        return exchange.health(self._own(settings, place), place)

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """The instance of that name is deleted, if it is of this restore and not live."""
        exchange.discard(self._own(settings, place), place, name)

    def _target(self, settings: Settings) -> Target:
        return target.target_of(self.accounts, settings)

    def _own(self, settings: Settings, place: Place) -> Target:
        found = self._target(settings)
        found.own(place)
        return found
