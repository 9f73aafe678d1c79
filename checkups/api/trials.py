"""Tests of backups over the API: asked for by IT at any time, or made by a checkup."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backups.api.serializers import ResourceName
from backups.models import Backup
from backups.proof import Proof
from checkups.actions.testing import request_test
from checkups.api.choices import TRIAL_STATUSES
from checkups.api.findings import LEVEL
from checkups.api.inputs import Testing
from checkups.models import Trial
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet


class TrialStep(serializers.Serializer[Any]):
    """One step. ``finished_at`` is empty while it goes on."""

    name = serializers.CharField()
    started_at = serializers.CharField(help_text="ISO 8601.")
    finished_at = serializers.CharField(allow_blank=True)
    ok = serializers.BooleanField()
    sentence = serializers.CharField(allow_blank=True)


class TrialOut(serializers.ModelSerializer[Trial]):
    """A real restore into scratch, to prove a copy. Sizes are bytes, spans milliseconds."""

    resource = ResourceName()
    backup = serializers.SerializerMethodField(help_text="Its id; null as long as the copy was not looked for.")
    region = serializers.SerializerMethodField()
    asked_by = NameField(allow_null=True, help_text="Null: a checkup did.")
    status = serializers.ChoiceField(choices=TRIAL_STATUSES)
    wanted = serializers.SerializerMethodField(help_text="The level to which it is to be proven.")
    reached = serializers.SerializerMethodField(help_text="The level that was reached; null for none.")
    steps = TrialStep(many=True)

    class Meta:
        model = Trial
        fields = [
            "id", "resource", "backup", "region", "asked_by", "reason", "status", "wanted", "reached", "queued_at", "started_at",
            "finished_at", "bytes_done", "bytes_expected", "waits_for", "steps", "sentence", "fault", "advice", "detail",
            "recovery_ms", "tidied_at",
        ]  # fmt: skip

    def get_backup(self, trial: Trial) -> int | None:
        """Of which the copy is."""
        if trial.copy is not None:
            return trial.copy.backup_id
        return trial.check_row.backup_id if trial.check_row else None

    def get_region(self, trial: Trial) -> str | None:
        """Where the copy is."""
        if trial.copy is not None:
            return trial.copy.region
        return trial.check_row.region if trial.check_row else None

    @extend_schema_field(LEVEL)
    def get_wanted(self, trial: Trial) -> str:
        """In words."""
        return Proof(trial.wanted).label

    @extend_schema_field(LEVEL)
    def get_reached(self, trial: Trial) -> str | None:
        """In words."""
        return Proof(trial.reached).label if trial.reached is not None else None


@extend_schema_view(retrieve=extend_schema(summary="One test of a backup (IT, auditors)"))
class TrialViews(mixins.RetrieveModelMixin, RecordedViewSet[Trial]):
    """Tests of backups."""

    queryset = Trial.objects.none()
    serializer_class = TrialOut

    def get_queryset(self) -> QuerySet[Trial]:
        """Those that the person sees."""
        seen = Trial.objects.visible_to(self.request.user)
        return seen.select_related("resource", "copy", "check_row", "asked_by")


class TestViews(RecordedViewSet[Backup]):
    """Testing a backup at any time."""

    queryset = Backup.objects.none()

    def get_queryset(self) -> QuerySet[Backup]:
        """Those that the person sees."""
        return Backup.objects.visible_to(self.request.user).select_related("resource__application__client")

    @extend_schema(
        request=Testing, responses={202: TrialOut}, summary="Test a backup by restoring it into scratch (IT)"
    )
    def test(self, request: Request, pk: int) -> Response:
        """What a checkup does, for this backup now; its proof rises when it passes. Nothing live is touched."""
        found = self.get_object()
        body = Testing(data=request.data)
        body.is_valid(raise_exception=True)
        trial = request_test(by=self.person, backup=found, **body.validated_data)
        return Response(TrialOut(trial).data, status=202)
