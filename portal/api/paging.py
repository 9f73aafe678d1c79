"""Paging of lists: by key, newest first."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """Cursor pages by id, newest first. A page costs the same however far back it lies."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    cursor_query_description = "Where the page begins: taken from “next” or “previous” of another page."
    page_size_query_description = "How many a page holds, 200 at most."
    invalid_cursor_message = "This cursor is not one of this list's. Start again without it."

    def get_page_size(self, request: Request) -> int:
        """What was asked for. Raises :class:`ValidationError` when that is no number from 1 to the maximum."""
        asked = request.query_params.get("page_size")
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and len(asked) < 5 and 1 <= int(asked) <= self.max_page_size):
            raise ValidationError({"page_size": [f"page_size must be a whole number from 1 to {self.max_page_size}."]})
        return int(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query's parameters, with their bounds."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == "page_size":
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters
