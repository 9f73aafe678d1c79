"""The values that the API takes and gives, with their words: the same pairs as in the models."""

from __future__ import annotations

from restores.charging import CAUSE_LABELS
from restores.models.request import MODE_LABELS
from restores.workflow import STATUSES

REQUEST_STATUSES = [(status.value, facts.label) for status, facts in STATUSES.items()]
MODES = [(mode.value, label) for mode, label in MODE_LABELS.items()]
CAUSES = [(cause.value, label) for cause, label in CAUSE_LABELS.items()]
