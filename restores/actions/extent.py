"""How much of a backup is restored: all of it, or a part. Either is built beside and compared; the rest is the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from backups.actions.contents import parts_of
from backups.drivers.base import Artefact, Driver, Mode, Part, Parts, Place, Verified
from backups.drivers.words import Progress, Settings
from backups.kinds import driver_of
from backups.proof import Proof
from restores.models import RestoreRequest


@dataclass(frozen=True)
class Whole:
    """Everything."""

    driver: Driver
    built: ClassVar[str] = "A complete restore stands beside the live data, which is untouched."

    @property
    def proves(self) -> Proof:
        """How far the comparison goes: by the kind."""
        return self.driver.proves

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """What was found right."""
        return self.driver.preflight(settings, place, mode, artefact, workdir)

    def restore(
        self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress
    ) -> list[str]:
        """Build it; there is nothing that could not come along."""
        self.driver.restore(settings, place, artefact, workdir, progress)
        return []

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Compare all of it."""
        return self.driver.verify(settings, place, artefact, progress)


@dataclass(frozen=True)
class OnlyPart:
    """What was picked. It proves of the copy that every stored byte is right, not that all of it restores."""

    parts: Parts
    part: Part
    proves: ClassVar[Proof] = Proof.CHECKSUM
    built: ClassVar[str] = "What was picked stands beside the live data, which is untouched."

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """What was found right. A part goes beside, whatever else might be said: filing refuses the rest."""
        return self.parts.preflight(settings, place, artefact, self.part, workdir)

    def restore(
        self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress
    ) -> list[str]:
        """Build it; sentences about what could not come along."""
        return self.parts.restore(settings, place, artefact, self.part, workdir, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Compare all that was picked, and see that nothing else is there."""
        return self.parts.verify(settings, place, artefact, self.part, progress)


def extent_of(request: RestoreRequest) -> Whole | OnlyPart:
    """By the request's plan, to which its approval is bound."""
    picked = request.picked
    return OnlyPart(parts_of(request.resource), picked.keys) if picked else Whole(driver_of(request.resource.kind))
