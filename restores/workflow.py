"""The workflow of a restore request, as a table: status × move → what follows. Pure.

Labels, colours, whose turn it is and what happens next stand here and nowhere else; the diagram in docs/workflow.md
is generated from this table (``manage.py workflow_diagram``), and a test fails when it is stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a request stands."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    UNDONE = "undone"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What can happen to a request."""

    FILE = "file"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    CLAIM = "claim"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    UNDO = "undo"


class Turn(StrEnum):
    """Whose turn it is."""

    IT = "IT"
    PORTAL = "the portal"
    FILER = "the person who asked"
    NOBODY = "nobody"


class Colour(StrEnum):
    """The meaning of a status pill's colour; the words beside it say the same."""

    WAITING = "waiting"
    WORKING = "working"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True)
class StatusFacts:
    """What pages say about a status."""

    label: str
    colour: Colour
    turn: Turn
    next: str  # one sentence for the people of the request
    final: bool = False


STATUSES: dict[Status, StatusFacts] = {
    Status.SUBMITTED: StatusFacts(
        "Submitted", Colour.WAITING, Turn.IT, "IT reviews the request and approves or rejects it."
    ),
    Status.APPROVED: StatusFacts("Approved", Colour.WORKING, Turn.PORTAL, "The restore starts by itself in a moment."),
    Status.RUNNING: StatusFacts(
        "Running", Colour.WORKING, Turn.PORTAL, "The restore is running; this page follows it."
    ),
    Status.COMPLETED: StatusFacts("Completed", Colour.GOOD, Turn.FILER, "Check that everything is as you need it."),
    Status.FAILED: StatusFacts(
        "Failed", Colour.BAD, Turn.IT, "IT looks at what went wrong and approves another attempt."
    ),
    Status.UNDONE: StatusFacts("Undone", Colour.QUIET, Turn.NOBODY, "The original is back in place.", final=True),
    Status.REJECTED: StatusFacts("Rejected", Colour.QUIET, Turn.NOBODY, "Nothing was restored.", final=True),
    Status.CANCELLED: StatusFacts("Cancelled", Colour.QUIET, Turn.NOBODY, "Nothing was restored.", final=True),
}


@dataclass(frozen=True)
class Transition:
    """What a move does: where it leads, and how the timeline tells it ("{by}" is filled in)."""

    to: Status
    event: str
    needs_reason: bool = False


TABLE: dict[tuple[Status | None, Move], Transition] = {
    (None, Move.FILE): Transition(Status.SUBMITTED, "{by} asked for a restore", needs_reason=True),
    (Status.SUBMITTED, Move.APPROVE): Transition(Status.APPROVED, "{by} approved the plan"),
    (Status.SUBMITTED, Move.REJECT): Transition(Status.REJECTED, "{by} rejected the request", needs_reason=True),
    (Status.SUBMITTED, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the request", needs_reason=True),
    (Status.APPROVED, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the request", needs_reason=True),
    (Status.APPROVED, Move.CLAIM): Transition(Status.RUNNING, "The restore started"),
    (Status.RUNNING, Move.COMPLETE): Transition(Status.COMPLETED, "The restore is done and proven"),
    (Status.RUNNING, Move.FAIL): Transition(Status.FAILED, "The restore failed"),
    (Status.FAILED, Move.RETRY): Transition(Status.APPROVED, "{by} approved another attempt"),
    (Status.FAILED, Move.CANCEL): Transition(Status.CANCELLED, "{by} closed the request", needs_reason=True),
    (Status.COMPLETED, Move.UNDO): Transition(Status.UNDONE, "The original is back in place"),
    (Status.FAILED, Move.UNDO): Transition(Status.UNDONE, "The original is back in place"),
}


def transition(status: Status | None, move: Move) -> Transition | None:
    """What the move does in that status; None when it is not allowed there."""
    return TABLE.get((status, move))


def statuses_of(*turns: Turn) -> list[str]:
    """The statuses in which it is one of these turns, for queries."""
    return [status.value for status, facts in STATUSES.items() if facts.turn in turns]


def moves_from(status: Status) -> list[Move]:
    """The moves that are allowed in that status."""
    return [move for (source, move) in TABLE if source == status]


def refusal_sentence(status: Status, move: Move) -> str:
    """Why the move is not allowed in that status, for people."""
    facts = STATUSES[status]
    wanted = {
        Move.APPROVE: "approved",
        Move.REJECT: "rejected",
        Move.CANCEL: "cancelled",
        Move.CLAIM: "started",
        Move.COMPLETE: "completed",
        Move.FAIL: "marked as failed",
        Move.RETRY: "tried again",
        Move.UNDO: "undone",
    }.get(move, move.value)
    return f"This request is {facts.label.lower()} and cannot be {wanted} now."
