"""Restore requests: what was asked, decided, done and charged."""

from restores.models.approval import Approval
from restores.models.attempt import Attempt, AttemptKind, AttemptStatus, Step, StepStatus
from restores.models.charge import Charge, ChargeStatus
from restores.models.event import Event
from restores.models.request import RestoreRequest

__all__ = [
    "Approval",
    "Attempt",
    "AttemptKind",
    "AttemptStatus",
    "Charge",
    "ChargeStatus",
    "Event",
    "RestoreRequest",
    "Step",
    "StepStatus",
]
