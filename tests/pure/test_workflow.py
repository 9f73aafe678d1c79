"""The workflow's table says everything about every status, and nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restores.diagram import workflow_page
from restores.incident_workflow import (
    INCIDENT_STATUSES,
    INCIDENT_TABLE,
    IncidentMove,
    IncidentStatus,
    incident_moves_from,
    incident_refusal,
    incident_transition,
    up_next,
)
from restores.workflow import STATUSES, TABLE, Move, Status, Turn, moves_from, refusal_sentence, transition


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_facts(status: Status) -> None:
    facts = STATUSES[status]
    assert facts.label
    assert facts.next
    assert facts.final == (not moves_from(status)), "a final status is one that nothing leaves"
    assert facts.final == (facts.turn is Turn.NOBODY)
    assert bool(facts.asks) == (facts.turn in (Turn.IT, Turn.CLIENT)), "where somebody is to decide, it is said what"


@pytest.mark.parametrize("status", Status)
def test_every_status_can_be_reached(status: Status) -> None:
    reached = {Status.SUBMITTED}
    while True:
        more = {step.to for (source, _), step in TABLE.items() if source in reached} - reached
        if not more:
            break
        reached |= more
    assert status in reached


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("move", Move)
def test_what_the_table_does_not_have_is_refused_in_a_sentence(status: Status, move: Move) -> None:
    if transition(status, move) is None:
        assert refusal_sentence(status, move).endswith("now.")


def test_nothing_is_approved_but_by_approving() -> None:
    ways = {move for (_, move), step in TABLE.items() if step.to is Status.APPROVED}
    assert ways == {Move.APPROVE, Move.RETRY}


def test_nothing_completes_but_what_ran() -> None:
    ways = {(source, move) for (source, move), step in TABLE.items() if step.to is Status.COMPLETED}
    assert ways == {(Status.RUNNING, Move.COMPLETE), (Status.COMPLETED, Move.CORRECT)}


def test_time_never_approves() -> None:
    assert {step.to for (_, move), step in TABLE.items() if move is Move.EXPIRE} == {Status.EXPIRED}


def test_an_incident_is_started_by_confirming_it_alone() -> None:
    ways = {move for (_, move), step in INCIDENT_TABLE.items() if step.to is IncidentStatus.RECOVERING}
    assert ways == {IncidentMove.CONFIRM}


@pytest.mark.parametrize("status", IncidentStatus)
def test_every_status_of_an_incident_has_its_facts(status: IncidentStatus) -> None:
    facts = INCIDENT_STATUSES[status]
    assert facts.next.endswith(".")
    assert facts.final == (not incident_moves_from(status)) == (facts.turn is Turn.NOBODY)
    for move in IncidentMove:
        if incident_transition(status, move) is None:
            assert incident_refusal(status, move).endswith("now.")


@given(
    waiting=st.lists(st.tuples(st.integers(), st.sampled_from("abcde")), unique_by=lambda one: one[0]),
    busy=st.sets(st.sampled_from("abcde")),
    free=st.integers(-2, 9),
)
def test_whose_turn_it_is(waiting: list[tuple[int, str]], busy: set[str], free: int) -> None:
    targets = dict(waiting)
    chosen = up_next(waiting, busy, free)
    assert len(chosen) <= max(free, 0)
    assert not {targets[one] for one in chosen} & busy
    assert len({targets[one] for one in chosen}) == len(chosen), "one at a time on each target"
    assert chosen == [one for one, _ in waiting if one in chosen], "in the order of the list"
    if len(chosen) < free:
        left = [target for one, target in waiting if one not in chosen]
        assert all(target in busy or target in {targets[one] for one in chosen} for target in left), "nobody waits idly"


def test_the_page_with_the_diagram_is_not_stale() -> None:
    page = Path(__file__).parents[2] / "docs" / "workflow.md"
    assert page.read_text(encoding="utf-8") == workflow_page(), "run manage.py workflow_diagram"
