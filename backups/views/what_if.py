"""What if: the policy's numbers, a day to come and missed days, played with against the real inventory."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.addressed import AddressFilters
from backups.filters import listed
from backups.models import Resource
from backups.permissions import check_can_view_compliance
from backups.playing import most_resources, outcomes_of, total_of, with_something_stored
from backups.views.resources import signed_in
from backups.what_if import Outcome, Play
from backups.what_if_form import WhatIfForm
from portal.choosing import clients_to_choose
from portal.days import short_day
from portal.models import User
from portal.paging import Column, read_page
from portal.roles import Permission

DAYS_NAMED = 5
BY_NAME = (Column("name"), Column("id"))
LOSING = "losing"


@require_safe
def what_if(request: HttpRequest) -> HttpResponse:
    """Everything that is played with is in the address."""
    user, now = signed_in(request), timezone.now()
    check_can_view_compliance(user)
    form = WhatIfForm(request.GET, now)
    filters = _filters(user, request)
    context: dict[str, Any] = {"form": form, "filters": filters}
    valid = form.is_valid()
    if valid:
        context |= _played(request, filters, form.play(), user)
    return render(request, "backups/what_if.html", context, status=200 if valid else 400)


def _filters(user: User, request: HttpRequest) -> AddressFilters:
    clients = clients_to_choose(user, Permission.VIEW_COMPLIANCE, request.GET.get("client", ""))
    shown = [("", "All resources"), (LOSING, "Only those that lose a backup")]
    return AddressFilters(request.GET, [("client", "Client", clients), ("show", "Show", shown[1:])], ("name",), "name")


def _played(request: HttpRequest, filters: AddressFilters, what: Play, user: User) -> dict[str, Any]:
    """The totals, and one page of the resources with theirs."""
    found = with_something_stored(listed(user).named(filters.search))
    if filters.chosen.get("client"):
        found = found.filter(application__client=int(filters.chosen["client"]))
    most = most_resources(what)
    ids = list(found.order_by("name", "id").values_list("pk", flat=True)[:most])
    outcomes = outcomes_of(ids, what)
    shown = [pk for pk in ids if outcomes[pk].going] if filters.chosen.get("show") == LOSING else ids
    page = read_page(listed(user).filter(pk__in=shown), BY_NAME, request.GET)
    return {
        "what": what,
        "total": total_of(outcomes.values()),
        "number": len(ids),
        "of": found.count() if len(ids) == most else len(ids),
        "page": page,
        "rows": [_row(resource, outcomes[resource.pk], what) for resource in page.rows],
    }


def _row(resource: Resource, outcome: Outcome, what: Play) -> dict[str, Any]:
    days = [short_day(one.taken_at.astimezone(what.zone).date(), what.today) for one in outcome.going[-DAYS_NAMED:]]
    more = len(outcome.going) - len(days)
    return {
        "resource": resource,
        "outcome": outcome,
        "going": ", ".join(reversed(days)) + (f" and {more} more" if more else ""),
    }
