"""What checkups write down."""

from checkups.models.applicationcheck import ApplicationCheck, Asking
from checkups.models.check import Check, CheckStatus
from checkups.models.checkup import Checkup
from checkups.models.event import CheckupEvent
from checkups.models.finding import CheckupFinding
from checkups.models.signature import Signature
from checkups.models.task import Task
from checkups.models.trial import Trial, TrialStatus

__all__ = [
    "ApplicationCheck",
    "Asking",
    "Check",
    "CheckStatus",
    "Checkup",
    "CheckupEvent",
    "CheckupFinding",
    "Signature",
    "Task",
    "Trial",
    "TrialStatus",
]
