"""What if: other numbers, a day to come, days without a backup, played with against a resource as it is. Pure.

From now on until the end of that day one good backup of the size of the newest is taken at the resource's moment of
each day that is not missed, and the copying to the other region keeps up. Then the policy is asked, and what it says is
held beside what it says today. Nothing is assumed of a resource that is removed, being removed or vanished, nor of one
that never had a good backup: its size is not known.

Of the backups that are assumed only those are made that can fill a slot in the end: the last days', and each month's
first. The others would come and go in between and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import count
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from backups.judging import CopyFacts, Judgement, ResourceFacts, StoredBackup, judge
from backups.schedule import Window, slot_on
from backups.slots import POLICY, Numbers

Slot = Callable[[date], datetime]
"""The resource's moment on a calendar day."""


def slots_of(uid: UUID, window: Window, zone: ZoneInfo) -> Slot:
    """The moments of a resource, by the calendar day on which they are: a window may go on past midnight."""

    def slot(day: date) -> datetime:
        moment = slot_on(day, uid, window, zone)
        return moment if moment.astimezone(zone).date() == day else slot_on(day - timedelta(days=1), uid, window, zone)

    return slot


@dataclass(frozen=True)
class Play:
    """What is played with. ``until`` is today or later; ``missed`` are days, from today on, without a good backup."""

    now: datetime
    zone: ZoneInfo
    until: date
    numbers: Numbers = POLICY
    missed: frozenset[date] = frozenset()

    @property
    def today(self) -> date:
        """The company's day."""
        return self.now.astimezone(self.zone).date()

    @property
    def end(self) -> datetime:
        """The moment that is looked at: now, or the end of a day to come."""
        if self.until <= self.today:
            return self.now
        midnight = datetime.combine(self.until + timedelta(days=1), time(), self.zone)
        return midnight - timedelta(seconds=1)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days on which a backup is taken, today first; empty when it is about today."""
        span = (self.until - self.today).days
        days = (self.today + timedelta(days=number) for number in range(span + 1 if span > 0 else 0))
        return tuple(day for day in days if day not in self.missed)


def most_assumed(what: Play) -> int:
    """How many backups are assumed of a resource at most: what playing with it costs."""
    return len(_that_fill_slots(what.days, what.numbers))


class Stand(NamedTuple):
    """What stands after a plan was carried out. ``copied_bytes`` of ``stored_bytes`` are still to be copied."""

    backups: int = 0
    copies: int = 0
    stored_bytes: int = 0
    copied_bytes: int = 0

    def and_(self, other: Stand) -> Stand:
        """Both together."""
        return Stand(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Outcome:
    """One resource: what the policy keeps today, what it would keep, and which of today's backups would go.

    ``there`` is what is stored before any plan is carried out. ``new`` counts the assumed backups among the kept.
    """

    id: int
    there: Stand
    now: Stand
    then: Stand
    new: int
    going: tuple[StoredBackup, ...]
    judgement: Judgement
    note: str = ""


VANISHED = "vanished: no new backup is assumed"
NEVER = "never had a good backup: none is assumed"
REMOVED = "removed: no new backup is taken"


def play(facts: ResourceFacts, what: Play, slot: Slot, *, taken: bool = True) -> Outcome:
    """The outcome for one resource. Without ``taken`` no backup is taken of it any more."""
    now = judge(facts, now=what.now, zone=what.zone)
    note = _note(facts, taken)
    unused = count(-1, -1)
    later = facts if note else replace(facts, backups=[*facts.backups, *_assumed(facts, what, slot, unused)])
    then = judge(later, now=what.end, zone=what.zone, numbers=what.numbers)
    if what.end > what.now:
        later = _copied(later, then, unused)
        then = judge(later, now=what.end, zone=what.zone, numbers=what.numbers)
    kept = {verdict.id for verdict in then.plan.kept}
    return Outcome(
        id=facts.id,
        there=_stand(facts.backups, lambda copy: True),
        now=_after(facts, now),
        then=_after(later, then),
        new=sum(backup_id < 0 for backup_id in kept),
        going=tuple(backup for backup in facts.backups if backup.id not in kept),
        judgement=then,
        note=note,
    )


def _note(facts: ResourceFacts, taken: bool) -> str:
    """Why no backup is assumed, if none is."""
    if facts.removed_at is not None or not taken:
        return REMOVED
    if facts.vanished:
        return VANISHED
    return "" if any(backup.good for backup in facts.backups) else NEVER


def _assumed(facts: ResourceFacts, what: Play, slot: Slot, unused: Iterator[int]) -> Iterator[StoredBackup]:
    """The backups to come that can fill a slot. Their ids, and those of their copies, are below zero."""
    newest = max((backup for backup in facts.backups if backup.good), key=lambda backup: (backup.taken_at, backup.id))
    days = what.days
    if days and slot(days[0]) <= what.now:  # today's moment has passed
        days = days[1:]
    for day in _that_fill_slots(days, what.numbers):
        at = slot(day)
        copies = [_copy(next(unused), facts.home_region, at)]
        yield StoredBackup(next(unused), at, at, copies, newest.stored_bytes)


@lru_cache(maxsize=8)  # the resources of a company share their days
def _that_fill_slots(days: tuple[date, ...], numbers: Numbers) -> list[date]:
    """The last days, and the first of each of the last months: whatever there was before, no other fills a slot."""
    firsts: dict[date, date] = {}
    for day in days:
        firsts.setdefault(day.replace(day=1), day)
    months = [firsts[month] for month in sorted(firsts)[-numbers.monthly :]]
    return sorted({*days[-numbers.daily :], *months})


def _copy(number: int, region: str, at: datetime) -> CopyFacts:
    return CopyFacts(number, region, good=True, verified=True, checksum_at=at, created_at=at)


def _copied(facts: ResourceFacts, judgement: Judgement, unused: Iterator[int]) -> ResourceFacts:
    """The resource once the copying has brought to the other region what belongs there."""

    def copied(backup: StoredBackup) -> StoredBackup:
        there = any(copy.region == facts.other_region and copy.good and copy.verified for copy in backup.copies)
        if there or backup.id not in judgement.plan.elsewhere:
            return backup
        copies = [copy for copy in backup.copies if copy.region != facts.other_region]
        copies.append(_copy(next(unused), facts.other_region, backup.finished_at))
        return replace(backup, copies=copies)

    return replace(facts, backups=[copied(backup) for backup in facts.backups])


def _after(facts: ResourceFacts, judgement: Judgement) -> Stand:
    """What stands once the plan is carried out, and the copies that it wants are made."""
    keep = {verdict.id for verdict in judgement.copies if verdict.keep}
    stand = _stand(facts.backups, lambda copy: copy.id in keep)
    by_id = {backup.id: backup for backup in facts.backups}
    lacking = [
        by_id[wanted]
        for wanted in judgement.plan.elsewhere
        if not any(copy.region == facts.other_region and copy.id in keep for copy in by_id[wanted].copies)
    ]
    size = sum(backup.stored_bytes for backup in lacking)
    return stand.and_(Stand(0, len(lacking), size, size))


def _stand(backups: Iterable[StoredBackup], stays: Callable[[CopyFacts], bool]) -> Stand:
    backup_count = copies = size = 0
    for backup in backups:
        staying = sum(stays(copy) for copy in backup.copies)
        backup_count += staying > 0
        copies += staying
        size += staying * backup.stored_bytes
    return Stand(backup_count, copies, size)
