"""Incidents over the API: seen through what the person may see, moved by the same actions as on the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from backups.api.serializers import ResourceName
from backups.kinds import REGIONS
from portal.api.filters import choice
from portal.api.inputs import Input, Nothing, WithReason, one_of
from portal.api.outputs import NameField
from portal.api.views import RecordedViewSet
from portal.errors import InvalidInput
from portal.models import User
from portal.rules import refusal
from restores.actions import incidents
from restores.actions.incident_choosing import UNCONFIRMED, digest_of
from restores.actions.incident_next import NextBackup, next_of_rows, restore_next
from restores.actions.zabbix import unknown_hosts
from restores.api.choices import INCIDENT_MODE_CHOICES, INCIDENT_STATUS_CHOICES
from restores.incident_board import (
    Row,
    events_told,
    hazard_told,
    items_seen,
    rows_of,
    sees_all,
    with_counts,
)
from restores.incident_permissions import (
    check_can_change_list,
    check_can_close,
    check_can_confirm,
    check_can_declare,
    check_can_dismiss,
    check_can_propose,
    check_can_restore_next,
    check_can_take_on,
    check_can_take_out,
)
from restores.incident_workflow import IncidentStatus, turn_and_next
from restores.models import Incident, IncidentEvent
from restores.models.incident import MOST_AT_ONCE
from restores.plan import loss_window
from restores.workflow import Turn

GO_ON = "restore-next"
MOVES: dict[str, Callable[..., None]] = {
    "take-on": check_can_take_on,
    "extend": check_can_change_list,
    "arrange": check_can_change_list,
    "confirm": check_can_confirm,
    "take-out": check_can_take_out,
    GO_ON: check_can_restore_next,
    "dismiss": check_can_dismiss,
    "close": check_can_close,
}
NOTHING_TO_GO_ON_WITH = (
    "No resource of it failed to come back and has another good backup: there is nothing to go on with."
)
MOST_NAMED = 5000


def named_once(ids: list[int]) -> None:
    """Raises ValidationError when something is named twice: which of the two places is meant cannot be told."""
    twice = sorted(pk for pk, times in Counter(ids).items() if times > 1)
    if twice:
        raise serializers.ValidationError(f"{twice[0]} is named more than once. Name each id once.")


class Ids(serializers.ListField):
    """Ids of rows; none when it is left out."""

    def __init__(self, **options: Any) -> None:
        """As given, with what holds for all of them."""
        row = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
        super().__init__(
            **{
                "child": row,
                "required": False,
                "default": list,
                "max_length": MOST_NAMED,
                "validators": [named_once],
                **options,
            }
        )


class Declaring(Input):
    """A hazard with what it affects: a region, applications, resources, or any of them together."""

    hazard = serializers.CharField(
        allow_blank=True, max_length=10_000, help_text="What happened; the people of the clients concerned read it."
    )
    region = serializers.ChoiceField(
        choices=REGIONS,
        required=False,
        allow_blank=True,
        default="",
        help_text="A region that is the hazard itself: all at home in it is affected, backups are read elsewhere.",
    )
    applications = Ids(help_text="Ids of whole applications.")
    resources = Ids(help_text="Ids of single resources.")
    began_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Now, when left out.")
    concurrency = serializers.IntegerField(
        required=False, default=incidents.AT_ONCE, min_value=1, max_value=MOST_AT_ONCE, help_text="Restores at once."
    )
    propose = serializers.BooleanField(
        required=False, default=False, help_text="Ask a person of IT to look first: all that a service account may do."
    )


class Arrangement(Input):
    """The list as IT wants it. What is left out stays as it is."""

    concurrency = serializers.IntegerField(required=False, min_value=1, max_value=MOST_AT_ONCE)
    order = Ids(help_text="Ids of resources, the first to be restored first; the others follow.")
    modes = serializers.DictField(
        child=one_of(INCIDENT_MODE_CHOICES),
        required=False,
        help_text="Where each is restored to, by the resource’s id.",
    )


class Further(Input):
    """What is affected as well."""

    applications = Ids(help_text="Ids of whole applications.")
    resources = Ids(help_text="Ids of single resources.")


class Confirmation(Input):
    """A yes to one exact list."""

    digest = serializers.CharField(
        max_length=64,
        help_text="The incident's digest as you read it: the confirmation is bound to that list.",
        error_messages={
            "required": "digest is missing. Read the incident, then send its digest: you confirm that list."
        },
    )
    typed_number = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=40,
        help_text="The incident's number, when live data of production is replaced (it says needs_typed_number).",
    )


class GoingOn(Confirmation):
    """A yes to the next good backup of one resource."""

    resource = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Its id.")
    digest = serializers.CharField(
        max_length=64,
        help_text="The resource's next_backup.digest as you read it: the confirmation is bound to that plan.",
        error_messages={
            "required": "digest is missing. Read the incident, then send the digest of the resource's next_backup."
        },
    )


class TakingOut(WithReason):
    """One resource that is left out."""

    resource = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Its id.")


class NextOut(serializers.Serializer[NextBackup]):
    """The good backup to go on with."""

    backup = serializers.IntegerField(source="backup.pk", allow_null=True, default=None)
    taken_at = serializers.DateTimeField(source="backup.taken_at", allow_null=True, default=None)
    loss_window_seconds = serializers.SerializerMethodField(help_text="How much time's changes going back there loses.")
    digest = serializers.CharField(help_text="Sent back to restore-next/ to confirm exactly this.")
    needs_typed_number = serializers.BooleanField(help_text="Whether that needs the incident's number typed.")
    why_not = serializers.CharField(help_text="Why there is none, or it has to wait; empty otherwise.")

    def get_loss_window_seconds(self, further: NextBackup) -> int | None:
        """Until now."""
        if further.backup is None or further.backup.taken_at is None:
            return None
        return int(loss_window(further.backup.taken_at, self.context["now"]).total_seconds())


class AffectedOut(serializers.Serializer[Row]):
    """One affected resource."""

    position = serializers.IntegerField(source="item.position")
    resource = ResourceName(source="item.resource")
    mode = serializers.CharField(source="item.mode")
    backup = serializers.IntegerField(
        source="item.backup_id", allow_null=True, help_text="Null: why says why there is none."
    )
    backup_taken_at = serializers.SerializerMethodField()
    loss_window_seconds = serializers.SerializerMethodField(help_text="How much time's changes going back there loses.")
    state = serializers.CharField(source="label")
    why = serializers.CharField(help_text="Why it is not restored, or what went wrong; empty otherwise.")
    request = serializers.IntegerField(
        source="request.id", allow_null=True, default=None, help_text="The request that does it."
    )
    next_backup = serializers.SerializerMethodField(
        help_text="For IT, where it did not come back: with what to go on. Null otherwise."
    )
    recovered_at = serializers.DateTimeField(allow_null=True)
    seconds_to_recovery = serializers.SerializerMethodField(help_text="From the beginning of the hazard.")

    @extend_schema_field(NextOut(allow_null=True))
    def get_next_backup(self, row: Row) -> Any:
        """As the board offers it."""
        further = self.context["nexts"].get(row.item.resource_id)
        return NextOut(further, context=self.context).data if further else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_backup_taken_at(self, row: Row) -> Any:
        """The moment that it holds."""
        return row.item.backup.taken_at if row.item.backup else None

    def get_loss_window_seconds(self, row: Row) -> int | None:
        """Until the restore, or until now."""
        return int(row.loss.total_seconds()) if row.loss is not None else None

    def get_seconds_to_recovery(self, row: Row) -> int | None:
        """Once it has recovered."""
        return int(row.recovered_in.total_seconds()) if row.recovered_in is not None else None


class IncidentEventOut(serializers.ModelSerializer[IncidentEvent]):
    """One line of the record."""

    by = NameField(allow_null=True, help_text="Null: the portal or Zabbix.")

    class Meta:
        model = IncidentEvent
        fields = ["at", "by", "move", "from_status", "to_status", "text", "reason"]


class IncidentOut(serializers.ModelSerializer[Incident]):
    """An incident. Counts are over the resources that you see."""

    number = serializers.CharField(help_text="What people call it, such as INC-12.")
    status = serializers.ChoiceField(choices=INCIDENT_STATUS_CHOICES)
    status_label = serializers.CharField(source="facts.label")
    turn = serializers.SerializerMethodField(help_text="Whose turn it is.")
    next = serializers.SerializerMethodField(help_text="What happens next, in one sentence.")
    hazard = serializers.SerializerMethodField(help_text="What happened.")
    declared_by = NameField(allow_null=True, help_text="Null: Zabbix.")
    confirmed_by = NameField(allow_null=True)
    closed_by = NameField(allow_null=True)
    affected_count = serializers.IntegerField()
    recovered_count = serializers.IntegerField()

    class Meta:
        model = Incident
        fields = [
            "id", "number", "status", "status_label", "status_changed_at", "turn", "next", "source", "hazard", "lost_region",
            "concurrency", "began_at", "declared_at", "declared_by", "confirmed_at", "confirmed_by", "closed_at", "closed_by",
            "close_reason", "affected_count", "recovered_count",
        ]  # fmt: skip

    def get_turn(self, incident: Incident) -> str:
        """As on its board."""
        return self._turn_and_next(incident)[0].value

    def get_next(self, incident: Incident) -> str:
        """As on its board."""
        return self._turn_and_next(incident)[1]

    def _turn_and_next(self, incident: Any) -> tuple[Turn, str]:
        at_rest = incident.state is IncidentStatus.RECOVERING and not incident.in_motion
        return turn_and_next(incident.state, at_rest=at_rest, lacking=incident.lacking)

    def get_hazard(self, incident: Incident) -> str:
        """In the words meant for this person."""
        return hazard_told(self.context["request"].user, incident)


class IncidentWhole(IncidentOut):
    """An incident with its list and its record."""

    digest = serializers.SerializerMethodField(
        help_text="Sent back to confirm exactly this list; null once that is done."
    )
    needs_typed_number = serializers.SerializerMethodField(help_text="Whether confirming needs the number typed.")
    affected = serializers.SerializerMethodField()
    unknown_hosts = serializers.SerializerMethodField(help_text="Reported hosts that nobody has said what they are.")
    events = serializers.SerializerMethodField()
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    class Meta(IncidentOut.Meta):
        fields = [
            *IncidentOut.Meta.fields,
            "digest",
            "needs_typed_number",
            "affected",
            "unknown_hosts",
            "events",
            "can",
        ]

    _read_board: tuple[list[Row], dict[int, NextBackup]] | None = None

    @property
    def _user(self) -> Any:
        return self.context["request"].user

    def get_digest(self, incident: Incident) -> str | None:
        """For those who see the whole list only: nobody else can confirm it."""
        return digest_of(incident) if incident.state in UNCONFIRMED and sees_all(self._user) else None

    def get_needs_typed_number(self, incident: Incident) -> bool:
        """Whether live data of production would be replaced."""
        return incidents.needs_typed_number(incident)

    @extend_schema_field(AffectedOut(many=True))
    def get_affected(self, incident: Incident) -> Any:
        """The rows of the clients that the person sees."""
        rows, nexts = self._board(incident)
        return AffectedOut(rows, many=True, context={**self.context, "nexts": nexts}).data  # type: ignore[arg-type]  # many

    def _board(self, incident: Incident) -> tuple[list[Row], dict[int, NextBackup]]:
        """The rows that the person sees, and with what to go on; read once."""
        if self._read_board is None:
            items = items_seen(self._user, incident).order_by("position", "pk")
            rows = rows_of(self._user, incident, items, self.context["now"])
            self._read_board = rows, next_of_rows(self._user, incident, [(row.item, row.request) for row in rows])
        return self._read_board

    def get_unknown_hosts(self, incident: Incident) -> list[str]:
        """For people of the company."""
        return unknown_hosts(incident) if sees_all(self._user) else []

    @extend_schema_field(IncidentEventOut(many=True))
    def get_events(self, incident: Incident) -> Any:
        """What the person may read of the record."""
        return IncidentEventOut(events_told(self._user, incident), many=True).data

    def get_can(self, incident: Incident) -> dict[str, str | None]:
        """The refusing sentences."""
        told = {name: refusal(check, self._user, incident) or None for name, check in MOVES.items()}
        _, nexts = self._board(incident)
        if told[GO_ON] is None and not any(one.backup for one in nexts.values()):
            told[GO_ON] = NOTHING_TO_GO_ON_WITH
        return told


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
