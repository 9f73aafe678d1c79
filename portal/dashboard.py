"""Start: to each role its own. Is all well? What is my turn?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.compliance import is_overdue, open_by_rule, stopped_run
from backups.condition import late
from backups.filters import listed
from backups.findings import Rule
from backups.kinds import KINDS
from backups.models import Audit, Backup, Discovered, Finding
from backups.permissions import check_can_view_compliance
from backups.views.policy import figures_of
from backups.views.resources import rows_of, signed_in
from checkups.models import Checkup, Task
from checkups.results import progress_of
from checkups.summary import summary_for, waiting_for
from checkups.workflow import Status as CheckupStatus
from portal.models import User
from portal.permissions import has_permission, has_permission_somewhere, has_role, visible
from portal.roles import Permission, Role
from portal.rules import allowed
from portal.words import company_zone, counted
from restores.models import Attempt, AttemptStatus, Charge, ChargeStatus, Incident, RestoreRequest
from restores.waiting import by_turn, decides_somewhere, waits_for
from restores.workflow import Status, Turn, statuses_of

SHOWN = 8
FEW = 4  # of what has no backups: there is a page with all of it
LONGEST_WITHOUT = F("last_good_at").asc(nulls_first=True)  # what has no backup at all comes first on every database
UNDER_WAY = statuses_of(Turn.IT, Turn.PORTAL)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The parts of the page that the person's roles ask for; a person with two roles sees both."""
    user, now = signed_in(request), timezone.now()
    figures = figures_of(user)
    standing = compliance_part(user, now) if allowed(check_can_view_compliance, user) else None
    context: dict[str, Any] = {
        "figures": figures, "troubles": troubles_of(user, figures, standing), "compliance": standing,
    }  # fmt: skip
    if standing is None:
        context["broken"] = broken_part(user)
    if decides_somewhere(user, Turn.CLIENT):
        context["waiting"] = waiting_part(user)
    if has_role(user, Role.CLIENT, Role.STAFF):
        context["own"] = own_part(user, now)
    if has_permission_somewhere(user, Permission.DECIDE_REQUESTS):
        context["it"] = it_part(user, now)
    if has_permission(user, Permission.VIEW_CHECKUPS, None):
        context["checkups"] = checkups_part(user, now)
    if has_permission_somewhere(user, Permission.DECIDE_CHARGES):
        context["money"] = money_part(user)
    if has_role(user, Role.AUDITOR, Role.ADMINISTRATOR):
        context["overview"] = overview_part(user, now)
    return render(request, "portal/start.html", context)


def troubles_of(user: User, figures: dict[str, int], standing: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What is not well, as (what it is, what that means), the worst first.

    Failed restores only to those who decide; findings and a stopped run (``standing``) to those who may see them. The
    others are told which of their resources are not as they should be.
    """
    late, vanished = figures["late"], figures["vanished"]
    found = [
        (late, f"{counted(late, 'resource')} {'is' if late == 1 else 'are'} late", "No good backup for 26 hours."),
        (
            vanished,
            f"{counted(vanished, 'resource')} {'has' if vanished == 1 else 'have'} vanished",
            "Not found where it was; its backups are kept.",
        ),
    ]
    if standing is not None:
        found = [
            _without_backups(standing["unprotected"]["number"]),
            *_stopped_or_overdue(standing),
            *found,
            _open_findings(standing["number"]),
        ]
    else:
        found.append(_not_as_it_should_be(figures["broken"]))
    if has_permission_somewhere(user, Permission.DECIDE_REQUESTS):
        failed = _requests(user).filter(status=Status.FAILED).count()
        found.append((failed, f"{counted(failed, 'restore')} failed", "Somebody waits for another attempt."))
    return [(what, meaning) for number, what, meaning in found if number]


def _without_backups(number: int) -> tuple[int, str, str]:
    what = f"{counted(number, 'thing')} at AWS {'has' if number == 1 else 'have'} no backups"
    return number, what, f"Nobody has registered {'it' if number == 1 else 'them'} here."


def _stopped_or_overdue(standing: dict[str, Any]) -> list[tuple[int, str, str]]:
    stopped, overdue = standing["stopped"] is not None, standing["overdue"]
    return [
        (int(stopped), "retention is stopped", "It would have deleted too much at once, and waits for a decision."),
        (
            int(overdue),
            "the audit is overdue",
            "None was done for 26 hours: see that the workers and beat are running.",
        ),
    ]


def _open_findings(number: int) -> tuple[int, str, str]:
    what = f"{counted(number, 'finding')} {'is' if number == 1 else 'are'} open"
    return number, what, "The policy does not hold everywhere."


def _not_as_it_should_be(number: int) -> tuple[int, str, str]:
    what = f"{counted(number, 'resource')} {'is' if number == 1 else 'are'} not as {'it' if number == 1 else 'they'} should be"
    return number, what, "What is missing is said below."


def broken_part(user: User) -> dict[str, Any]:
    """For those who see resources but not the company's compliance: which break a rule, each with what was ``found``."""
    open_ones = Prefetch("findings", Finding.objects.open().order_by("since", "pk"), to_attr="found")
    broken = listed(user).filter(broken_rules__gt=0).order_by("name", "pk").prefetch_related(open_ones)
    resources = list(broken[: SHOWN + 1])
    return {"resources": resources[:SHOWN], "more": len(resources) > SHOWN}


def compliance_part(user: User, now: datetime) -> dict[str, Any]:
    """For those who may see whether the policy holds: what has no backups at all, the open findings by rule, a stopped run,
    whether the audit is late.
    """
    found = open_by_rule()
    return {
        "unprotected": unprotected_part(user),
        "findings": [(rule, found[rule.value]) for rule in Rule],
        "number": sum(found.values()),
        "stopped": stopped_run(),
        "overdue": is_overdue(Audit.objects.first(), now),
    }


def unprotected_part(user: User) -> dict[str, Any]:
    """How many things at AWS nobody has registered, and those that have been without backups for longest."""
    found = Discovered.objects.visible_to(user)
    first = found.select_related("region__account").order_by("first_seen_at", "pk")[:FEW]
    rows = [{"found": row, "kind": KINDS[row.kind].label if row.kind in KINDS else row.kind} for row in first]
    return {"number": found.count(), "rows": rows}


def waiting_part(user: User) -> dict[str, Any]:
    """For those who accept estimates: the requests that do not go on before they do, what expires first before the others.

    What waits for IT and for account managers heads their own parts.
    """
    found = _requests(user).filter(waits_for(user, Turn.CLIENT)).order_by(F("expires_at").asc(nulls_last=True), "pk")
    requests = list(found[: SHOWN + 1])
    return {
        "requests": requests[:SHOWN],
        "more": len(requests) > SHOWN,
        "clients": len({request.client_id for request in requests}) > 1,
    }


def own_part(user: User, now: datetime) -> dict[str, Any]:
    """For clients and their staff: their resources' pictures, their requests, by whose turn it is."""
    return {
        "rows": rows_of(list(listed(user).standing().order_by(LONGEST_WITHOUT, "name")[:SHOWN]), now),
        "requests": list(_requests(user).order_by(by_turn(user), "-status_changed_at", "-pk")[:SHOWN]),
    }


def it_part(user: User, now: datetime) -> dict[str, Any]:
    """For IT: what waits, oldest first; what runs, with its progress; what is late."""
    return {
        "incidents": list(Incident.objects.visible_to(user).unfinished().order_by("declared_at")[:SHOWN]),
        "queue": list(_requests(user).filter(status=Status.SUBMITTED).order_by("filed_at")[:SHOWN]),
        "failed": list(_requests(user).filter(status=Status.FAILED).order_by("status_changed_at")[:SHOWN]),
        "attempts": list(
            Attempt.objects.filter(status=AttemptStatus.RUNNING, request__in=RestoreRequest.objects.visible_to(user))
            .select_related("request__resource", "request__client")
            .order_by("started_at")[:SHOWN]
        ),
        "backups": list(
            Backup.objects.visible_to(user).open().select_related("resource").order_by("queued_at")[:SHOWN]
        ),
        "late": rows_of(list(listed(user).filter(late(now)).order_by(LONGEST_WITHOUT, "id")[:SHOWN]), now),
    }


def checkups_part(user: User, now: datetime) -> dict[str, Any]:
    """For IT, auditors and administrators: the next checkup, one that runs, what waits for their signature, their tasks."""
    today = now.astimezone(company_zone()).date()
    moving = Checkup.objects.filter(status__in=[CheckupStatus.RUNNING.value, CheckupStatus.PAUSED.value])
    tasks = Task.objects.visible_to(user).open().filter(owner=user).select_related("finding__checkup")
    to_sign, mine = list(waiting_for(user)), list(tasks.order_by("due_on", "pk")[:SHOWN])
    return {
        "today": today,
        "summary": summary_for(user, today),
        "moving": [(checkup, progress_of(checkup, now)) for checkup in moving],
        "to_sign": to_sign,
        "tasks": mine,
        "is_turn": bool(to_sign or mine),
    }


def money_part(user: User) -> dict[str, Any]:
    """For account managers: what is to review, oldest first, and what was decided last."""
    charges = Charge.objects.filter(visible(user, Permission.DECIDE_CHARGES, "client")).select_related(
        "client", "request__resource", "request__filed_by", "decided_by"
    )
    return {
        "to_review": list(charges.filter(status=ChargeStatus.TO_REVIEW).order_by("created_at")[:SHOWN]),
        "decided": list(charges.exclude(status=ChargeStatus.TO_REVIEW).order_by("-decided_at")[:SHOWN]),
    }


def overview_part(user: User, now: datetime) -> dict[str, Any]:
    """For auditors and administrators: the requests under way, and what is late."""
    return {
        "requests": list(_requests(user).filter(status__in=UNDER_WAY).order_by("-status_changed_at")[:SHOWN]),
        "late": rows_of(list(listed(user).filter(late(now)).order_by(LONGEST_WITHOUT, "id")[:SHOWN]), now),
    }


def _requests(user: User) -> Any:
    return RestoreRequest.objects.visible_to(user).select_related("client", "resource", "backup", "filed_by")
