"""Restore requests: what was asked, decided, done and charged, and who is told."""

from restores.models.agreement import Agreement
from restores.models.approval import Approval
from restores.models.attempt import Attempt, AttemptKind, AttemptStatus, Step, StepStatus
from restores.models.charge import Charge, ChargeStatus
from restores.models.consent import Consent, ConsentKind
from restores.models.event import Event
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

__all__ = [
    "Agreement",
    "Approval",
    "Attempt",
    "AttemptKind",
    "AttemptStatus",
    "ChannelPost",
    "Charge",
    "ChargeStatus",
    "Consent",
    "ConsentKind",
    "DayMail",
    "Event",
    "Follow",
    "Notice",
    "Outgoing",
    "Preferences",
    "Rate",
    "RateCard",
    "RestoreRequest",
    "Step",
    "StepStatus",
    "Why",
    "preferences_of",
]
