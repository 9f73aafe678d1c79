"""What the API says about restore requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backups.api.serializers import ResourceName, Technical
from backups.drivers.base import Mode
from backups.models import Backup
from portal.api.clients import ClientOut
from portal.api.outputs import NameField
from portal.rules import refusal
from restores.actions.deciding import check_approvable, check_retriable, needs_typed_name
from restores.actions.inbox import is_following
from restores.api.conversation import AttachmentOut, CommentOut
from restores.charging import classification_sentence
from restores.details import DETAIL_LABELS
from restores.models import Attempt, Consent, Event, RestoreRequest, Step
from restores.permissions import (
    check_can_accept,
    check_can_attach,
    check_can_cancel,
    check_can_comment,
    check_can_correct,
    check_can_decline,
    check_can_download,
    check_can_extend,
    check_can_reject,
    check_can_schedule,
    check_can_stop,
    check_can_undo,
)
from restores.plan import loss_window
from restores.stepnames import TECHNICAL
from restores.succession import all_recovering, all_replaced_since, replaced_sentence, replaced_since
from restores.wording import emergency_of, measured_at, next_in_full, next_of, plain_sentence
from restores.workflow import Turn

MOVES: dict[str, Callable[..., None]] = {
    "accept": check_can_accept,
    "decline": check_can_decline,
    "correct": check_can_correct,
    "approve": check_approvable,
    "reject": check_can_reject,
    "cancel": check_can_cancel,
    "retry": check_retriable,
    "stop": check_can_stop,
    "schedule": check_can_schedule,
    "extend": check_can_extend,
    "undo": check_can_undo,
    "download": check_can_download,
    "comment": check_can_comment,
    "attach": check_can_attach,
}


class BackupName(serializers.ModelSerializer[Backup]):
    """A backup by id and moment."""

    class Meta:
        model = Backup
        fields = ["id", "taken_at"]


class EstimateLine(serializers.Serializer[Any]):
    """One part of the price."""

    what = serializers.CharField()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    price = serializers.CharField(help_text="For one unit.")


class EstimateOut(serializers.Serializer[Any]):
    """The price by the rate card. Decimals are strings."""

    card = serializers.IntegerField()
    currency = serializers.CharField(help_text="ISO 4217.")
    total = serializers.CharField(help_text="What the client is asked to accept, and is charged at most.")
    lines = EstimateLine(many=True)


class ConsentOut(serializers.ModelSerializer[Consent]):
    """A client's yes to the price."""

    given_by = NameField(allow_null=True, help_text="Null: the standing consent covers it.")
    stands = serializers.BooleanField(help_text="False once a correction made the restore free: it counts no more.")

    class Meta:
        model = Consent
        fields = ["kind", "amount", "currency", "given_at", "given_by", "stands"]


class PartHolds(serializers.Serializer[Any]):
    """What a part comes to."""

    kinds = serializers.DictField(child=serializers.IntegerField(), help_text="How many of each kind were picked.")
    entries = serializers.IntegerField(help_text="With all that is below them.")
    bytes = serializers.IntegerField()


class Plan(serializers.Serializer[Any]):
    """What exactly would be done."""

    resource = serializers.IntegerField()
    target = serializers.CharField(allow_null=True, help_text="Kind and locator; null for people outside IT.")
    backup = serializers.IntegerField()
    checksum = serializers.CharField(help_text="SHA-256 of the backup as it is stored.")
    mode = serializers.CharField()
    classification = serializers.CharField()
    estimate = EstimateOut(required=False, help_text="Only where it may be charged and a rate is set.")
    part = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Keys of what alone is restored; absent for everything.",
    )
    part_holds = PartHolds(required=False)


class Requests(serializers.ListSerializer[RestoreRequest]):
    """A list of them, which asks once what has replaced any of them since, and what comes first."""

    def to_representation(self, data: Any) -> Any:
        """As one by one."""
        found = list(data)
        cast(dict[str, Any], self.context)["replaced"] = all_replaced_since(found)
        ordinary = [one for one in found if one.restore_mode is Mode.IN_PLACE and not one.incident_id]
        emergencies = all_recovering([one.resource_id for one in ordinary])
        for one in ordinary:
            one.recovering = emergencies.get(one.resource_id)  # for the words
        return super().to_representation(found)


class RequestOut(Technical, serializers.ModelSerializer[RestoreRequest]):
    """A restore request."""

    number = serializers.CharField(help_text="What people call it, such as RR-1042.")
    incident = serializers.IntegerField(
        source="incident_id", allow_null=True, help_text="The incident it belongs to, if it does."
    )
    status_label = serializers.CharField(source="facts.label")
    turn = serializers.SerializerMethodField(help_text="Whose turn it is.")
    next = serializers.SerializerMethodField(help_text="What happens next, in one sentence.")
    client = ClientOut()
    resource = ResourceName()
    backup = BackupName()
    classification_sentence = serializers.SerializerMethodField()
    sentence = serializers.SerializerMethodField(help_text="What is restored, in one sentence.")
    loss_window_seconds = serializers.SerializerMethodField(
        help_text="How much time's changes are replaced; null when nothing is."
    )
    filed_by = NameField()
    decided_by = NameField(allow_null=True)
    plan = serializers.SerializerMethodField()
    plan_digest = serializers.CharField(help_text="Sent back to approve exactly this plan.")
    needs_typed_name = serializers.SerializerMethodField(help_text="Whether approving needs the resource's name typed.")

    class Meta:
        model = RestoreRequest
        list_serializer_class = Requests
        fields = [
            "id",
            "number",
            "incident",
            "status",
            "status_label",
            "status_changed_at",
            "turn",
            "next",
            "client",
            "resource",
            "backup",
            "mode",
            "reason",
            *DETAIL_LABELS,
            "cause",
            "classification",
            "classification_sentence",
            "sentence",
            "loss_window_seconds",
            "filed_at",
            "filed_by",
            "decided_at",
            "decided_by",
            "decision_reason",
            "closed_at",
            "expires_at",
            "start_at",
            "plan",
            "plan_digest",
            "needs_typed_name",
        ]

    def get_classification_sentence(self, request: RestoreRequest) -> str:
        """What the cause means for the charge."""
        return classification_sentence(request.why, request.price)

    def get_turn(self, request: RestoreRequest) -> str:
        """By its status; nobody's where another restore has replaced what this one brought, the portal's in an emergency."""
        if self._later(request) is not None:
            return Turn.NOBODY.value
        return (Turn.PORTAL if emergency_of(request) else request.facts.turn).value

    def _later(self, request: RestoreRequest) -> RestoreRequest | None:
        """What has replaced it since; read once."""
        replaced: dict[int, RestoreRequest] = self.context["replaced"]
        return replaced.get(request.pk)

    def get_next(self, request: RestoreRequest) -> str:
        """What happens next, with its moment where it is known, or what came since."""
        later = self._later(request)
        return replaced_sentence(later) if later else next_of(request, self.context["now"])

    def get_sentence(self, request: RestoreRequest) -> str:
        """The sentence of its page."""
        return plain_sentence(request, self.context["now"])

    def get_loss_window_seconds(self, request: RestoreRequest) -> int | None:
        """From the backup's moment until the restore, or until now."""
        if request.restore_mode.value != "in_place" or request.backup.taken_at is None:
            return None
        return int(loss_window(request.backup.taken_at, measured_at(request, self.context["now"])).total_seconds())

    @extend_schema_field(Plan)
    def get_plan(self, request: RestoreRequest) -> dict[str, Any]:
        """The plan that an approval binds to."""
        return request.plan if self.shows_technical(request.resource) else {**request.plan, "target": None}

    def get_needs_typed_name(self, request: RestoreRequest) -> bool:
        """Whether production data would be replaced."""
        return needs_typed_name(request)


class EventOut(serializers.ModelSerializer[Event]):
    """One entry of the timeline."""

    by = NameField(allow_null=True, help_text="Null: the portal itself.")

    class Meta:
        model = Event
        fields = ["at", "by", "move", "from_status", "to_status", "text", "reason"]


class StepOut(Technical, serializers.ModelSerializer[Step]):
    """One step of an attempt."""

    sentence = serializers.SerializerMethodField(
        help_text="What was done; null for people outside IT where it names paths, versions and servers."
    )

    class Meta:
        model = Step
        fields = ["position", "name", "status", "started_at", "finished_at", "sentence"]

    def get_sentence(self, step: Step) -> str | None:
        """What was done, in words."""
        hidden = step.name in TECHNICAL and not self.shows_technical(self.context["resource"])
        return None if hidden else step.sentence


class AttemptOut(Technical, serializers.ModelSerializer[Attempt]):
    """One run of a request. Sizes are bytes."""

    asked_by = NameField()
    steps = StepOut(many=True)
    error_detail = serializers.SerializerMethodField(help_text="The technical part, for IT.")

    class Meta:
        model = Attempt
        fields = [
            "number",
            "kind",
            "status",
            "asked_by",
            "asked_at",
            "reason",
            "started_at",
            "finished_at",
            "bytes_done",
            "bytes_expected",
            "steps",
            "proof",
            "kept_until",
            "error",
            "error_detail",
        ]

    def get_error_detail(self, attempt: Attempt) -> str | None:
        """What a tool or a server said."""
        return attempt.error_detail if self.shows_technical(self.context["resource"]) else None


class RequestWhole(RequestOut):
    """A restore request with its timeline, its attempts, and what the asker may do with it."""

    consents = ConsentOut(many=True)
    comments = CommentOut(many=True)
    attachments = AttachmentOut(many=True)
    events = EventOut(many=True)
    attempts = serializers.SerializerMethodField()
    replaced_by = serializers.SerializerMethodField(
        help_text="The number of the request whose restored data has replaced what this one put in place; else null."
    )
    following = serializers.SerializerMethodField(help_text="Whether you are told of each change.")
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._replaced: dict[int, RestoreRequest | None] = {}

    def to_representation(self, request: RestoreRequest) -> dict[str, Any]:
        """Asks once whether an incident comes first: what is next and what may be done both say so."""
        found = all_recovering([request.resource_id]) if request.restore_mode is Mode.IN_PLACE else {}
        request.recovering = None if request.incident_id else found.get(request.resource_id)  # type: ignore[attr-defined]  # for the rule
        return super().to_representation(request)

    class Meta(RequestOut.Meta):
        fields = [
            *RequestOut.Meta.fields,
            "consents",
            "comments",
            "attachments",
            "events",
            "attempts",
            "replaced_by",
            "following",
            "can",
        ]

    def get_next(self, request: RestoreRequest) -> str:
        """What happens next, what it waits for, or what came since."""
        later = self._later(request)
        return replaced_sentence(later) if later else next_in_full(request, self.context["now"])

    def _later(self, request: RestoreRequest) -> RestoreRequest | None:
        """What has replaced it since; read once."""
        if request.pk not in self._replaced:
            self._replaced[request.pk] = replaced_since(request)
        return self._replaced[request.pk]

    def get_replaced_by(self, request: RestoreRequest) -> str | None:
        """The later one."""
        later = self._later(request)
        return later.number if later else None

    def get_following(self, request: RestoreRequest) -> bool:
        """Whether they follow it."""
        return is_following(self.context["request"].user, request)

    @extend_schema_field(AttemptOut(many=True))
    def get_attempts(self, request: RestoreRequest) -> Any:
        """Its runs, oldest first."""
        context = {**self.context, "resource": request.resource}
        return AttemptOut(request.attempts, many=True, context=context).data

    def get_can(self, request: RestoreRequest) -> dict[str, str | None]:
        """The refusing sentences, the same that the move itself would answer with."""
        user = self.context["request"].user
        return {move: refusal(check, user, request) or None for move, check in MOVES.items()}
