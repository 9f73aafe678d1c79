"""Reading what was sent, and choosing how to answer: JSON, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MAX_BYTES = 1_000_000


class TooLarge(APIException):
    """The body is longer than any the portal has a use for."""

    status_code = 413
    default_code = "too_large"
    default_detail = f"The body is longer than {MAX_BYTES:,} bytes."


class Json(JSONParser):
    """JSON of bounded size and depth, in whole characters."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body's value. Raises :class:`ParseError` or :class:`TooLarge`."""
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise TooLarge()
        try:
            value = json.loads(raw.decode(), parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair could be neither stored nor answered
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body cannot be read as JSON: {_words(error)}") from error
        if value is None:
            raise ParseError("Send a JSON object, such as {}.")
        return value


class JsonAlways(BaseContentNegotiation):
    """Answers are JSON whatever ``Accept`` says: downloads ask for bytes and still get their errors in words."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the body's media type, or None."""
        declared = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == declared), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        first = next(iter(renderers))
        return first, str(first.media_type)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _words(error: ValueError) -> str:
    if isinstance(error, UnicodeError):
        return "it is not UTF-8."
    return f"{error}."
