"""The record of an incident, to take along: as PDF, and its times to recovery as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.models import User
from portal.spreadsheet import csv_answer
from restores.incident_board import Row, items_seen, rows_of
from restores.incident_pdf import incident_pdf
from restores.models import Incident
from restores.views.fetching import person
from restores.views.incidents import incident_or_404

COLUMNS = (
    "position", "resource_id", "resource", "application", "client", "environment", "state", "request", "backup", "backup_taken_at",
    "mode", "data_loss_seconds", "hazard_began_at", "confirmed_at", "restore_started_at", "recovered_at", "seconds_to_recovery", "why",
)  # fmt: skip
AT_ONCE = 500


@require_safe
def incident_record(http: HttpRequest, pk: int) -> HttpResponse:
    """The document."""
    user = person(http)
    found = incident_or_404(user, pk)
    answer = HttpResponse(incident_pdf(user, found, timezone.now()), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{found.number}.pdf"'
    return answer


@require_safe
def incident_times(http: HttpRequest, pk: int) -> StreamingHttpResponse:
    """One line per resource."""
    user = person(http)
    found = incident_or_404(user, pk)
    return csv_answer(f"{found.number}-times-to-recovery.csv", COLUMNS, _lines(user, found))


def _lines(user: User, found: Incident) -> Iterator[tuple[Any, ...]]:
    now, items = timezone.now(), items_seen(user, found).order_by("position", "pk")
    for start in range(0, items.count(), AT_ONCE):
        for row in rows_of(user, found, items[start : start + AT_ONCE], now):
            yield _line(found, row)


def _line(found: Incident, row: Row) -> tuple[Any, ...]:
    item, resource = row.item, row.item.resource
    return (
        item.position, resource.pk, resource.name, resource.application.name, resource.client.name, resource.environment,
        row.label, row.request.number if row.request else None, item.backup_id, item.backup.taken_at if item.backup else None,
        item.mode, _seconds(row.loss), found.began_at, found.confirmed_at, row.attempt.started_at if row.attempt else None,
        row.recovered_at, _seconds(row.recovered_in), row.why or row.since,
    )  # fmt: skip


def _seconds(span: Any) -> int | None:
    return int(span.total_seconds()) if span is not None else None
