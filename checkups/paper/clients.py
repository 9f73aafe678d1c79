"""Client by client, every resource with what was looked at of it."""

from __future__ import annotations

from itertools import groupby

from django.db.models import Q

from checkups.models import Check, CheckStatus, CheckupFinding
from checkups.models.finding import FindingStatus
from checkups.paper.sheet import SHORT, Sheet, Told, last_try, took
from checkups.plainly import check_in_words
from portal.paper import SMALL, SOFT
from portal.words import counted

MOST = 2000
WIDTHS = (25, 32, 31.4, 24.9, 12.1, 31.4, 17.2)  # all but the resource's name in one line, as a rule


def write_clients(sheet: Sheet, told: Told, resources: int) -> None:
    """A table per client. Beyond ``MOST`` resources only those that did not pass, or failed at first."""
    sheet.heading("Client by client")
    findings = told.findings
    if resources > MOST:
        findings = findings.filter(~Q(status=FindingStatus.PASSED) | Q(failed_at__isnull=False))
        sheet.say(
            f"Of {resources:,} resources only those are named here that did not pass, or failed at first; the JSON and the CSV"
            " of the record have all.",
            colour=SOFT,
        )
    found = groupby(findings.iterator(200), key=lambda finding: (finding.client, finding.client_ref))
    for (client, _), group in found:
        rows, number, passed = [], 0, 0
        for finding in group:
            number, passed = number + 1, passed + (finding.status == FindingStatus.PASSED)
            rows += _rows(told, finding)
        if sheet.will_page_break(50):  # its name is not left alone at the foot of a page
            sheet.add_page()
        sheet.ln(3)
        sheet.say(client, style="B", size=11)
        if resources <= MOST:
            sheet.say(f"{counted(number, 'resource')}, {passed:,} passed.", size=SMALL, colour=SOFT)
        sheet.ln(1)
        sheet.rows(("Resource", "What", "Backup of", "Level", "Result", "Tried", "Took"), WIDTHS, rows)
    if not resources:
        sheet.say("There was none in scope.", colour=SOFT)


def _rows(told: Told, finding: CheckupFinding) -> list[tuple[str, ...]]:
    removed = ", removed" if finding.removed else ""
    name = f"{finding.name}, {finding.application}, {finding.kind}, {finding.environment}{removed}"
    rows: list[tuple[str, ...]] = []
    for number, check in enumerate(finding.checks.all()):
        rows.append(_row(told, check, "" if number else name))
        if check.status == CheckStatus.PASSED:
            rows.append(("", _compared(told, check)))
    return rows


def _compared(told: Told, check: Check) -> str:
    """What was found equal, and of what: over the whole line below the check. What failed stands among the exceptions."""
    words = check.sentence if told.part is None else check_in_words(check)
    return f"{words.rstrip('.')}. The backup’s SHA-256: {check.checksum}." if check.checksum else words


def _row(told: Told, check: Check, name: str) -> tuple[str, ...]:
    last, reached = last_try(check), check.reached_level
    declared = check.declared_level.label
    level = declared if reached is not None and reached.label == declared else f"{declared}; reached: {_reached(check)}"
    return (
        name,
        f"{SHORT[check.what_enum]}, {check.region}",
        told.moment(check.taken_at),
        level,
        CheckStatus(check.status).label,
        told.moment(last.started_at if last else None),
        took(last),
    )


def _reached(check: Check) -> str:
    return check.reached_level.label if check.reached_level is not None else "nothing"
