"""Resources and backups: seen through what the person may see, changed by the same actions as on the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.actions.browsing import look_into
from backups.actions.holding import place_hold
from backups.actions.registering import register_resource
from backups.actions.removing import bring_back, removal_plan, remove_resource
from backups.actions.taking import request_backup
from backups.api.contents import ListingOut, Look, listing_out
from backups.api.filters import BackupFilters, ResourceFilters
from backups.api.holds import Holding, HoldOut
from backups.api.inputs import Registration, named_application
from backups.api.removal import Removal, RemovalOut, removal_out
from backups.api.serializers import BackupOut, ResourceOut
from backups.keeping import keepings_of
from backups.models import Backup, Copy, Hold, Resource
from backups.permissions import check_can_remove
from backups.pictures import pictures_of
from backups.regions import next_region
from portal.api.inputs import WithReason
from portal.api.views import RecordedViewSet
from portal.words import company_zone


def resources_told(resources: Sequence[Resource], context: Mapping[str, Any]) -> Any:
    """The resources as the API shows them, with one query for all their slots."""
    pictures = pictures_of(resources, timezone.now())
    return ResourceOut(resources, many=True, context={**context, "pictures": pictures}).data


class ResourceViews(RecordedViewSet[Resource]):
    """Resources."""

    queryset = Resource.objects.none()
    serializer_class = ResourceOut
    filterset_class = ResourceFilters

    def get_queryset(self) -> QuerySet[Resource]:
        """Those that the person sees."""
        return Resource.objects.visible_to(self.request.user).select_related("application__client", "removed_by")

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
        return Response(backups_told([backup], self.get_serializer_context())[0], status=202)

    @extend_schema(responses=RemovalOut, summary="What a removal would do (IT)")
    @action(detail=True)
    def removal(self, request: Request, pk: int) -> Response:
        """Exactly what would go and what would stay if the resource were removed now; refused when it cannot be."""
        found, now = self.get_object(), timezone.now()
        check_can_remove(request.user, found)
        return Response(removal_out(found, removal_plan(found, now), now))

    @extend_schema(request=Removal, responses=ResourceOut, summary="Remove a resource (IT)")
    @action(methods=["post"], detail=True)
    def remove(self, request: Request, pk: int) -> Response:
        """Remove it over exactly the list that you read: its state is then “removed”, or “removing” at first."""
        found = self.get_object()
        body = Removal(data=request.data)
        body.is_valid(raise_exception=True)
        remove_resource(by=self.person, resource=found, **body.validated_data)
        return Response(self._told([self.get_object()])[0])

    @extend_schema(request=WithReason, responses=ResourceOut, summary="Bring a removed resource back (IT)")
    @action(methods=["post"], detail=True, url_path="bring-back")
    def bring_back(self, request: Request, pk: int) -> Response:
        """Make it active again, as long as a good backup of it is left."""
        found = self.get_object()
        body = WithReason(data=request.data)
        body.is_valid(raise_exception=True)
        bring_back(by=self.person, resource=found, reason=body.validated_data["reason"])
        return Response(self._told([self.get_object()])[0])

    def _told(self, resources: Sequence[Resource]) -> Any:
        return resources_told(resources, self.get_serializer_context())


class BackupViews(RecordedViewSet[Backup]):
    """Backups."""

    queryset = Backup.objects.none()
    serializer_class = BackupOut
    filterset_class = BackupFilters

    def get_queryset(self) -> QuerySet[Backup]:
        """Those of resources that the person sees, with their copies."""
        seen = Backup.objects.visible_to(self.request.user)
        return seen.select_related("resource__application__client", "requested_by")

    @extend_schema(summary="Backups that you see", responses=BackupOut(many=True))
    def list(self, request: Request) -> Response:
        """The newest first, each with why it is kept and until when."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(backups_told(page or [], self.get_serializer_context()))

    @extend_schema(summary="One backup")
    def retrieve(self, request: Request, pk: int) -> Response:
        """With why it is kept and until when."""
        return Response(backups_told([self.get_object()], self.get_serializer_context())[0])

    @extend_schema(parameters=[Look], responses=ListingOut, summary="Look into a backup (who may file, IT)")
    @action(detail=True)
    def contents(self, request: Request, pk: int) -> Response:
        """Its files or tables, a page at a time. While the list of a very large backup is being made the answer is 409."""
        found = self.get_object()
        query = Look(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return Response(listing_out(look_into(by=request.user, backup=found, **query.validated_data)))

    @extend_schema(request=Holding, responses={201: HoldOut}, summary="Hold a backup (IT)")
    @action(methods=["post"], detail=True)
    def hold(self, request: Request, pk: int) -> Response:
        """Keep it until a day, whatever the policy says."""
        found = self.get_object()
        body = Holding(data=request.data)
        body.is_valid(raise_exception=True)
        made = place_hold(by=self.person, backup=found, **body.validated_data)
        return Response(HoldOut(made).data, status=201)


def backups_told(backups: Sequence[Backup], context: Mapping[str, Any]) -> Any:
    """What the API says about them, in a constant number of queries."""
    now = timezone.now()
    standing = Hold.objects.standing(now.astimezone(company_zone()).date()).select_related("placed_by", "released_by")
    prefetch_related_objects(
        list(backups),
        Prefetch("copies", Copy.objects.order_by("pk")),
        Prefetch("holds", standing, to_attr="standing_holds"),
    )
    return BackupOut(backups, many=True, context={**context, "keepings": keepings_of(backups, now)}).data
