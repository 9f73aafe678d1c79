"""What an auditor takes along: the findings as CSV, and the state of the company as PDF."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from backups.compliance_pdf import compliance_pdf
from backups.finding_filters import FindingFilters, open_findings
from backups.models import Finding
from backups.models.finding import FindingQuerySet
from backups.permissions import check_can_view_compliance
from backups.trend import DAYS
from backups.views.resources import signed_in
from portal.errors import InvalidInput
from portal.paging import Column, in_order
from portal.spreadsheet import csv_answer
from portal.words import company_zone

COLUMNS = (
    "id", "rule", "code", "what", "resource_id", "resource", "application", "client", "region", "sentence", "what_to_do",
    "since", "opened_at", "closed_at",
)  # fmt: skip


@require_safe
def findings(request: HttpRequest) -> StreamingHttpResponse:
    """The open findings that the address asks for; with ``from`` or ``until`` all that were open in that time."""
    user, now = signed_in(request), timezone.now()
    check_can_view_compliance(user)
    filters = FindingFilters(user, request.GET)
    if request.GET.get("from") or request.GET.get("until"):
        first, last = _period(request, now.astimezone(company_zone()).date())
        seen = filters.apply(_open_between(Finding.objects.visible_to(user), first, last))
        found = in_order(seen, (Column("opened_at"), Column("id")))
        name = f"findings-{first}-to-{last}.csv"
    else:
        found = in_order(filters.apply(open_findings(user)), filters.order())
        name = f"findings-open-{now.astimezone(company_zone()):%Y-%m-%d}.csv"
    return csv_answer(name, COLUMNS, _rows(found))


def _rows(found: Any) -> Iterator[tuple[Any, ...]]:
    for one in found.select_related("resource__application__client").iterator(chunk_size=2000):
        resource = one.resource
        names = (
            (resource.pk, resource.name, resource.application.name, resource.client.name) if resource else [None] * 4
        )
        yield (
            one.pk, one.rule, one.code, one.get_code_display(), *names, one.subject, one.sentence, one.advice,
            one.since, one.opened_at, one.closed_at,
        )  # fmt: skip


def _period(request: HttpRequest, today: date) -> tuple[date, date]:
    """The first and the last day that are asked for, of the company's calendar. Raises InvalidInput."""
    last = _day(request.GET.get("until"), "until") or today
    first = _day(request.GET.get("from"), "from") or last - timedelta(days=min(DAYS - 1, (last - date.min).days))
    if first > last:
        raise InvalidInput(
            f"The period ends on {last}, before it begins on {first}. Exchange the two days.", field="from"
        )
    return first, last


def _day(text: str | None, field: str) -> date | None:
    try:
        found = parse_date(text) if text else None
    except ValueError:
        found = None
    if text and (found is None or not 2000 <= found.year < 9000):
        raise InvalidInput("Enter each day as year, month and day, such as 2026-11-24.", field=field)
    return found


def _open_between(found: FindingQuerySet, first: date, last: date) -> FindingQuerySet:
    """Those that were open at any moment from the start of the first day to the end of the last."""
    start, end = (datetime.combine(day, time(), company_zone()) for day in (first, last + timedelta(days=1)))
    return found.filter(Q(closed_at__isnull=True) | Q(closed_at__gte=start), opened_at__lt=end)


@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """How the company stands now, on paper."""
    user, now = signed_in(request), timezone.now()
    check_can_view_compliance(user)
    answer = HttpResponse(compliance_pdf(user, now), content_type="application/pdf")
    name = f"compliance-{now.astimezone(company_zone()):%Y-%m-%d}.pdf"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
