"""Where one resource does not hold the policy: too few and too many, since when, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from backups.judging import ASKED_FOR, SALVAGE, Judgement, ResourceFacts, StoredBackup, judge
from backups.retention import kept_until
from backups.slots import DAILY, MONTHLY
from portal.days import month_after, months_later, short_day, short_month

LATE_AFTER = timedelta(hours=26)
"""A day, and two hours for the backup itself (B2: daily)."""

COPY_GRACE = timedelta(hours=6)
"""For the copying to the other region, after a new monthly was finished."""

RETENTION_GRACE = timedelta(hours=3)
"""For deleting what is over, after what made it so."""

DAMAGE_TOLD = timedelta(days=1)
"""For so long a damaged copy that nothing can replace any more stays a finding, so that everybody hears of it."""

AHEAD = timedelta(days=1)
"""A moment so far ahead of now says nothing."""

VERIFIED_WITHIN = timedelta(days=30)
"""How old the last reading of a good copy's checksum may be."""


class Rule(StrEnum):
    """A rule of the policy that findings are about."""

    B1 = "B1"
    B2 = "B2"
    B3 = "B3"
    B4 = "B4"
    B5 = "B5"

    @property
    def bit(self) -> int:
        """Its bit in a resource's ``broken_rules``."""
        return 1 << (int(self.value[1]) - 1)

    @property
    def label(self) -> str:
        """The rule in a few words."""
        return RULE_LABELS[self]

    @property
    def company_wide(self) -> bool:
        """Whether it is about the company, not about each resource: it holds or it does not, and has no share."""
        return self is Rule.B5


RULE_LABELS = {
    Rule.B1: "Every resource has a backup",
    Rule.B2: "Seven daily, six monthly",
    Rule.B3: "One copy in the other region",
    Rule.B4: "After removal, only the latest daily of production",
    Rule.B5: "Two validity checkups a year",
}


class Code(StrEnum):
    """What can be found. Each belongs to one rule."""

    UNPROTECTED = "unprotected"
    NO_GOOD = "no_good"
    VANISHED = "vanished"
    DAMAGED_COPY = "damaged_copy"
    UNVERIFIED = "unverified"
    LATE = "late"
    DAILY_MISSING = "daily_missing"
    MONTHLY_MISSING = "monthly_missing"
    TOO_MANY = "too_many"
    STRAY = "stray"
    REGION_AWAY = "region_away"
    REGION_SETTINGS = "region_settings"
    UNLISTED = "unlisted"
    UNREADABLE = "unreadable"
    NONE_ELSEWHERE = "none_elsewhere"
    OUTDATED_ELSEWHERE = "outdated_elsewhere"
    TOO_MANY_ELSEWHERE = "too_many_elsewhere"
    NOT_KEPT = "not_kept"
    LEFT_OVER = "left_over"
    CLOCK_LEAPT = "clock_leapt"
    CHECKUP_DATES = "checkup_dates"
    CHECKUP_OVERDUE = "checkup_overdue"
    CHECKUP_TASK = "checkup_task"
    CHECKUP_RECORD = "checkup_record"

    @property
    def label(self) -> str:
        """Its name on pages."""
        return CODES[self][1]

    @property
    def rule(self) -> Rule:
        """The rule that does not hold."""
        return CODES[self][0]


CODES: dict[Code, tuple[Rule, str]] = {
    Code.UNPROTECTED: (Rule.B1, "Not registered"),
    Code.NO_GOOD: (Rule.B1, "No good backup"),
    Code.VANISHED: (Rule.B1, "Vanished"),
    Code.DAMAGED_COPY: (Rule.B1, "Damaged copy"),
    Code.UNVERIFIED: (Rule.B1, "Not verified for long"),
    Code.LATE: (Rule.B2, "Late"),
    Code.DAILY_MISSING: (Rule.B2, "Daily missing"),
    Code.MONTHLY_MISSING: (Rule.B2, "Monthly missing"),
    Code.TOO_MANY: (Rule.B2, "Too many copies"),
    Code.STRAY: (Rule.B2, "Unknown objects in a region"),
    Code.REGION_AWAY: (Rule.B1, "Region out of reach"),
    Code.REGION_SETTINGS: (Rule.B1, "Region not set up as it should be"),
    Code.UNLISTED: (Rule.B1, "Account not looked through"),
    Code.UNREADABLE: (Rule.B1, "Copies that do not read well"),
    Code.NONE_ELSEWHERE: (Rule.B3, "Nothing in the other region"),
    Code.OUTDATED_ELSEWHERE: (Rule.B3, "Other region out of date"),
    Code.TOO_MANY_ELSEWHERE: (Rule.B3, "Too many in the other region"),
    Code.NOT_KEPT: (Rule.B4, "No backup kept"),
    Code.LEFT_OVER: (Rule.B4, "Left over after removal"),
    Code.CLOCK_LEAPT: (Rule.B4, "Clock far ahead"),
    Code.CHECKUP_DATES: (Rule.B5, "A year without its two checkups"),
    Code.CHECKUP_OVERDUE: (Rule.B5, "Checkup overdue"),
    Code.CHECKUP_TASK: (Rule.B5, "Failed in a checkup, not seen to in time"),
    Code.CHECKUP_RECORD: (Rule.B5, "A signed record was changed"),
}

PASSING = frozenset({Code.DAILY_MISSING, Code.MONTHLY_MISSING})
"""What nobody can mend any more; its advice says when it passes."""


@dataclass(frozen=True)
class Found:
    """One finding about a resource. ``since``: since when it has been so, as far as can be told."""

    code: Code
    sentence: str
    advice: str
    since: datetime


def audit(facts: ResourceFacts, *, now: datetime, zone: ZoneInfo, judgement: Judgement | None = None) -> list[Found]:
    """All findings about one resource, the worst first. ``judgement`` saves judging again."""
    judgement = judgement or judge(facts, now=now, zone=zone)
    good = sorted((b for b in facts.backups if b.good), key=lambda backup: (backup.taken_at, backup.id))
    if facts.removed_at is not None:
        return list(_removed(facts, judgement, good, facts.removed_at, now, zone))
    return [
        *_existence(facts, good, now),
        *_elsewhere(facts, judgement, good, now, zone),
        *_days(facts, good, now, zone),
        *_months(facts, good, now, zone),
        *_too_many(facts, judgement, now, zone),
        *_soundness(facts, judgement, now, zone),
    ]


def applicable(facts: ResourceFacts, now: datetime, zone: ZoneInfo) -> tuple[Rule, ...]:
    """The rules that the resource is held against today."""
    if facts.removed_at is None:
        return (Rule.B1, Rule.B2, Rule.B3)
    promised = facts.production and now.astimezone(zone).date() < kept_until(facts.removed_at, zone)
    return (Rule.B4,) if promised or facts.backups else ()


def _existence(facts: ResourceFacts, good: list[StoredBackup], now: datetime) -> Iterator[Found]:
    if facts.vanished:
        yield Found(
            Code.VANISHED,
            "It was not found where it was, twice in a row. Its backups are kept.",
            "See whether it was moved or deleted. Restore it; or remove it here, with the reason, and register it where it is now.",
            now,
        )
    if not good and now - facts.created_at > LATE_AFTER:
        yield Found(
            Code.NO_GOOD,
            "It has no good backup at all.",
            f"{_why(facts)}See to the cause, then back it up now.",
            facts.created_at + LATE_AFTER,
        )


def _elsewhere(
    facts: ResourceFacts, judgement: Judgement, good: list[StoredBackup], now: datetime, zone: ZoneInfo
) -> Iterator[Found]:
    there = [b for b in good if any(c.good and c.region == facts.other_region for c in b.copies)]
    wanted = next((backup for backup in good if backup.id == judgement.elsewhere), None)
    if wanted is not None and wanted not in there:
        due = wanted.finished_at + COPY_GRACE
        late = not _is_within(COPY_GRACE, wanted.finished_at, now)
        advice = f"See that {facts.other_region} can be written to and has room; the portal tries again every hour."
        if late and not there:
            undone = facts.undone_removal_at
            deleted = f": {_removal(undone, zone)} deleted it" if undone and wanted.finished_at <= undone else ""
            yield Found(
                Code.NONE_ELSEWHERE,
                f"There is no copy of any of its backups in {facts.other_region}{deleted}.",
                f"The portal makes a new one. {advice}" if deleted else advice,
                due,
            )
        elif late:
            yield Found(
                Code.OUTDATED_ELSEWHERE,
                f"The copy in {facts.other_region} is not of the latest monthly.",
                advice,
                due,
            )
    over = [v for v in judgement.to_delete if v.region == facts.other_region]
    copies = [c.created_at for b in there for c in b.copies if c.good and c.region == facts.other_region]
    settled = [at for at in copies if not _is_within(RETENTION_GRACE, at, now)]
    if over and len(settled) > 1:
        yield Found(
            Code.TOO_MANY_ELSEWHERE,
            f"{facts.other_region} holds {_copies(len(over))} beyond the one that belongs there.",
            _DELETING,
            max(settled) + RETENTION_GRACE,
        )


def _days(facts: ResourceFacts, good: list[StoredBackup], now: datetime, zone: ZoneInfo) -> Iterator[Found]:
    if not good:
        return
    # One dated after now (a clock was wrong) says nothing about the last day.
    taken = [backup.taken_at for backup in good if backup.taken_at <= now]
    due = (taken[-1] if taken else facts.created_at) + LATE_AFTER
    if now > due:
        yield Found(Code.LATE, "There is no good backup of the last 26 hours.", f"{_why(facts)}{_NOW}", due)
    today = now.astimezone(zone).date()
    had = {backup.taken_at.astimezone(zone).date() for backup in good}
    end = today + timedelta(days=1) if today in had else today  # today is not missing before it is over
    first = max(end - timedelta(days=DAILY), min(facts.created_at, good[0].taken_at).astimezone(zone).date())
    missing = [day for day in _each_day(first, end) if day not in had]
    if missing:
        deleted = _deleted(missing, facts, zone)
        yield Found(
            Code.DAILY_MISSING,
            f"No good backup of {_and([short_day(day) for day in missing])}{deleted}.",
            f"{_FOR_GOOD if deleted else _A_DAY_OVER}; this passes {short_day(_passes(missing))}.",
            _start(missing[0] + timedelta(days=1), zone),
        )


def _months(facts: ResourceFacts, good: list[StoredBackup], now: datetime, zone: ZoneInfo) -> Iterator[Found]:
    if not good:
        return
    this_month = now.astimezone(zone).date().replace(day=1)
    begun = min(facts.created_at, good[0].taken_at).astimezone(zone).date().replace(day=1)
    had = {backup.taken_at.astimezone(zone).date().replace(day=1) for backup in good}
    months = [months_later(this_month, -back) for back in range(MONTHLY - 1, 0, -1)]
    missing = [month for month in months if month >= begun and month not in had]
    if missing:
        deleted = _deleted(missing, facts, zone)
        passes = months_later(missing[-1], MONTHLY)
        yield Found(
            Code.MONTHLY_MISSING,
            f"No good backup is left of {_and([short_month(month) for month in missing])}{deleted}.",
            f"{_FOR_GOOD if deleted else _A_MONTH_OVER}; this passes {short_day(passes)}.",
            _start(month_after(missing[0]), zone),
        )


def _deleted(missing: list[date], facts: ResourceFacts, zone: ZoneInfo) -> str:
    """Of missing days or months, oldest first: that a removal which was taken back deleted those before it."""
    removed = facts.undone_removal_at
    if removed is None or missing[0] > removed.astimezone(zone).date():
        return ""
    until_then = "" if missing[-1] <= removed.astimezone(zone).date() else " until then"
    return f": {_removal(removed, zone)} deleted what there was{until_then}"


def _removal(undone: datetime, zone: ZoneInfo) -> str:
    return f"the removal of {short_day(undone.astimezone(zone).date())}"


def _too_many(facts: ResourceFacts, judgement: Judgement, now: datetime, zone: ZoneInfo) -> Iterator[Found]:
    over = _over_at_home(facts, judgement)
    young = {backup.id for backup in facts.backups if _is_within(RETENTION_GRACE, backup.finished_at, now)}
    if over and young:  # what only a new backup has pushed out is given its time
        before = replace(facts, backups=[backup for backup in facts.backups if backup.id not in young])
        over &= _over_at_home(before, judge(before, now=now, zone=zone))
    if over:
        since = max(backup.finished_at for backup in facts.backups if backup.id not in young) + RETENTION_GRACE
        yield Found(
            Code.TOO_MANY,
            f"{facts.home_region} holds {_copies(len(over))} beyond what the policy keeps.",
            _DELETING,
            since,
        )


def _over_at_home(facts: ResourceFacts, judgement: Judgement) -> set[int]:
    """The good copies outside the other region that are to go."""
    good = {copy.id for backup in facts.backups for copy in backup.copies if copy.good}
    return {v.id for v in judgement.to_delete if v.region != facts.other_region and v.id in good}


def _soundness(facts: ResourceFacts, judgement: Judgement, now: datetime, zone: ZoneInfo) -> Iterator[Found]:
    copies = [(backup, copy) for backup in facts.backups for copy in backup.copies]
    over = {verdict.id for verdict in judgement.copies if verdict.why in (SALVAGE, ASKED_FOR)}
    damaged = [(b, c) for b, c in copies if not c.good and not (c.id in over and _is_past(c.damaged_at, now))]
    if damaged:
        named = _and([f"{short_day(b.taken_at.astimezone(zone).date())} in {c.region}" for b, c in damaged[:3]])
        more = f" and {len(damaged) - 3} more" if len(damaged) > 3 else ""
        yield Found(
            Code.DAMAGED_COPY,
            f"Damaged: the copy of {named}{more}.",
            f"{_AT_PROVIDER if facts.at_provider else _ON_DISK} The portal replaces it where another copy or the resource itself"
            " allows.",
            now,
        )
    old = [_seen(c.checksum_at or c.created_at, facts, now) for _, c in copies if c.good]
    late = [at for at in old if now - at > VERIFIED_WITHIN]
    if late:
        yield Found(
            Code.UNVERIFIED,
            f"{_copies(len(late)).capitalize()} not verified for more than 30 days.",
            "See that the workers of the queue backups have time; raise VERIFY_MB_PER_SECOND if they cannot keep up.",
            min(late) + VERIFIED_WITHIN,
        )


def _removed(
    facts: ResourceFacts,
    judgement: Judgement,
    good: list[StoredBackup],
    removed_at: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> Iterator[Found]:
    promised = facts.production and now.astimezone(zone).date() < kept_until(removed_at, zone)
    if promised and not good:
        yield Found(
            Code.NOT_KEPT,
            "It was removed, and no good backup of it is kept.",
            "See whether anything of it can be saved elsewhere, and tell the client.",
            removed_at,
        )
    over = judgement.to_delete
    ends = removed_at if promised or not facts.production else _start(kept_until(removed_at, zone), zone)
    since = max(removed_at, ends) + RETENTION_GRACE
    if over and now > since:
        yield Found(Code.LEFT_OVER, f"It was removed, and {_copies(len(over))} of it should be gone.", _DELETING, since)


_ON_DISK = "See to the disk it lies on."
_AT_PROVIDER = "See in AWS who removed or changed it there, and take that permission away."
_DELETING = "Retention deletes what is over every hour, unless a run was stopped: see Retention."
_NOW = "See to the cause, then back it up now."
_A_DAY_OVER = "A day that is over cannot be backed up any more"
_A_MONTH_OVER = "A month that is over cannot be backed up any more"
_FOR_GOOD = "Nothing brings back what a removal deleted"


def _why(facts: ResourceFacts) -> str:
    return f"The last try failed: {facts.last_failure[1]} " if facts.last_failure else ""


def _is_within(grace: timedelta, moment: datetime, now: datetime) -> bool:
    """Whether no more time has passed since. A moment far ahead was written by a clock that was wrong: it gives no grace."""
    return now - grace < moment <= now + AHEAD


def _is_past(damaged_at: datetime | None, now: datetime) -> bool:
    return damaged_at is not None and now - damaged_at > DAMAGE_TOLD


def _seen(moment: datetime, facts: ResourceFacts, now: datetime) -> datetime:
    """When a copy was last read; by a clock that was wrong it was not."""
    return moment if moment <= now + AHEAD else facts.created_at


def _copies(number: int) -> str:
    return f"{number} copy" if number == 1 else f"{number} copies"


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _each_day(first: date, end: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((end - first).days))


def _passes(missing: list[date]) -> date:
    return missing[-1] + timedelta(days=DAILY)


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
