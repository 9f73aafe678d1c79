"""Amounts of money that programs send."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from restores.amounts import NotAnAmount, read_amount, written


class AmountField(serializers.DecimalField):
    """An amount by the rule of the pages: a string of digits with a point, or a number."""

    def to_internal_value(self, data: Any) -> Decimal:
        """The amount. Raises ValidationError with the rule's sentence."""
        places = self.decimal_places or 0
        is_number = isinstance(data, int | float) and not isinstance(data, bool)
        try:
            return read_amount(written(data, places) if is_number else str(data), places)
        except NotAnAmount as error:
            raise serializers.ValidationError(str(error)) from error
