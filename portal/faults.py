"""What is answered when the portal itself fails: made without the database, the session, or knowing who asks.

Any of those may be what failed. Django's log handler has the error; a reference ties the answer to the log.
"""

from __future__ import annotations

import secrets

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

log = structlog.get_logger(__name__)


def fault(request: HttpRequest, error: BaseException | None = None) -> HttpResponse:
    """500, logged under a reference that the page or the API's answer shows. ``error`` goes into the log whole."""
    reference = secrets.token_hex(4).upper()
    log.error("page.failed", reference=reference, path=request.path, method=request.method, exc_info=error)
    if request.path.startswith("/api/"):
        sentence = f"Something went wrong in the portal. IT finds it under the reference {reference}."
        return JsonResponse({"detail": sentence}, status=500)
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)
