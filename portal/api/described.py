"""How the schema describes every operation: with the one shape in which the API says no."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class Refusal(serializers.Serializer[Any]):
    """Why not, in a sentence for people."""

    detail = serializers.CharField(help_text="The sentence that the pages show.")
    field = serializers.CharField(required=False, help_text="Which input is at fault, if one is.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a field, not the serializer's own property
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="All sentences by field, when the body or the query is not of the form described here.",
    )


class Described(AutoSchema):
    """drf-spectacular's description, and the refusals."""

    def _get_request_body(self, direction: Literal["request", "response"] = "request") -> Any:
        """Of DELETE as well, which the library leaves without one: here nothing is taken away without a reason."""
        method, self.method = self.method, "PUT" if self.method == "DELETE" else self.method
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        refusal: dict[str, Any] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            Refusal, "4XX", ["application/json"]
        )
        return {**bodies, "4XX": {**refusal, "description": "Refused; nothing was changed."}}
