"""Restore requests: what was asked, decided, done and charged."""

from restores.models.agreement import Agreement
from restores.models.approval import Approval
from restores.models.attempt import Attempt, AttemptKind, AttemptStatus, Step, StepStatus
from restores.models.charge import Charge, ChargeStatus
from restores.models.consent import Consent, ConsentKind
from restores.models.conversation import Attachment, Comment
from restores.models.event import Event
from restores.models.export import ChargeExport
from restores.models.incident import (
    Incident,
    IncidentEvent,
    IncidentResource,
    IncidentSource,
)
from restores.models.price import Rate, RateCard
from restores.models.request import RestoreRequest
from restores.models.zabbix import ZabbixEvent, ZabbixHost

__all__ = [
    "Agreement",
    "Approval",
    "Attachment",
    "Attempt",
    "AttemptKind",
    "AttemptStatus",
    "Charge",
    "ChargeExport",
    "ChargeStatus",
    "Comment",
    "Consent",
    "ConsentKind",
    "Event",
    "Incident",
    "IncidentEvent",
    "IncidentResource",
    "IncidentSource",
    "Rate",
    "RateCard",
    "RestoreRequest",
    "Step",
    "StepStatus",
    "ZabbixEvent",
    "ZabbixHost",
]
