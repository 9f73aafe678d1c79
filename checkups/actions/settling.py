"""What the checks say together: a finding's status follows from its checks, and the checkup is ready after the last."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from backups.actions.pinning import unpin
from backups.models import Pin, Resource
from checkups.actions.moves import apply_move, locked_checkup, note
from checkups.models import Check, CheckStatus, Checkup, CheckupFinding, Task
from checkups.models.finding import FindingStatus
from checkups.outcomes import Fault, advice_for
from checkups.scope import What
from checkups.workflow import Move, Status
from portal.days import day_in_words
from portal.errors import PortalError
from portal.handover import hand_over
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission, Role
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
    elif all(check.status == CheckStatus.PASSED for check in checks):
        status = FindingStatus.PASSED
    else:  # what was left, though others passed, was not checked
        status = FindingStatus.LEFT
    said = [f"{check.what_enum.label.capitalize()}: {check.sentence}" for check in failed]
    fresh = " ".join(words for words in said if words not in finding.sentence)
    news = _news(finding, status, fresh)
    finding.status, finding.sentence = status, " ".join(said)
    if failed and finding.failed_at is None:
        finding.failed_at = now
    if news:
        note(finding.checkup, None, by=None, now=now, text=news, reason=fresh, finding=finding)
    finding.save(update_fields=["status", "sentence", "failed_at"])
    _settle_task(finding, failed, now, anew=bool(fresh))


def _news(finding: CheckupFinding, status: FindingStatus, fresh: str) -> str:
    """What its record tells: each failure, and what became of a finding that had failed. ``fresh``: what failed just now."""
    if fresh:
        return "It failed again" if finding.failed_at and finding.status == FindingStatus.WAITING else "A check failed"
    if finding.failed_at is None or status == finding.status:
        return ""
    return {FindingStatus.PASSED: "It was checked again and passed", FindingStatus.LEFT: "It is not checked again"}.get(
        status, ""
    )


def _settle_task(finding: CheckupFinding, failed: list[Check], now: datetime, *, anew: bool) -> None:
    """``anew``: something failed just now."""
    task = Task.objects.select_for_update().filter(finding=finding).first()  # after the checkup, as everywhere
    if failed:
        advice = " ".join(dict.fromkeys(_advice(check) for check in failed))
        if task is None or (anew and task.done_at is not None):
            _open_task(finding, task, advice, now)
        elif task.done_at is None and task.advice != advice:
            task.advice = advice
            task.save(update_fields=["advice"])
    elif task is not None and task.done_at is None and finding.status == FindingStatus.PASSED:
        task.done_at, task.outcome = now, "It was checked again and passed."
        task.save(update_fields=["done_at", "outcome"])


def _open_task(finding: CheckupFinding, task: Task | None, advice: str, now: datetime) -> None:
    """The first one of the finding, or the same again: it was done, and then something failed anew."""
    again = "" if task is None else " again"
    task = task or Task(finding=finding, opened_at=now, owner=_owner(finding.checkup))
    task.due_on, task.advice = now.astimezone(company_zone()).date() + DUE_WITHIN, advice
    task.done_at, task.done_by, task.outcome, task.told_at = None, None, "", None
    task.save()
    text = f"{task.owner} has the task{again}, until {day_in_words(task.due_on)}"
    note(finding.checkup, None, by=None, now=now, text=text, reason=advice, finding=finding)
    hand_over("checkups.tell_tasks")


def _advice(check: Check) -> str:
    last = check.trials.order_by("-pk").first()
    if last is not None and last.advice:
        return last.advice
    return advice_for(Fault.MISSING if last is None else Fault.PORTAL, What(check.what))


def _owner(checkup: Checkup) -> User:
    """Who set the date sees to what comes of it, until somebody hands it on; one of IT where that person has left."""
    if has_permission(checkup.set_by, Permission.MANAGE_CHECKUPS, None):
        return checkup.set_by
    others = User.objects.filter(is_active=True, is_service_account=False, memberships__role=Role.IT)
    return others.order_by("pk").first() or checkup.set_by


def finish_if_done(checkup: Checkup, now: datetime) -> bool:
    """Once nothing of a running checkup waits or runs it is ready to be signed. Two at once do it only once."""

    def check(locked: Checkup) -> None:
        if locked.declared_at is None or _open_checks(locked).exists():
            raise PortalError("Something of it waits or runs still.")

    def alter(locked: Checkup) -> None:
        locked.finished_at = now
        if locked.signatures.filter(sha256=locked.content_sha256).exists():
            locked.told_ready_at = None  # what somebody has signed is no more: all have to know

    if checkup.state is not Status.RUNNING or _open_checks(checkup).exists():
        return False
    said = meanwhile(checkup, now)
    try:
        apply_move(checkup, Move.FINISH, by=None, now=now, reason=said, check=check, alter=alter)
    except PortalError:
        return False
    hand_over("checkups.tell_ready")
    hand_over("checkups.work_out", checkup.pk)
    return True


def _open_checks(checkup: Checkup) -> QuerySet[Check]:
    return Check.objects.filter(finding__checkup=checkup, status__in=UNDER_WAY)


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


def close_cancelled(checkup: Checkup, now: datetime) -> None:
    """Leave what had not been checked, then let go of the backups. Safe to call twice: should it die, it is called again."""
    if checkup.state is Status.CANCELLED:
        leave_unchecked(checkup, "The checkup was cancelled.", now)
        let_go(checkup)


def let_go(checkup: Checkup) -> None:
    """What the checkup referred to is pinned by it no longer."""
    unpin(checkup.number)


def leave_unchecked(checkup: Checkup, sentence: str, now: datetime) -> None:
    """Nothing more of it is checked: what waits or runs is left, and says why."""
    for finding in checkup.findings.filter(checks__status__in=UNDER_WAY).distinct().iterator(chunk_size=500):
        with transaction.atomic():
            locked_checkup(checkup.pk)  # first, as everywhere
            finding.checks.filter(status__in=UNDER_WAY).update(status=CheckStatus.LEFT, sentence=sentence)
            settle_finding_row(finding, now)


def release_removed(finding: CheckupFinding, sentence: str, now: datetime) -> None:
    """The resource was removed meanwhile: what was not checked yet is not checked any more, and its pins go."""
    finding.checks.filter(status=CheckStatus.WAITING).update(status=CheckStatus.LEFT, sentence=sentence)
    settle_finding_row(finding, now)
    backups = finding.checks.values("backup")
    Pin.objects.filter(label=finding.checkup.number, backup__in=backups).delete()
