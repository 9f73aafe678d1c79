"""Whom a move tells. Pure: made of the workflow's table, so that a new status or move is told of, too.

Those whose turn it has become, and those who follow the request; never the person who did it.
"""

from __future__ import annotations

from enum import StrEnum

from restores.workflow import STATUSES, Move, Status, Turn, transition


class Audience(StrEnum):
    """A group of people, as seen from a request."""

    IT = "IT"
    FILER = "who asked"
    CLIENT = "the client’s people who accept estimates"
    OWNERS = "the client’s people who answer for data and price"
    FOLLOWERS = "those who follow"


TURNS: dict[Turn, Audience] = {Turn.IT: Audience.IT, Turn.FILER: Audience.FILER, Turn.CLIENT: Audience.CLIENT}


CHANGES_DATA = frozenset({Move.COMPLETE, Move.FAIL, Move.UNDO})
"""After these live data may be other data than before."""


def told(came_from: Status | None, move: Move, *, changed: bool = False) -> frozenset[Audience]:
    """Who is told of that move from that status; nobody where the table has no such move.

    ``changed``: live data is other data now. That its owners hear, whoever asked for it.
    """
    step = transition(came_from, move)
    if step is None:
        return frozenset()
    turn = TURNS.get(STATUSES[step.to].turn) if step.to is not came_from else None
    owners = {Audience.OWNERS} if changed and move in CHANGES_DATA else set()
    return frozenset({Audience.FOLLOWERS, *owners, *([turn] if turn else [])})
