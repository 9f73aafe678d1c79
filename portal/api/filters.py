"""Filters that lists share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django import forms
from django.db.models import BigIntegerField, Model, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

Row = TypeVar("Row", bound=Model)


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(filters.Filter):  # type: ignore[misc]  # the library has no types
    """Rows that belong to the thing with that id. Nothing is said about things the person does not see: no rows."""

    field_class = forms.IntegerField

    def filter(self, rows: QuerySet[Row], value: int | None) -> QuerySet[Row]:
        """The rows; none for a number that no database can hold."""
        if value is None:
            return rows
        return rows.filter(**{self.field_name: value}) if 0 < value <= BigIntegerField.MAX_BIGINT else rows.none()


def choice(field_name: str, values: Iterable[str], **options: Any) -> filters.ChoiceFilter:
    """Rows with one of the values; any other is refused with the list of them."""
    names = [str(value) for value in values]
    message = f"“%(value)s” is not possible here. Choose one of: {', '.join(names)}."
    return filters.ChoiceFilter(
        field_name=field_name,
        choices=[(name, name) for name in names],
        error_messages={"invalid_choice": message},
        **options,
    )
