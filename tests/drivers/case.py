"""What the contract suite needs to know about one kind of resource: how to build, change, look at and harm a real one.

A case looks at its resource with means of its own, never through the driver under test: a driver that forgets
something would otherwise agree with itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from backups.drivers.base import Driver, StillWorking
from backups.drivers.words import ManifestEntry, Settings

R = TypeVar("R")
MOST_CALLS = 20

Fingerprint = Mapping[str, str]
"""Everything that a restore has to bring back, by name. Equal fingerprints: nothing was lost, added or changed."""


@dataclass(frozen=True)
class BadInput:
    """Settings that check() must refuse, and the setting that the refusal must name."""

    what: str
    settings: Settings
    setting: str


def until_done(verb: Callable[[], R]) -> R:
    """Call the verb again and again while the provider is at it, as the machinery does, but at once."""
    for _ in range(MOST_CALLS - 1):
        try:
            return verb()
        except StillWorking:
            continue
    return verb()


class DriverCase(Protocol):
    """One real resource, small and awkward, in a private place that the case's factory removes."""

    @property
    def driver(self) -> Driver:
        """The driver under test; picklable, because the kill tests run it in a child process."""

    @property
    def settings(self) -> Settings:
        """Good settings of the resource; picklable."""

    @property
    def bad_inputs(self) -> Sequence[BadInput]:
        """One per way in which settings can be wrong."""

    @property
    def before_each_step(self) -> Callable[[Callable[[], None]], None]:
        """A module-level function: from now on, in this process, call the given function before each outside effect.

        The kill tests use it in a child process that dies before the n-th one, for every n.
        """

    def snapshot(self, name: str) -> Fingerprint:
        """The content of the thing called ``name`` (as in ``Place``), seen without the driver."""

    def exists(self, name: str) -> bool:
        """Whether there is a thing called ``name``."""

    def names(self) -> frozenset[str]:
        """All things where the resource lives, itself included: to see that no scratch is left."""

    def mutate(self) -> None:
        """Change, add and remove content of the live resource."""

    def grow(self, megabytes: int) -> None:
        """Add that much content which does not compress to the live resource."""

    def lose(self) -> None:
        """Destroy the live resource completely, as a hazard does."""

    def stir(self, name: str) -> None:
        """Have what stands at ``name`` act by itself, in the ways in which things of this kind do; not in what it holds."""

    def acting(self, name: str) -> list[str]:
        """What at ``name`` acts by itself or stands open, seen without the driver."""

    def tamper(self, name: str) -> str:
        """Change one small thing inside ``name``; the text by which a difference report must name it."""

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        """The entries with one changed, and the text by which a difference report must name it."""
