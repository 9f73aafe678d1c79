"""What the page of a retention run shows."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum
from django.http import QueryDict

from backups.condition import condition_of_deletion, condition_of_run
from backups.models import Deletion, DeletionStatus, RetentionRun, RunStatus
from backups.permissions import check_can_decide_run
from backups.wording import run_sentence
from portal.forms import ReasonForm
from portal.models import User
from portal.paging import Column, read_page
from portal.permissions import has_permission_somewhere
from portal.roles import Permission
from portal.rules import refusal
from portal.words import counted

IN_ITS_ORDER = (Column("id"),)
DELETIONS_A_PAGE = 50


def run_page(user: User, run: RetentionRun, address: QueryDict) -> dict[str, Any]:
    """The template's variables, in a constant number of queries."""
    deletions = Deletion.objects.filter(run=run)
    status = address.get("status", "")
    shown = deletions.filter(status=status) if status in DeletionStatus.values else deletions
    page = read_page(
        shown.select_related("copy__backup__resource__application__client"),
        IN_ITS_ORDER,
        address,
        size=DELETIONS_A_PAGE,
    )
    numbers = {
        found: (number, size)
        for found, number, size in deletions.values_list("status")
        .annotate(number=Count("pk"), size=Sum("copy__stored_bytes"))
        .order_by()
    }
    return {
        "run": run,
        "condition": condition_of_run(run),
        "sentence": run_sentence(run),
        "totals": [(label, value, *numbers[value]) for value, label in DeletionStatus.choices if value in numbers],
        "status": status,
        "page": page,
        "rows": [{"deletion": one, "condition": condition_of_deletion(one)} for one in page.rows],
        "waits": run.status == RunStatus.STOPPED,
        "may_decide": has_permission_somewhere(user, Permission.RUN_RETENTION),
        "why_not_decide": refusal(check_can_decide_run, user, run),
        "delete_verb": f"Delete {counted(run.to_delete, 'copy', 'copies')}",
        "carry_on_form": decision_form(True),
        "refuse_form": decision_form(False),
    }


def decision_form(carry_on: bool, data: QueryDict | None = None) -> ReasonForm:
    """The form of one of the two decisions about a stopped run."""
    return ReasonForm(data, auto_id=f"id-{'carry-on' if carry_on else 'refuse'}-%s")
