"""The whole of a request on paper."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.record import record_answer
from restores.views.fetching import person, request_or_404


@require_safe
def request_record(http: HttpRequest, pk: int) -> HttpResponse:
    """The record as the reader may see it."""
    user = person(http)
    return record_answer(request_or_404(user, pk), user, timezone.now())
