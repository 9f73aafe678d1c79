"""The list of resources, on a page and as CSV."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.condition import condition_of
from backups.filters import ResourceFilters, heads, listed
from backups.kinds import KINDS
from backups.models import Discovered, Resource
from backups.permissions import check_can_register
from backups.pictures import pictures_of
from backups.wording import kept_words
from portal.models import User
from portal.paging import in_order, read_page
from portal.permissions import has_permission_somewhere
from portal.roles import Permission
from portal.rules import refusal
from portal.spreadsheet import csv_answer
from portal.words import company_zone

COLUMNS = (
    "id", "name", "client", "application", "environment", "kind", "home_region", "other_region", "state",
    "last_good_backup",
)  # fmt: skip


@require_safe
def resources(request: HttpRequest) -> HttpResponse:
    """The list: filters, order and page are all in the address."""
    user, now = request.user, timezone.now()
    filters = ResourceFilters(user, request.GET, now)
    found = filters.apply(listed(user))
    page = read_page(found, filters.order(), request.GET)
    context = {
        "filters": filters,
        "heads": heads(filters),
        "page": page,
        "rows": rows_of(page.rows, now),
        "total": found.count(),
        "unprotected": Discovered.objects.visible_to(user).count(),
        "may_register": has_permission_somewhere(user, Permission.REGISTER_RESOURCES),
        "why_not_register": refusal(check_can_register, user, None),
    }
    return render(request, "backups/resources.html", context)


def rows_of(found: list[Resource], now: Any) -> list[dict[str, Any]]:
    """What a row of resources shows, with one query for all pictures."""
    pictures = pictures_of(found, now)
    return [
        {
            "resource": resource,
            "picture": pictures[resource.pk],
            "condition": condition_of(resource, now),
            "kept": kept_words(resource, now.astimezone(company_zone()).date()),
            "kind": KINDS[resource.kind].label if resource.kind in KINDS else resource.kind,
        }
        for resource in found
    ]


@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered list as CSV, streamed; times are UTC."""
    now = timezone.now()
    filters = ResourceFilters(request.user, request.GET, now)
    found = in_order(filters.apply(listed(request.user)), filters.order())
    rows = (
        (
            resource.pk,
            resource.name,
            resource.client.name,
            resource.application.name,
            resource.environment,
            resource.kind,
            resource.home_region,
            resource.other_region,
            resource.state,
            resource.last_good_at,
        )
        for resource in found.iterator(chunk_size=2000)
    )
    return csv_answer(f"resources-{now:%Y-%m-%d}.csv", COLUMNS, rows)


def signed_in(request: HttpRequest) -> User:
    """Who asks; the middleware lets nobody else here."""
    assert isinstance(request.user, User)
    return request.user
