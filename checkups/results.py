"""What a checkup found, counted. A few queries each, whatever the number of resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet, Sum

from backups.proof import Proof
from checkups.models import Check, CheckStatus, Checkup, CheckupFinding, Trial
from checkups.models.finding import FindingStatus
from checkups.pace import Work, rest_of, time_at_work
from checkups.workflow import Move, Status
from portal.words import counted, span_in_words

UNDER_WAY = (CheckStatus.WAITING, CheckStatus.RUNNING)
TRIED = (CheckStatus.PASSED, CheckStatus.FAILED)


@dataclass(frozen=True)
class Results:
    """How many resources of a checkup stand where."""

    passed: int = 0
    failed: int = 0
    waiting: int = 0
    left: int = 0
    mended: int = 0  # of those that passed: what had failed first
    read_only: int = 0  # of all: what was read, and not restored

    @property
    def total(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.waiting + self.left

    @property
    def words(self) -> str:
        """ "60 passed, 2 failed": what there is of each."""
        said = [
            f"{number:,} {word}"
            for number, word in (
                (self.passed, f"passed ({self.mended:,} after failing first)" if self.mended else "passed"),
                (self.failed, "failed"),
                (self.waiting, "waiting"),
                (self.left, "not checked"),
            )
            if number
        ]
        return ", ".join(said) or "nothing to check"


def results_of(findings: QuerySet[CheckupFinding]) -> Results:
    """Of those findings."""
    return _results(list(findings.order_by().values_list("status").annotate(**_COUNTED)))


def results_by_checkup(findings: QuerySet[CheckupFinding], checkups: Iterable[Checkup]) -> dict[int, Results]:
    """Of each of the checkups, by its id. One query."""
    found: dict[int, list[_Row]] = {checkup.pk: [] for checkup in checkups}
    rows = findings.filter(checkup__in=found).order_by().values_list("checkup", "status").annotate(**_COUNTED)
    for checkup, status, number, ever, unsampled in rows:
        found[checkup].append((status, number, ever, unsampled))
    return {checkup: _results(numbers) for checkup, numbers in found.items()}


_Row = tuple[str, int, int, int]
_COUNTED = {"number": Count("pk"), "ever": Count("failed_at"), "unsampled": Count("pk", filter=Q(sampled=False))}


def _results(rows: list[_Row]) -> Results:
    numbers = {status: number for status, number, _, _ in rows}
    return Results(
        **{status.value: numbers.get(status.value, 0) for status in FindingStatus},
        mended=sum(failed for status, _, failed, _ in rows if status == FindingStatus.PASSED),
        read_only=sum(read for _, _, _, read in rows),
    )


@dataclass(frozen=True)
class Level:
    """To how many backups a level was declared, and which of them reached it."""

    proof: Proof
    declared: int
    reached: int


def levels_of(findings: QuerySet[CheckupFinding]) -> list[Level]:
    """By what was declared, the highest first: how many backups, and how many of them got as far."""
    checks = Check.objects.filter(finding__in=findings.order_by())
    declared: Counter[int] = Counter()
    reached: Counter[int] = Counter()
    for level, status, number in checks.order_by().values_list("declared", "status").annotate(Count("pk")):
        declared[level] += number
        reached[level] += number if status == CheckStatus.PASSED else 0
    return [Level(Proof(level), declared[level], reached[level]) for level in sorted(declared, reverse=True)]


@dataclass(frozen=True)
class Progress:
    """How far a running checkup is: real numbers only."""

    done: int
    number: int
    worked: timedelta
    rest: tuple[timedelta, timedelta] | None
    trying: list[Trial]
    put_off: int = 0
    again_at: datetime | None = None  # when the first of those that were put off is tried again

    @property
    def words(self) -> str:
        """ "34 of 180 backups checked"."""
        return f"{self.done:,} of {counted(self.number, 'backup')} checked"

    @property
    def rest_words(self) -> str:
        """ "about 20 to 45 min more"; empty while there is no basis for it."""
        if self.rest is None:
            return ""
        least, most = (span_in_words(span) for span in self.rest)
        return f"about {least} more" if least == most else f"about {least} to {most} more"


def progress_of(checkup: Checkup, now: datetime) -> Progress:
    """How far it is, what is tried now, and how long the rest may take at the pace so far."""
    checks = Check.objects.filter(finding__checkup=checkup)
    open_ones, tried = Q(status__in=UNDER_WAY), Q(status__in=TRIED, tries__gt=0)
    off = Q(status=CheckStatus.WAITING, not_before__gt=now)
    found = checks.aggregate(
        number=Count("pk"), left=Count("pk", filter=open_ones), left_size=Sum("stored_bytes", filter=open_ones),
        put_off=Count("pk", filter=off), again_at=Min("not_before", filter=off),
        tried=Count("pk", filter=tried), tried_size=Sum("stored_bytes", filter=tried),
    )  # fmt: skip
    worked = _worked(checkup, now)
    done = Work(found["tried"], found["tried_size"] or 0)
    rest = rest_of(done, Work(found["left"], found["left_size"] or 0), worked)
    trials = Trial.objects.open().filter(check_row__finding__checkup=checkup)
    return Progress(
        done=found["number"] - found["left"],
        number=found["number"],
        worked=worked,
        rest=rest if checkup.state is Status.RUNNING else None,
        put_off=found["put_off"],
        again_at=found["again_at"],
        trying=list(trials.select_related("resource", "check_row__finding").order_by("pk")),
    )


def _worked(checkup: Checkup, now: datetime) -> timedelta:
    if checkup.started_at is None:
        return timedelta(0)
    going = {Move.PAUSE.value: False, Move.RESUME.value: True, Move.FINISH.value: False, Move.CHECK_AGAIN.value: True}
    moves = checkup.events.filter(move__in=going).order_by("pk").values_list("at", "move")
    return time_at_work(checkup.started_at, [(at, going[move]) for at, move in moves], checkup.finished_at or now)
