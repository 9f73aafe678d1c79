"""The plan of a restore: what exactly would be done. Approvals bind to its digest. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from backups.drivers.base import Mode


def make_plan(
    *,
    resource_id: int,
    kind: str,
    locator: str,
    backup_id: int,
    checksum: str,
    mode: Mode,
    classification: str,
) -> dict[str, Any]:
    """The plan as plain values: resource and target, backup and its checksum, mode, classification."""
    return {
        "resource": resource_id,
        "target": f"{kind}:{locator}",
        "backup": backup_id,
        "checksum": checksum,
        "mode": mode.value,
        "classification": classification,
    }


def plan_digest(plan: Mapping[str, Any]) -> str:
    """SHA-256 of the plan's canonical JSON, hexadecimal."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def loss_window(taken_at: datetime, now: datetime) -> timedelta:
    """How much time's changes an in-place restore replaces: from the backup's moment until now, never negative."""
    return max(now - taken_at, timedelta(0))


def span_in_words(span: timedelta) -> str:
    """ "2 d 6 h", "9 h 41 min", "12 min", "under a minute": the two largest units."""
    minutes = int(span.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "under a minute"


class Tense(Enum):
    """Whether the restore is to come, has been done, or was done and taken back."""

    TO_DO = auto()
    DONE = auto()
    UNDONE = auto()


def mode_sentence(mode: Mode, resource: str, when: str, loss: timedelta, tense: Tense = Tense.TO_DO) -> str:
    """What the restore does, in a sentence for the client. ``when`` names the backup's moment with its zone."""
    if tense is not Tense.TO_DO:
        return _told_afterwards(mode, resource, when, span_in_words(loss), tense)
    if mode is Mode.IN_PLACE:
        return (
            f"Restore {resource} as of {when} in place: everything saved after that ({span_in_words(loss)}) is replaced. "
            "The present state is kept aside and can be brought back."
        )
    if mode is Mode.BESIDE:
        return f"Restore {resource} as of {when} beside the live one, which stays as it is."
    return f"Make the backup of {resource} as of {when} available as a download; the live one stays as it is."


def _told_afterwards(mode: Mode, resource: str, when: str, loss: str, tense: Tense) -> str:
    if mode is Mode.IN_PLACE and tense is Tense.UNDONE:
        return f"{resource} was restored as of {when} in place, and undone: what had been saved after that ({loss}) is back."
    if mode is Mode.IN_PLACE:
        return f"{resource} was restored as of {when} in place: everything saved after that ({loss}) was replaced."
    if mode is Mode.BESIDE:
        return f"{resource} was restored as of {when} beside the live one, which stayed as it was."
    return f"The backup of {resource} as of {when} was made available as a download; the live one stayed as it was."
