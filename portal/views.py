"""Pages of the house itself: health, and what is shown when there is nothing to show."""

from __future__ import annotations

import structlog
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.faults import fault

log = structlog.get_logger(__name__)


@login_not_required
@never_cache
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """ "ok" when the portal and its database answer, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.error("health.no_database", error=type(error).__name__)
        return HttpResponse("The database does not answer.\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


def _answer(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": sentence}, status=status)
    return render(request, f"{status}.html", status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    if isinstance(exception, DisallowedHost):
        return _answer(request, 400, "The portal does not answer under this name. IT adds it to ALLOWED_HOSTS.")
    return _answer(request, 400, "The portal could not read this request.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, 403, "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: what is not there, and what this person may not see."""
    return _answer(request, 404, "There is nothing at this address, or nothing that you may see.")


def failed(request: HttpRequest) -> HttpResponse:
    """500, for errors outside of views; Django itself has logged them."""
    return fault(request)
