"""Incidents over the API: seen through what the person may see, moved by the same actions as on the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.filters import choice
from portal.api.inputs import Input, Nothing, WithReason
from portal.api.views import RecordedViewSet
from portal.errors import InvalidInput
from portal.models import User
from restores.actions import incidents
from restores.actions.incident_next import restore_next
from restores.api.incident_inputs import Arrangement, Confirmation, Declaring, Further, GoingOn, TakingOut
from restores.api.incident_serializers import IncidentOut, IncidentWhole
from restores.incident_board import with_counts
from restores.incident_permissions import check_can_change_list, check_can_declare, check_can_propose
from restores.incident_workflow import IncidentStatus
from restores.models import Incident


class IncidentFilters(filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list."""

    status = choice("status", IncidentStatus)

    class Meta:
        model = Incident
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Incidents that you see", responses=IncidentOut(many=True)),
    retrieve=extend_schema(summary="One incident, whole"),
)
class IncidentViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Incident]):
    """Incidents."""

    queryset = Incident.objects.none()
    filterset_class = IncidentFilters

    def get_serializer_class(self) -> type[IncidentOut]:
        """Short in the list, whole elsewhere."""
        return IncidentOut if self.action == "list" else IncidentWhole

    def get_serializer_context(self) -> dict[str, Any]:
        """With the moment of the answer."""
        return {**super().get_serializer_context(), "now": timezone.now()}

    def get_queryset(self) -> QuerySet[Incident]:
        """Those that the person sees."""
        seen = Incident.objects.visible_to(self.request.user).select_related(
            "declared_by", "confirmed_by", "closed_by", "zabbix_event"
        )
        return with_counts(seen, self.person)

    @extend_schema(request=Declaring, responses={201: IncidentWhole}, summary="Declare a hazard (IT), or propose one")
    def create(self, request: Request) -> Response:
        """Nothing is restored before a person of IT has confirmed the list."""
        entered = self._read(request, Declaring)
        region = entered.pop("region")
        (check_can_propose if entered.get("propose") else check_can_declare)(self.person)  # before anything is named
        affected = incidents.named_as_affected(
            region=region, applications=entered.pop("applications"), resources=entered.pop("resources")
        )
        made = incidents.declare(by=self.person, resources=affected, lost_region=region, **entered)
        self.kwargs["pk"] = made.pk
        return self._told(201)

    @extend_schema(request=Nothing, responses=IncidentWhole, summary="Take on a proposal: it is a hazard (IT)")
    @action(methods=["post"], detail=True, url_path="take-on")
    def take_on(self, request: Request, pk: int) -> Response:
        """From now on only a person closes it."""
        return self._move(request, incidents.take_on, Nothing)

    @extend_schema(request=Arrangement, responses=IncidentWhole, summary="Arrange the list (IT)")
    @action(methods=["post"], detail=True)
    def arrange(self, request: Request, pk: int) -> Response:
        """Order, modes, and how many restores run at once, before it is confirmed."""
        return self._move(request, _arrange, Arrangement)

    @extend_schema(request=Further, responses=IncidentWhole, summary="Add to the list (IT)")
    @action(methods=["post"], detail=True)
    def extend(self, request: Request, pk: int) -> Response:
        """Before it is confirmed."""
        return self._move(request, _extend, Further)

    @extend_schema(
        request=Confirmation, responses=IncidentWhole, summary="Confirm the list and start all its restores (IT)"
    )
    @action(methods=["post"], detail=True)
    def confirm(self, request: Request, pk: int) -> Response:
        """Confirm exactly the list that you read: that approves each of its restores."""
        return self._move(request, incidents.confirm, Confirmation)

    @extend_schema(request=TakingOut, responses=IncidentWhole, summary="Take one resource out (IT)")
    @action(methods=["post"], detail=True, url_path="take-out")
    def take_out(self, request: Request, pk: int) -> Response:
        """It is skipped; what waits for it is cancelled."""
        return self._move(request, incidents.take_out, TakingOut)

    @extend_schema(
        request=GoingOn, responses=IncidentWhole, summary="Go on with the next good backup of one resource (IT)"
    )
    @action(methods=["post"], detail=True, url_path="restore-next")
    def restore_next(self, request: Request, pk: int) -> Response:
        """Where the confirmed one did not bring it back: its request is closed, another one filed and approved."""
        return self._move(request, restore_next, GoingOn)

    @extend_schema(request=WithReason, responses=IncidentWhole, summary="Dismiss a proposal (IT)")
    @action(methods=["post"], detail=True)
    def dismiss(self, request: Request, pk: int) -> Response:
        """It is no hazard: nothing is restored."""
        return self._move(request, incidents.dismiss, WithReason)

    @extend_schema(request=WithReason, responses=IncidentWhole, summary="Close it (IT)")
    @action(methods=["post"], detail=True)
    def close(self, request: Request, pk: int) -> Response:
        """Once nothing of it waits or runs."""
        return self._move(request, incidents.close, WithReason)

    def _move(self, request: Request, move: Callable[..., Any], form: type[Input]) -> Response:
        found = self.get_object()
        move(by=self.person, incident=found, **self._read(request, form))
        return self._told(200)

    def _read(self, request: Request, form: type[Input]) -> dict[str, Any]:
        body = form(data=request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def _told(self, status: int) -> Response:
        return Response(self.get_serializer(self.get_object()).data, status=status)


def _extend(*, by: User, incident: Incident, applications: list[int], resources: list[int]) -> int:
    check_can_change_list(by, incident)  # before anything is named
    affected = incidents.named_as_affected(applications=applications, resources=resources)
    return incidents.extend(by=by, incident=incident, resources=affected)


def _arrange(*, order: list[int] | None = None, modes: dict[str, str] | None = None, **further: Any) -> Incident:
    places = {pk: place - len(order or ()) for place, pk in enumerate(order or ())}  # before all others
    by_resource = {
        int(key): mode for key, mode in (modes or {}).items() if key.isascii() and key.isdigit() and len(key) < 19
    }
    if modes and len(by_resource) < len(modes):
        raise InvalidInput("modes goes by resources’ ids, such as {“1201”: “in_place”}.", field="modes")
    return incidents.arrange(order=places, modes=by_resource, **further)
