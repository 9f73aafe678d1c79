"""What people send about restores. Whether it is allowed is decided by the actions, in their words."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backups.models import Backup
from portal.api.inputs import Input, WithReason, one_of
from portal.errors import InvalidInput
from portal.permissions import Person
from restores.actions.filing import REASON_MISSING
from restores.api.choices import CAUSES, MODES
from restores.details import DETAIL_LIMITS


def detail(name: str, help_text: str) -> serializers.CharField:
    """A part of the structured reason; it may be left out."""
    return serializers.CharField(
        required=False, allow_blank=True, default="", max_length=DETAIL_LIMITS[name], help_text=help_text
    )


class PartKeys(serializers.ListField):
    """The keys of what alone is wanted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(trim_whitespace=False, allow_blank=True, max_length=20_000),
            required=False,
            allow_null=True,
            error_messages={"not_a_list": "Send a list of keys, as /api/backups/…/contents/ gives them."},
            help_text="Keys of what alone is wanted, from /api/backups/{id}/contents/; beside only. Without it: everything.",
            **options,
        )


class Filing(WithReason):
    """A request to file."""

    reason_missing = REASON_MISSING

    backup = serializers.IntegerField(help_text="The backup's id: any good backup of the resource.")
    mode = one_of(MODES, help_text="Where to: in place of the live one, beside it, or as a download.")
    cause = one_of(CAUSES, help_text="What made it necessary; it decides whether the restore may be charged.")
    since_when = detail("since_when", "Since when it is so, as far as it is known.")
    wanted = detail("wanted", "What should be restored: all of it, or a part.")
    must_not_lose = detail("must_not_lose", "What was saved since then and must not be lost.")
    accepts = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=40,
        help_text='The price you accept, such as "45.00 EUR": the total of /api/estimate/. Without it the client is asked.',
    )
    part = PartKeys()


class Acceptance(Input):
    """A yes to one exact price."""

    plan_digest = serializers.CharField(
        max_length=64,
        help_text="The request's plan_digest as you read it: consent is bound to that plan and its estimate.",
        error_messages={
            "required": "plan_digest is missing. Read the request, then send its plan_digest: you accept that price.",
        },
    )


class Correction(WithReason):
    """The true cause."""

    cause = one_of(CAUSES, help_text="What really made it necessary.")


class Decision(Input):
    """An approval of one exact plan."""

    plan_digest = serializers.CharField(
        max_length=64,
        help_text="The request's plan_digest as you read it: an approval is bound to that plan.",
        error_messages={
            "required": "plan_digest is missing. Read the request, then send its plan_digest: you approve that plan.",
        },
    )
    typed_name = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=63,
        help_text="The resource's name, when production data is replaced (the request says needs_typed_name).",
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)
    start_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="When it is to start; without it at once."
    )


class Start(Input):
    """When an approved restore starts."""

    start_at = serializers.DateTimeField(allow_null=True, help_text="Null: at once.")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)


class Extension(WithReason):
    """Until when something is kept."""

    until = serializers.DateField(help_text="The last day, in the company's time zone.")


def backup_seen_by(user: Person, pk: int) -> Backup:
    """The backup, if the person sees it. Raises :class:`InvalidInput`, the same for a stranger's and for none."""
    found = Backup.objects.visible_to(user).select_related("resource__application__client").filter(pk=pk).first()
    if found is None:
        raise InvalidInput(f"There is no backup {pk} that you can see. Choose one from /api/backups/.", field="backup")
    return found
