"""Resources and backups: seen through what the person may see, changed by the same actions as on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.actions.registering import register_resource
from backups.actions.taking import request_backup
from backups.api.filters import BackupFilters, ResourceFilters
from backups.api.inputs import Registration, named_application
from backups.api.serializers import BackupOut, ResourceOut
from backups.models import Backup, Copy, Resource
from backups.pictures import pictures_of
from backups.regions import next_region
from portal.api.inputs import WithReason
from portal.api.views import RecordedViewSet


class ResourceViews(RecordedViewSet[Resource]):
    """Resources."""

    queryset = Resource.objects.none()
    serializer_class = ResourceOut
    filterset_class = ResourceFilters

    def get_queryset(self) -> QuerySet[Resource]:
        """Those that the person sees."""
        return Resource.objects.visible_to(self.request.user).select_related("application__client")

    @extend_schema(summary="Resources that you see", responses=ResourceOut(many=True))
    def list(self, request: Request) -> Response:
        """The newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._told(page or []))

    @extend_schema(summary="One resource")
    def retrieve(self, request: Request, pk: int) -> Response:
        """With its slots of the policy."""
        return Response(self._told([self.get_object()])[0])

    @extend_schema(request=Registration, responses={201: ResourceOut}, summary="Register a resource (IT)")
    def create(self, request: Request) -> Response:
        """Register a resource: it is looked at where it is, and its first backup is queued."""
        body = Registration(data=request.data)
        body.is_valid(raise_exception=True)
        entered: dict[str, Any] = body.validated_data
        application = named_application(self.person, entered)
        other = entered.pop("other_region", None) or next_region(entered["home_region"])
        made = register_resource(by=self.person, application=application, other_region=other, **entered)
        return Response(self._told([made])[0], status=201)

    @extend_schema(request=WithReason, responses={202: BackupOut}, summary="Back up now (IT, staff)")
    @action(methods=["post"], detail=True, url_path="back-up")
    def back_up(self, request: Request, pk: int) -> Response:
        """Queue a backup now."""
        resource = self.get_object()
        body = WithReason(data=request.data)
        body.is_valid(raise_exception=True)
        backup = request_backup(by=self.person, resource=resource, reason=body.validated_data["reason"])
        return Response(BackupOut(backup, context=self.get_serializer_context()).data, status=202)

    def _told(self, resources: Sequence[Resource]) -> Any:
        context = {**self.get_serializer_context(), "pictures": pictures_of(resources, timezone.now())}
        return ResourceOut(resources, many=True, context=context).data


@extend_schema_view(list=extend_schema(summary="Backups that you see"), retrieve=extend_schema(summary="One backup"))
class BackupViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Backup]):
    """Backups."""

    queryset = Backup.objects.none()
    serializer_class = BackupOut
    filterset_class = BackupFilters

    def get_queryset(self) -> QuerySet[Backup]:
        """Those of resources that the person sees, with their copies."""
        seen = Backup.objects.visible_to(self.request.user)
        copies = Prefetch("copies", Copy.objects.order_by("pk"))
        return seen.select_related("resource__application", "requested_by").prefetch_related(copies)
