"""What a checkup looks at (B5): which backups of a resource, to which level, and which resources when IT samples. Pure.

All of it is worked out, and written down, before the first backup is restored.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from backups.judging import ResourceFacts, StoredBackup
from backups.proof import Proof
from backups.slots import fill_slots


class What(StrEnum):
    """Which of a resource's backups is checked."""

    DAILY = "daily"
    MONTHLY = "monthly"
    BOTH = "both"
    ELSEWHERE = "elsewhere"
    KEPT = "kept"

    @property
    def label(self) -> str:
        """In words."""
        return WHAT_LABELS[self]


WHAT_LABELS = {
    What.DAILY: "latest daily",
    What.MONTHLY: "latest monthly",
    What.BOTH: "latest daily, which is also the latest monthly",
    What.ELSEWHERE: "copy in the other region",
    What.KEPT: "kept after the removal",
}


class Wanted(NamedTuple):
    """One thing to check. Without a ``backup`` there is nothing to check, which is a failure: the policy wants one."""

    what: What
    region: str
    backup: int | None
    size: int = 0  # stored bytes, as far as known


def wanted_of(facts: ResourceFacts, *, now: datetime, zone: ZoneInfo) -> list[Wanted]:
    """What of that resource is checked: the latest daily, the latest monthly, its copy elsewhere; or all that is kept of it.

    A backup that is both is restored once. One dated after ``now`` (a clock was wrong) stands in for no other.
    """
    good = [backup for backup in facts.backups if backup.good]
    points = [backup for backup in good if backup.taken_at <= now] or good
    home, other = facts.home_region, facts.other_region
    slots = fill_slots(points, zone)
    daily = slots.daily[-1][1] if slots.daily else None
    if facts.removed_at is not None:
        return [_one(What.KEPT, home, backup) for backup in good] or [_one(What.KEPT, home, None)] * bool(facts.backups)
    monthly = slots.latest_monthly
    if daily is not None and monthly is not None and daily.id == monthly.id:
        return [_one(What.BOTH, home, daily), _one(What.ELSEWHERE, other, monthly)]
    return [_one(What.DAILY, home, daily), _one(What.MONTHLY, home, monthly), _one(What.ELSEWHERE, other, monthly)]


def _one(what: What, region: str, backup: StoredBackup | None) -> Wanted:
    return Wanted(what, region, backup.id if backup else None, backup.stored_bytes if backup else 0)


def level_of(proves: Proof, *, restored: bool, answers: bool) -> Proof:
    """The level that is declared: what a restore of that kind proves, one more where an application is asked as well.

    Without a restore (it is not in the sample, or would cost too much) every stored byte is read.
    """
    if not restored:
        return Proof.CHECKSUM
    return Proof.APPLICATION_ANSWERED if answers else proves


def draw(sizes: Iterable[tuple[int, int]], share: int, seed: str) -> Iterator[int]:
    """Of (id, bytes) pairs the ids in the sample: ``share`` per cent of them, rounded up.

    Larger ones are drawn more often: each gets ``u ** (1 / weight)`` with ``u`` from the SHA-256 of seed and id, and the
    highest are taken (Efraimidis and Spirakis). The same seed gives the same sample, whatever the order or the machine.
    """
    weighed = [(_lot(seed, pk, size), pk) for pk, size in sizes]
    number = math.ceil(len(weighed) * share / 100)
    return (pk for _, pk in sorted(weighed, reverse=True)[:number])


def _lot(seed: str, pk: int, size: int) -> float:
    digest = hashlib.sha256(f"{seed}:{pk}".encode()).digest()
    u = (int.from_bytes(digest[:6]) + 1) / (2**48 + 1)
    return math.log(u) / (1 + math.log2(1 + max(size, 0)))


def sample_in_words(share: int, seed: str) -> str:
    """The rule of the sample, as it is declared."""
    if share == 100:
        return "All of them are restored."
    return (
        f"{share} % of the resources are restored, drawn with the seed {seed}, large ones more often. Of the others every"
        " stored byte is read and compared with its checksum."
    )
