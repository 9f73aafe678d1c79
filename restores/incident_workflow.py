"""The workflow of an incident (R1), as a table: status × move → what follows; and whose turn it is within one. Pure.

An incident gathers what a hazard affects; each affected resource is restored by an ordinary request of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backups.colours import Colour
from restores.workflow import Turn


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    PROPOSED = "proposed"
    OPEN = "open"
    RECOVERING = "recovering"
    CLOSED = "closed"
    DISMISSED = "dismissed"


class IncidentMove(StrEnum):
    """What can happen to an incident."""

    PROPOSE = "propose"
    DECLARE = "declare"
    TAKE_ON = "take_on"
    CONFIRM = "confirm"
    CLOSE = "close"
    DISMISS = "dismiss"
    RECOVER = "recover"


@dataclass(frozen=True)
class IncidentFacts:
    """What pages say about a status."""

    label: str
    colour: Colour
    turn: Turn
    next: str
    final: bool = False


INCIDENT_STATUSES: dict[IncidentStatus, IncidentFacts] = {
    IncidentStatus.PROPOSED: IncidentFacts(
        "Proposed",
        Colour.WAITING,
        Turn.IT,
        "A person of IT looks whether it is a hazard. Nothing is restored on the word of a program.",
    ),
    IncidentStatus.OPEN: IncidentFacts(
        "Open", Colour.BAD, Turn.IT, "A person of IT confirms the list below; that starts all its restores."
    ),
    IncidentStatus.RECOVERING: IncidentFacts(
        "Recovering",
        Colour.WORKING,
        Turn.PORTAL,
        "The restores run in their order. IT looks at those that fail, and closes the incident once none waits or runs.",
    ),
    IncidentStatus.CLOSED: IncidentFacts("Closed", Colour.GOOD, Turn.NOBODY, "Its record is complete.", final=True),
    IncidentStatus.DISMISSED: IncidentFacts(
        "Dismissed", Colour.QUIET, Turn.NOBODY, "It was no hazard: nothing was restored.", final=True
    ),
}


AT_REST = "Nothing of it waits or runs any more; it can be closed."
AT_REST_LACKING = "Nothing of it waits or runs any more: look at what did not come back, then close it."


def turn_and_next(status: IncidentStatus, *, at_rest: bool, lacking: bool) -> tuple[Turn, str]:
    """Whose turn it is, and what happens next. ``at_rest``: it was carried out; ``lacking``: not everything came back."""
    if at_rest:
        return Turn.IT, AT_REST_LACKING if lacking else AT_REST
    return INCIDENT_STATUSES[status].turn, INCIDENT_STATUSES[status].next


@dataclass(frozen=True)
class IncidentTransition:
    """What a move does: where it leads, and how the record tells it ("{by}" is filled in)."""

    to: IncidentStatus
    event: str
    needs_reason: bool = False


INCIDENT_TABLE: dict[tuple[IncidentStatus | None, IncidentMove], IncidentTransition] = {
    (None, IncidentMove.PROPOSE): IncidentTransition(IncidentStatus.PROPOSED, "{by} proposed an incident"),
    (None, IncidentMove.DECLARE): IncidentTransition(IncidentStatus.OPEN, "{by} declared the incident"),
    (IncidentStatus.PROPOSED, IncidentMove.TAKE_ON): IncidentTransition(
        IncidentStatus.OPEN, "{by} looked, and it is a hazard"
    ),
    (IncidentStatus.PROPOSED, IncidentMove.DISMISS): IncidentTransition(
        IncidentStatus.DISMISSED, "{by} dismissed the proposal", needs_reason=True
    ),
    (IncidentStatus.PROPOSED, IncidentMove.RECOVER): IncidentTransition(
        IncidentStatus.DISMISSED, "It recovered by itself"
    ),
    (IncidentStatus.PROPOSED, IncidentMove.CONFIRM): IncidentTransition(
        IncidentStatus.RECOVERING, "{by} confirmed the list and started its restores"
    ),
    (IncidentStatus.OPEN, IncidentMove.CONFIRM): IncidentTransition(
        IncidentStatus.RECOVERING, "{by} confirmed the list and started its restores"
    ),
    (IncidentStatus.OPEN, IncidentMove.CLOSE): IncidentTransition(
        IncidentStatus.CLOSED, "{by} closed the incident without restoring anything", needs_reason=True
    ),
    (IncidentStatus.RECOVERING, IncidentMove.CLOSE): IncidentTransition(
        IncidentStatus.CLOSED, "{by} closed the incident", needs_reason=True
    ),
}


def incident_transition(status: IncidentStatus | None, move: IncidentMove) -> IncidentTransition | None:
    """What the move does in that status; None when it is not allowed there."""
    return INCIDENT_TABLE.get((status, move))


def incident_moves_from(status: IncidentStatus) -> list[IncidentMove]:
    """The moves that are allowed in that status."""
    return [move for (source, move) in INCIDENT_TABLE if source is status]


def incident_refusal(status: IncidentStatus, move: IncidentMove) -> str:
    """Why the move is not allowed in that status, for people."""
    wanted = {
        IncidentMove.TAKE_ON: "taken on",
        IncidentMove.CONFIRM: "confirmed",
        IncidentMove.CLOSE: "closed",
        IncidentMove.DISMISS: "dismissed",
    }.get(move, "changed in that way")
    return f"This incident is {INCIDENT_STATUSES[status].label.lower()} and cannot be {wanted} now."


def up_next(waiting: Sequence[tuple[int, str]], busy: Collection[str], free: int) -> list[int]:
    """Which of the ``waiting`` (request and target, in IT's order) start now that ``free`` more may run.

    One whose target is ``busy`` lets the next one pass; it does not hold the others up.
    """
    taken, chosen = set(busy), list[int]()
    for request, target in waiting:
        if len(chosen) >= free:
            break
        if target not in taken:
            taken.add(target)
            chosen.append(request)
    return chosen


def list_digest(incident: int, lost_region: str, concurrency: int, rows: Sequence[Sequence[Any]]) -> str:
    """SHA-256 of all that a confirmation is about: each row a resource, its target, backup, checksum and mode, in order."""
    whole = [incident, lost_region, concurrency, [list(row) for row in rows]]
    return hashlib.sha256(json.dumps(whole, separators=(",", ":")).encode()).hexdigest()
