"""Bodies that people send: unknown fields are refused, so that nothing is believed to be set that was not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework import serializers

from portal.reasons import REASON_MAX, TOO_LONG


class Input(serializers.Serializer[Any]):
    """The base of all bodies. What the fields mean is checked by the action, in its own words."""

    default_error_messages = {"invalid": "Send a JSON object, such as {{}}."}

    def to_internal_value(self, data: Any) -> Any:
        """The values. Raises ValidationError by field."""
        if isinstance(data, Mapping):
            for name in data:
                if name not in self.fields:
                    known = ", ".join(self.fields) or "none"
                    raise serializers.ValidationError({name: [f"There is no field “{name}” here. There are: {known}."]})
        return super().to_internal_value(data)


class WithReason(Input):
    """A body with a reason. A missing one is left to the action, which says why it wants one.

    ``reason_missing`` is that sentence where other fields may be missing as well: all is said at once.
    """

    reason_missing: ClassVar[str] = ""

    reason = serializers.CharField(
        allow_blank=True,
        max_length=REASON_MAX,
        help_text="Why; it is kept with what is done.",
        error_messages={"max_length": TOO_LONG},
    )

    def to_internal_value(self, data: Any) -> Any:
        """The values, with an empty reason where none was sent."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        whole = {"reason": "", **data}
        try:
            return super().to_internal_value(whole)
        except serializers.ValidationError as error:
            if self.reason_missing and whole["reason"] == "" and isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, "reason": [self.reason_missing]}) from error
            raise


class Nothing(Input):
    """A body without fields."""


def one_of(choices: Sequence[tuple[str, str]], **options: Any) -> serializers.ChoiceField:
    """A field that takes one of the values (given with their labels), and names them when it is given another."""
    names = ", ".join(value for value, _ in choices)
    messages: dict[str, Any] = {
        "invalid_choice": f"“{{input}}” is not possible here. Choose one of: {names}.",
        "required": f"It is missing. Choose one of: {names}.",
    }
    return serializers.ChoiceField(choices=choices, error_messages=messages, **options)
