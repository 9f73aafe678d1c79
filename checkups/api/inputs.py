"""What people send about checkups. Whether it is allowed is decided by the actions, in their words."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.api.inputs import Input, WithReason
from portal.reasons import REASON_MAX, TOO_LONG

DAY: dict[str, Any] = {
    "required": "Name the day of the checkup.",
    "null": "Name the day of the checkup.",
    "invalid": "Enter a day, such as 2026-12-01.",
}


class Setting(Input):
    """A date, and which resources are restored on it."""

    on = serializers.DateField(help_text="The company's day on which it starts by itself.", error_messages=DAY)
    share = serializers.IntegerField(required=False, default=100, help_text="Of so many per cent backups are restored.")
    sample_reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=REASON_MAX,
        help_text="Why not of all: needed where share is less than 100.",
    )


class Changing(WithReason, Setting):
    """The same for a date that was set, and why it is changed."""


class Signing(Input):
    """One's name under exactly what was read."""

    digest = serializers.CharField(
        max_length=64,
        help_text="The checkup's digest as you read it: a signature is bound to what the record says.",
        error_messages={
            "required": "digest is missing. Read the checkup, then send its digest: you sign that record.",
        },
    )
    statement = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=REASON_MAX,
        help_text="What becomes of it: needed where something failed, also where it passed later.",
        error_messages={"max_length": TOO_LONG},
    )


class CheckingAgain(Input):
    """Which backups are tried again."""

    newest = serializers.BooleanField(
        required=False, default=False, help_text="The newest that stand there by now, not the same ones."
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=REASON_MAX)


class Testing(WithReason):
    """A backup to be tested."""

    region = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40, help_text="Left out: the resource's home region."
    )
