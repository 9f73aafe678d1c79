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
    FOLLOWERS = "those who follow"


TURNS: dict[Turn, Audience] = {Turn.IT: Audience.IT, Turn.FILER: Audience.FILER, Turn.CLIENT: Audience.CLIENT}


def told(came_from: Status | None, move: Move) -> frozenset[Audience]:
    """Who is told of that move from that status; nobody where the table has no such move."""
    step = transition(came_from, move)
    if step is None:
        return frozenset()
    turn = TURNS.get(STATUSES[step.to].turn) if step.to is not came_from else None
    return frozenset({Audience.FOLLOWERS, turn} if turn else {Audience.FOLLOWERS})
