"""Tasks that failed findings opened: handed on, put off, done."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from checkups.actions.moves import locked_checkup, note
from checkups.actions.reminding import look_at_the_year
from checkups.models import Checkup, Task
from checkups.permissions import check_can_see_to
from checkups.workflow import OF_TASKS
from portal.days import day_in_words
from portal.errors import InvalidInput
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.permissions import people_with
from portal.reasons import telling_reason
from portal.roles import Permission
from portal.words import company_zone

REASON_MISSING = "Say why: the reason is kept with the task."
OUTCOME_MISSING = "Say how it ended: that is kept with the finding."
NOT_OF_IT = "Choose a person of IT: nobody else can see to it."


def hand_on(*, by: User, task: Task, owner: User, due_on: date, reason: str, now: datetime | None = None) -> Task:
    """Give the task to a person of IT, until a day. Raises InvalidInput naming ``owner`` or ``due_on``."""
    check_can_see_to(by, task)
    now = now or timezone.now()
    reason = telling_reason(reason, REASON_MISSING)
    if not people_with(Permission.MANAGE_CHECKUPS, task.finding.client_ref).filter(pk=owner.pk).exists():
        raise InvalidInput(NOT_OF_IT, field="owner")
    if due_on < now.astimezone(company_zone()).date():
        raise InvalidInput("This day is over. Choose today or a later one.", field="due_on")
    with acting(by, reason), transaction.atomic():
        checkup = locked_checkup(task.finding.checkup_id)  # first, as everywhere
        locked = Task.objects.select_for_update().get(pk=task.pk)
        check_can_see_to(by, locked)
        locked.owner, locked.due_on, locked.told_at = owner, due_on, None
        locked.save()
        _note(checkup, locked, by, now, f"{owner} has the task now, until {day_in_words(due_on)}", reason)
        hand_over("checkups.tell_tasks")
        look_at_the_year(now)
    return locked


def close_task(*, by: User, task: Task, outcome: str, now: datetime | None = None) -> Task:
    """Say how it ended. What the checkup found stays as it is. Raises InvalidInput naming ``outcome``."""
    check_can_see_to(by, task)
    now = now or timezone.now()
    outcome = telling_reason(outcome, OUTCOME_MISSING, field="outcome")
    with acting(by, outcome), transaction.atomic():
        checkup = locked_checkup(task.finding.checkup_id)
        locked = Task.objects.select_for_update().get(pk=task.pk)
        check_can_see_to(by, locked)
        locked.done_at, locked.done_by, locked.outcome = now, by, outcome
        locked.save()
        _note(checkup, locked, by, now, "The task is done", outcome)
        look_at_the_year(now)
    return locked


def _note(checkup: Checkup, task: Task, by: User, now: datetime, text: str, reason: str) -> None:
    """Among the checkup's events as long as it is not signed; after that the task's own history tells."""
    if checkup.sealed_at is None:
        note(checkup, OF_TASKS, by=by, now=now, text=text, reason=reason, finding=task.finding)
