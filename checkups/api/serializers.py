"""What the API says about checkups."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from checkups.actions.running import check_can_check_untried_again
from checkups.actions.signing import Standing, standing
from checkups.api.choices import CHECKUP_STATUSES
from checkups.comparing import numbers_of, signed_before
from checkups.comparison import Numbers, compare
from checkups.exports import part_of
from checkups.happening import events_of
from checkups.models import Checkup, CheckupEvent, Signature
from checkups.permissions import check_can_manage, check_can_sign
from checkups.workflow import Move, Status, move_refusal, transition
from portal.api.outputs import NameField
from portal.errors import Refused
from portal.permissions import Person
from portal.rules import refusal

MOVES = (Move.CHANGE, Move.WITHDRAW, Move.PAUSE, Move.RESUME, Move.CANCEL)


def check_can_move(user: Person, checkup: Checkup, move: Move) -> None:
    """What the move itself would raise."""
    check_can_manage(user)
    if transition(checkup.state, move) is None:
        raise Refused(move_refusal(checkup.state, move))


class CheckupOut(serializers.ModelSerializer[Checkup]):
    """A checkup of all backups on one of the company's dates."""

    number = serializers.CharField(help_text="What people call it, such as CU-2026-11-15.")
    status = serializers.ChoiceField(choices=CHECKUP_STATUSES)
    status_label = serializers.CharField(source="facts.label")
    next = serializers.CharField(source="facts.next", help_text="What happens next, in one sentence.")
    rule = serializers.CharField(help_text="Which resources are restored, in words.")
    set_by = NameField()

    class Meta:
        model = Checkup
        fields = [
            "id", "number", "on", "status", "status_label", "status_changed_at", "next", "share", "rule", "sample_reason",
            "set_at", "set_by", "started_at", "declared_at", "finished_at", "sealed_at", "sha256", "closed_reason",
        ]  # fmt: skip


class NumbersOut(serializers.Serializer[Numbers]):
    """What it found, in numbers; of your clients, unless you see all of it."""

    resources = serializers.IntegerField()
    passed = serializers.SerializerMethodField()
    failed = serializers.SerializerMethodField()
    not_checked = serializers.IntegerField(source="left")
    waiting = serializers.IntegerField()
    backups = serializers.IntegerField(source="checks", help_text="How many were looked at, each copy counted.")
    levels = serializers.SerializerMethodField(help_text="How many reached each level, by its name.")
    median_recovery_ms = serializers.IntegerField(source="median_ms", allow_null=True)
    total_recovery_ms = serializers.IntegerField(source="total_ms")

    def get_passed(self, numbers: Numbers) -> int:
        """Resources."""
        return len(numbers.passed)

    def get_failed(self, numbers: Numbers) -> int:
        """Resources."""
        return len(numbers.failed)

    def get_levels(self, numbers: Numbers) -> dict[str, int]:
        """By label."""
        return {level.label: number for level, number in numbers.levels.items()}


class SignatureOut(serializers.ModelSerializer[Signature]):
    """One person's name under what the record said; void when it has changed since."""

    statement = serializers.SerializerMethodField(help_text="Null for people of clients.")
    counts = serializers.SerializerMethodField(help_text="Whether the record still says what was signed.")

    class Meta:
        model = Signature
        fields = ["name", "at", "statement", "sha256", "counts"]

    def get_statement(self, signature: Signature) -> str | None:
        """For those who see all of it."""
        return signature.statement if self.context["inside"] else None

    def get_counts(self, signature: Signature) -> bool:
        """Whether it is among those that count."""
        return signature.pk in self.context["counting"]


class CheckupEventOut(serializers.ModelSerializer[CheckupEvent]):
    """One entry of its record."""

    class Meta:
        model = CheckupEvent
        fields = ["at", "name", "text", "reason"]


class CheckupWhole(CheckupOut):
    """A checkup with what it found in numbers, its signatures, and what the asker may do with it."""

    limits = serializers.DictField(help_text="What it may take at most, as it was set when it started.")
    numbers = serializers.SerializerMethodField()
    comparison = serializers.SerializerMethodField(help_text="What has changed since the last one, in sentences.")
    digest = serializers.SerializerMethodField(
        help_text="SHA-256 of what is to be signed; null unless it waits for signatures and you see all of it."
    )
    signatures = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField(help_text="What happened to it; empty for people of clients.")
    can = serializers.SerializerMethodField(help_text="For each move null when you may, else why not.")

    class Meta(CheckupOut.Meta):
        fields = [
            *CheckupOut.Meta.fields, "limits", "numbers", "comparison", "digest", "signatures", "events", "can",
        ]  # fmt: skip

    def to_representation(self, checkup: Checkup) -> dict[str, Any]:
        """Reads once what several fields tell of."""
        self.part = part_of(self.context["request"].user)
        self.found = numbers_of(checkup, self.part)
        self.standing: Standing | None = standing(checkup) if checkup.state is Status.READY else None
        return super().to_representation(checkup)

    @extend_schema_field(NumbersOut)
    def get_numbers(self, checkup: Checkup) -> Any:
        """Of what the reader sees."""
        return NumbersOut(self.found).data

    def get_comparison(self, checkup: Checkup) -> list[str]:
        """Of what the reader sees."""
        before = signed_before(checkup)
        return list(compare(self.found, numbers_of(before, self.part) if before else None).sentences)

    def get_digest(self, checkup: Checkup) -> str | None:
        """What a signature is bound to."""
        return self.standing.digest if self.standing and self.part is None else None

    @extend_schema_field(SignatureOut(many=True))
    def get_signatures(self, checkup: Checkup) -> Any:
        """All that were given, the void ones too."""
        given = list(checkup.signatures.all())
        signed = given[-1].sha256 if given and checkup.sealed_at else self.standing.digest if self.standing else ""
        counting = {one.pk for one in given if one.sha256 == signed}
        return SignatureOut(given, many=True, context={"counting": counting, "inside": self.part is None}).data

    @extend_schema_field(CheckupEventOut(many=True))
    def get_events(self, checkup: Checkup) -> Any:
        """What happened to the checkup itself."""
        told = events_of(checkup) if self.part is None else ()
        return CheckupEventOut(told, many=True).data

    def get_can(self, checkup: Checkup) -> dict[str, str | None]:
        """The refusing sentences, the same that the move itself would answer with."""
        user = self.context["request"].user
        given = self.standing.signatures if self.standing else []
        return {
            **{move.value: refusal(check_can_move, user, checkup, move) or None for move in MOVES},
            "check-again": refusal(check_can_check_untried_again, user, checkup) or None,
            "sign": refusal(check_can_sign, user, checkup, given) or None,
        }
