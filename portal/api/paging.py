"""Paging of lists: by key, newest first."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from portal.entered import whole_number


class NewestFirst(CursorPagination):
    """Cursor pages by id, newest first. A page costs the same however far back it lies."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    cursor_query_description = "Where the page begins: taken from “next” or “previous” of another page."
    page_size_query_description = "How many a page holds, 200 at most."
    invalid_cursor_message = "This cursor is not one of this list's. Start again without it."

    def decode_cursor(self, request: Request) -> Cursor | None:
        """What the cursor says. Raises :class:`NotFound` when no list's row can have the id that it names."""
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and whole_number(str(cursor.position)) is None:
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_page_size(self, request: Request) -> int:
        """What was asked for. Raises :class:`ValidationError` when that is no number from 1 to the maximum."""
        asked = request.query_params.get("page_size")
        if asked is None:
            return self.page_size
        size = whole_number(asked)
        if size is None or not 1 <= size <= self.max_page_size:
            raise ValidationError({"page_size": [f"page_size must be a whole number from 1 to {self.max_page_size}."]})
        return size

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query's parameters, with their bounds."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == "page_size":
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters
