"""Long lists by key: the next page starts after the last row of this one, whatever was added or removed meanwhile.

An order is a list of columns ending in a unique one. NULL counts as smaller than everything, on every database.
A cursor names a row by its values in those columns; the address carries it as ``after`` or ``before``.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.utils.dateparse import parse_datetime

M = TypeVar("M", bound=Model)

PAGE_SIZE = 50


@dataclass(frozen=True)
class Column:
    """One column of an order: the field's path, and its direction."""

    path: str
    descending: bool = False

    def flipped(self) -> Column:
        """The same in the other direction."""
        return Column(self.path, not self.descending)

    def order(self) -> OrderBy:
        """For ``order_by()``."""
        column = F(self.path)
        return column.desc(nulls_last=True) if self.descending else column.asc(nulls_first=True)

    def beyond(self, value: Any) -> Q:
        """Rows that come strictly after ``value`` in this column."""
        if value is None:
            return Q(pk__in=[]) if self.descending else Q(**{f"{self.path}__isnull": False})
        if self.descending:
            return Q(**{f"{self.path}__lt": value}) | Q(**{f"{self.path}__isnull": True})
        return Q(**{f"{self.path}__gt": value})

    def same(self, value: Any) -> Q:
        """Rows with that very value."""
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})


@dataclass(frozen=True)
class Page(Generic[M]):
    """One page: its rows, and the cursors of its neighbours (empty: there is none)."""

    rows: list[M]
    previous: str
    next: str


def read_page(
    queryset: QuerySet[M], columns: Sequence[Column], address: Mapping[str, str], *, size: int = PAGE_SIZE
) -> Page[M]:
    """The page that the address (a request's GET) asks for, in one query. A cursor that makes no sense is the start.

    The last column must be unique, so that no row is shown twice or lost among ties.
    """
    backwards = bool(address.get("before"))
    values = _decode(address.get("before") or address.get("after") or "", len(columns))
    order = [column.flipped() for column in columns] if backwards and values else list(columns)
    if values:
        try:
            queryset = queryset.filter(_after(order, values))
        except (ValidationError, ValueError, TypeError):  # a value that its column cannot hold
            return read_page(queryset, columns, {}, size=size)
    rows = list(queryset.order_by(*(column.order() for column in order))[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards and values:
        rows.reverse()
        return Page(rows, _cursor(rows[:1], columns) if more else "", _cursor(rows[-1:], columns))
    return Page(rows, _cursor(rows[:1], columns) if values else "", _cursor(rows[-1:], columns) if more else "")


def _after(columns: Sequence[Column], values: Sequence[Any]) -> Q:
    condition, tied = Q(pk__in=[]), Q()
    for column, value in zip(columns, values, strict=True):
        condition |= tied & column.beyond(value)
        tied &= column.same(value)
    return condition


def _cursor(rows: Sequence[Model], columns: Sequence[Column]) -> str:
    if not rows:
        return ""
    values = [_plain(_follow(rows[0], column.path)) for column in columns]
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def _follow(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = getattr(row, part)
    return row


def _plain(value: Any) -> Any:
    return {"time": value.isoformat()} if isinstance(value, datetime) else value


def _decode(cursor: str, length: int) -> list[Any] | None:
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != length:
            return None
        return [_value(value) for value in values]
    except ValueError:
        return None


def _value(plain: Any) -> Any:
    """What stands in a cursor: text, a number, nothing, or a time."""
    if isinstance(plain, dict):
        moment = parse_datetime(str(plain.get("time")))
        if moment is None or moment.tzinfo is None:
            raise ValueError
        return moment
    if plain is not None and not isinstance(plain, (str, int)):
        raise ValueError
    return plain
