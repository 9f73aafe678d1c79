"""What the policy keeps of a resource's backups, why, and until when (B2, B3, B4). Pure: no clock, no database.

The dailies and monthlies are those of :mod:`backups.slots`: the seven most recent days, and the six most recent months,
*that have one*. So when backups stop for ten days nothing good is thrown away, and the oldest daily goes only when a
newer one exists. A backup dated after ``now`` (a clock was wrong, then or now) takes nobody's place: the slots are
filled once with everything and once with what is not of the future, and both are kept.

``until`` is the last day that a backup is expected to see: the day it goes, if from now on a good backup is taken every
day and nobody decides otherwise. None: no day can be named (a pin), or the backup goes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from backups.slots import EARLIEST, POLICY, Numbers, Slots, earlier, newest_first, slots_of
from portal.days import month_after, months_later, short_day, short_month

KEPT_AFTER_REMOVAL_MONTHS = 6

Id = TypeVar("Id", bound=Hashable)

NOT_GOOD = "failed or damaged: it fills no slot"
SAME_DAY = "a newer backup of the same day is kept"
PAST = "its day and its month have passed"
REMOVED = "the resource was removed"
ONLY_GOOD = "only good backup"
ELSEWHERE = "holds the copy in the other region, until its successor is verified there"
KEPT_DAILY = "latest daily of a removed production resource, kept for six months"
NONE_READABLE = "no good backup of this removed production resource can be read now, so nothing is deleted"
NONE_GOOD = "there is no good backup of this removed production resource, so nothing is deleted"

_new, _id = tuple.__new__, itemgetter(0)
_Why = Callable[[datetime, bool], tuple[str, ...]]
_NOT_GOOD, _SAME_DAY, _PAST, _REMOVED = (NOT_GOOD,), (SAME_DAY,), (PAST,), (REMOVED,)


class Hold(NamedTuple):
    """Somebody's word that a backup stays: until ``ends`` (exclusive), which is on or after ``last_day``."""

    words: str  # "held until 1 Dec by Ivo Petersen: before the migration"
    last_day: date
    ends: datetime


class Pin(NamedTuple):
    """What refers to a backup and must find it: a restore request, an attempt, an incident, a checkup."""

    label: str  # "RR-1042"
    until: datetime | None = None  # None: until it is closed


class Entry(NamedTuple, Generic[Id]):
    """One backup as the policy sees it. ``taken_at`` is aware; ids are of one type that sorts."""

    id: Id
    taken_at: datetime
    good: bool
    holds: Sequence[Hold] = ()
    pins: Sequence[Pin] = ()
    elsewhere: bool = False  # has a verified copy in the other region that can be read, as far as is known
    unread_elsewhere: bool = False  # has one there that cannot be read now


class Verdict(NamedTuple, Generic[Id]):
    """What becomes of one backup, with all reasons in words."""

    id: Id
    keep: bool
    reasons: tuple[str, ...]
    until: date | None


@dataclass(frozen=True)
class Plan(Generic[Id]):
    """A verdict for every backup, in the order given; ``elsewhere`` are those that the other region holds (B3)."""

    verdicts: tuple[Verdict[Id], ...]
    elsewhere: tuple[Id, ...]

    @property
    def kept(self) -> tuple[Verdict[Id], ...]:
        """Those that stay."""
        return tuple(verdict for verdict in self.verdicts if verdict.keep)


class Reason(NamedTuple):
    """Why one is kept, and the last day for which that holds (None: no day can be named)."""

    words: str
    until: date | None


def plan(
    history: Iterable[Entry[Id]],
    *,
    now: datetime,
    zone: ZoneInfo,
    production: bool,
    removed_at: datetime | None = None,
    numbers: Numbers = POLICY,
    unread: Collection[Id] = (),
) -> Plan[Id]:
    """The verdict on every backup of one resource. Total: any history in any order, also none.

    ``unread`` are good ones that cannot be read now. Nothing is known against them, so they fill their slots; but they
    take nobody's place: what would be kept without them is kept as well.

    Floors that no number undoes: the last good backup of an active resource, pins, holds, and the copy in the other
    region while its successor has none there (B3).
    """
    entries = list(history)
    good = [entry for entry in entries if entry.good]
    reasons: dict[Id, list[Reason]] = {}
    today = now.astimezone(zone).date()
    elsewhere: tuple[Id, ...] = ()
    if removed_at is None:
        pools = _pools(good, now, zone, numbers, unread)
        _fill(pools, reasons, today, numbers)
        if len(good) == 1:  # for as long as no other one comes
            reasons[good[0].id].append(Reason(ONLY_GOOD, today))
        elsewhere = _copies_elsewhere(pools[-1], good, reasons, numbers)
        past, why_not = _why_not(pools, zone)
    else:
        if production and today < kept_until(removed_at, zone):
            _keep_removed(entries, good, reasons, removed_at, kept_until(removed_at, zone), unread)
        past, why_not = EARLIEST, _was_removed
    # Of a long history most is past. So all are first taken to be, in one go, and then the others are looked at.
    verdicts = list(map(_new, repeat(Verdict), zip(map(_id, entries), repeat(False), repeat(_PAST), repeat(None))))
    for place, entry in [
        (place, entry)
        for place, entry in enumerate(entries)
        if entry[1] >= past or not entry[2] or entry[3] or entry[4] or entry[0] in reasons
    ]:
        found = reasons.get(entry.id, [])
        if entry.pins or entry.holds:
            found.extend(_people(entry, now, zone))
        verdicts[place] = (
            _kept(entry.id, found) if found else Verdict(entry.id, False, why_not(entry.taken_at, entry.good), None)
        )
    return Plan(tuple(verdicts), elsewhere)


def _pools(
    good: list[Entry[Id]], now: datetime, zone: ZoneInfo, numbers: Numbers, unread: Collection[Id]
) -> list[Slots[Entry[Id]]]:
    """The slots of everything and, where some is of the future or cannot be read and some is not, those of what is not."""
    ordered = newest_first(good)
    newest = list(islice(ordered, 1))
    pools = [slots_of(chain(newest, ordered), zone, numbers)]
    if newest and newest[0].taken_at > now:
        until_now = [entry for entry in good if entry.taken_at <= now]
        if until_now:
            pools.append(slots_of(newest_first(until_now), zone, numbers))
    if unread and (readable := [entry for entry in good if entry.id not in unread]):
        pools.extend(_pools(readable, now, zone, numbers, ()))
    return pools


def _fill(pools: Sequence[Slots[Entry[Id]]], reasons: dict[Id, list[Reason]], today: date, numbers: Numbers) -> None:
    """Reasons for all that fill a slot."""
    for slots in pools:
        for entry_id, reason in _slot_reasons(slots, today, numbers):
            reasons.setdefault(entry_id, []).append(reason)


def _slot_reasons(slots: Slots[Entry[Id]], today: date, numbers: Numbers) -> Iterable[tuple[Id, Reason]]:
    """Each filled slot's backup with its reason; the newest is number one."""
    if not slots.daily:
        return
    newest = slots.daily[-1][0]
    next_day = today if newest < today else newest + timedelta(days=1)
    for rank, (day, entry) in enumerate(reversed(slots.daily), 1):
        yield entry.id, _daily_reason(day, rank, numbers.daily, today, next_day)
    latest = slots.monthly[-1][0]
    for rank, (month, entry) in enumerate(reversed(slots.monthly), 1):
        yield entry.id, _monthly_reason(month, rank, numbers.monthly, today, next_day, latest)


@lru_cache(maxsize=4096)  # the resources of a company share their days
def _daily_reason(day: date, rank: int, total: int, today: date, next_day: date) -> Reason:
    """It goes with the backup of the day that pushes it out."""
    return Reason(f"daily of {short_day(day, today)}, {rank} of {total}", next_day + timedelta(days=total - rank))


@lru_cache(maxsize=4096)
def _monthly_reason(month: date, rank: int, total: int, today: date, next_day: date, latest: date) -> Reason:
    """It goes with the first backup of the month that pushes it out."""
    first_push = next_day if next_day.replace(day=1) > latest else month_after(latest)
    more = total - rank
    until = first_push if more == 0 else months_later(first_push.replace(day=1), more)
    return Reason(f"monthly of {short_month(month, today)}", until)


def _copies_elsewhere(
    slots: Slots[Entry[Id]], good: list[Entry[Id]], reasons: dict[Id, list[Reason]], numbers: Numbers
) -> tuple[Id, ...]:
    """The latest monthlies, newest first, and floor 4: what stands there stays until each of them does."""
    monthly = slots.monthly[-numbers.elsewhere :]
    wanted = tuple([entry.id for _, entry in reversed(monthly)])
    missing = sum([not entry.elsewhere for _, entry in monthly])
    if missing:
        for entry in stand_ins([entry for entry in good if entry.id not in wanted], missing):
            reasons.setdefault(entry.id, []).append(Reason(ELSEWHERE, None))
    return wanted


def stand_ins(others: Sequence[Entry[Id]], missing: int) -> list[Entry[Id]]:
    """Of what the other region holds beside the wanted ones, so many as are missing: the newest of those that can be read.

    Where there are not enough of them, the newest of the others: better than nothing.
    """
    readable = newest_first([entry for entry in others if entry.elsewhere])
    unread = newest_first([entry for entry in others if entry.unread_elsewhere and not entry.elsewhere])
    return list(islice(chain(readable, unread), missing))


def _why_not(pools: Sequence[Slots[Entry[Id]]], zone: ZoneInfo) -> tuple[datetime, _Why]:
    """The reason for which a backup that nothing keeps goes: before that moment a good one is past, else ask."""
    kept = {day: entry.taken_at for slots in pools for day, entry in slots.daily}
    # Most of a long history is older than any kept day, and that is seen without asking the calendar.
    past = earlier(min(kept.values()), timedelta(days=2)) if kept else EARLIEST

    def why_not(taken_at: datetime, good: bool) -> tuple[str, ...]:
        if not good:
            return _NOT_GOOD
        return _SAME_DAY if taken_at.astimezone(zone).date() in kept else _PAST

    return past, why_not


def _was_removed(_: datetime, __: bool) -> tuple[str, ...]:
    return _REMOVED


def _kept(entry_id: Id, reasons: list[Reason]) -> Verdict[Id]:
    """All its reasons, each once; it goes when the last of them no longer holds."""
    if len(reasons) == 1:
        return Verdict(entry_id, True, (reasons[0].words,), reasons[0].until)
    words, ends = tuple(dict.fromkeys([reason.words for reason in reasons])), [reason.until for reason in reasons]
    known = [end for end in ends if end is not None]
    return Verdict(entry_id, True, words, max(known) if len(known) == len(ends) else None)


def _keep_removed(
    entries: list[Entry[Id]],
    good: list[Entry[Id]],
    reasons: dict[Id, list[Reason]],
    removed_at: datetime,
    last_day: date,
    unread: Collection[Id],
) -> None:
    """B4: of production the latest good daily, for six calendar months; when there is none that can be read, all there is.

    One dated after the removal (a clock was wrong), or that cannot be read, takes nobody's place: the latest of the
    others is kept beside it.
    """
    readable = [entry for entry in good if entry.id not in unread]
    until_then = [[entry for entry in pool if entry.taken_at <= removed_at] for pool in (good, readable)]
    for pool in (good, readable, *until_then):
        for newest in islice(newest_first(pool), 1):
            reasons[newest.id] = [Reason(KEPT_DAILY, last_day)]
    if not readable:
        for entry in entries:
            reasons[entry.id] = [Reason(NONE_READABLE if good else NONE_GOOD, last_day)]


def kept_until(removed_at: datetime, zone: ZoneInfo) -> date:
    """The day on which the kept backup of a production resource goes (B4)."""
    return months_later(removed_at.astimezone(zone).date(), KEPT_AFTER_REMOVAL_MONTHS)


def _people(entry: Entry[Id], now: datetime, zone: ZoneInfo) -> Iterable[Reason]:
    """The pins and holds that still stand."""
    for pin in entry.pins:
        if pin.until is None:
            yield Reason(f"pinned by {pin.label}", None)
        elif now < pin.until:
            yield Reason(f"pinned by {pin.label}", pin.until.astimezone(zone).date())
    for hold in entry.holds:
        if now < hold.ends:
            yield Reason(hold.words, hold.last_day)
