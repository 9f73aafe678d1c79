"""Incidents as the API tells them: as far as its reader sees them, with what they may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backups.api.serializers import ResourceName
from portal.api.outputs import NameField
from portal.rules import refusal
from restores.actions import incidents
from restores.actions.incident_choosing import UNCONFIRMED, digest_of
from restores.actions.incident_next import NextBackup, next_of_rows
from restores.actions.zabbix import unknown_hosts
from restores.api.choices import INCIDENT_STATUS_CHOICES
from restores.incident_board import Row, events_told, hazard_told, items_seen, rows_of, sees_all
from restores.incident_permissions import (
    check_can_change_list,
    check_can_close,
    check_can_confirm,
    check_can_dismiss,
    check_can_restore_next,
    check_can_take_on,
    check_can_take_out,
)
from restores.incident_workflow import IncidentStatus, turn_and_next
from restores.models import Incident, IncidentEvent
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
    marks = serializers.ListField(
        child=serializers.CharField(), help_text="What to look at twice, such as another request that replaces it."
    )
    request = serializers.IntegerField(
        source="request.id", allow_null=True, default=None, help_text="The request that does it."
    )
    next_backup = serializers.SerializerMethodField(
        help_text="For IT, where it did not come back: with what to go on. Null otherwise."
    )
    recovered_at = serializers.DateTimeField(allow_null=True)
    replaced_by = serializers.IntegerField(
        source="replaced_by.id", allow_null=True, default=None, help_text="The request that has replaced it since."
    )
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
