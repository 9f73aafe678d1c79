"""What people send about incidents. Whether it is allowed is decided by the actions, in their words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rest_framework import serializers

from backups.kinds import REGIONS
from portal.api.inputs import Input, WithReason, one_of
from restores.actions import incidents
from restores.api.choices import INCIDENT_MODE_CHOICES
from restores.models.incident import MOST_AT_ONCE

MOST_NAMED = 5000


def named_once(ids: list[int]) -> None:
    """Raises ValidationError when something is named twice: which of the two places is meant cannot be told."""
    twice = sorted(pk for pk, times in Counter(ids).items() if times > 1)
    if twice:
        raise serializers.ValidationError(f"{twice[0]} is named more than once. Name each id once.")


class Ids(serializers.ListField):
    """Ids of rows; none when it is left out."""

    def __init__(self, **options: Any) -> None:
        """As given, with what holds for all of them."""
        row = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
        super().__init__(
            **{
                "child": row,
                "required": False,
                "default": list,
                "max_length": MOST_NAMED,
                "validators": [named_once],
                **options,
            }
        )


class Declaring(Input):
    """A hazard with what it affects: a region, applications, resources, or any of them together."""

    hazard = serializers.CharField(
        allow_blank=True, max_length=10_000, help_text="What happened; the people of the clients concerned read it."
    )
    region = serializers.ChoiceField(
        choices=REGIONS,
        required=False,
        allow_blank=True,
        default="",
        help_text="A region that is the hazard itself: all at home in it is affected, backups are read elsewhere.",
    )
    applications = Ids(help_text="Ids of whole applications.")
    resources = Ids(help_text="Ids of single resources.")
    began_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Now, when left out.")
    concurrency = serializers.IntegerField(
        required=False, default=incidents.AT_ONCE, min_value=1, max_value=MOST_AT_ONCE, help_text="Restores at once."
    )
    propose = serializers.BooleanField(
        required=False, default=False, help_text="Ask a person of IT to look first: all that a service account may do."
    )


class Arrangement(Input):
    """The list as IT wants it. What is left out stays as it is."""

    concurrency = serializers.IntegerField(required=False, min_value=1, max_value=MOST_AT_ONCE)
    order = Ids(help_text="Ids of resources, the first to be restored first; the others follow.")
    modes = serializers.DictField(
        child=one_of(INCIDENT_MODE_CHOICES),
        required=False,
        help_text="Where each is restored to, by the resource’s id.",
    )


class Further(Input):
    """What is affected as well."""

    applications = Ids(help_text="Ids of whole applications.")
    resources = Ids(help_text="Ids of single resources.")


class Confirmation(Input):
    """A yes to one exact list."""

    digest = serializers.CharField(
        max_length=64,
        help_text="The incident's digest as you read it: the confirmation is bound to that list.",
        error_messages={
            "required": "digest is missing. Read the incident, then send its digest: you confirm that list."
        },
    )
    typed_number = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=40,
        help_text="The incident's number, when live data of production is replaced (it says needs_typed_number).",
    )


class GoingOn(Confirmation):
    """A yes to the next good backup of one resource."""

    resource = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Its id.")
    digest = serializers.CharField(
        max_length=64,
        help_text="The resource's next_backup.digest as you read it: the confirmation is bound to that plan.",
        error_messages={
            "required": "digest is missing. Read the incident, then send the digest of the resource's next_backup."
        },
    )


class TakingOut(WithReason):
    """One resource that is left out."""

    resource = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Its id.")
