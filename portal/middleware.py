"""What happens around every page: signing in, who acts, and what is said when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.html import escape
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from portal.errors import PortalError
from portal.faults import fault
from portal.history import acting

_DJANGOS_OWN = (Http404, PermissionDenied, BadRequest, SuspiciousOperation)


class SignInRequired(LoginRequiredMiddleware):
    """Everything needs a sign-in, except what is marked with ``login_not_required``.

    Sign-in pages, ``/healthz`` and the API's views carry that mark (the API answers for itself). A part of a page
    that is fetched after the session has ended sends the whole page to the sign-in, not the part.
    """

    def handle_no_permission(  # type: ignore[override]  # a part of a page is answered otherwise
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        """To the sign-in, and back afterwards: from a part of a page to the page that it belongs to."""
        if getattr(request, "htmx", False):
            page, sign_in = _page_shown(request), resolve_url(settings.LOGIN_URL)
            return HttpResponseClientRedirect(redirect_to_login(page, sign_in).url if page else sign_in)
        return super().handle_no_permission(request, view_func)


class ActingUser:
    """Rows saved during a request are recorded as changed by the person who sent it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request as its user."""
        with acting(request.user):
            return self.get_response(request)


class ErrorPages:
    """Turns errors into pages: a :class:`PortalError` into its sentence, anything else into a reference for IT."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        answer = self.get_response(request)
        if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not getattr(answer, "content", b"-"):
            page = render(request, "405.html", status=HTTPStatus.METHOD_NOT_ALLOWED)
            page.headers["Allow"] = answer.headers["Allow"]
            return page
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for an error that a view raised; Django's own kinds are left to the error handlers."""
        if isinstance(error, _DJANGOS_OWN):
            return None
        if isinstance(error, PortalError):
            return self._refused(request, error)
        got_request_exception.send(sender=type(self), request=request)
        return fault(request, error)

    def _refused(self, request: HttpRequest, error: PortalError) -> HttpResponse:
        if getattr(request, "htmx", False):
            return HttpResponse(escape(error.sentence), status=error.status)
        return render(request, "portal/refused.html", {"sentence": error.sentence}, status=error.status)


def _page_shown(request: HttpRequest) -> str:
    """The portal's page that asked for a part of itself; empty when that was another site's, or is not said."""
    page = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]  # set by htmx's middleware
    return page if url_has_allowed_host_and_scheme(page, {request.get_host()}) else ""
