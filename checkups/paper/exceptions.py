"""Exceptions: everything that failed, whole; what was not checked, or not restored, and why."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q

from checkups.models import Check, CheckStatus, CheckupEvent, CheckupFinding
from checkups.models.finding import FindingStatus
from checkups.outcomes import FAULT_LABELS, Fault
from checkups.paper.sheet import SHORT, Sheet, Told, last_try, took, whose
from checkups.plainly import finding_in_words, trial_in_words
from portal.paper import BAD, SMALL, SOFT
from portal.words import counted

MOST_NAMED = 60
MOST_LEFT = 300


def write_exceptions(sheet: Sheet, told: Told) -> None:
    """Failures first."""
    if sheet.will_page_break(80):  # never alone at the foot of a page
        sheet.add_page()
    sheet.heading("Exceptions")
    failed = told.findings.filter(Q(status=FindingStatus.FAILED) | Q(failed_at__isnull=False))
    anything = False
    for finding in failed.iterator(100):
        _failure(sheet, told, finding)
        anything = True
    left = _left(sheet, told)
    if not (_not_restored(sheet, told) or left or anything):
        sheet.say("None: all was restored as declared, and nothing failed at any time.")


def _failure(sheet: Sheet, told: Told, finding: CheckupFinding) -> None:
    if sheet.will_page_break(40):
        sheet.add_page()
    sheet.ln(4)
    sheet.say(whose(finding), style="B", size=10.5)
    if finding.status == FindingStatus.FAILED:
        sheet.say(finding.sentence if told.part is None else finding_in_words(finding), colour=BAD)
    else:
        label = FindingStatus(finding.status).label.lower()
        sheet.say(f"It failed first, on {told.moment(finding.failed_at)}; after it was checked again: {label}.")
    checks = [check for check in finding.checks.all() if check.status == CheckStatus.FAILED or _failed_once(check)]
    tried = [row for check in checks for row in _tries(told, check)]
    if tried:
        sheet.ln(1)
        sheet.rows(("What", "Tried", "Took", "Result", "What was found"), (22, 17, 10, 17, 44), tried)
    if told.part is None:
        _became(sheet, told, finding, checks)


def _failed_once(check: Check) -> bool:
    return any(trial.status == "failed" for trial in check.trials.all())


def _tries(told: Told, check: Check) -> list[tuple[str, ...]]:
    return [
        (
            f"{SHORT[check.what_enum].capitalize()}, {check.region}, of {told.moment((trial.backup or check).taken_at)}",
            told.moment(trial.started_at),
            took(trial),
            FAULT_LABELS[Fault(trial.fault)] if trial.fault else trial.get_status_display(),
            trial.sentence if told.part is None else trial_in_words(trial),
        )
        for trial in check.trials.all()
    ]


def _became(sheet: Sheet, told: Told, finding: CheckupFinding, checks: Sequence[Check]) -> None:
    """The advice while it stands, and the events: who had the task, until when, how it ended, as of the signatures."""
    lasts = [last_try(check) for check in checks if check.status == CheckStatus.FAILED]
    advice = dict.fromkeys(last.advice for last in lasts if last is not None and last.advice)
    if advice:
        sheet.say(f"What to do: {' '.join(advice)}", size=SMALL)
    for event in CheckupEvent.objects.filter(checkup=told.checkup, finding=finding).order_by("pk"):
        why = (
            f" {event.reason}"
            if event.reason and event.reason not in (finding.sentence.strip(), " ".join(advice))
            else ""
        )
        who = f" ({event.name})" if event.name and event.name not in event.text else ""
        sheet.say(f"{told.moment(event.at)}: {event.text}{who}.{why}", size=SMALL, colour=SOFT)


def _left(sheet: Sheet, told: Told) -> bool:
    """What was not checked at all."""
    left = told.checks.filter(status=CheckStatus.LEFT)
    number = left.count()
    if not number:
        return False
    sheet.ln(4)
    sheet.say(f"Not checked: {counted(number, 'backup')}", style="B")
    shown = left.select_related("finding").order_by("finding__client", "finding__name", "pk")[:MOST_LEFT]
    sheet.rows(
        ("Resource", "What", "Why"),
        (40, 30, 40),
        [
            (f"{one.finding.name}, {one.finding.client}", one.what_enum.label.capitalize(), one.sentence)
            for one in shown
        ],
    )
    _all_elsewhere(sheet, number, MOST_LEFT)
    return True


def _not_restored(sheet: Sheet, told: Told) -> bool:
    """By reason: nobody reads ninety thousand names."""
    findings = told.checkup.findings.filter(told.part or Q(), sampled=False).order_by()
    reasons = list(findings.values_list("why_not_restored").annotate(Count("pk")).order_by("why_not_restored"))
    if not reasons:
        return False
    sheet.ln(4)
    sheet.say("Not restored, only read", style="B")
    rows = []
    for why, number in reasons:
        names = findings.filter(why_not_restored=why).order_by("name", "pk").values_list("name", flat=True)[:MOST_NAMED]
        more = f" and {number - MOST_NAMED:,} more" if number > MOST_NAMED else ""
        rows.append((why, f"{number:,}", ", ".join(names) + more))
    sheet.rows(("Why", "Resources", "Which"), (40, 14, 56), rows)
    return True


def _all_elsewhere(sheet: Sheet, number: int, most: int) -> None:
    if number > most:
        sheet.say(f"These are the first {most}; the JSON and the CSV of the record have all.", size=SMALL, colour=SOFT)
