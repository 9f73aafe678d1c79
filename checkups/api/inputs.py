"""What people send about checkups. Whether it is allowed is decided by the actions, in their words."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from checkups.actions import following, howtoask
from checkups.models import Asking
from checkups.models.applicationcheck import MOST_SECONDS
from portal.api.inputs import Input, WithReason, one_of
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
    """The same for a date that was set, and why it is changed. What is left out stays as it is."""

    share = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Left out: as it was set, and so is sample_reason."
    )


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


class HandingOn(WithReason):
    """Whose a task is from now on, and until when."""

    reason_missing = following.REASON_MISSING

    owner = serializers.CharField(
        max_length=150,
        help_text="The username of a person of IT; the present owner's to put it off.",
        error_messages={"required": "Name the person of IT who sees to it."},
    )
    due_on = serializers.DateField(
        help_text="The last day on which it is in time, in the company's time zone.",
        error_messages={
            "required": "Name the day until which it is to be done.",
            "null": "Name the day until which it is to be done.",
            "invalid": "Enter a day, such as 2026-12-01.",
        },
    )


class Closing(Input):
    """How a task ended."""

    outcome = serializers.CharField(
        allow_blank=True,
        max_length=REASON_MAX,
        help_text="How it ended; it is kept with the finding.",
        error_messages={"required": following.OUTCOME_MISSING, "max_length": TOO_LONG},
    )


class SayingHow(WithReason):
    """How a restored copy is asked from now on."""

    reason_missing = howtoask.REASON_MISSING

    way = one_of(Asking.choices, help_text="By an SQL query, over a web address, or by a program.")
    text = serializers.CharField(
        allow_blank=True,
        trim_whitespace=False,
        help_text="The query, the address or the program's name. Write no passwords: IT and auditors read it.",
    )
    seconds = serializers.IntegerField(
        required=False, default=30, help_text=f"It has to answer within so many seconds, from 1 to {MOST_SECONDS:,}."
    )
    try_now = serializers.BooleanField(
        required=False, default=False, help_text="Whether the newest good backup is tested with it at once."
    )
