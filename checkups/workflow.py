"""The workflow of a checkup (B5), as a table: status × move → what follows. Pure.

A checkup is set as a date; on that day it starts by itself. What it found is signed by two people; from then on nothing
of it can be changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backups.colours import Colour


class Status(StrEnum):
    """Where a checkup stands."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    READY = "ready"
    SIGNED = "signed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What can happen to a checkup."""

    SET = "set"
    CHANGE = "change"
    WITHDRAW = "withdraw"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    CHECK_AGAIN = "check_again"
    SEAL = "seal"
    CANCEL = "cancel"


@dataclass(frozen=True)
class StatusFacts:
    """What pages say about a status."""

    label: str
    colour: Colour
    next: str
    final: bool = False
    counts: bool = True  # whether it is one of its year's two dates


STATUSES: dict[Status, StatusFacts] = {
    Status.PLANNED: StatusFacts("Planned", Colour.WAITING, "It starts by itself on its date."),
    Status.RUNNING: StatusFacts(
        "Running", Colour.WORKING, "Backups are restored into scratch and compared, one after the other."
    ),
    Status.PAUSED: StatusFacts("Paused", Colour.WAITING, "Nothing more is begun until IT resumes it."),
    Status.READY: StatusFacts("Ready to sign", Colour.WAITING, "Two people of IT look at what was found, and sign."),
    Status.SIGNED: StatusFacts("Signed", Colour.GOOD, "Its record is complete and cannot be changed.", final=True),
    Status.CANCELLED: StatusFacts(
        "Cancelled", Colour.QUIET, "It does not count. The year needs another date.", final=True, counts=False
    ),
    Status.WITHDRAWN: StatusFacts("Withdrawn", Colour.QUIET, "The date was taken back.", final=True, counts=False),
}


@dataclass(frozen=True)
class Transition:
    """What a move does: where it leads, and how the record tells it ("{by}" is filled in)."""

    to: Status
    event: str
    needs_reason: bool = False


TABLE: dict[tuple[Status | None, Move], Transition] = {
    (None, Move.SET): Transition(Status.PLANNED, "{by} set the date"),
    (Status.PLANNED, Move.CHANGE): Transition(Status.PLANNED, "{by} changed what was set", needs_reason=True),
    (Status.PLANNED, Move.WITHDRAW): Transition(Status.WITHDRAWN, "{by} took the date back", needs_reason=True),
    (Status.PLANNED, Move.START): Transition(Status.RUNNING, "The checkup started"),
    (Status.RUNNING, Move.PAUSE): Transition(Status.PAUSED, "{by} paused the checkup", needs_reason=True),
    (Status.PAUSED, Move.RESUME): Transition(Status.RUNNING, "{by} resumed the checkup"),
    (Status.RUNNING, Move.FINISH): Transition(Status.READY, "Everything in its scope was checked"),
    (Status.READY, Move.CHECK_AGAIN): Transition(Status.RUNNING, "{by} had something checked again"),
    (Status.RUNNING, Move.CHECK_AGAIN): Transition(Status.RUNNING, "{by} had something checked again"),
    (Status.READY, Move.SEAL): Transition(Status.SIGNED, "{by} signed second, which completes the record"),
    (Status.RUNNING, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the checkup", needs_reason=True),
    (Status.PAUSED, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the checkup", needs_reason=True),
    (Status.READY, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the checkup", needs_reason=True),
}

OF_TASKS = "task"
"""The events of tasks that people see to: no moves of the checkup, and not in the record, which is of what was found."""

_WANTED = {
    Move.CHANGE: "changed", Move.WITHDRAW: "withdrawn", Move.START: "started", Move.PAUSE: "paused",
    Move.RESUME: "resumed", Move.CHECK_AGAIN: "checked again", Move.SEAL: "signed", Move.CANCEL: "cancelled",
}  # fmt: skip


def transition(status: Status | None, move: Move) -> Transition | None:
    """What the move does in that status; None when it is not allowed there."""
    return TABLE.get((status, move))


def moves_from(status: Status) -> list[Move]:
    """The moves that are allowed in that status."""
    return [move for (source, move) in TABLE if source is status]


def move_refusal(status: Status, move: Move) -> str:
    """Why the move is not allowed in that status, for people."""
    wanted = _WANTED.get(move, "changed in that way")
    return f"This checkup is {STATUSES[status].label.lower()} and cannot be {wanted} now."
