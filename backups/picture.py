"""The slot picture of a resource: which backups the policy wants, and which are there. Pure.

Daily cells are the last seven *calendar* days, so that a missing day is seen as a gap, although retention counts the
seven most recent days that have one (:mod:`backups.slots`). Today gets a cell only once something was tried today:
a day that is not over is not missing. Monthly cells likewise are the last six calendar months; the current one is
missing only when an earlier day of it has passed without a backup. Days before the resource had its first backup or
was registered are neither good nor missing: there was nothing to back up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from backups.proof import Proof
from backups.slots import DAILY, MONTHLY, Point, fill_slots
from portal.days import day_in_words, month_in_words, short_day
from portal.words import size_in_words


class Look(StrEnum):
    """What a cell shows."""

    GOOD = "good"
    MISSING = "missing"
    FAILED = "failed"  # tried or taken that day, and none of it can be used
    OPEN = "open"  # being taken
    BEFORE = "before"  # before there was anything to back up
    LATE = "late"  # of the other region only: a copy is there, but not of the latest monthly


@dataclass(frozen=True)
class BackupFacts:
    """What the picture needs to know of one backup.

    ``at`` is when it was taken, or tried. ``good`` means finished, not damaged and with a copy left. ``proofs`` are
    its present copies: (region, level, when). ``held_until`` is the last day of its longest hold, ``pinned_by`` names what
    uses it: ("RR-1042",).
    """

    id: int
    at: datetime
    good: bool
    open: bool = False
    damaged: bool = False
    stored_bytes: int | None = None
    proofs: tuple[tuple[str, Proof, datetime | None], ...] = ()
    held_until: date | None = None
    pinned_by: tuple[str, ...] = ()

    @property
    def best(self) -> tuple[Proof, datetime | None]:
        """The furthest proof of any present copy, and when."""
        if not self.proofs:
            return Proof.RECORDED, None
        _, level, at = max(self.proofs, key=lambda proof: proof[1])
        return level, at


@dataclass(frozen=True)
class Cell:
    """One cell: its look, what it says, the name under it, the backup it leads to, whether a restore proved that.

    ``held``: somebody's word keeps it; ``pinned``: a request, say, uses it.
    """

    look: Look
    title: str
    label: str
    backup: int | None = None
    proven: bool = False
    held: bool = False
    pinned: bool = False


@dataclass(frozen=True)
class Picture:
    """All cells, oldest first, and the sentence for those who do not see them."""

    daily: tuple[Cell, ...]
    monthly: tuple[Cell, ...]
    other: Cell
    sentence: str


def draw(
    history: Sequence[BackupFacts], *, now: datetime, zone: ZoneInfo, since: datetime, other_region: str
) -> Picture:
    """The picture of one resource. ``since`` is when it was registered; an older backup counts as older still."""
    today = now.astimezone(zone).date()
    by_id = {facts.id: facts for facts in history}
    first = min([since, *(facts.at for facts in history)]).astimezone(zone).date()
    slots = fill_slots((Point(facts.id, facts.at, facts.good) for facts in history), zone)
    tried: dict[date, list[BackupFacts]] = {}
    for facts in history:
        tried.setdefault(facts.at.astimezone(zone).date(), []).append(facts)

    last_day = today if today in tried else today - timedelta(days=1)
    days = [last_day - timedelta(days=back) for back in reversed(range(DAILY))]
    good_days = {day: by_id[point.id] for day, point in slots.daily}
    daily = tuple(
        _cell(good_days.get(day), tried.get(day, ()), day < first, day_in_words(day, today), str(day.day), today, zone)
        for day in days
    )

    months = _months(today, current=today.day > 1 or today in tried)
    good_months = {month: by_id[point.id] for month, point in slots.monthly}
    monthly = tuple(
        _cell(
            good_months.get(month),
            [facts for day, of_day in tried.items() if day.replace(day=1) == month for facts in of_day],
            month < first.replace(day=1),
            month_in_words(month),
            month_in_words(month)[:3],
            today,
            zone,
        )
        for month in months
    )
    latest = by_id[slots.latest_monthly.id] if slots.latest_monthly else None
    other = _other(history, latest, other_region, zone, new=first == today)
    kept_by = _kept_by(by_id[other.backup], today) if other.backup is not None else ""
    return Picture(daily, monthly, replace(other, title=other.title + kept_by), _sentence(daily, monthly, other))


def _months(today: date, *, current: bool) -> list[date]:
    """The first days of the six months that are drawn, oldest first."""
    month = today.replace(day=1) if current else (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    months = [month]
    while len(months) < MONTHLY:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def _cell(
    good: BackupFacts | None,
    tried: Iterable[BackupFacts],
    before: bool,
    name: str,
    label: str,
    today: date,
    zone: ZoneInfo,
) -> Cell:
    if good is not None:
        title = _title(good, zone) + _kept_by(good, today)
        return Cell(Look.GOOD, title, label, good.id, good.best[0] >= Proof.RESTORED, *_marks(good))
    latest = max(tried, key=lambda facts: facts.at, default=None)
    if latest is None:
        return (
            Cell(Look.BEFORE, f"{name}: before its first backup", label)
            if before
            else Cell(Look.MISSING, f"{name}: no backup", label)
        )
    if latest.open:
        return Cell(Look.OPEN, f"{name}: being taken now", label, latest.id)
    return Cell(Look.FAILED, f"{name}: {'damaged' if latest.damaged else 'failed'}", label, latest.id)


def _title(facts: BackupFacts, zone: ZoneInfo) -> str:
    local = facts.at.astimezone(zone)
    level, at = facts.best
    proof = level.label + (f" on {short_day(at.astimezone(zone).date())}" if at else "")
    return f"{day_in_words(local.date(), local.date())}, {local:%H:%M}, {size_in_words(facts.stored_bytes)}, {proof}"


def _marks(facts: BackupFacts) -> tuple[bool, bool]:
    """Whether it is held, and whether something uses it."""
    return facts.held_until is not None, bool(facts.pinned_by)


def _kept_by(facts: BackupFacts, today: date) -> str:
    """ ", held until 1 Dec, in use by RR-1042": what keeps it besides the policy."""
    held = f", held until {short_day(facts.held_until, today)}" if facts.held_until else ""
    return held + (f", in use by {' and '.join(facts.pinned_by)}" if facts.pinned_by else "")


def _other(
    history: Sequence[BackupFacts], latest: BackupFacts | None, region: str, zone: ZoneInfo, *, new: bool
) -> Cell:
    """The one copy in the other region (B3): of the latest monthly, of an earlier one, or none."""
    copied = [facts for facts in history if facts.good and any(where == region for where, _, _ in facts.proofs)]
    newest = max(copied, key=lambda facts: facts.at, default=None)
    if newest is None:
        look = Look.BEFORE if latest is None and new else Look.MISSING
        return Cell(look, f"no copy in {region}", region)
    day = short_day(newest.at.astimezone(zone).date())
    if latest is not None and any(facts.id == latest.id for facts in copied):
        day = short_day(latest.at.astimezone(zone).date())
        proven = any(where == region and level >= Proof.RESTORED for where, level, _ in latest.proofs)
        return Cell(Look.GOOD, f"copy in {region} of {day}", region, latest.id, proven, *_marks(latest))
    words = f"copy in {region} of {day}, not of the latest monthly"
    return Cell(Look.LATE, words, region, newest.id, False, *_marks(newest))


def _sentence(daily: Sequence[Cell], monthly: Sequence[Cell], other: Cell) -> str:
    """ "6 of 7 daily, 6 of 6 monthly, copy in eu-west-1 of 1 Nov; 1 held, 1 in use."."""
    good = [sum(cell.look is Look.GOOD for cell in cells) for cells in (daily, monthly)]
    cells = [*daily, *monthly, other]
    held, pinned = ({cell.backup for cell in cells if getattr(cell, mark)} for mark in ("held", "pinned"))
    marks = ", ".join(f"{len(marked)} {word}" for marked, word in ((held, "held"), (pinned, "in use")) if marked)
    return f"{good[0]} of {DAILY} daily, {good[1]} of {MONTHLY} monthly, {other.title}{'; ' + marks if marks else ''}."
