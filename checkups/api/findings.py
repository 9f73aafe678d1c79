"""What checkups found, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from checkups.actions.recording import with_checks
from checkups.actions.running import check_again
from checkups.api.choices import CHECK_RESULTS, FINDING_RESULTS, LEVELS, TRIAL_STATUSES, WHATS
from checkups.api.filters import CheckupFindingFilters
from checkups.api.inputs import CheckingAgain
from checkups.api.tasks import TaskOut
from checkups.models import Check, Checkup, CheckupFinding, Trial
from checkups.permissions import check_can_check_again, sees_every_checkup
from checkups.plainly import check_in_words, finding_in_words, trial_in_words
from portal.api.views import RecordedViewSet
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal

LEVEL = serializers.ChoiceField(choices=LEVELS, allow_null=True)


class TryOut(serializers.ModelSerializer[Trial]):
    """One try. Spans are milliseconds."""

    result = serializers.ChoiceField(source="status", choices=TRIAL_STATUSES)
    sentence = serializers.SerializerMethodField(
        help_text="What came of it; for people of clients without technical words."
    )
    advice = serializers.SerializerMethodField(help_text="What to do next; null for people of clients.")

    class Meta:
        model = Trial
        fields = ["result", "started_at", "finished_at", "sentence", "fault", "advice", "recovery_ms"]

    def get_sentence(self, trial: Trial) -> str:
        """As far as the reader is told."""
        return trial.sentence if self.context["inside"] else trial_in_words(trial)

    def get_advice(self, trial: Trial) -> str | None:
        """It is IT's."""
        return trial.advice if self.context["sees_tasks"] else None


class CheckOut(serializers.ModelSerializer[Check]):
    """One backup in one region, with all its tries."""

    what = serializers.ChoiceField(choices=WHATS)
    declared = serializers.SerializerMethodField(help_text="The level to which it was to be proven.")
    reached = serializers.SerializerMethodField(help_text="The level that was reached; null for none.")
    result = serializers.ChoiceField(source="status", choices=CHECK_RESULTS)
    sentence = serializers.SerializerMethodField(
        help_text="What was found; for people of clients without technical words."
    )
    tries = TryOut(source="trials", many=True)

    class Meta:
        model = Check
        fields = [
            "what", "region", "backup", "taken_at", "checksum", "stored_bytes", "declared", "reached", "result", "sentence",
            "tries",
        ]  # fmt: skip

    def get_sentence(self, check: Check) -> str:
        """As far as the reader is told."""
        return check.sentence if self.context["inside"] else check_in_words(check)

    @extend_schema_field(LEVEL)
    def get_declared(self, check: Check) -> str:
        """In words."""
        return check.declared_level.label

    @extend_schema_field(LEVEL)
    def get_reached(self, check: Check) -> str | None:
        """In words."""
        return check.reached_level.label if check.reached_level is not None else None


class CheckupFindingOut(serializers.ModelSerializer[CheckupFinding]):
    """What a checkup found about one resource. Names are those of then."""

    client = serializers.IntegerField(source="client_ref", help_text="The client's id.")
    client_name = serializers.CharField(source="client")
    restored = serializers.BooleanField(source="sampled", help_text="Whether its backups are restored, or only read.")
    result = serializers.ChoiceField(source="status", choices=FINDING_RESULTS)
    sentence = serializers.SerializerMethodField(
        help_text="What failed; for people of clients without technical words."
    )
    checks = CheckOut(many=True)
    task = serializers.SerializerMethodField(help_text="Null where nothing failed, and for people of clients.")
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    class Meta:
        model = CheckupFinding
        fields = [
            "id", "checkup", "resource", "name", "client", "client_name", "application", "kind", "environment", "removed",
            "restored", "why_not_restored", "result", "sentence", "failed_at", "checks", "task", "can",
        ]  # fmt: skip

    def get_sentence(self, finding: CheckupFinding) -> str:
        """As far as the reader is told."""
        return finding.sentence if self.context["inside"] else finding_in_words(finding)

    @extend_schema_field(TaskOut(allow_null=True))
    def get_task(self, finding: CheckupFinding) -> Any:
        """The task that it opened."""
        task = getattr(finding, "task", None) if self.context["sees_tasks"] else None
        return TaskOut(task, context=self.context).data if task else None

    def get_can(self, finding: CheckupFinding) -> dict[str, str | None]:
        """The refusing sentences, the same that the move itself would answer with."""
        return {"check-again": refusal(check_can_check_again, self.context["request"].user, finding) or None}


class _Findings(RecordedViewSet[CheckupFinding]):
    """What the two views of findings share."""

    queryset = CheckupFinding.objects.none()
    serializer_class = CheckupFindingOut

    def get_queryset(self) -> QuerySet[CheckupFinding]:
        """Those that the person sees, with all that belongs to them."""
        seen = with_checks(CheckupFinding.objects.visible_to(self.request.user))
        return seen.select_related("checkup", "task__owner", "task__done_by")

    def get_serializer_context(self) -> dict[str, Any]:
        """With whether the reader is given what is IT's."""
        sees_tasks = has_permission(self.request.user, Permission.VIEW_COMPLIANCE, None)
        inside = sees_every_checkup(self.request.user)
        return {**super().get_serializer_context(), "sees_tasks": sees_tasks, "inside": inside}


@extend_schema_view(list=extend_schema(summary="What a checkup found, as far as you see it"))
class FindingsOfCheckup(mixins.ListModelMixin, _Findings):
    """What one checkup found."""

    filterset_class = CheckupFindingFilters

    def get_queryset(self) -> QuerySet[CheckupFinding]:
        """Those of the checkup, if the person sees that."""
        pk: int = self.kwargs.get("pk", 0)
        get_object_or_404(Checkup.objects.visible_to(self.request.user), pk=pk)
        return super().get_queryset().filter(checkup=pk)


@extend_schema_view(retrieve=extend_schema(summary="One thing that a checkup found"))
class CheckupFindingViews(mixins.RetrieveModelMixin, _Findings):
    """What was found about one resource."""

    @extend_schema(request=CheckingAgain, responses=CheckupFindingOut, summary="Have what failed checked again (IT)")
    @action(methods=["post"], detail=True, url_path="check-again")
    def check_again(self, request: Request, pk: int) -> Response:
        """The same backups, or the newest; what was found before stays in the record."""
        found = self.get_object()
        body = CheckingAgain(data=request.data)
        body.is_valid(raise_exception=True)
        check_again(by=self.person, finding=found, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)
