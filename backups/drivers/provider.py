"""What a provider has and keeps itself: its snapshots of a resource, and what discovery finds there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backups.drivers.words import Progress, Settings


@dataclass(frozen=True)
class KeptAt:
    """What the provider keeps of one copy of a backup, beside the artefact in the portal's store.

    ``parts`` are its names for it, by what they are of: ``{"vol-0a1b": "snap-0c2d"}``. ``size`` in bytes, as it says.
    """

    region: str
    parts: Mapping[str, str]
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values; :meth:`from_json` reads them back."""
        return {"region": self.region, "parts": dict(self.parts), "size": self.size}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> KeptAt | None:
        """What :meth:`as_json` wrote; None for nothing."""
        return cls(value["region"], dict(value["parts"]), value["size"]) if value else None


@dataclass(frozen=True)
class Owned:
    """One thing at the provider that the portal has made there, as a listing shows it."""

    token: str  # of the copy that it was made for
    name: str  # the provider's
    size: int = 0
    sound: bool = True  # complete, or on the way to it


class Kept(Protocol):
    """What a provider keeps of a backup, itself: its snapshots. See :attr:`Driver.kept`.

    The artefact in the portal's store then describes the resource as it was, and says what the provider keeps. All that is
    made is marked with the copy's ``token``, so that what a crash left is found again, by the next call or by ``owned()``.
    """

    def region(self, settings: Settings) -> str:
        """Where the resource is, and take() has its backups kept: the home region of the resource must be this one."""

    def regions(self, settings: Settings) -> Sequence[str]:
        """All regions that copies may go to."""

    def copy(self, settings: Settings, kept: KeptAt, region: str, token: str, progress: Progress) -> KeptAt:
        """Have it copied to another region. Returns when that copy is complete there."""

    def check(self, settings: Settings, kept: KeptAt) -> None:
        """See that all of it is there, complete. Raises :class:`DamagedBackup` when the provider says that it is not."""

    def delete(self, settings: Settings, region: str, token: str, kept: KeptAt | None) -> None:
        """Remove what ``kept`` names and what bears the token; absent is fine."""

    def owned(self, settings: Settings, region: str) -> Iterator[Owned]:
        """Everything that the portal has made in that region of the resource's account, by pages."""


@dataclass(frozen=True)
class Candidate:
    """Something that discovery has found, and that could be registered with these ``settings``."""

    kind: str
    locator: str  # the driver's, of the settings
    settings: Settings
    name: str  # what people call it there
    sentence: str  # "i-0a1b, running: 2 volumes, 30 GiB"
    size_bytes: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    within: tuple[Candidate, ...] = ()  # what it consists of, where that may be registered by itself
    why_not: str = ""  # why it cannot be registered as it is, and what to do


class Discovery(Protocol):
    """Finding what is there. See :attr:`Driver.discovery`."""

    def everything(self, account: str, region: str) -> Iterator[Candidate]:
        """All that is in that region of the account, registered or not, by pages. What is raised on the way means that
        nothing is known.
        """
