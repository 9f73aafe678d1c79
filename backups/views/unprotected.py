"""What is at providers and has no backups, and taking it in with one click."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from backups.actions.taking_in import proposals_for, take_in
from backups.findings import Code
from backups.kinds import KINDS
from backups.models import AccountRegion, Discovered, Finding
from backups.permissions import check_can_register, check_can_view_compliance
from backups.views.resources import signed_in
from portal.errors import InvalidInput, PortalError
from portal.paging import Column, read_page
from portal.rules import refusal

LONGEST_FIRST = (Column("first_seen_at"), Column("id"))
FILLED_IN = ("name", "application", "environment", "home_region", "other_region")
"""What a person may answer otherwise than the tags do; where it is, discovery knows better."""


@require_safe
def unprotected(request: HttpRequest) -> HttpResponse:
    """The list, what has been without backups for longest first."""
    check_can_view_compliance(request.user)
    found = Discovered.objects.visible_to(request.user)
    page = read_page(
        found.select_related("region__account").prefetch_related("region__account__regions"), LONGEST_FIRST, request.GET
    )
    proposals = proposals_for(page.rows)
    regions = AccountRegion.objects.select_related("account").order_by("account__name", "name")
    context = {
        "page": page,
        "rows": [
            {
                "found": row,
                "proposal": proposals[row.pk],
                "kind": KINDS[row.kind].label if row.kind in KINDS else row.kind,
            }
            for row in page.rows
        ],
        "total": found.count(),
        "regions": regions,
        "waiting": any(region.listed_at is None for region in regions),
        "unlisted": Finding.objects.open().filter(code=Code.UNLISTED).order_by("subject"),
        "why_not": refusal(check_can_register, request.user, None),
    }
    return render(request, "backups/unprotected.html", context)


@require_POST
def take_in_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Register it as its tags say; where another answer than theirs is needed, the form is there for it, filled in."""
    found = get_object_or_404(Discovered.objects.visible_to(request.user).select_related("region__account"), pk=pk)
    try:
        made = take_in(by=signed_in(request), found=found)
    except PortalError as error:
        messages.error(request, f"{found.name} was not taken in. {error.sentence}")
        if isinstance(error, InvalidInput) and error.field in FILLED_IN:
            return redirect(f"{reverse('resource_new')}?{urlencode({'kind': found.kind, 'found': found.pk})}")
    else:
        messages.success(request, f"{made} is registered. Its first backup is on its way.")
    return redirect("unprotected")
