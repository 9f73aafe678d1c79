"""What discovery found without backups, over the API."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.actions.taking_in import take_in
from backups.api.serializers import ResourceOut
from backups.api.views import resources_told
from backups.models import Discovered
from portal.api.views import RecordedViewSet


class DiscoveredOut(serializers.ModelSerializer[Discovered]):
    """One thing that is at a provider and not registered here."""

    account = serializers.CharField(source="region.account.name")
    region = serializers.CharField(source="region.name")
    tags = serializers.DictField(child=serializers.CharField(), help_text="As they are there.")
    settings = serializers.DictField(child=serializers.CharField(), help_text="What it would be registered with.")

    class Meta:
        model = Discovered
        fields = [
            "id", "account", "region", "kind", "name", "sentence", "size_bytes", "tags", "settings", "why_not", "first_seen_at",
            "seen_at",
        ]  # fmt: skip


@extend_schema_view(
    list=extend_schema(summary="What has no backups (IT, auditors)"),
    retrieve=extend_schema(summary="One thing without backups (IT, auditors)"),
)
class DiscoveredViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Discovered]):
    """What was found in the AWS accounts and is not registered."""

    queryset = Discovered.objects.none()
    serializer_class = DiscoveredOut

    def get_queryset(self) -> QuerySet[Discovered]:
        """All of it, for who sees the company's compliance."""
        return Discovered.objects.visible_to(self.request.user).select_related("region__account")

    @extend_schema(request=None, responses={201: ResourceOut}, summary="Take it in as its tags say (IT)")
    @action(methods=["post"], detail=True, url_path="take-in")
    def take_in(self, request: Request, pk: int) -> Response:
        """Register it with the client, application and environment of its tags."""
        made = take_in(by=self.person, found=self.get_object())
        return Response(resources_told([made], self.get_serializer_context())[0], status=201)
