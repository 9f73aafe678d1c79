"""Tasks that failed findings opened, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from checkups.actions.following import NOT_OF_IT, close_task, hand_on
from checkups.api.filters import TaskFilters
from checkups.api.inputs import Closing, HandingOn
from checkups.models import Task
from checkups.permissions import check_can_see_to
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet
from portal.errors import InvalidInput
from portal.models import User
from portal.rules import refusal


class TaskOut(serializers.ModelSerializer[Task]):
    """Who sees to a failure, until when, and how it ended."""

    owner = NameField()
    owner_username = serializers.CharField(source="owner.username")
    done_by = NameField(allow_null=True, help_text="Null as long as it is open, and where the finding passed later.")
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    class Meta:
        model = Task
        fields = [
            "id", "owner", "owner_username", "opened_at", "due_on", "advice", "done_at", "done_by", "outcome", "can",
        ]  # fmt: skip

    def get_can(self, task: Task) -> dict[str, str | None]:
        """The refusing sentences, the same that the move itself would answer with."""
        why_not = refusal(check_can_see_to, self.context["request"].user, task) or None
        return {"hand-on": why_not, "close": why_not}


class CheckupTaskOut(TaskOut):
    """A task with what it is about. Names are those of when it was found."""

    checkup = serializers.IntegerField(source="finding.checkup_id", help_text="The checkup's id.")
    number = serializers.CharField(source="finding.checkup.number", help_text="What people call the checkup.")
    resource = serializers.IntegerField(source="finding.resource_id", help_text="The resource's id.")
    name = serializers.CharField(source="finding.name", help_text="The resource's name.")
    client = serializers.IntegerField(source="finding.client_ref", help_text="The client's id.")
    client_name = serializers.CharField(source="finding.client")

    class Meta(TaskOut.Meta):
        fields = [
            "id", "finding", "checkup", "number", "resource", "name", "client", "client_name", *TaskOut.Meta.fields[1:],
        ]  # fmt: skip


@extend_schema_view(
    list=extend_schema(summary="Tasks of checkups (IT, auditors)"),
    retrieve=extend_schema(summary="One task of a checkup (IT, auditors)"),
)
class TaskViews(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordedViewSet[Task]):
    """Tasks. They go on after their checkup is signed."""

    queryset = Task.objects.none()
    serializer_class = CheckupTaskOut
    filterset_class = TaskFilters

    def get_queryset(self) -> QuerySet[Task]:
        """Those that the person sees."""
        return Task.objects.visible_to(self.request.user).select_related("owner", "done_by", "finding__checkup")

    @extend_schema(request=HandingOn, responses=CheckupTaskOut, summary="Hand it on, or put it off (IT)")
    @action(methods=["post"], detail=True, url_path="hand-on")
    def hand_on(self, request: Request, pk: int) -> Response:
        """Give it to a person of IT, until a day. Whoever gets it is told by mail."""
        found = self.get_object()
        check_can_see_to(self.person, found)  # before any username is looked up
        body = HandingOn(data=request.data)
        body.is_valid(raise_exception=True)
        entered: dict[str, Any] = body.validated_data
        owner = User.objects.filter(username=entered.pop("owner")).first()
        if owner is None:
            raise InvalidInput(NOT_OF_IT, field="owner")
        hand_on(by=self.person, task=found, owner=owner, **entered)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=Closing, responses=CheckupTaskOut, summary="Say how it ended (IT)")
    @action(methods=["post"], detail=True)
    def close(self, request: Request, pk: int) -> Response:
        """It is done. What the checkup found stays as it is."""
        found = self.get_object()
        body = Closing(data=request.data)
        body.is_valid(raise_exception=True)
        close_task(by=self.person, task=found, **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)
