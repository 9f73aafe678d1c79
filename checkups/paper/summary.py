"""The first page: how it went, in a paragraph and a few figures."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Count

from backups.proof import Proof
from checkups.comparison import Numbers
from checkups.models import CheckStatus
from checkups.models.finding import FindingStatus
from checkups.paper.sheet import Sheet, Told
from checkups.scope import WHAT_LABELS
from portal.paper import BAD, INK, SMALL, SOFT
from portal.words import counted, share_in_words

RESULTS = (CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.LEFT)


def verdict(numbers: Numbers, read_only: int, mended: int = 0) -> str:
    """How it went, in plain words. ``read_only``: of so many resources nothing was restored; ``mended``: so many of those
    that passed had failed first.
    """
    every, failed = numbers.resources, len(numbers.failed)
    if not every:
        return "There was nothing in its scope."
    if failed:
        said = f"{failed:,} of {counted(every, 'resource')} failed: as things stood, not all of their backups could be relied on."
        said += f" {len(numbers.passed):,} passed ({share_in_words(len(numbers.passed), every)})."
    elif len(numbers.passed) == every and not mended:
        said = f"All passed: what was looked at of {counted(every, 'resource')} is there and is what was backed up."
    else:
        said = "Nothing failed in the end. " if mended else "Nothing failed. "
        said += f"{len(numbers.passed):,} of {counted(every, 'resource')} passed."
    if mended:
        said += f" Of these {mended:,} passed only after failing first: see the exceptions."
    if numbers.left:
        said += f" {numbers.left:,} {'was' if numbers.left == 1 else 'were'} not checked."
    if numbers.waiting:
        said += f" {numbers.waiting:,} {'waits' if numbers.waiting == 1 else 'wait'} to be checked still."
    if read_only:
        said += f" Of {read_only:,} nothing was restored, so nothing is claimed beyond what was read."
    return said


def write_summary(sheet: Sheet, told: Told, numbers: Numbers) -> None:
    """The verdict and the figures."""
    findings = told.checkup.findings.filter(told.part) if told.part else told.checkup.findings.all()
    mended = findings.filter(status=FindingStatus.PASSED, failed_at__isnull=False).count()
    sheet.say(
        verdict(numbers, findings.filter(sampled=False).count(), mended),
        size=12,
        style="B",
        colour=BAD if numbers.failed else INK,
    )
    sheet.heading("Summary")
    checkup = told.checkup
    sheet.rows(
        ("Resources", "Passed", "Failed", "Not checked", "Waiting", "Backups looked at"),
        (1, 1, 1, 1, 1, 1),
        [
            (
                f"{numbers.resources:,}", f"{len(numbers.passed):,}", f"{len(numbers.failed):,}", f"{numbers.left:,}",
                f"{numbers.waiting:,}", f"{numbers.checks:,}",
            )
        ],
    )  # fmt: skip
    sheet.ln(2)
    sheet.rows(
        ("What was looked at", "Passed", "Failed", "Not checked", "Levels reached"),
        (34, 10, 10, 13, 43),
        _by_what(told),
    )
    sheet.ln(1)
    sheet.say(
        f"Started {told.moment(checkup.started_at)}, scope written down {told.moment(checkup.declared_at)}, everything"
        f" checked {told.moment(checkup.finished_at)}, signed {told.moment(checkup.sealed_at)}.",
        size=SMALL,
        colour=SOFT,
    )


def _by_what(told: Told) -> list[tuple[str, ...]]:
    results: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    levels: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for what, status, reached, number in told.checks.values_list("what", "status", "reached").annotate(Count("pk")):
        results[what][status] += number
        if reached is not None:
            levels[what][reached] += number
    return [
        (
            label.capitalize(),
            *(f"{results[what.value][status]:,}" for status in RESULTS),
            ", ".join(
                f"{Proof(level).label} {levels[what.value][level]:,}"
                for level in sorted(levels[what.value], reverse=True)
            )
            or "–",
        )
        for what, label in WHAT_LABELS.items()
        if what.value in results
    ]
