"""What is sent and answered when a resource is removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from backups.actions.removing import RemovalPlan
from backups.judging import StoredBackup
from backups.models import Resource
from backups.removal import removal_in_words
from portal.api.inputs import WithReason


class Removal(WithReason):
    """A yes to the list that was read."""

    digest = serializers.CharField(max_length=64, help_text="The plan's, from removal/.")
    typed_name = serializers.CharField(allow_blank=True, max_length=63, help_text="The resource's name.")


class Going(serializers.Serializer[Any]):
    """A backup that is deleted."""

    backup = serializers.IntegerField()
    taken_at = serializers.DateTimeField()
    stored_bytes = serializers.IntegerField()


class Staying(Going):
    """A backup that is kept."""

    reasons = serializers.ListField(child=serializers.CharField())
    until = serializers.DateField(allow_null=True, help_text="Its last day; null where none can be named.")


class RemovalOut(serializers.Serializer[Any]):
    """What removing the resource now would do. Confirm it by sending ``digest`` back."""

    digest = serializers.CharField()
    going = Going(many=True, help_text="Backups of which nothing is left.")
    staying = Staying(many=True)
    copies = serializers.IntegerField(help_text="How many copies are deleted at once, in both regions.")
    bytes = serializers.IntegerField(help_text="What those are stored in.")
    final_backup = serializers.BooleanField(help_text="Whether a final backup is taken first.")
    final_sentence = serializers.CharField(help_text="Why it is taken, and what happens if it cannot be; or empty.")
    in_case = Going(many=True, help_text="What is kept only if the final backup cannot be taken, and else goes.")
    kept_until = serializers.DateField(allow_null=True, help_text="When the kept backup of a production resource goes.")


def removal_out(resource: Resource, plan: RemovalPlan, now: datetime) -> Any:
    """The answer."""
    words = removal_in_words(resource, plan, now)
    values = {
        "digest": plan.digest,
        "going": [_going(backup) for backup in words.going],
        "staying": [
            {**_going(backup), "reasons": verdict.reasons, "until": verdict.until} for backup, verdict in words.staying
        ],
        "copies": words.copies,
        "bytes": words.bytes,
        "final_backup": plan.final_backup,
        "final_sentence": words.final_sentence,
        "in_case": [_going(backup) for backup in words.in_case],
        "kept_until": plan.kept_until,
    }
    return RemovalOut(values).data


def _going(backup: StoredBackup) -> dict[str, Any]:
    return {"backup": backup.id, "taken_at": backup.taken_at, "stored_bytes": backup.stored_bytes}
