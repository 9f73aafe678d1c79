"""How a restored copy of a resource is asked, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backups.models import Resource
from checkups.actions.howtoask import Said, newest_good, say_and_try, stop_asking
from checkups.api.inputs import SayingHow
from checkups.api.trials import TrialOut
from checkups.models import ApplicationCheck, Asking
from checkups.permissions import (
    check_can_say_how_to_ask,
    check_can_see_how_it_is_asked,
    check_can_stop_asking,
    check_can_try,
)
from portal.api.inputs import WithReason
from portal.api.views import RecordedViewSet
from portal.rules import refusal


class ApplicationCheckOut(serializers.Serializer[Any]):
    """How a restored copy of the resource is asked; nulls where it is not asked anything."""

    way = serializers.ChoiceField(choices=Asking.choices, allow_null=True)
    text = serializers.CharField(allow_null=True, help_text="The query, the address or the program's name.")
    seconds = serializers.IntegerField(allow_null=True, help_text="It has to answer within so many.")
    can = serializers.DictField(
        child=serializers.CharField(allow_null=True), help_text="For each move null when you may, else why not."
    )


class SaidHow(ApplicationCheckOut):
    """The same, and what became of trying it at once."""

    trial = TrialOut(allow_null=True, help_text="The test that tries it: see /api/trials/. Null where there is none.")
    not_tried = serializers.CharField(allow_blank=True, help_text="Why it is not tried, where it was to be; or empty.")


class ApplicationCheckViews(RecordedViewSet[Resource]):
    """The application's own check of one resource."""

    queryset = Resource.objects.none()
    http_method_names = ["get", "put", "delete", "head"]

    def get_queryset(self) -> QuerySet[Resource]:
        """The resources that the person sees."""
        return Resource.objects.visible_to(self.request.user).select_related("application__client")

    @extend_schema(responses=ApplicationCheckOut, summary="How a restored copy is asked (IT, auditors)")
    def look(self, request: Request, pk: int) -> Response:
        """What every trial of the resource asks after it has compared what it restored."""
        found = self.get_object()
        check_can_see_how_it_is_asked(self.person, found)
        return Response(ApplicationCheckOut(self._told(found)).data)

    @extend_schema(request=SayingHow, responses=SaidHow, summary="Say how a restored copy is asked (IT)")
    def say(self, request: Request, pk: int) -> Response:
        """From now on it is asked that. What cannot be tried at once is kept all the same."""
        found = self.get_object()
        check_can_say_how_to_ask(self.person, found)
        body = SayingHow(data=request.data)
        body.is_valid(raise_exception=True)
        said: Said = say_and_try(by=self.person, resource=found, **body.validated_data)
        return Response(SaidHow({**self._told(found), "trial": said.trial, "not_tried": said.not_tried}).data)

    @extend_schema(
        request=WithReason, responses={200: ApplicationCheckOut}, summary="Ask restored copies no longer (IT)"
    )
    def stop(self, request: Request, pk: int) -> Response:
        """Trials end with the comparison from now on."""
        found = self.get_object()
        body = WithReason(data=request.data)
        body.is_valid(raise_exception=True)
        stop_asking(by=self.person, resource=found, **body.validated_data)
        return Response(ApplicationCheckOut(self._told(found)).data)

    def _told(self, resource: Resource) -> dict[str, Any]:
        user = self.person
        check = ApplicationCheck.objects.filter(resource=resource).first()
        return {
            "way": check.way if check else None,
            "text": check.text if check else None,
            "seconds": check.seconds if check else None,
            "can": {
                "put": refusal(check_can_say_how_to_ask, user, resource) or None,
                "delete": refusal(check_can_stop_asking, user, resource, check) or None,
                "try_now": refusal(check_can_try, user, resource, newest_good(resource)) or None,
            },
        }
