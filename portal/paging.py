"""Long lists by key: the next page starts after the last row of this one, whatever was added or removed meanwhile.

An order is a list of columns ending in a unique one. NULL counts as smaller than everything, on every database; only
columns that may be NULL are ordered so, because no index serves an order that names NULLs for one that has none.
A cursor names a row by its values in those columns; the address carries it as ``after`` or ``before``.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import BigIntegerField, DateTimeField, F, IntegerField, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.utils.dateparse import parse_datetime

M = TypeVar("M", bound=Model)

PAGE_SIZE = 50


@dataclass(frozen=True)
class Column:
    """One column of an order: the path of a field or an annotation, and its direction."""

    path: str
    descending: bool = False

    def flipped(self) -> Column:
        """The same in the other direction."""
        return Column(self.path, not self.descending)


@dataclass(frozen=True)
class _Ordered:
    """A column of one queryset, with the field behind it."""

    path: str
    descending: bool
    field: Any
    nullable: bool

    def order(self) -> OrderBy:
        """For ``order_by()``."""
        column, nulls = F(self.path), True if self.nullable else None
        return column.desc(nulls_last=nulls) if self.descending else column.asc(nulls_first=nulls)

    def beyond(self, value: Any) -> Q:
        """Rows that come strictly after ``value`` in this column."""
        if value is None:
            return Q(pk__in=[]) if self.descending else Q(**{f"{self.path}__isnull": False})
        if not self.descending:
            return Q(**{f"{self.path}__gt": value})
        smaller = Q(**{f"{self.path}__lt": value})
        return smaller | Q(**{f"{self.path}__isnull": True}) if self.nullable else smaller

    def same(self, value: Any) -> Q:
        """Rows with that very value."""
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})

    def holds(self, value: Any) -> bool:
        """Whether the column can have the value."""
        if value is None:
            return self.nullable
        if isinstance(self.field, DateTimeField):
            return isinstance(value, datetime)
        if isinstance(self.field, IntegerField):
            return isinstance(value, int) and abs(value) <= BigIntegerField.MAX_BIGINT
        return isinstance(value, str)


def _columns(queryset: QuerySet[M], columns: Sequence[Column]) -> list[_Ordered]:
    return [_Ordered(one.path, one.descending, *_field(queryset, one.path)) for one in columns]


def _field(queryset: QuerySet[M], path: str) -> tuple[Any, bool]:
    """The field at the path, and whether it, or anything on the way there, may be NULL."""
    if path in queryset.query.annotations:
        return queryset.query.annotations[path].output_field, True
    model: Any = queryset.model
    nullable, field = False, None
    for part in path.split("__"):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        nullable = nullable or field.null
        model = field.related_model
    return field, nullable


def in_order(queryset: QuerySet[M], columns: Sequence[Column]) -> QuerySet[M]:
    """All rows in the order of the columns."""
    return queryset.order_by(*(column.order() for column in _columns(queryset, columns)))


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
    values = _decode(address.get("before") or address.get("after") or "")
    known = _columns(queryset, columns)
    if values is None or len(values) != len(known) or not all(map(_Ordered.holds, known, values)):
        values = None
    backwards = values is not None and bool(address.get("before"))
    order = _columns(queryset, [column.flipped() for column in columns]) if backwards else known
    if values is not None:
        queryset = queryset.filter(_after(order, values))
    rows = list(queryset.order_by(*(column.order() for column in order))[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
        return Page(rows, _cursor(rows[:1], columns) if more else "", _cursor(rows[-1:], columns))
    return Page(
        rows, _cursor(rows[:1], columns) if values is not None else "", _cursor(rows[-1:], columns) if more else ""
    )


def _after(columns: Sequence[_Ordered], values: Sequence[Any]) -> Q:
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


def _decode(cursor: str) -> list[Any] | None:
    """The values that a cursor names, each of a kind that cursors hold; None when it is none of ours."""
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_value(value) for value in values] if isinstance(values, list) else None
    except (ValueError, OverflowError, RecursionError):
        return None


def _value(plain: Any) -> Any:
    """What stands in a cursor: text, a number, nothing, or a time. Raises ValueError or OverflowError for anything else."""
    if isinstance(plain, dict):
        moment = parse_datetime(str(plain.get("time")))
        if moment is None or moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)  # as databases compare it; the ends of the calendar overflow here
    if isinstance(plain, str):
        if "\0" in plain:
            raise ValueError
        plain.encode()  # half a surrogate pair is no text
    elif isinstance(plain, bool) or not isinstance(plain, int | None):
        raise ValueError
    return plain
