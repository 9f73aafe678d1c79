"""Holds over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.actions.holding import REASON_MISSING, release_hold
from backups.models import Hold
from portal.api.filters import IdFilter
from portal.api.inputs import WithReason
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet


class HoldOut(serializers.ModelSerializer[Hold]):
    """A hold. It stands until its last day is over, or until it was released."""

    placed_by = NameField()
    released_by = NameField(allow_null=True)

    class Meta:
        model = Hold
        fields = [
            "id", "backup", "until", "reason", "placed_at", "placed_by", "released_at", "released_by", "release_reason",
        ]  # fmt: skip


class Holding(WithReason):
    """A backup to be held."""

    reason_missing = REASON_MISSING

    until = serializers.DateField(
        help_text="The last day on which it must be there, in the company's time zone; ten years at most.",
        error_messages={
            "required": "Name the last day on which the backup must be there.",
            "null": "Name the last day on which the backup must be there.",
            "invalid": "Enter a day, such as 2026-12-01.",
        },
    )


class HoldFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of holds."""

    backup = IdFilter("backup", help_text="A backup's id.")
    resource = IdFilter("backup__resource", help_text="A resource's id.")

    class Meta:
        model = Hold
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Holds that you see"), retrieve=extend_schema(summary="One hold"))
class HoldViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Hold]):
    """Holds on backups of resources that the person sees."""

    queryset = Hold.objects.none()
    serializer_class = HoldOut
    filterset_class = HoldFilters

    def get_queryset(self) -> QuerySet[Hold]:
        """Those that the person sees."""
        seen = Hold.objects.visible_to(self.request.user)
        return seen.select_related("backup__resource__application__client", "placed_by", "released_by")

    @extend_schema(request=WithReason, responses=HoldOut, summary="Release a hold (IT)")
    @action(methods=["post"], detail=True)
    def release(self, request: Request, pk: int) -> Response:
        """End it early: from now on the policy alone decides about the backup."""
        found = self.get_object()
        body = WithReason(data=request.data)
        body.is_valid(raise_exception=True)
        reason: dict[str, Any] = body.validated_data
        return Response(HoldOut(release_hold(by=self.person, hold=found, **reason)).data)
