"""What the page of a resource shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Prefetch
from django.db.models.functions import Coalesce
from django.http import QueryDict

from backups.chart import Chart, size_chart
from backups.condition import condition_of, condition_of_backup
from backups.forms import BackUpForm
from backups.keeping import Keeping, keepings_of
from backups.kinds import KINDS
from backups.models import Backup, BackupStatus, Copy, Resource
from backups.models.backup import OPEN
from backups.permissions import check_can_back_up, check_can_bring_back, check_can_remove
from backups.pictures import pictures_of
from backups.wording import kept_words, next_try
from portal.forms import ReasonForm
from portal.models import User
from portal.paging import Column, Page, read_page
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from portal.words import company_zone

BACKUPS_A_PAGE = 20
CHART_POINTS = 120
CHANGES_SHOWN = 10
REQUESTS_SHOWN = 5
FAILURES_SHOWN = timedelta(days=8)

TOLD_ABOVE = {"removal_asked_at", "removed_at", "removed_by", "removal_reason", "kept_until", "undone_removal_at"}
"""Of a removal the page says all this in words; among the changes its new state and the reason are enough."""

NEWEST_FIRST = (Column("at", descending=True), Column("id", descending=True))


def resource_page(user: User, resource: Resource, address: QueryDict, now: datetime, **forms: Any) -> dict[str, Any]:
    """The template's variables, in a constant number of queries; ``forms`` came back with an error."""
    client = resource.client
    backups = resource.backups.all()
    everything = address.get("backups") == "all"
    shown = backups if everything else backups.worth_listing(now - FAILURES_SHOWN)
    page = read_page(
        shown.annotate(at=Coalesce("taken_at", "queued_at")).prefetch_related(
            Prefetch("copies", Copy.objects.present().order_by("-proof"), to_attr="present")
        ),
        NEWEST_FIRST,
        address,
        size=BACKUPS_A_PAGE,
    )
    keepings = keepings_of(page.rows, now)
    technical = has_permission(user, Permission.VIEW_TECHNICAL, client)
    requests = resource.restore_requests.visible_to(user).select_related("filed_by", "backup")
    return {
        "resource": resource,
        "driver": KINDS.get(resource.kind),
        "condition": condition_of(resource, now),
        "picture": pictures_of([resource], now)[resource.pk],
        "page": page,
        "rows": [row_of(backup, resource, keepings.get(backup.pk)) for backup in page.rows],
        "everything": everything,
        "next_try": _next_try(page, resource, now),
        "open_backup": backups.filter(status__in=OPEN).first(),
        "chart": _chart(backups),
        "requests": requests.order_by("-filed_at")[:REQUESTS_SHOWN],
        "technical": technical,
        "changes": changes_of(resource, technical),
        "may_file": has_permission(user, Permission.FILE_REQUESTS, client),
        "may_back_up": has_permission(user, Permission.BACK_UP_NOW, client),
        "why_not_back_up": refusal(check_can_back_up, user, resource),
        "may_remove": has_permission(user, Permission.REMOVE_RESOURCES, client),
        "why_not_remove": refusal(check_can_remove, user, resource),
        "why_not_bring_back": refusal(check_can_bring_back, user, resource),
        "kept": kept_words(resource, now.astimezone(company_zone()).date()),
        "back_up_form": BackUpForm(),
        "bring_back_form": ReasonForm(auto_id="id-bring-back-%s"),
    } | forms


def row_of(backup: Any, resource: Resource, keeping: Keeping | None) -> dict[str, Any]:
    """What a row of backups shows. ``backup.present`` are its present copies, the best proven first."""
    return {
        "backup": backup,
        "keeping": keeping,
        "condition": condition_of_backup(backup, len(backup.present)),
        "best": backup.present[0] if backup.present else None,
        "regions": sorted((copy.region for copy in backup.present), key=lambda region: region != resource.home_region),
        "restorable": backup.is_good and bool(backup.present),
    }


def _next_try(page: Page[Backup], resource: Resource, now: datetime) -> tuple[int, str] | None:
    """The newest backup, when it failed, with what follows that; on the first page only."""
    newest = page.rows[0] if page.rows and not page.previous else None
    return (newest.pk, said) if newest and (said := next_try(newest, resource, now)) else None


def _chart(backups: Any) -> Chart | None:
    newest: Iterable[tuple[datetime, int]] = (
        backups.filter(status=BackupStatus.FINISHED)
        .order_by("-taken_at")
        .values_list("taken_at", "stored_bytes")[:CHART_POINTS]
    )
    return size_chart(list(newest)[::-1], company_zone())


def changes_of(resource: Resource, technical: bool) -> list[dict[str, Any]]:
    """The newest changes: what was done, by whom and why (``record``), and what changed (``what``).

    Settings and locator only for those who see them.
    """
    records = list(resource.history.select_related("history_user")[: CHANGES_SHOWN + 1])
    shown = [_change(new, _differences(new, old, technical)) for new, old in pairwise(records)]
    if records and len(records) <= CHANGES_SHOWN:
        shown.append(_change(records[-1], []))
    return shown


def _change(record: Any, what: list[dict[str, Any]]) -> dict[str, Any]:
    return {"record": record, "verb": "Registered" if record.history_type == "+" else "Changed", "what": what}


def _differences(new: Any, old: Any, technical: bool) -> list[dict[str, Any]]:
    hidden = TOLD_ABOVE if technical else TOLD_ABOVE | {"settings", "locator"}
    changes = new.diff_against(old, excluded_fields=hidden).changes
    return [{"what": change.field.replace("_", " "), "old": change.old, "new": change.new} for change in changes]
