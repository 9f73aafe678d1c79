"""The plan of a restore: what exactly would be done. Approvals bind to its digest. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from string import Formatter
from typing import Any

from backups.drivers.base import Mode
from restores.part import Picked


def make_plan(
    *,
    resource_id: int,
    kind: str,
    locator: str,
    backup_id: int,
    checksum: str,
    mode: Mode,
    classification: str,
    estimate: Mapping[str, Any] | None = None,
    picked: Picked | None = None,
) -> dict[str, Any]:
    """The plan as plain values: resource and target, backup and its checksum, mode, classification, estimate, part.

    Without an estimate, and of a whole restore, it has no such entries.
    """
    plan: dict[str, Any] = {
        "resource": resource_id,
        "target": f"{kind}:{locator}",
        "backup": backup_id,
        "checksum": checksum,
        "mode": mode.value,
        "classification": classification,
    }
    if estimate is not None:
        plan["estimate"] = dict(estimate)
    return plan | (picked.as_json() if picked else {})


def plan_digest(plan: Mapping[str, Any]) -> str:
    """SHA-256 of the plan's canonical JSON, hexadecimal."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def loss_window(taken_at: datetime, now: datetime) -> timedelta:
    """How much time's changes an in-place restore replaces: from the backup's moment until now, never negative."""
    return max(now - taken_at, timedelta(0))


class Tense(Enum):
    """Whether the restore is to come, has been done, or was done and taken back."""

    TO_DO = auto()
    DONE = auto()
    UNDONE = auto()


PLACES = {Mode.IN_PLACE: "in place", Mode.BESIDE: "beside the live one", Mode.EXPORT: "as a download"}

_DONE = {
    Mode.IN_PLACE: "{resource} was restored as of {when} {place}: everything saved after that ({loss}) was replaced.",
    Mode.BESIDE: "{resource} was restored as of {when} {place}, which stayed as it was.",
    Mode.EXPORT: "The backup of {resource} as of {when} was made available {place}; the live one stayed as it was.",
}

SENTENCES: dict[Tense, dict[Mode, str]] = {
    Tense.TO_DO: {
        Mode.IN_PLACE: (
            "Restore {resource} as of {when} {place}: everything saved after that ({loss}) is replaced. "
            "The present state is kept aside and can be brought back."
        ),
        Mode.BESIDE: "Restore {resource} as of {when} {place}, which stays as it is.",
        Mode.EXPORT: "Make the backup of {resource} as of {when} available {place}; the live one stays as it is.",
    },
    Tense.DONE: _DONE,
    Tense.UNDONE: _DONE
    | {
        Mode.IN_PLACE: (
            "{resource} was restored as of {when} {place}, and undone: what had been saved after that ({loss}) is back."
        )
    },
}


_PART_DONE = "{part} of {resource} ({size}): restored as of {when} {place}, which stayed as it was."

PART_SENTENCES: dict[Tense, str] = {
    Tense.TO_DO: "Restore {part} of {resource} ({size}) as of {when} {place}, which stays as it is.",
    Tense.DONE: _PART_DONE,
    Tense.UNDONE: _PART_DONE,
}


@dataclass(frozen=True)
class Part:
    """A piece of a sentence; ``strong`` is what the reader must not miss."""

    text: str
    strong: bool = False


PickedWords = tuple[str, str]
"""What was picked and its size, in words: ("3 files", "12 MB")."""


def mode_parts(
    mode: Mode,
    resource: str,
    when: str,
    loss: str,
    tense: Tense = Tense.TO_DO,
    picked: PickedWords | None = None,
) -> list[Part]:
    """What the restore does, or did, in a sentence for the client, piece by piece.

    ``when`` names the backup's moment with its zone, ``loss`` is the data-loss window in words.
    """
    said = {"resource": resource, "when": when, "place": PLACES[mode], "loss": loss}
    sentence = SENTENCES[tense][mode]
    if picked is not None:
        said["part"], said["size"] = picked
        sentence = PART_SENTENCES[tense]
    parts = []
    for text, name, _, _ in Formatter().parse(sentence):
        parts.append(Part(text))
        if name:
            parts.append(Part(said[name], strong=name not in ("loss", "size")))
    return parts


def mode_sentence(
    mode: Mode,
    resource: str,
    when: str,
    loss: str,
    tense: Tense = Tense.TO_DO,
    picked: PickedWords | None = None,
) -> str:
    """The sentence of :func:`mode_parts` as plain text."""
    return "".join(part.text for part in mode_parts(mode, resource, when, loss, tense, picked))
