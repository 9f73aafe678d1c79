"""How the API says no: one shape for every error, with the sentence that the pages show.

``{"detail": sentence}``, with ``"field"`` when one input is at fault, and ``"errors": {field: [sentences]}`` when the
body or the query was not of the form that the schema describes. Nothing technical ever leaves this way.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from portal.errors import PortalError

log = structlog.get_logger(__name__)

WHOLE = "non_field_errors"

PLAIN = {  # what DRF says without naming the field
    "This field is required.": "is missing.",
    "This field may not be blank.": "must not be empty.",
    "This field may not be null.": "must not be null.",
    "A valid integer is required.": "must be a whole number.",
    "Not a valid string.": "must be text.",
}

SENTENCES: dict[type[Exception], str] = {
    Http404: "There is nothing here that you can see.",
    exceptions.NotAuthenticated: (
        "Sign in first: get a token by POST /api/token/ and send it as “Authorization: Token …”."
    ),
    exceptions.AuthenticationFailed: "This token is unknown, revoked or expired. Get a new one by POST /api/token/.",
}


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The response to any exception of a view. DRF's ``EXCEPTION_HANDLER``."""
    if isinstance(error, PortalError):
        return Response(_body(error.sentence, error.field), status=error.status)
    if isinstance(error, exceptions.ValidationError):
        return Response(_validation(error), status=error.status_code)
    response = exception_handler(error, context)
    if response is None:
        return _fault(error, context)
    response.data = _body(_sentence(error, context))
    return response


def _body(sentence: str, field: str = "") -> dict[str, Any]:
    return {"detail": sentence, "field": field} if field else {"detail": sentence}


def _sentence(error: Exception, context: dict[str, Any]) -> str:
    if isinstance(error, exceptions.MethodNotAllowed):
        possible = " or ".join(context["view"].allowed_methods)
        return f"{context['request'].method} is not possible here. Use {possible}."
    if isinstance(error, exceptions.UnsupportedMediaType):
        possible = " or ".join(str(parser.media_type) for parser in context["view"].parser_classes)
        what = "JSON" if possible == "application/json" else "a form with the file"
        return f"Send {what}, with the header “Content-Type: {possible}”."
    if isinstance(error, exceptions.Throttled):
        return f"Too many tries. Wait {math.ceil(getattr(error, 'wait', None) or 60)} seconds, then try again."
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied) and "CSRF" in str(error):
        return "The CSRF token is missing or wrong. Reload the page, or use a token from POST /api/token/."
    if isinstance(error, PermissionDenied):
        return "You may not do this."
    sentence = SENTENCES.get(type(error))
    return sentence or str(getattr(error, "detail", error))


def _validation(error: exceptions.ValidationError) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    for field, sentence in _leaves(error.detail, ""):
        errors.setdefault(field or WHOLE, []).append(sentence)
    field, sentences = next(iter(errors.items()))
    return {**_body(sentences[0], "" if field == WHOLE else field), "errors": errors}


def _leaves(detail: Any, field: str) -> Iterator[tuple[str, str]]:
    """Every sentence with the dotted name of its field."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            outer = "" if name == WHOLE else str(name)
            yield from _leaves(inner, ".".join(part for part in (field, outer) if part))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _leaves(inner, field)
    else:
        yield field, _in_words(field, detail)


def _in_words(field: str, detail: exceptions.ErrorDetail) -> str:
    return f"{field} {PLAIN[str(detail)]}" if field and str(detail) in PLAIN else str(detail)


def _fault(error: Exception, context: dict[str, Any]) -> Response:
    """A fault of ours: the log has it whole, the answer only a reference to it."""
    reference = secrets.token_hex(4)
    request = context["request"]
    log.error("api.fault", reference=reference, path=request.path, method=request.method, exc_info=error)
    got_request_exception.send(sender=None, request=request)  # so that tests see it raised
    return Response(
        _body(f"Something went wrong in the portal. IT finds it under the reference {reference}."), status=500
    )
