"""One resource's backups and copies held against the policy: what is kept, what goes, copy by copy. Pure.

:func:`backups.retention.plan` decides about backups; here its verdicts become verdicts about copies, by the rules of the
other region (B3) and with one more floor: a backup that is kept never loses its last copy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from backups.retention import Entry, Hold, Pin, Plan, Verdict, plan, stand_ins
from backups.slots import POLICY, Numbers

LEFT_ELSEWHERE = "the other region holds a newer monthly"
REPLACED = "damaged, and a good copy stands in its place"
USELESS = "damaged, and there are good backups"
SALVAGE = "damaged; what is left of it stays for a week, in case a part must be saved"
LAST_DAMAGED = "damaged, but there is no good backup in its stead"
ASKED_FOR = "damaged, and kept: it is held or pinned"
ITS_ONLY = "the only copy of a backup that is kept"
OTHERS_UNREAD = "no other copy of a backup that is kept can be read"
IN_ITS_HOME = "a copy of a backup that is kept"
KEPT_AT_HOME = "the resource was removed: its kept backup stays in the home region"
LATEST_MONTHLY = "the latest monthly, in the other region"

SALVAGE_FOR = timedelta(days=7)
"""For so long the bytes of a damaged backup that has no good copy stay: nothing else is left of it."""


class CopyFacts(NamedTuple):
    """One copy with bytes in a region. ``good``: complete and not found damaged. ``verified``: its checksum was read."""

    id: int
    region: str
    good: bool
    verified: bool
    checksum_at: datetime | None
    created_at: datetime
    damaged_at: datetime | None = None
    readable: bool = True  # as far as is known; a good one that cannot be read stands in for no other


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """One finished backup of which copies are left."""

    id: int
    taken_at: datetime
    finished_at: datetime
    copies: Sequence[CopyFacts]
    stored_bytes: int = 0
    holds: Sequence[Hold] = ()
    pins: Sequence[Pin] = ()

    @property
    def good(self) -> bool:
        """Whether any copy of it is good: then it can be restored, and fills a slot."""
        return any(copy.good for copy in self.copies)

    @property
    def readable(self) -> bool:
        """Whether one of the good copies can be read, as far as is known."""
        return any(copy.good and copy.readable for copy in self.copies)


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """What the policy has to know of one resource."""

    id: int
    name: str
    production: bool
    home_region: str
    other_region: str
    created_at: datetime
    backups: Sequence[StoredBackup] = ()
    removed_at: datetime | None = None
    vanished: bool = False
    undone_removal_at: datetime | None = None  # when it was removed, if it was brought back since
    last_failure: tuple[datetime, str] | None = None  # since the newest good one: when, and its sentence
    at_provider: bool = False  # its copies are kept where it is itself, by AWS


class CopyVerdict(NamedTuple):
    """What becomes of one copy, and why."""

    id: int
    backup: int
    region: str
    keep: bool
    why: str


@dataclass(frozen=True)
class Judgement:
    """The plan of a resource's backups, and the verdicts on their copies that follow from it."""

    plan: Plan[int]
    copies: tuple[CopyVerdict, ...]

    @property
    def to_delete(self) -> list[CopyVerdict]:
        """The copies that go."""
        return [verdict for verdict in self.copies if not verdict.keep]

    def going(self, home_region: str, *, at_home_only: bool) -> list[CopyVerdict]:
        """The copies that go; ``at_home_only``: of those in the home region."""
        return [one for one in self.to_delete if one.region == home_region or not at_home_only]

    @property
    def elsewhere(self) -> int | None:
        """The backup that the other region is to hold."""
        return self.plan.elsewhere[0] if self.plan.elsewhere else None


def judge(facts: ResourceFacts, *, now: datetime, zone: ZoneInfo, numbers: Numbers = POLICY) -> Judgement:
    """The verdicts for one resource. Backups in the order given, copies in that of their backups."""
    entries, unread = [], set()
    for backup in facts.backups:
        entry, readable = _entry(backup, facts.other_region)
        entries.append(entry)
        if entry.good and not readable:
            unread.add(entry.id)
    made = plan(
        entries,
        now=now,
        zone=zone,
        production=facts.production,
        removed_at=facts.removed_at,
        numbers=numbers,
        unread=unread,
    )
    any_good = any(entry.good for entry in entries)
    staying = _staying_elsewhere(entries, made) if facts.removed_at is None else set()
    copies = [
        CopyVerdict(copy.id, backup.id, copy.region, *_keep_copy(copy, backup, verdict, facts, staying, any_good, now))
        for backup, verdict in zip(facts.backups, made.verdicts, strict=True)
        for copy in backup.copies
    ]
    return Judgement(made, tuple(copies))


def _entry(backup: StoredBackup, other_region: str) -> tuple[Entry[int], bool]:
    """As the policy sees it, and whether a good copy of it can be read."""
    good = readable = there = unread_there = False
    for copy in backup.copies:
        if copy.good:
            good = True
            readable = readable or copy.readable
            if copy.verified and copy.region == other_region:
                there, unread_there = there or copy.readable, unread_there or not copy.readable
    return Entry(backup.id, backup.taken_at, good, backup.holds, backup.pins, there, unread_there), readable


def _staying_elsewhere(entries: Sequence[Entry[int]], made: Plan[int]) -> set[int]:
    """The backups whose copy in the other region stays: the wanted ones, and what stands in for those not there yet."""
    wanted = set(made.elsewhere)
    missing = len(wanted) - sum([entry.elsewhere and entry.id in wanted for entry in entries])
    if not missing:
        return wanted
    return wanted | {entry.id for entry in stand_ins([one for one in entries if one.id not in wanted], missing)}


def _keep_copy(
    copy: CopyFacts,
    backup: StoredBackup,
    verdict: Verdict[int],
    facts: ResourceFacts,
    staying: Collection[int],
    any_good: bool,
    now: datetime,
) -> tuple[bool, str]:
    if not copy.good:
        if copy.region == facts.other_region and backup.good and backup.id not in staying:
            return False, LEFT_ELSEWHERE
        if not (backup.good or facts.removed_at) and copy.damaged_at and now < copy.damaged_at + SALVAGE_FOR:
            return True, SALVAGE if any_good else LAST_DAMAGED
        return _keep_damaged(copy, backup, verdict, any_good or facts.removed_at is not None)
    if not verdict.keep:
        return False, "; ".join(verdict.reasons)
    others = [other for other in backup.copies if other.good and other.id != copy.id]
    if not any(other.readable for other in others):
        return True, OTHERS_UNREAD if others else ITS_ONLY
    if copy.region != facts.other_region:
        return True, IN_ITS_HOME
    if facts.removed_at is not None:
        return False, KEPT_AT_HOME
    return (True, LATEST_MONTHLY) if backup.id in staying else (False, LEFT_ELSEWHERE)


def _keep_damaged(copy: CopyFacts, backup: StoredBackup, verdict: Verdict[int], dispensable: bool) -> tuple[bool, str]:
    """What is damaged goes once it is of no use; while there is nothing better, a part of it may still be saved."""
    if any(other.good and other.readable and other.region == copy.region for other in backup.copies):
        return False, REPLACED
    if verdict.keep or not dispensable:
        if backup.good:
            return True, IN_ITS_HOME
        return True, ASKED_FOR if dispensable and (backup.holds or backup.pins) else LAST_DAMAGED
    return False, USELESS
