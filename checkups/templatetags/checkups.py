"""What checkups add to pages: their own, and those of backups, resources and the policy, which know nothing of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import template
from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone

from backups.models import Backup, Resource
from backups.proof import Proof
from backups.views.resource_page import CHANGES_SHOWN
from checkups import plainly, told
from checkups.changes import changes_of_asking
from checkups.figures import tests_of, times_of
from checkups.models import ApplicationCheck, Check, CheckupFinding, Trial
from checkups.permissions import (
    check_can_say_how_to_ask,
    check_can_see_how_it_is_asked,
    check_can_test,
    sees_every_checkup,
)
from checkups.summary import summary_for
from checkups.views.testing import form_to_test, level_to_reach
from portal.entered import whole_number
from portal.permissions import Person, has_permission
from portal.roles import Permission
from portal.rules import allowed, refusal
from portal.words import company_zone, counted

register = template.Library()


@register.filter
def colour_of(status: str) -> str:
    """The pill's colour for the status of a finding, a check or a trial."""
    return told.COLOURS[str(status)]


@register.filter
def steps_of(trial: Trial) -> list[told.Step]:
    """Its steps."""
    return told.steps_of(trial)


@register.filter
def doing_now(trial: Trial) -> str:
    """The step it is at."""
    return told.doing_now(trial)


@register.filter
def faults_of(checks: Iterable[Check]) -> str:
    """What was wrong."""
    return told.faults_of(checks)


@register.filter
def fault_of(check: Check) -> str:
    """What was wrong with one."""
    return plainly.fault_of(check)


@register.filter
def plainly_found(finding: CheckupFinding) -> str:
    """What was found about a resource, as people of clients are told."""
    return plainly.finding_in_words(finding)


@register.filter
def plainly_checked(check: Check) -> str:
    """The same about one backup."""
    return plainly.check_in_words(check)


@register.simple_tag
def with_tries(findings: list[CheckupFinding]) -> list[CheckupFinding]:
    """The same findings with all tries of their checks, in one query."""
    prefetch_related_objects(findings, "checks__trials")
    return findings


@register.filter
def level(value: int | None) -> str:
    """A level of proof in words; a dash for none."""
    return "–" if value is None else Proof(value).label


@register.filter
def milliseconds(value: int) -> timedelta:
    """A span from the number that is stored."""
    return timedelta(milliseconds=value)


@register.filter
def days_until(on: date, today: date) -> str:
    """ "in 15 days", "tomorrow", "today", "3 days ago"."""
    days = (on - today).days
    if days in (0, 1):
        return "tomorrow" if days else "today"
    return f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} ago"


@register.filter
def proven_to(finding: CheckupFinding) -> str:
    """How far all of its backups were proven: the lowest of their levels; nothing is said where any was not proven at all."""
    reached = [check.reached for check in finding.checks.all()]
    proven = [level for level in reached if level is not None]
    return Proof(min(proven)).label if proven and len(proven) == len(reached) else "–"


@register.simple_tag
def may_test(user: Person, resource: Resource) -> bool:
    """Whether the person is one of those who test backups at all."""
    return has_permission(user, Permission.TEST_BACKUPS, resource.client)


@register.simple_tag
def why_not_test(user: Person, backup: Backup) -> str:
    """Why this one cannot be tested now."""
    return refusal(check_can_test, user, backup)


@register.simple_tag
def pin_address(label: str) -> str:
    """Where what a pin names is found: a checkup, a test, or a restore request."""
    word, _, number = label.partition(" ")
    if word == "test" and whole_number(number) is not None:
        return reverse("trial", args=[number])
    return reverse("checkups") if label.startswith("CU-") else f"{reverse('requests')}?{urlencode({'q': label})}"


@register.inclusion_tag("checkups/_test_dialog.html", takes_context=True)
def test_dialog(context: template.RequestContext, backup: Any) -> dict[str, Any]:
    """The dialog behind “Test this backup”; nothing where it cannot be tested."""
    user = context["request"].user
    if not may_test(user, backup.resource) or why_not_test(user, backup):
        return {}
    backup.present = [copy for copy in backup.kept if copy.state == "present"]
    form, csrf = form_to_test(backup), context.get("csrf_token")
    return {"backup": backup, "form": form, "level": level_to_reach(backup), "csrf_token": csrf}


@register.inclusion_tag("checkups/_tests.html", takes_context=True)
def tests(context: template.RequestContext, backup: Backup) -> dict[str, Any]:
    """The last trials of a backup, for those who see them."""
    return {"trials": tests_of(context["request"].user, backup)}


@register.inclusion_tag("checkups/_recovery.html", takes_context=True)
def recovery(context: template.RequestContext, resource: Resource) -> dict[str, Any]:
    """How long getting a resource back takes, as measured; its last checkups; how a restored copy of it is asked."""
    user = context["request"].user
    findings = CheckupFinding.objects.visible_to(user).filter(resource=resource).select_related("checkup")
    asks = allowed(check_can_say_how_to_ask, user, resource)
    return {
        "resource": resource,
        "times": times_of(user, resource),
        "findings": findings.order_by("-checkup__on", "-pk")[:3],
        "asks": asks,
        "asked": ApplicationCheck.objects.filter(resource=resource).first() if asks else None,
    }


@register.simple_tag(takes_context=True)
def with_changes_of_asking(
    context: template.RequestContext, changes: list[dict[str, Any]], resource: Resource
) -> list[dict[str, Any]]:
    """A resource's changes with those of how its restored copies are asked, for those who may read that; newest first."""
    if not allowed(check_can_see_how_it_is_asked, context["request"].user, resource):
        return changes
    both = [*changes, *changes_of_asking(resource, CHANGES_SHOWN)]
    return sorted(both, key=lambda change: change["record"].history_date, reverse=True)[:CHANGES_SHOWN]


@register.inclusion_tag("checkups/_policy.html", takes_context=True)
def checkups_of_the_year(context: template.RequestContext) -> dict[str, Any]:
    """The next dates and the last checkup, in words with figures."""
    user = context["request"].user
    today = timezone.now().astimezone(company_zone()).date()
    return {"summary": summary_for(user, today), "inside": sees_every_checkup(user)}
