"""Fields of answers that several serializers use."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class NameField(serializers.CharField):
    """What people call it: a person's or a thing's ``str()``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)
