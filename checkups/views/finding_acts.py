"""What a person may do about one resource in a checkup: have it checked again, hand its task on, say how it ended."""

from __future__ import annotations

from django.http import QueryDict
from django.urls import reverse

from checkups.actions.running import refusal_to_try
from checkups.forms import AgainForm, DoneForm, HandOnForm
from checkups.models import CheckStatus, CheckupFinding, Task
from checkups.models.finding import FindingStatus
from checkups.permissions import check_can_check_again, check_can_see_to
from checkups.views.act import Act, Bound
from portal.forms import SentenceForm
from portal.models import User
from portal.permissions import has_permission, people_with
from portal.roles import Permission
from portal.rules import refusal

AGAIN, HAND_ON, DONE = "again", "hand_on", "done"


def finding_acts(user: User, found: CheckupFinding, task: Task | None, bound: Bound | None) -> list[Act]:
    """What the page offers this person, the main one last; nothing to those who only look."""
    if not has_permission(user, Permission.MANAGE_CHECKUPS, None):
        return []
    bound, acts = bound or {}, []
    if (task is not None and task.done_at is None) or {HAND_ON, DONE} & set(bound):
        acts += [_of_task(user, found, name, bound.get(name), task) for name in (HAND_ON, DONE)]
    if found.status == FindingStatus.FAILED or AGAIN in bound:
        acts.append(_again(user, found, bound.get(AGAIN)))
    return acts


def _again(user: User, found: CheckupFinding, form: SentenceForm | None) -> Act:
    return Act(
        name=AGAIN, label="Check again…", title=f"Check {found.name} again", verb="Check it again", icon="refresh-cw",
        words="What failed of it is tried once more. What was found before stays in the record.",
        url=reverse("finding_check_again", args=[found.checkup_id, found.pk]),
        form=form or form_of(found, AGAIN), main=True, open=form is not None,
        refusal=refusal(check_can_check_again, user, found) if form is None else "",
    )  # fmt: skip


def _of_task(user: User, found: CheckupFinding, name: str, form: SentenceForm | None, task: Task | None) -> Act:
    done = name == DONE
    return Act(
        name=name,
        label="Done…" if done else "Hand on…",
        title="Say how it ended" if done else "Hand the task on",
        verb="It is done" if done else "Hand it on",
        icon="check" if done else "forward",
        words=(
            "The task is closed with your words. Where the resource can be checked again, do that instead: the task is done"
            " by itself when it passes."
            if done
            else "Whoever gets it is told by mail."
        ),
        url=reverse(f"checkup_task_{name}", args=[found.checkup_id, found.pk]),
        form=form or form_of(found, name, task=task),
        refusal=refusal(check_can_see_to, user, task) if form is None and task else "",
        open=form is not None,
    )


def form_of(
    found: CheckupFinding, name: str, data: QueryDict | None = None, *, task: Task | None = None
) -> SentenceForm:
    """The form of an act, with what was typed when there is any."""
    prefix = f"id-{name}-%s"
    if name == AGAIN:
        return AgainForm(data, auto_id=prefix, initial={"which": _which(found)})
    if name == DONE:
        return DoneForm(data, auto_id=prefix)
    people = people_with(Permission.MANAGE_CHECKUPS, found.client_ref).order_by("first_name", "last_name", "username")
    initial = {"owner": task.owner_id, "due_on": task.due_on} if task else {}
    return HandOnForm(data, auto_id=prefix, people=people, initial=initial)


def _which(found: CheckupFinding) -> str:
    """What is tried again unless somebody chooses otherwise: the same backups, where any of them may pass."""
    failed = [check for check in found.checks.all() if check.status == CheckStatus.FAILED and check.backup_id]
    return "newest" if failed and all(refusal_to_try(check) for check in failed) else "same"
