"""The verbs, each done by a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from backups.aws import tags
from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.awssettings import ACCOUNT, REGION
from backups.drivers.base import Artefact, Found, Mode, Place, Sink, Standing, Taken, Verified
from backups.drivers.ec2 import exchange, preflight, restore, snapshots, take, target, trial
from backups.drivers.ec2.discovery import Ec2Discovery
from backups.drivers.ec2.machine import GIB, attached_to, machine, nothing_attached, unshared
from backups.drivers.ec2.target import Target
from backups.drivers.provider import KeptAt, Owned
from backups.drivers.questions import not_by_sql
from backups.drivers.words import Progress, Setting, Settings
from backups.proof import Proof


@dataclass(frozen=True)
class Ec2Kept:
    """The snapshots; see :class:`~backups.drivers.provider.Kept`."""

    accounts: Accounts

    def region(self, settings: Settings) -> str:
        """The setting of that name."""
        return settings["region"].strip()

    def regions(self, settings: Settings) -> Sequence[str]:
        """Those of the account."""
        return sorted(self.accounts(settings["account"].strip()).regions)

    def copy(self, settings: Settings, kept: KeptAt, region: str, token: str, progress: Progress) -> KeptAt:
        """Each snapshot copied there, encrypted with that region's key where one is set."""
        return snapshots.copy(self._in(settings, region), kept, token, progress)

    def check(self, settings: Settings, kept: KeptAt) -> None:
        """Each snapshot is there, complete."""
        snapshots.check(self._in(settings, kept.region), kept)

    def delete(self, settings: Settings, region: str, token: str, kept: KeptAt | None) -> None:
        """Those of the token and those of ``kept``."""
        snapshots.delete(self._in(settings, region), token, kept)

    def owned(self, settings: Settings, region: str) -> Iterator[Owned]:
        """Every snapshot with the portal's tag."""
        return snapshots.owned(self._in(settings, region))

    def _in(self, settings: Settings, region: str) -> Access:
        return Access(self.accounts(settings["account"].strip()), region)


@dataclass(frozen=True)
class VolumesDriver:
    """What machines and single volumes have in common: nearly all. See :mod:`backups.drivers.ec2`."""

    accounts: Accounts

    whole: ClassVar[bool]
    kind: ClassVar[str]
    label: ClassVar[str]
    noun: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    export_suffix: ClassVar[str] = ""
    stops_writers: ClassVar[bool] = True
    exchanged: ClassVar[str] = "was attached in the place of the other, while the machine stood still"
    interrupts: ClassVar[str]
    appears: ClassVar[str]
    afterwards: ClassVar[str]
    modes: ClassVar[frozenset[Mode]] = frozenset({Mode.IN_PLACE, Mode.BESIDE})
    proves: ClassVar[Proof] = Proof.RESTORED
    shares_with: ClassVar[frozenset[str]] = frozenset({"ec2", "ebs"})
    answers: ClassVar[bool] = False
    parts: ClassVar[None] = None

    @property
    def kept(self) -> Ec2Kept:
        """The snapshots."""
        return Ec2Kept(self.accounts)

    @property
    def discovery(self) -> Ec2Discovery:
        """Machines, their volumes, and volumes that lie about."""
        return Ec2Discovery(self.accounts)

    def check(self, settings: Settings) -> Found:
        """The machine is there and has a volume where it should."""
        asked = self._target(settings)
        found = machine(asked.access, asked.machine)
        volumes = unshared(attached_to(asked.access, asked.machine, asked.device))
        if not volumes:
            raise nothing_attached(asked.machine, asked.device)
        name = f"{found.name} ({found.id}, {found.state})" if found.name else f"{found.id} ({found.state})"
        size = sum(one.size for one in volumes) * GIB
        where = f"Machine {name}" if self.whole else f"Volume at {asked.device} of the machine {name}"
        return Found(asked.locator, f"{where}: {take.said_of(volumes)}", size)

    def locator(self, settings: Settings) -> str:
        """``account/region/machine``, and ``:device`` for a volume."""
        return target.locator_of(settings)

    def overlaps(self, one: str, other: str) -> bool:
        """The same, or a machine and a volume of it."""
        return one == other or one.startswith(f"{other}:") or other.startswith(f"{one}:")

    def exclusive(self, locator: str) -> str:
        """The machine, which stands still meanwhile."""
        return locator.partition(":")[0]

    def take(self, settings: Settings, sink: Sink, progress: Progress) -> Taken:
        """Snapshots of all volumes in one moment; their description into the sink."""
        return take.take(self._target(settings), sink, progress)

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """Names for the tags of the volumes."""
        return Place(self.locator(settings), f"haas-{token}", f"haas-{token}-before")

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """The snapshots, and for in place the machine."""
        return preflight.preflight(self._own(settings, place), place, mode, artefact)

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """A volume of each snapshot."""
        restore.restore(self._own(settings, place), place, artefact, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Each of the right snapshot, and like the one that was backed up."""
        return restore.verify(self._own(settings, place), place, artefact, progress)

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """The same machine in the region of the snapshots, where there is none of it."""
        return {**settings, "region": kept.region} if kept else settings

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Nothing is to be done: volumes that are attached to nothing do not act."""
        return trial.neutralise(self._own(settings, place), place)

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """Refused: there is no SQL."""
        raise not_by_sql(self.noun)

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """The volumes, their region and zone."""
        return trial.reach(self._own(settings, place), place)

    def identify(self, settings: Settings, place: Place) -> Place:
        """By the ids of the volumes."""
        return exchange.identify(self._own(settings, place), place)

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """The machine is stopped."""
        return exchange.stop_writers(self._own(settings, place), place)

    def swap(self, settings: Settings, place: Place) -> None:
        """The restored volumes attached in the place of the originals, while the machine stands still."""
        exchange.swap(self._own(settings, place), place)

    def swap_back(self, settings: Settings, place: Place) -> None:
        """The originals again."""
        exchange.swap_back(self._own(settings, place), place)

    def standing(self, settings: Settings, place: Place) -> Standing:
        """By what is attached."""
        return exchange.standing(self._target(settings), place)

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """The machine is started, if this restore has stopped it."""
        exchange.resume_writers(self._own(settings, place), place)

    def health(self, settings: Settings, place: Place) -> str:
        """The restored volumes are attached."""
        return exchange.health(self._own(settings, place), place)

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """Volumes of this restore that are attached to nothing are deleted."""
        exchange.discard(self._own(settings, place), place, name)

    def _target(self, settings: Settings) -> Target:
        return target.target_of(self.accounts, settings, whole=self.whole)

    def _own(self, settings: Settings, place: Place) -> Target:
        found = self._target(settings)
        found.own(place)
        return found


class Ec2Driver(VolumesDriver):
    """Whole machines."""

    whole = True
    kind = "ec2"
    label = "EC2 machine"
    noun = "machine"
    interrupts = "The machine is stopped while its volumes are exchanged, for some minutes."
    appears = "New volumes of {name} appear, to be attached to a machine; no new machine is made."
    afterwards = f"The volumes have this in their tag {tags.RESTORE}: attach them to a machine, and copy from them what you need."
    settings: ClassVar[tuple[Setting, ...]] = (ACCOUNT, REGION, target.MACHINE)


class EbsDriver(VolumesDriver):
    """Single volumes, each by the machine and the device where it is attached."""

    whole = False
    kind = "ebs"
    label = "EBS volume"
    noun = "volume"
    interrupts = "The machine that it is attached to is stopped while the volume is exchanged, for some minutes."
    appears = "A new volume appears next to {name}, to be attached to a machine."
    afterwards = (
        f"The volume has this in its tag {tags.RESTORE}: attach it to a machine, and copy from it what you need."
    )
    settings: ClassVar[tuple[Setting, ...]] = (ACCOUNT, REGION, target.MACHINE, target.DEVICE)
