"""A person's inbox and preferences over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.api.serializers import ResourceName
from portal.api.filters import choice
from portal.api.inputs import Input, Nothing
from portal.api.views import Recorded, RecordedViewSet
from restores.actions.inbox import choose, mark_read
from restores.models import Notice, Preferences, RestoreRequest, preferences_of


class RequestName(serializers.ModelSerializer[RestoreRequest]):
    """A request by id and number."""

    number = serializers.CharField()
    resource = ResourceName()

    class Meta:
        model = RestoreRequest
        fields = ["id", "number", "resource"]


class NoticeOut(serializers.ModelSerializer[Notice]):
    """One thing that you were told."""

    request = RequestName()

    class Meta:
        model = Notice
        fields = ["id", "created_at", "request", "why", "internal", "headline", "text", "read_at"]


class NoticeFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the inbox."""

    unread = choice("read_at", ["true", "false"], method="is_unread", help_text="Whether it was not read yet.")

    class Meta:
        model = Notice
        fields: list[str] = []

    def is_unread(self, notices: QuerySet[Notice], name: str, value: str) -> QuerySet[Notice]:
        """Those not read yet, or the others."""
        return notices.filter(read_at__isnull=value == "true")


class ReadCount(serializers.Serializer[Any]):
    """How many became read."""

    read = serializers.IntegerField()


class PreferencesOut(serializers.ModelSerializer[Preferences]):
    """What comes by mail. The inbox has everything."""

    class Meta:
        model = Preferences
        fields = ["mail_turn", "mail_followed", "digest"]


class Choice(Input):
    """What is to come by mail: all three are set."""

    mail_turn = serializers.BooleanField(help_text="When it is your turn, or it is about your company’s data or money.")
    mail_followed = serializers.BooleanField(help_text="About requests that you follow.")
    digest = serializers.BooleanField(help_text="A digest every morning.")


@extend_schema_view(list=extend_schema(summary="Your inbox"), retrieve=extend_schema(summary="One notice"))
class NoticeViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Notice]):
    """What you were told of requests."""

    queryset = Notice.objects.none()
    serializer_class = NoticeOut
    filterset_class = NoticeFilters

    def get_queryset(self) -> QuerySet[Notice]:
        """The person's own."""
        return Notice.objects.visible_to(self.person).select_related("request__resource")

    @extend_schema(request=Nothing, responses=NoticeOut, summary="Mark it as read")
    @action(methods=["post"], detail=True)
    def read(self, request: Request, pk: int) -> Response:
        """It is read; again changes nothing."""
        notice = self.get_object()
        Nothing(data=request.data).is_valid(raise_exception=True)
        mark_read(by=self.person, notice=notice)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        request=Nothing, responses=ReadCount, operation_id="notices_read_all", summary="Mark all as read", filters=False
    )
    @action(methods=["post"], detail=False, url_path="read")
    def read_all(self, request: Request) -> Response:
        """All are read."""
        Nothing(data=request.data).is_valid(raise_exception=True)
        return Response({"read": mark_read(by=self.person)})


class PreferencesView(Recorded):
    """What comes to you by mail."""

    @extend_schema(responses=PreferencesOut, tags=["preferences"], summary="What comes to you by mail")
    def get(self, request: Request) -> Response:
        """As it is chosen, or as it is until you choose."""
        return Response(PreferencesOut(preferences_of(self.person)).data)

    @extend_schema(request=Choice, responses=PreferencesOut, tags=["preferences"], summary="Choose what comes by mail")
    def post(self, request: Request) -> Response:
        """Set all three."""
        body = Choice(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(PreferencesOut(choose(by=self.person, **body.validated_data)).data)
