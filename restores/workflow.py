"""The workflow of a restore request, as a table: status × move → what follows. Pure.

Labels, colours, whose turn it is and what happens next stand here and nowhere else; the diagram in docs/workflow.md
is generated from this table (``manage.py workflow_diagram``), and a test fails when it is stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backups.colours import Colour


class Status(StrEnum):
    """Where a request stands."""

    SUBMITTED = "submitted"
    AWAITING_CONSENT = "awaiting_consent"
    APPROVED = "approved"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    UNDONE = "undone"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Move(StrEnum):
    """What can happen to a request."""

    FILE = "file"
    QUOTE = "quote"
    ACCEPT = "accept"
    DECLINE = "decline"
    RELEASE = "release"
    CORRECT = "correct"
    EXPIRE = "expire"
    APPROVE = "approve"
    RECALL = "recall"
    REJECT = "reject"
    CANCEL = "cancel"
    STOP = "stop"
    STOPPED = "stopped"
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
    CLIENT = "the client"
    NOBODY = "nobody"


@dataclass(frozen=True)
class StatusFacts:
    """What pages say about a status."""

    label: str
    colour: Colour
    turn: Turn
    next: str  # one sentence for the people of the request
    final: bool = False
    asks: str = ""  # the same for whoever is to decide


STATUSES: dict[Status, StatusFacts] = {
    Status.SUBMITTED: StatusFacts(
        "Submitted",
        Colour.WAITING,
        Turn.IT,
        "IT reviews the request and approves or rejects it.",
        asks="Review the request, then approve or reject it.",
    ),
    Status.AWAITING_CONSENT: StatusFacts(
        "Awaiting consent",
        Colour.WAITING,
        Turn.CLIENT,
        "The client reads the estimate and accepts or declines it.",
        asks="Read the estimate, then accept or decline it.",
    ),
    Status.APPROVED: StatusFacts("Approved", Colour.WORKING, Turn.PORTAL, "The restore starts by itself in a moment."),
    Status.RUNNING: StatusFacts(
        "Running", Colour.WORKING, Turn.PORTAL, "The restore is running; this page follows it."
    ),
    Status.COMPLETED: StatusFacts("Completed", Colour.GOOD, Turn.FILER, "Check that everything is as you need it."),
    Status.FAILED: StatusFacts(
        "Failed",
        Colour.BAD,
        Turn.IT,
        "IT looks at what went wrong and approves another attempt.",
        asks="Look at what went wrong, then approve another attempt.",
    ),
    Status.UNDONE: StatusFacts("Undone", Colour.QUIET, Turn.NOBODY, "The original is back in place.", final=True),
    Status.REJECTED: StatusFacts("Rejected", Colour.QUIET, Turn.NOBODY, "Nothing was restored.", final=True),
    Status.CANCELLED: StatusFacts("Cancelled", Colour.QUIET, Turn.NOBODY, "Nothing was restored.", final=True),
    Status.EXPIRED: StatusFacts(
        "Expired", Colour.QUIET, Turn.NOBODY, "Nobody acted in time, so nothing was restored. Ask again.", final=True
    ),
}


@dataclass(frozen=True)
class Transition:
    """What a move does: where it leads, and how the timeline tells it ("{by}" is filled in).

    ``asks`` tells it to those whose turn it becomes, where the timeline speaks of them to everybody.
    """

    to: Status
    event: str
    needs_reason: bool = False
    asks: str = ""


TABLE: dict[tuple[Status | None, Move], Transition] = {
    (None, Move.FILE): Transition(Status.SUBMITTED, "{by} asked for a restore", needs_reason=True),
    (Status.SUBMITTED, Move.QUOTE): Transition(
        Status.AWAITING_CONSENT,
        "The estimate waits for the client’s consent",
        asks="The estimate waits for you to accept or decline it",
    ),
    (Status.AWAITING_CONSENT, Move.ACCEPT): Transition(Status.SUBMITTED, "{by} accepted the estimate"),
    (Status.AWAITING_CONSENT, Move.DECLINE): Transition(
        Status.CANCELLED, "{by} declined the estimate", needs_reason=True
    ),
    (Status.AWAITING_CONSENT, Move.RELEASE): Transition(Status.SUBMITTED, "No consent is needed any more"),
    (Status.AWAITING_CONSENT, Move.REJECT): Transition(Status.REJECTED, "{by} rejected the request", needs_reason=True),
    (Status.AWAITING_CONSENT, Move.CANCEL): Transition(
        Status.CANCELLED, "{by} cancelled the request", needs_reason=True
    ),
    (Status.SUBMITTED, Move.EXPIRE): Transition(Status.EXPIRED, "Nobody decided in time"),
    (Status.AWAITING_CONSENT, Move.EXPIRE): Transition(Status.EXPIRED, "Nobody accepted the estimate in time"),
    (Status.SUBMITTED, Move.CORRECT): Transition(Status.SUBMITTED, "{by} corrected the cause", needs_reason=True),
    (Status.AWAITING_CONSENT, Move.CORRECT): Transition(
        Status.AWAITING_CONSENT, "{by} corrected the cause", needs_reason=True
    ),
    (Status.FAILED, Move.CORRECT): Transition(Status.FAILED, "{by} corrected the cause", needs_reason=True),
    (Status.COMPLETED, Move.CORRECT): Transition(Status.COMPLETED, "{by} corrected the cause", needs_reason=True),
    (Status.SUBMITTED, Move.APPROVE): Transition(Status.APPROVED, "{by} approved the plan"),
    (Status.SUBMITTED, Move.REJECT): Transition(Status.REJECTED, "{by} rejected the request", needs_reason=True),
    (Status.SUBMITTED, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the request", needs_reason=True),
    (Status.APPROVED, Move.CANCEL): Transition(Status.CANCELLED, "{by} cancelled the request", needs_reason=True),
    (Status.APPROVED, Move.RECALL): Transition(Status.SUBMITTED, "The approval does not stand any more"),
    (Status.APPROVED, Move.CLAIM): Transition(Status.RUNNING, "The restore started"),
    (Status.RUNNING, Move.COMPLETE): Transition(Status.COMPLETED, "The restore is done and proven"),
    (Status.RUNNING, Move.FAIL): Transition(Status.FAILED, "The restore failed"),
    (Status.RUNNING, Move.STOP): Transition(Status.RUNNING, "{by} asked the restore to stop", needs_reason=True),
    (Status.RUNNING, Move.STOPPED): Transition(Status.CANCELLED, "The restore was stopped"),
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
        Move.QUOTE: "put before the client",
        Move.ACCEPT: "accepted",
        Move.DECLINE: "declined",
        Move.RELEASE: "released",
        Move.CORRECT: "corrected",
        Move.EXPIRE: "expired",
        Move.APPROVE: "approved",
        Move.RECALL: "put back to IT",
        Move.REJECT: "rejected",
        Move.CANCEL: "cancelled",
        Move.STOP: "stopped",
        Move.STOPPED: "marked as stopped",
        Move.CLAIM: "started",
        Move.COMPLETE: "completed",
        Move.FAIL: "marked as failed",
        Move.RETRY: "tried again",
        Move.UNDO: "undone",
    }.get(move, move.value)
    return f"This request is {facts.label.lower()} and cannot be {wanted} now."
