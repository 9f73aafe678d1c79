"""Whom each move tells, as a table of its own: a change of the rule has to be meant."""

from __future__ import annotations

import pytest

from restores.audience import Audience, told
from restores.workflow import TABLE, Move, Status

IT, FILER, CLIENT = Audience.IT, Audience.FILER, Audience.CLIENT
TURN: dict[tuple[Status | None, Move], Audience] = {
    (None, Move.FILE): IT,
    (Status.SUBMITTED, Move.QUOTE): CLIENT,
    (Status.APPROVED, Move.RECALL): IT,
    (Status.AWAITING_CONSENT, Move.ACCEPT): IT,
    (Status.AWAITING_CONSENT, Move.RELEASE): IT,
    (Status.RUNNING, Move.FAIL): IT,
    (Status.RUNNING, Move.COMPLETE): FILER,
}


@pytest.mark.parametrize(("source", "move"), TABLE)
def test_those_who_follow_are_told_of_every_move_and_whose_turn_it_becomes_as_well(
    source: Status | None, move: Move
) -> None:
    turn = TURN.get((source, move))
    assert told(source, move) == ({Audience.FOLLOWERS, turn} if turn else {Audience.FOLLOWERS})


@pytest.mark.parametrize(("source", "move"), TABLE)
def test_the_owners_are_told_when_their_live_data_changed(source: Status | None, move: Move) -> None:
    changed = told(source, move, changed=True) - told(source, move)
    assert changed == ({Audience.OWNERS} if move in (Move.COMPLETE, Move.FAIL, Move.UNDO) else set())


def test_of_what_does_not_happen_nobody_is_told() -> None:
    assert not told(Status.COMPLETED, Move.APPROVE)
