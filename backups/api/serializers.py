"""What the API says about resources and backups."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backups.api.holds import HoldOut
from backups.keeping import Keeping
from backups.models import Backup, Copy, CopyState, Resource
from backups.proof import PROOF_LABELS, Proof
from portal.api.clients import ClientOut
from portal.api.outputs import NameField
from portal.models import Application
from portal.permissions import has_permission
from portal.roles import Permission

PROOF = serializers.ChoiceField(choices=list(PROOF_LABELS.values()), allow_null=True)


class Technical:
    """Fields that only people with VIEW_TECHNICAL for the client are given; the others get null."""

    context: dict[str, Any]

    def shows_technical(self, resource: Resource) -> bool:
        """Whether the asker is given them."""
        return has_permission(self.context["request"].user, Permission.VIEW_TECHNICAL, resource.application.client_id)


class ApplicationName(serializers.ModelSerializer[Application]):
    """An application by id and name."""

    class Meta:
        model = Application
        fields = ["id", "name"]


class ResourceName(serializers.ModelSerializer[Resource]):
    """A resource by id and name."""

    class Meta:
        model = Resource
        fields = ["id", "name"]


class ResourceOut(Technical, serializers.ModelSerializer[Resource]):
    """A resource. Locator and settings are null for people outside IT; secrets are references in any case."""

    application = ApplicationName()
    client = ClientOut(source="application.client")
    removed_by = NameField(allow_null=True)
    slots = serializers.SerializerMethodField(help_text="Which slots of the policy are filled, in one sentence.")
    locator = serializers.SerializerMethodField()
    settings = serializers.SerializerMethodField()

    class Meta:
        model = Resource
        fields = [
            "id",
            "name",
            "client",
            "application",
            "kind",
            "environment",
            "home_region",
            "other_region",
            "state",
            "created_at",
            "last_good_at",
            "next_backup_at",
            "slots",
            "removed_at",
            "removed_by",
            "removal_reason",
            "kept_until",
            "locator",
            "settings",
        ]

    def get_slots(self, resource: Resource) -> str:
        """ "6 of 7 daily, 6 of 6 monthly, copy in eu-west-1 of 1 Nov."."""
        return str(self.context["pictures"][resource.pk].sentence)

    def get_locator(self, resource: Resource) -> str | None:
        """Where it is."""
        return resource.locator if self.shows_technical(resource) else None

    def get_settings(self, resource: Resource) -> dict[str, str] | None:
        """The driver's settings by name."""
        return resource.settings if self.shows_technical(resource) else None


class CopyOut(serializers.ModelSerializer[Copy]):
    """A copy in one region, and how far it was proven."""

    proof = serializers.SerializerMethodField()

    class Meta:
        model = Copy
        fields = [
            "region", "state", "stored_bytes", "proof", "proven_at", "checksum_at", "damaged_at", "damage", "deleted_at",
        ]  # fmt: skip

    @extend_schema_field(PROOF)
    def get_proof(self, copy: Copy) -> str:
        """The level in words."""
        return copy.proof_level.label


class BackupOut(Technical, serializers.ModelSerializer[Backup]):
    """A backup with its copies. Sizes are bytes."""

    resource = ResourceName()
    good = serializers.SerializerMethodField(
        help_text="Whether it can be restored: finished, not found damaged, and a copy of it is present."
    )
    requested_by = NameField(allow_null=True)
    proof = serializers.SerializerMethodField(help_text="The best proof among the copies that are present.")
    copies = CopyOut(many=True)
    kept = serializers.SerializerMethodField(
        help_text="Whether the policy keeps it; null for one that failed, or is not finished."
    )
    reasons = serializers.SerializerMethodField(help_text="Why it is kept, or why it goes or went.")
    until = serializers.SerializerMethodField(
        help_text="The last day that it is expected to see, if one can be named and nobody decides otherwise."
    )
    holds = HoldOut(many=True, source="standing_holds", help_text="Those that stand.")
    summary = serializers.DictField(child=serializers.IntegerField(), help_text="What is in it: {noun: count}.")
    warnings = serializers.ListField(child=serializers.CharField())
    error_detail = serializers.SerializerMethodField(help_text="The technical part, for IT.")

    class Meta:
        model = Backup
        fields = [
            "id",
            "resource",
            "status",
            "good",
            "origin",
            "requested_by",
            "reason",
            "queued_at",
            "taken_at",
            "finished_at",
            "bytes_done",
            "bytes_expected",
            "source_bytes",
            "stored_bytes",
            "checksum",
            "proof",
            "copies",
            "kept",
            "reasons",
            "until",
            "holds",
            "deleted_at",
            "summary",
            "warnings",
            "damaged_at",
            "damage",
            "error",
            "error_detail",
            "worth_retrying",
        ]

    def get_kept(self, backup: Backup) -> bool | None:
        """By the policy, its holds and what uses it."""
        keeping = self._keeping(backup)
        return keeping.keep if keeping else None

    def get_reasons(self, backup: Backup) -> list[str]:
        """In the words of its page."""
        keeping = self._keeping(backup)
        return list(keeping.reasons) if keeping else []

    def get_until(self, backup: Backup) -> date | None:
        """A day of the company's."""
        keeping = self._keeping(backup)
        return keeping.until if keeping else None

    def _keeping(self, backup: Backup) -> Keeping | None:
        found: Keeping | None = self.context["keepings"].get(backup.pk)
        return found

    def get_good(self, backup: Backup) -> bool:
        """As its page says it: one whose copies were deleted is good no more."""
        return backup.is_good and bool(_present(backup))

    @extend_schema_field(PROOF)
    def get_proof(self, backup: Backup) -> str | None:
        """The level in words."""
        present = [copy.proof for copy in _present(backup)]
        return Proof(max(present)).label if present else None

    def get_error_detail(self, backup: Backup) -> str | None:
        """What a tool or a server said."""
        return backup.error_detail if self.shows_technical(backup.resource) else None


def _present(backup: Backup) -> list[Copy]:
    return [copy for copy in backup.copies.all() if copy.state == CopyState.PRESENT]
