"""Reminders of the dates, and the company's findings about them: a year that lacks one, a checkup that is overdue."""

from __future__ import annotations

from datetime import date, datetime

import structlog

from backups.actions.companyfindings import note_finding, settle_finding
from backups.findings import Code
from backups.models import Finding
from checkups.models import Checkup, Task
from checkups.workflow import Status
from checkups.year import lacking_in_words, overdue_in_words, reminder_due, years_lacking
from portal.days import short_day
from portal.telling import tell_it
from portal.words import company_zone

log = structlog.get_logger(__name__)

MOST_LATE = 50
NAME = 40  # so much of a resource's name fits into a finding's subject, beside the numbers that tell it apart


def look_at_the_year(now: datetime) -> None:
    """Bring the company's findings about dates up to date."""
    today = now.astimezone(company_zone()).date()
    dates = list(Checkup.objects.counting().values_list("on", flat=True))
    lacking = {str(year): lacking_in_words(year, had) for year, had in years_lacking(dates, today)}
    _settle_all(Code.CHECKUP_DATES, lacking, "Set two dates under Checkups.", now)
    overdue = {}
    for checkup in Checkup.objects.unfinished():
        if words := overdue_in_words(checkup.on, today, begun=checkup.started_at is not None):
            overdue[checkup.number] = words
    advice = "See to it under Checkups: it starts by itself as soon as the workers run, and waits for two signatures."
    _settle_all(Code.CHECKUP_OVERDUE, overdue, advice, now)
    advice = "See to it, then say how it ended on the checkup's page."
    _settle_all(Code.CHECKUP_TASK, _late_tasks(today), advice, now)


def _late_tasks(today: date) -> dict[str, str]:
    """Of the longest overdue tasks what each is about, and a sentence. Two resources may have the same name."""
    late = Task.objects.open().filter(due_on__lt=today).select_related("finding__checkup", "owner")
    return {
        f"{task.finding.name[:NAME]}, {task.finding.checkup.number}, finding {task.finding_id}": (
            f"What {task.finding.checkup.number} found about {task.finding.name} of {task.finding.client} was due on"
            f" {short_day(task.due_on, today)}, and {task.owner} has it."
        )
        for task in late.order_by("due_on", "pk")[:MOST_LATE]
    }


def _settle_all(code: Code, holding: dict[str, str], advice: str, now: datetime) -> None:
    for subject, sentence in holding.items():
        note_finding(code, subject, sentence, advice, now)
    for over in Finding.objects.open().filter(code=code).exclude(subject__in=holding):
        settle_finding(code, over.subject, now)


def remind(now: datetime) -> int:
    """Mail IT about the dates that are near; how many reminders were sent. Two at once send each only once."""
    today, sent = now.astimezone(company_zone()).date(), 0
    for checkup in Checkup.objects.filter(status=Status.PLANNED.value).order_by("on"):
        days = reminder_due(checkup.on, today, checkup.reminded)
        if days is not None and _is_mine(checkup, days):
            _send(checkup, days, today)
            sent += 1
    return sent


def _is_mine(checkup: Checkup, days: int) -> bool:
    rows = Checkup.objects.filter(pk=checkup.pk, status=Status.PLANNED.value, on=checkup.on, reminded=checkup.reminded)
    return bool(rows.update(reminded=days))


def _send(checkup: Checkup, days: int, today: date) -> None:
    try:
        tell_it("checkup_near", {"checkup": checkup, "days": (checkup.on - today).days})
    except Exception:
        Checkup.objects.filter(pk=checkup.pk, reminded=days).update(reminded=checkup.reminded)
        raise
