"""Restore requests: what was asked, decided, done and charged, and who is told."""

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
from restores.models.notice import (
    ChannelPost,
    DayMail,
    Follow,
    Notice,
    Outgoing,
    Preferences,
    Why,
    preferences_of,
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
    "ChannelPost",
    "Charge",
    "ChargeExport",
    "ChargeStatus",
    "Comment",
    "Consent",
    "ConsentKind",
    "DayMail",
    "Event",
    "Follow",
    "Incident",
    "IncidentEvent",
    "IncidentResource",
    "IncidentSource",
    "Notice",
    "Outgoing",
    "Preferences",
    "Rate",
    "RateCard",
    "RestoreRequest",
    "Step",
    "StepStatus",
    "Why",
    "ZabbixEvent",
    "ZabbixHost",
    "preferences_of",
]
