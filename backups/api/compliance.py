"""Findings and retention runs over the API: for who sees the company's compliance."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.actions.retaining import DECISION_REASON_MISSING, decide_run
from backups.api.serializers import ResourceName
from backups.findings import Code, Rule
from backups.models import Finding, RetentionRun, RunStatus
from backups.permissions import check_can_decide_run
from backups.wording import run_sentence
from portal.api.filters import IdFilter, choice
from portal.api.inputs import WithReason
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal


class FindingOut(serializers.ModelSerializer[Finding]):
    """One thing that is not as the policy says. It is open until ``closed_at``."""

    rule = serializers.ChoiceField(choices=[rule.value for rule in Rule])
    code = serializers.ChoiceField(choices=[code.value for code in Code])
    name = serializers.CharField(source="get_code_display", help_text="The code in words.")
    resource = ResourceName(allow_null=True, help_text="Null: it is about a region, which subject names.")

    class Meta:
        model = Finding
        fields = [
            "id", "resource", "subject", "rule", "code", "name", "sentence", "advice", "since", "opened_at", "closed_at",
        ]  # fmt: skip


class FindingFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of findings."""

    resource = IdFilter("resource", help_text="A resource's id.")
    rule = choice("rule", [rule.value for rule in Rule])
    code = choice("code", [code.value for code in Code])
    open = choice("closed_at", ["true", "false"], method="is_open", help_text="Whether it still holds.")

    class Meta:
        model = Finding
        fields: list[str] = []

    def is_open(self, found: QuerySet[Finding], name: str, value: str) -> QuerySet[Finding]:
        """Those that hold, or those that do not any more."""
        return found.filter(closed_at__isnull=value == "true")


@extend_schema_view(
    list=extend_schema(summary="Findings (IT, auditors)"), retrieve=extend_schema(summary="One finding (IT, auditors)")
)
class FindingViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Finding]):
    """Where the policy does not hold, or did not."""

    queryset = Finding.objects.none()
    serializer_class = FindingOut
    filterset_class = FindingFilters

    def get_queryset(self) -> QuerySet[Finding]:
        """Those that the person sees."""
        return Finding.objects.visible_to(self.request.user).select_related("resource")


class RunOut(serializers.ModelSerializer[RetentionRun]):
    """A retention run. Without a resource it is the company's."""

    resource = ResourceName(allow_null=True, help_text="Whose removal it carries out.")
    sentence = serializers.SerializerMethodField()
    share_percent = serializers.FloatField(help_text="Of all copies, what was deleted in the 24 hours before included.")
    decided_by = NameField(allow_null=True)
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    class Meta:
        model = RetentionRun
        fields = [
            "id", "resource", "status", "sentence", "planned_at", "copies_before", "to_delete", "deleted_before",
            "share_percent", "limit_percent", "decided_at", "decided_by", "reason", "finished_at", "can",
        ]  # fmt: skip

    def get_sentence(self, run: RetentionRun) -> str:
        """What its page says."""
        return run_sentence(run)

    def get_can(self, run: RetentionRun) -> dict[str, str | None]:
        """The refusing sentence, the same that the move itself would answer with."""
        return {"decide": refusal(check_can_decide_run, self.context["request"].user, run) or None}


class RunDecision(WithReason):
    """What becomes of a run that was stopped."""

    reason_missing = DECISION_REASON_MISSING

    carry_on = serializers.BooleanField(help_text="true: it deletes what it planned; false: it is refused.")


class RunFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of runs."""

    resource = IdFilter("resource", help_text="A resource's id.")
    status = choice("status", RunStatus.values)

    class Meta:
        model = RetentionRun
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Retention runs (IT, auditors)"),
    retrieve=extend_schema(summary="One retention run (IT, auditors)"),
)
class RunViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[RetentionRun]):
    """What retention deleted, deletes, or waits to delete."""

    queryset = RetentionRun.objects.none()
    serializer_class = RunOut
    filterset_class = RunFilters

    def get_queryset(self) -> QuerySet[RetentionRun]:
        """All of them, for who sees the company's compliance."""
        if not has_permission(self.request.user, Permission.VIEW_COMPLIANCE, None):
            return RetentionRun.objects.none()
        return RetentionRun.objects.select_related("resource", "decided_by")

    @extend_schema(request=RunDecision, responses=RunOut, summary="Decide about a stopped run (IT)")
    @action(methods=["post"], detail=True)
    def decide(self, request: Request, pk: int) -> Response:
        """Let it delete what it planned, or refuse it."""
        found = self.get_object()
        body = RunDecision(data=request.data)
        body.is_valid(raise_exception=True)
        entered: dict[str, Any] = body.validated_data
        decide_run(by=self.person, run=found, **entered)
        return Response(self.get_serializer(self.get_object()).data)
