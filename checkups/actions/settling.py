"""What the checks say together: a finding's status follows from its checks, and the checkup is ready after the last."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from backups.actions.pinning import unpin
from backups.models import Pin, Resource
from checkups.actions.moves import apply_move, note
from checkups.models import Check, CheckStatus, Checkup, CheckupFinding, Task
from checkups.models.finding import FindingStatus
from checkups.outcomes import Fault, advice_for
from checkups.scope import What
from checkups.workflow import Move, Status
from portal.days import day_in_words
from portal.errors import PortalError
from portal.handover import hand_over
from portal.models import User
from portal.words import company_zone

DUE_WITHIN = timedelta(days=7)
MOST_NAMED = 100
UNDER_WAY = (CheckStatus.WAITING, CheckStatus.RUNNING)


def settle_finding_row(finding: CheckupFinding, now: datetime) -> None:
    """Bring the finding in line with its checks, in the transaction that changed one. The first failure opens a task."""
    checks = list(finding.checks.all())
    failed = [check for check in checks if check.status == CheckStatus.FAILED]
    if failed:
        status = FindingStatus.FAILED
    elif any(check.status in UNDER_WAY for check in checks):
        status = FindingStatus.WAITING
    elif any(check.status == CheckStatus.PASSED for check in checks):
        status = FindingStatus.PASSED
    else:
        status = FindingStatus.LEFT
    finding.status = status
    finding.sentence = " ".join(f"{check.what_enum.label.capitalize()}: {check.sentence}" for check in failed)
    if failed and finding.failed_at is None:
        finding.failed_at = now
        note(finding.checkup, None, by=None, now=now, text="A check failed", reason=finding.sentence, finding=finding)
    finding.save(update_fields=["status", "sentence", "failed_at"])
    _settle_task(finding, failed, now)


def _settle_task(finding: CheckupFinding, failed: list[Check], now: datetime) -> None:
    task = Task.objects.filter(finding=finding).first()
    if failed:
        advice = " ".join(dict.fromkeys(_advice(check) for check in failed))
        if task is None:
            due, owner = now.astimezone(company_zone()).date() + DUE_WITHIN, _owner(finding.checkup)
            Task.objects.create(finding=finding, opened_at=now, owner=owner, due_on=due, advice=advice)
            text = f"{owner} has the task, until {day_in_words(due)}"
            note(finding.checkup, None, by=None, now=now, text=text, reason=advice, finding=finding)
            hand_over("checkups.tell_task", finding.pk)
        elif task.done_at is None and task.advice != advice:
            task.advice = advice
            task.save(update_fields=["advice"])
    elif task is not None and task.done_at is None and finding.status == FindingStatus.PASSED:
        task.done_at, task.outcome = now, "It was checked again and passed."
        task.save(update_fields=["done_at", "outcome"])


def _advice(check: Check) -> str:
    last = check.trials.order_by("-pk").first()
    return last.advice if last and last.advice else advice_for(Fault.MISSING, What(check.what))


def _owner(checkup: Checkup) -> User:
    """Who set the date sees to what comes of it, until somebody hands it on."""
    return checkup.set_by


def finish_if_done(checkup: Checkup, now: datetime) -> bool:
    """Once nothing of a running checkup waits or runs it is ready to be signed. Two at once do it only once."""

    def check(locked: Checkup) -> None:
        open_checks = Check.objects.filter(finding__checkup=locked, status__in=UNDER_WAY)
        if locked.declared_at is None or open_checks.exists():
            raise PortalError("Something of it waits or runs still.")

    def alter(locked: Checkup) -> None:
        locked.finished_at = now

    said = meanwhile(checkup, now)
    if checkup.state is not Status.RUNNING:
        return False
    try:
        apply_move(checkup, Move.FINISH, by=None, now=now, reason=said, check=check, alter=alter)
    except PortalError:
        return False
    hand_over("checkups.tell_ready", checkup.pk)
    return True


def meanwhile(checkup: Checkup, now: datetime) -> str:
    """What was added and removed while it ran, in sentences for its record."""
    assert checkup.started_at is not None
    added = Resource.objects.filter(created_at__gt=checkup.started_at, created_at__lte=now)
    removed = Resource.objects.filter(removed_at__gt=checkup.started_at, removed_at__lte=now)
    return " ".join(
        f"{_named(rows)} {verb}."
        for rows, verb in (
            (added, "added after it started: the next checkup looks at that"),
            (removed, "removed meanwhile"),
        )
        if rows.exists()
    )


def _named(rows: QuerySet[Resource]) -> str:
    number = rows.count()
    names = ", ".join(rows.order_by("name", "pk").values_list("name", flat=True)[:MOST_NAMED])
    more = f" and {number - MOST_NAMED:,} more" if number > MOST_NAMED else ""
    return f"{names}{more} {'was' if number == 1 else 'were'}"


def let_go(checkup: Checkup) -> None:
    """What the checkup referred to is pinned by it no longer."""
    unpin(checkup.number)


def leave_unchecked(checkup: Checkup, sentence: str, now: datetime) -> None:
    """Nothing more of it is checked: what waits or runs is left, and says why."""
    for finding in checkup.findings.filter(checks__status__in=UNDER_WAY).distinct().iterator(chunk_size=500):
        with transaction.atomic():
            finding.checks.filter(status__in=UNDER_WAY).update(status=CheckStatus.LEFT, sentence=sentence)
            settle_finding_row(finding, now)


def release_removed(finding: CheckupFinding, sentence: str, now: datetime) -> None:
    """The resource was removed meanwhile: what was not checked yet is not checked any more, and its pins go."""
    finding.checks.filter(status=CheckStatus.WAITING).update(status=CheckStatus.LEFT, sentence=sentence)
    settle_finding_row(finding, now)
    backups = finding.checks.values("backup")
    Pin.objects.filter(label=finding.checkup.number, backup__in=backups).delete()
