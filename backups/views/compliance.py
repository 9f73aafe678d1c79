"""Compliance: how many resources hold each rule, the findings by age, 90 days of it, and what proves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.compliance import audited_days, evidence, is_overdue, quiet_since, shares_now, stopped_run
from backups.finding_filters import FindingFilters, open_findings
from backups.findings import VERIFIED_WITHIN
from backups.models import Discovered
from backups.permissions import check_can_view_compliance
from backups.trend import DAYS, trend_of
from backups.views.resources import signed_in
from portal.paging import read_page
from portal.words import company_zone

FINDINGS_A_PAGE = 25


@require_safe
def compliance(request: HttpRequest) -> HttpResponse:
    """The page; the list's filters, order and place are in the address."""
    user, now = signed_in(request), timezone.now()
    check_can_view_compliance(user)
    filters = FindingFilters(user, request.GET)
    found = filters.apply(open_findings(user))
    page = read_page(found, filters.order(), request.GET, size=FINDINGS_A_PAGE)
    context = {
        "filters": filters,
        "page": page,
        "total": found.count(),
        "stopped": stopped_run(),
        "unprotected": Discovered.objects.visible_to(user).count(),
        **_standing(now),
    }
    if not page.rows and not filters.chips:
        context["quiet_since"] = quiet_since()
    return render(request, "backups/compliance.html", context)


def _standing(now: datetime) -> dict[str, Any]:
    """The rules with their shares and charts, and the evidence."""
    today = now.astimezone(company_zone()).date()
    audited, proof = audited_days(today), evidence()
    return {
        "rules": [
            (share, None if share.rule.company_wide else trend_of(share.rule.value, audited, today))
            for share in shares_now(now)
        ],
        "days": DAYS,
        "first_day": today - timedelta(days=DAYS - 1),
        "today": today,
        "nightly_hour": settings.NIGHTLY_HOUR,
        "evidence": proof,
        "overdue": is_overdue(proof.last, now),
        "verified_late": proof.oldest_checksum is not None and now - proof.oldest_checksum > VERIFIED_WITHIN,
    }
