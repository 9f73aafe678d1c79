"""What befalls an incident in the middle: the rest goes on in order, nothing is restored twice, the record is true."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Pin, Resource
from restores.actions import incidents
from restores.actions.deciding import retry
from restores.actions.performing import perform_restore
from restores.actions.sweeping import sweep_restores
from restores.incident_board import rows_of
from restores.models import Approval, Attempt, AttemptStatus, Event, Incident, RestoreRequest
from restores.stepnames import STEPS, StepName
from restores.workflow import Move, Status
from tests.app.hazard import confirmed, declared, page, states, work
from tests.app.world import World
from tests.faults.at_once import at_once
from tests.faults.death import cleaned_up, found_dead, killed
from tests.faults.works import IMPATIENT, Files, Redis, Works, cut_everybody_off, eventually

MOMENTS = ("begun", "done, not recorded", "recorded")
AFTER_SWAP = {StepName.HEALTH, StepName.HAND_OVER}
ORDER = (3, 1, 4, 0, 2)
"""IT's, which is neither the names' nor the rows'."""


def arranged(world: World, five: list[Resource], at_a_time: int) -> Incident:
    """Declared, in IT's order."""
    incident = declared(world, five, concurrency=at_a_time)
    order = {five[number].pk: place for place, number in enumerate(ORDER, 1)}
    return incidents.arrange(by=world.it, incident=incident, order=order)


def sweep(*, after: timedelta = timedelta(minutes=2)) -> None:
    """The sweeper some time later: all that was sent and not heard of is due; no worker that lives counts as lost."""
    later = timezone.now() + after
    sweep_restores(later, lost_before=timezone.now() - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))


def check_limit_and_order(incident: Incident) -> None:
    """By what the attempts recorded: never more at once than IT allowed, and nobody passed those before them."""
    places = {row.resource_id: row.position for row in incident.affected.all()}
    firsts = list(Attempt.objects.filter(request__incident=incident, number=1).order_by("started_at"))
    started: set[int] = set()
    for attempt in firsts:
        place = places[attempt.request.resource_id]
        before = set(range(1, place)) - started
        assert len(before) < incident.concurrency, f"{place} began before {before}"
        started.add(place)
    began = Attempt.objects.filter(request__incident=incident, started_at__isnull=False)
    for moment in began.values_list("started_at", flat=True):
        running = began.filter(started_at__lte=moment).exclude(finished_at__lte=moment)
        assert running.count() <= incident.concurrency


def check_all_is_back(world: World, incident: Incident, five: list[Resource]) -> None:
    """Every resource restored once, and all that is told of it agrees with what stands there."""
    assert states(incident) == ["completed"] * 5
    assert [page(one) for one in five] == ["page of first\n"] * 5
    assert RestoreRequest.objects.filter(incident=incident).count() == 5
    for request in incident.restore_requests.all():
        attempts = list(request.attempts.order_by("number"))
        assert [one.status for one in attempts].count(AttemptStatus.COMPLETED) == 1
        assert attempts[-1].status == AttemptStatus.COMPLETED
        moves = [event.move for event in Event.objects.filter(request=request).order_by("pk") if event.move != "note"]
        again = [Move.FAIL, Move.RETRY, Move.CLAIM] * (len(attempts) - 1)
        assert moves == [Move.FILE, Move.APPROVE, Move.CLAIM, *again, Move.COMPLETE]
        assert Approval.objects.filter(request=request).count() == len(attempts)
    rows = rows_of(world.it, incident, incident.affected.all(), timezone.now())
    assert [row.recovered_at for row in rows] == [row.attempt and row.attempt.finished_at for row in rows]
    assert all(row.recovered_at for row in rows)
    assert not list(settings.SCRATCH_DIR.glob("attempt-*"))
    closed = incidents.close(by=world.it, incident=incident, reason="All is back.")
    assert closed.facts.final
    assert not Pin.objects.filter(label=incident.number).exists()


def tried_again(world: World, request: RestoreRequest) -> None:
    """What the dead worker left is put right, and IT approves another attempt."""
    attempt = request.attempts.get()
    assert (request.state, attempt.status) == (Status.FAILED, AttemptStatus.INTERRUPTED)
    assert "its worker stopped" in attempt.error
    cleaned_up(attempt.pk)
    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)


@pytest.mark.slow
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("step", STEPS[Mode.IN_PLACE], ids=str)
def test_a_worker_is_killed_in_a_step(
    world: World, five: list[Resource], sent: list[int], step: StepName, when: str
) -> None:
    incident = confirmed(world, arranged(world, five, 2))
    first, second = sent
    ever = {*sent}
    sent.clear()
    request = RestoreRequest.objects.get(pk=first)

    killed("restore", first, step, when)
    perform_restore(first)  # the broker delivers it once more
    sweep()
    assert first not in sent
    work([second])
    ever |= {*sent}
    work(sent)
    assert sorted(states(incident)) == ["completed"] * 4 + ["running"], "the dead one keeps its place, no more"
    swapped = step in AFTER_SWAP or (step is StepName.SWAP and when != "begun")
    assert page(request.resource) == ("page of first\n" if swapped else "spoilt\n")

    found_dead()
    request.refresh_from_db()
    for pk in (*ever, *incident.restore_requests.values_list("pk", flat=True)):
        perform_restore(pk)
    assert Attempt.objects.count() == 5, "no message starts anything again"
    tried_again(world, request)
    assert sent == [first]
    work(sent)
    check_limit_and_order(incident)
    check_all_is_back(world, incident, five)


@pytest.mark.parametrize("when", [MOMENTS[1], *(pytest.param(one, marks=pytest.mark.slow) for one in MOMENTS[::2])])
def test_what_files_its_list_is_killed(
    world: World, five: list[Resource], sent: list[int], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = arranged(world, five, 2)
    with monkeypatch.context() as patched:
        patched.setattr("restores.actions.incidents.file_turn", lambda *args: None)
        confirmed(world, incident)
    killed("file", incident.pk, "3", when)
    assert states(incident) == ["approved"] * (3 if when == "recorded" else 2) + ["-"] * (
        2 if when == "recorded" else 3
    )
    at_once(sweep, sweep)
    work(sent)
    while "approved" in states(incident):  # the messages of two sweeps may have come out of turn
        sweep()
        work(sent)
    incident.refresh_from_db()
    check_limit_and_order(incident)
    check_all_is_back(world, incident, five)


def test_every_message_comes_to_two_workers_at_once(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = confirmed(world, arranged(world, five, 2))
    while sent:
        pk = sent.pop(0)
        at_once(lambda pk=pk: perform_restore(pk), lambda pk=pk: perform_restore(pk))
    check_limit_and_order(incident)
    check_all_is_back(world, incident, five)


def test_the_beat_runs_twice_at_once(world: World, five: list[Resource], sent: list[int]) -> None:
    """Every sweep comes to two workers in the same moment: with nothing filed, with all due, with one that is dead."""
    incident = arranged(world, five, 2)
    confirmed(world, incident)
    at_once(sweep, sweep)
    killed("restore", sent[0], StepName.VERIFY, "begun")
    request = RestoreRequest.objects.get(pk=sent[0])
    at_once(found_dead, found_dead)
    request.refresh_from_db()
    assert Event.objects.filter(request=request, move=Move.FAIL).count() == 1
    attempt = Attempt.objects.get(request=request)
    at_once(lambda: cleaned_up(attempt.pk), lambda: cleaned_up(attempt.pk))
    assert Event.objects.filter(request=request, text="The portal cleaned up").count() == 1
    work(sent)
    while "approved" in states(incident):
        at_once(sweep, sweep)
        work(sent)
    tried_again(world, request)
    at_once(sweep, sweep)
    work(sent)
    incident.refresh_from_db()
    check_limit_and_order(incident)
    check_all_is_back(world, incident, five)


def a_worker_is_killed(works: Works) -> None:
    works.kill_while(Attempt.objects.filter(status=AttemptStatus.RUNNING).exists)


def the_broker_loses_all(works: Works) -> None:
    works.broker.lose_all()


def the_database_cuts_everybody_off(works: Works) -> None:
    cut_everybody_off()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broker", "befalls"),
    [(Redis, a_worker_is_killed), (Redis, the_broker_loses_all), (Redis, the_database_cuts_everybody_off),
     (Files, the_broker_loses_all)],
    ids=lambda one: one.__name__,
)  # fmt: skip
def test_real_workers_and_two_beats(
    world: World,
    five: list[Resource],
    sent: list[int],
    tmp_path: Path,
    broker: type[Redis | Files],
    befalls: Callable[[Works], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No message of the web server arrives at all; what is done is done by the sweeps."""
    monkeypatch.setattr(settings, "RESEND_AFTER_SECONDS", int(IMPATIENT["RESEND_AFTER_SECONDS"]))
    if broker is Redis and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    incident = confirmed(world, arranged(world, five, 2))
    attempts = Attempt.objects.filter(request__incident=incident)
    over = lambda: not set(states(incident)) & {"approved", "running"}  # noqa: E731
    with Works(broker(), tmp_path) as works:
        try:
            eventually(attempts.exists, 60, every=0.01)
            assert not over(), "it befalls in the middle"
            befalls(works)
            eventually(over, 120)
            eventually(lambda: not attempts.filter(resend_at__isnull=False).exists(), 60)  # cleaned up
            for request in incident.restore_requests.filter(status=Status.FAILED.value):
                retry(by=world.it, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)
            eventually(over, 120)
        except AssertionError as error:
            raise AssertionError(f"{error}: {states(incident)}\n{works.said()}") from error
    if befalls is a_worker_is_killed:
        assert attempts.filter(status=AttemptStatus.INTERRUPTED).exists()
    check_limit_and_order(incident)
    check_all_is_back(world, incident, five)
