"""A worker killed with -9 in every step: live data whole, the request says what happened, a retry works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from backups.drivers.base import Mode
from backups.models import Resource
from restores.actions.deciding import retry
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.models import AttemptStatus, RestoreRequest
from restores.stepnames import STEPS, UNDO_STEPS, StepName
from restores.workflow import Status
from tests.app.world import World, approved, filed, make_resource_of, restored
from tests.drivers.databases import Database
from tests.faults.death import cleaned_up, found_dead, killed
from tests.faults.subjects import LiveDatabase, Subject, Tree, new_name

MOMENTS = ("begun", "done, not recorded", "recorded")
AFTER_SWAP = {StepName.HEALTH, StepName.HAND_OVER}


@pytest.fixture(params=["files", "postgres"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    if request.param == "files":
        tree = Tree()
        yield tree
        tree.remove()
        return
    with Database(request.getfixturevalue("postgres_server"), tmp_path, new_name()) as database:
        yield LiveDatabase(database)


@pytest.fixture
def resource(world: World, subject: Subject) -> Resource:
    return make_resource_of(world, subject.kind, subject.settings, name="shop")


@pytest.mark.slow
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("step", STEPS[Mode.IN_PLACE], ids=str)
def test_in_place(world: World, resource: Resource, subject: Subject, step: StepName, when: str) -> None:
    backed_up = subject.look()
    subject.change("second")
    today = subject.look()
    assert today != backed_up
    request = approved(world, filed(world, resource.backups.get()))

    killed("restore", request.pk, step, when)
    swapped = step in AFTER_SWAP or (step is StepName.SWAP and when != "begun")
    standing = backed_up if swapped else today
    assert subject.look() in (standing, None), "whole, one or the other, or closed until the sweeper comes"

    found_dead()
    request = RestoreRequest.objects.get(pk=request.pk)
    attempt = request.attempts.get()
    assert request.state is Status.FAILED
    assert attempt.status == AttemptStatus.INTERRUPTED
    cleaned_up(attempt.pk)
    cleaned_up(attempt.pk)
    attempt.refresh_from_db()
    assert "its worker stopped" in attempt.error
    assert ("is live and the original is kept" if swapped else "The live data is as it was.") in attempt.error
    assert subject.look() == standing
    assert not list(Path(settings.SCRATCH_DIR).glob("attempt-*"))
    if not swapped:
        assert len(subject.names()) == 1, "nothing is left beside it"

    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=resource.name)
    perform_restore(request.pk)
    request.refresh_from_db()
    assert request.state is Status.COMPLETED, request.attempts.last().error  # type: ignore[union-attr]
    assert subject.look() == backed_up

    undo = request_undo(by=world.it, request=request, reason="Back to today.")
    perform_undo(undo.pk)
    assert subject.look() == today, "the true original, whatever was killed on the way"


@pytest.mark.slow
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("step", UNDO_STEPS, ids=str)
def test_undo(world: World, resource: Resource, subject: Subject, step: StepName, when: str) -> None:
    backup = resource.backups.get()
    subject.change("second")
    today = subject.look()
    request = restored(world, backup)
    assert subject.look() != today
    undo = request_undo(by=world.it, request=request, reason="Back to today.")
    killed("undo", undo.pk, step, when)
    found_dead()
    cleaned_up(undo.pk)
    request = RestoreRequest.objects.get(pk=request.pk)
    if request.state is not Status.UNDONE:  # it had not come to the swap: ask again
        again = request_undo(by=world.it, request=request, reason="Again.")
        perform_undo(again.pk)
        request.refresh_from_db()
    assert request.state is Status.UNDONE
    assert subject.look() == today
