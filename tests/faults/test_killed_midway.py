"""A worker killed with -9 between two changes that a driver makes to the world, of a machine and of a MariaDB database.

No machine stands still and nothing is taken off for good; the request says what is live and offers the way back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.models import Resource
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.models import RestoreRequest, StepStatus
from restores.permissions import check_can_undo
from restores.stepnames import StepName
from restores.workflow import Status
from tests.app.world import World, approved, filed, make_resource_of, restored
from tests.drivers.aws import answered, refusal
from tests.faults.death import cleaned_up, found_dead, killed
from tests.faults.subjects import LiveMachine, Subject
from tests.faults.subjects_there import subject_of
from tests.faults.test_killed_workers import settled, tried_again

EXCHANGE = {"ec2": 18, "mysql": 23}
"""How many changes to the world an exchange makes, either way; at EC2 each call counts twice, as it is sent and as it is
answered.
"""

IN_PLACE = {
    ("ec2", StepName.RESTORE): 6,
    ("ec2", StepName.STOP_WRITERS): 4,
    **{(kind, StepName.SWAP): number for kind, number in EXCHANGE.items()},
}


def every(of: tuple[str, ...], number: int) -> list[object]:
    return [pytest.param(*of, effect, id="-".join((*of, str(effect)))) for effect in range(1, number + 1)]


@pytest.fixture
def subject(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(kind, request, tmp_path) as made:
        yield made


@pytest.fixture
def resource(world: World, subject: Subject) -> Resource:
    return make_resource_of(world, subject.kind, subject.settings, name="shop")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "step", "effect"), [one for of, number in IN_PLACE.items() for one in every(of, number)]
)
def test_in_place(world: World, resource: Resource, subject: Subject, step: StepName, effect: int) -> None:
    backed_up = subject.look()
    subject.change("second")
    today = subject.look()
    assert None not in (backed_up, today)
    request = approved(world, filed(world, resource.backups.get()))

    killed("restore", request.pk, step, f"effect {effect} of {subject.kind}")
    assert request.attempts.get().steps.get(status=StepStatus.RUNNING).name == step, "the row says where it is"

    attempt = settled(request)
    assert f"during “{step.label}”" in attempt.error
    swapped = attempt.went_live_at is not None
    assert ("is live and the original is kept" in attempt.error) == swapped
    assert ("The live data is as it was." in attempt.error) != swapped
    assert subject.look() == (backed_up if swapped else today), "whole, and at work"
    assert len(subject.names()) == 1 + swapped, "nothing but the original is left beside it"
    if swapped:
        check_can_undo(world.it, request)

    tried_again(world, request)
    assert subject.look() == backed_up
    perform_undo(request_undo(by=world.it, request=request, reason="Back to today.").pk)
    assert subject.look() == today, "the true original, whatever was killed on the way"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "effect"), [one for kind, number in EXCHANGE.items() for one in every((kind,), number)]
)
def test_undo(world: World, resource: Resource, subject: Subject, effect: int) -> None:
    backed_up = subject.look()
    subject.change("second")
    today = subject.look()
    request = restored(world, resource.backups.get())
    assert subject.look() == backed_up
    undo = request_undo(by=world.it, request=request, reason="Back to today.")
    killed("undo", undo.pk, StepName.SWAP_BACK, f"effect {effect} of {subject.kind}")
    found_dead()
    cleaned_up(undo.pk)
    cleaned_up(undo.pk)
    request = RestoreRequest.objects.get(pk=request.pk)
    undone = request.state is Status.UNDONE
    assert subject.look() == (today if undone else backed_up), "whole, and at work"
    if not undone:
        check_can_undo(world.it, request)
        perform_undo(request_undo(by=world.it, request=request, reason="Again.").pk)
    assert RestoreRequest.objects.get(pk=request.pk).state is Status.UNDONE
    assert subject.look() == today


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ec2"])
def test_a_machine_that_cannot_be_put_right_yet_is_not_forgotten(
    world: World, resource: Resource, subject: LiveMachine
) -> None:
    """Its volumes are off as AWS refuses what is needed: the row says so, nothing else is restored, and it is tried again."""
    subject.change("second")
    today = subject.look()
    request = approved(world, filed(world, resource.backups.get()))
    killed("restore", request.pk, StepName.SWAP, "effect 6 of ec2")
    assert (subject.state(), len(subject.attached())) == ("stopped", 2)
    found_dead()
    attempt = request.attempts.get()
    with answered("ec2", "AttachVolume", refusal("UnauthorizedOperation")):
        cleaned_up(attempt.pk)
    attempt.refresh_from_db()
    assert attempt.resend_at is not None
    assert "ec2:AttachVolume" in attempt.error_detail
    perform_restore(request.pk)
    assert request.attempts.count() == 1
    cleaned_up(attempt.pk)
    attempt.refresh_from_db()
    assert (attempt.resend_at, subject.look()) == (None, today)
    assert "The live data is as it was." in attempt.error
