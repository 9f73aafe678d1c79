"""The values that the API gives, with their words: the same pairs as in the models."""

from __future__ import annotations

from backups.proof import PROOF_LABELS
from checkups.models import CheckStatus, TrialStatus
from checkups.models.finding import FindingStatus
from checkups.scope import WHAT_LABELS
from checkups.workflow import STATUSES

CHECKUP_STATUSES = [(status.value, facts.label) for status, facts in STATUSES.items()]
FINDING_RESULTS = FindingStatus.choices
CHECK_RESULTS = CheckStatus.choices
TRIAL_STATUSES = TrialStatus.choices
WHATS = [(what.value, label) for what, label in WHAT_LABELS.items()]
LEVELS = list(PROOF_LABELS.values())
