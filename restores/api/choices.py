"""The values that the API takes and gives, with their words: the same pairs as in the models."""

from __future__ import annotations

from restores.charging import CAUSE_LABELS
from restores.incident_workflow import INCIDENT_STATUSES
from restores.models.incident import INCIDENT_MODES
from restores.models.request import MODE_LABELS
from restores.workflow import STATUSES

REQUEST_STATUSES = [(status.value, facts.label) for status, facts in STATUSES.items()]
INCIDENT_STATUS_CHOICES = [(status.value, facts.label) for status, facts in INCIDENT_STATUSES.items()]
INCIDENT_MODE_CHOICES = [(mode.value, label) for mode, label in INCIDENT_MODES.items()]
MODES = [(mode.value, label) for mode, label in MODE_LABELS.items()]
CAUSES = [(cause.value, label) for cause, label in CAUSE_LABELS.items()]
