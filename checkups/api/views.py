"""Checkups: seen through what the person may see, moved by the same actions as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from checkups.actions import dates, running
from checkups.actions.signing import sign
from checkups.api.filters import CheckupFilters
from checkups.api.inputs import Changing, Setting, Signing
from checkups.api.serializers import CheckupOut, CheckupWhole
from checkups.exports import json_answer
from checkups.models import Checkup
from portal.api.inputs import Input, Nothing, WithReason
from portal.api.views import RecordedViewSet


@extend_schema_view(
    list=extend_schema(summary="Checkups that you see", responses=CheckupOut(many=True)),
    retrieve=extend_schema(summary="One checkup, whole"),
)
class CheckupViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Checkup]):
    """Checkups."""

    queryset = Checkup.objects.none()
    filterset_class = CheckupFilters

    def get_serializer_class(self) -> type[CheckupOut]:
        """Lists are shorter."""
        return CheckupOut if self.action == "list" else CheckupWhole

    def get_queryset(self) -> QuerySet[Checkup]:
        """Those that the person sees: clients only signed ones."""
        return Checkup.objects.visible_to(self.request.user).select_related("set_by")

    @extend_schema(request=Setting, responses={201: CheckupWhole}, summary="Set a date (IT)")
    def create(self, request: Request) -> Response:
        """Set one of the company's dates. The checkup starts by itself on that day."""
        made = dates.set_date(by=self.person, **self._read(request, Setting))
        self.kwargs["pk"] = made.pk
        return self._told(201)

    @extend_schema(request=Changing, responses=CheckupWhole, summary="Change a date that has not begun (IT)")
    @action(methods=["post"], detail=True)
    def change(self, request: Request, pk: int) -> Response:
        """Another day, or another share."""
        return self._move(request, dates.change_date, Changing)

    @extend_schema(request=WithReason, responses=CheckupWhole, summary="Take a date back (IT)")
    @action(methods=["post"], detail=True)
    def withdraw(self, request: Request, pk: int) -> Response:
        """Before it begins. The year lacks a date then."""
        return self._move(request, dates.withdraw, WithReason)

    @extend_schema(request=WithReason, responses=CheckupWhole, summary="Pause it (IT)")
    @action(methods=["post"], detail=True)
    def pause(self, request: Request, pk: int) -> Response:
        """Begin nothing more; what is being tried is carried to its end."""
        return self._move(request, running.pause, WithReason)

    @extend_schema(request=Nothing, responses=CheckupWhole, summary="Resume it (IT)")
    @action(methods=["post"], detail=True)
    def resume(self, request: Request, pk: int) -> Response:
        """Go on where it was paused."""
        return self._move(request, running.resume, Nothing)

    @extend_schema(request=Nothing, responses=CheckupWhole, summary="Have what could not be tried tried again (IT)")
    @action(methods=["post"], detail=True, url_path="check-again")
    def check_again(self, request: Request, pk: int) -> Response:
        """Of 200 resources at most, what failed because a server was away or had no room. Ask again for the rest."""
        return self._move(request, running.check_untried_again, Nothing)

    @extend_schema(request=WithReason, responses=CheckupWhole, summary="Cancel it (IT)")
    @action(methods=["post"], detail=True)
    def cancel(self, request: Request, pk: int) -> Response:
        """Give it up. The year needs another date."""
        return self._move(request, running.cancel, WithReason)

    @extend_schema(request=Signing, responses=CheckupWhole, summary="Sign it (two people of IT)")
    @action(methods=["post"], detail=True)
    def sign(self, request: Request, pk: int) -> Response:
        """Put your name to exactly the record that you read. The second signature seals it for good."""
        return self._move(request, sign, Signing)

    @extend_schema(
        responses={(200, "application/json"): OpenApiTypes.OBJECT}, summary="Its record, as far as you see it"
    )
    @action(detail=True)
    def record(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Canonical JSON: of a signed one the bytes whose SHA-256 the checkup names; for clients their own part."""
        return json_answer(self.person, self.get_object())

    def _move(self, request: Request, move: Callable[..., Any], form: type[Input]) -> Response:
        found = self.get_object()
        move(by=self.person, checkup=found, **self._read(request, form))
        return self._told(200)

    def _read(self, request: Request, form: type[Input]) -> dict[str, Any]:
        body = form(data=request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def _told(self, status: int) -> Response:
        return Response(self.get_serializer(self.get_object()).data, status=status)
