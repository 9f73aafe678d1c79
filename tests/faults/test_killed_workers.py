"""A worker killed with -9, or cut off from the database, in every step of every mode, of the whole and of a part.

Live data whole, the request says what happened, a message that comes again changes nothing, a retry works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from backups.drivers.base import Mode
from backups.models import Resource
from restores.actions.deciding import retry
from restores.actions.filing import file_request
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.charging import Cause
from restores.models import Attempt, AttemptStatus, RestoreRequest
from restores.stepnames import STEPS, UNDO_STEPS, StepName
from restores.workflow import Status
from tests.app.world import World, approved, filed, make_resource_of, restored
from tests.faults.at_once import at_once
from tests.faults.death import cleaned_up, cut_off, found_dead, killed
from tests.faults.subjects import Subject
from tests.faults.subjects_there import subject_of

MOMENTS = ("begun", "done, not recorded", "recorded")
AFTER_SWAP = {StepName.HEALTH, StepName.HAND_OVER}


@pytest.fixture(params=["files", "postgres", "mysql", "ec2"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(request.param, request, tmp_path) as made:
        yield made


def asked(world: World, resource: Resource, subject: Subject, extent: str, mode: Mode = Mode.BESIDE) -> RestoreRequest:
    """Filed and approved, of the whole or of a part."""
    part = subject.part if extent == "part" else None
    request = file_request(
        by=world.owner, backup=resource.backups.get(), mode=mode, reason="Lost.", cause=Cause.OTHER, part=part
    )
    return approved(world, request)


def comes_again(request: RestoreRequest) -> None:
    """The broker delivers the message once more; nothing may come of it."""
    before = list(Attempt.objects.filter(request=request).values())
    perform_restore(request.pk)
    assert list(Attempt.objects.filter(request=request).values()) == before


def settled(request: RestoreRequest) -> Attempt:
    """The only attempt, once the sweeper found it, and its clean-up ran, twice; messages came again in between."""
    comes_again(request)
    found_dead()
    attempt = Attempt.objects.get(request=request)
    comes_again(request)
    cleaned_up(attempt.pk)
    cleaned_up(attempt.pk)
    comes_again(request)
    request.refresh_from_db()
    attempt.refresh_from_db()
    assert request.state is Status.FAILED
    assert attempt.resend_at is None
    assert not list(Path(settings.SCRATCH_DIR).glob("attempt-*"))
    return attempt


def says_it_stopped(attempt: Attempt, step: StepName, when: str) -> None:
    """The record is true: the step in which it stopped is one that was begun and has not ended, and there is no result."""
    assert attempt.status == AttemptStatus.INTERRUPTED
    assert "its worker stopped" in attempt.error
    unfinished = [one.name for one in attempt.steps.filter(status="running")]
    assert unfinished == ([] if when == "recorded" else [step])
    assert (f"during “{step.label}”" in attempt.error) == bool(unfinished)
    assert attempt.kept_until is None or attempt.tidied_at is not None, "nothing is offered"


def tried_again(world: World, request: RestoreRequest) -> Attempt:
    """Another approval, another attempt."""
    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)
    perform_restore(request.pk)
    comes_again(request)
    request.refresh_from_db()
    attempt = request.attempts.get(number=2)
    assert request.state is Status.COMPLETED, attempt.error
    return attempt


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

    attempt = settled(request)
    assert attempt.status == AttemptStatus.INTERRUPTED
    assert "its worker stopped" in attempt.error
    assert ("is live and the original is kept" if swapped else "The live data is as it was.") in attempt.error
    assert subject.look() == standing
    if not swapped:
        assert len(subject.names()) == 1, "nothing is left beside it"

    tried_again(world, request)
    assert subject.look() == backed_up

    undo = request_undo(by=world.it, request=request, reason="Back to today.")
    perform_undo(undo.pk)
    assert subject.look() == today, "the true original, whatever was killed on the way"


@pytest.mark.slow
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("step", STEPS[Mode.BESIDE], ids=str)
@pytest.mark.parametrize("extent", ["whole", "part"])
def test_beside(world: World, resource: Resource, subject: Subject, extent: str, step: StepName, when: str) -> None:
    backed_up = subject.items()
    wanted = {key: backed_up[key] for key in subject.part} if extent == "part" else backed_up
    subject.change("second")
    today = subject.look()
    request = asked(world, resource, subject, extent)

    killed("restore", request.pk, step, when)
    assert subject.look() == today
    attempt = settled(request)
    says_it_stopped(attempt, step, when)
    assert "The live data is as it was." in attempt.error
    assert subject.look() == today
    assert len(subject.names()) == 1, "nothing is left beside it, half or whole"

    done = tried_again(world, request)
    assert subject.items(done.place["beside"]) == wanted, "what was asked for, all of it and nothing else"
    assert len(subject.names()) == 2
    assert subject.look() == today


@pytest.mark.parametrize("extent", ["whole", "part"])
def test_the_message_comes_to_two_workers_at_once(
    world: World, resource: Resource, subject: Subject, extent: str
) -> None:
    backed_up, today = subject.items(), subject.look()
    request = asked(world, resource, subject, extent)
    at_once(lambda: perform_restore(request.pk), lambda: perform_restore(request.pk))
    comes_again(request)
    request.refresh_from_db()
    attempt = request.attempts.get()
    assert request.state is Status.COMPLETED, attempt.error
    wanted = {key: backed_up[key] for key in subject.part} if extent == "part" else backed_up
    assert subject.items(attempt.place["beside"]) == wanted
    assert (subject.look(), len(subject.names())) == (today, 2)


@pytest.mark.slow
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("step", STEPS[Mode.EXPORT], ids=str)
def test_export(world: World, resource: Resource, subject: Subject, step: StepName, when: str) -> None:
    today = subject.look()
    request = asked(world, resource, subject, "whole", Mode.EXPORT)
    killed("restore", request.pk, step, when)
    attempt = settled(request)
    says_it_stopped(attempt, step, when)
    assert (subject.look(), len(subject.names())) == (today, 1)
    done = tried_again(world, request)
    assert resource.backups.get().checksum in done.proof
    assert done.kept_until is not None
    assert (subject.look(), len(subject.names())) == (today, 1)


@pytest.mark.slow
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize("step", UNDO_STEPS, ids=str)
@pytest.mark.parametrize("befalls", [killed, cut_off], ids=lambda fate: fate.__name__)
def test_undo(
    world: World, resource: Resource, subject: Subject, step: StepName, when: str, befalls: Callable[..., None]
) -> None:
    backup = resource.backups.get()
    subject.change("second")
    today = subject.look()
    request = restored(world, backup)
    assert subject.look() != today
    undo = request_undo(by=world.it, request=request, reason="Back to today.")
    befalls("undo", undo.pk, step, when)
    perform_undo(undo.pk)
    found_dead()
    cleaned_up(undo.pk)
    cleaned_up(undo.pk)
    perform_undo(undo.pk)
    request = RestoreRequest.objects.get(pk=request.pk)
    if request.state is not Status.UNDONE:  # it had not come to the swap: ask again
        again = request_undo(by=world.it, request=request, reason="Again.")
        perform_undo(again.pk)
        request.refresh_from_db()
    assert request.state is Status.UNDONE
    assert subject.look() == today


EXTENTS = {"in place": (Mode.IN_PLACE, "whole"), "beside": (Mode.BESIDE, "whole"), "part": (Mode.BESIDE, "part"),
           "export": (Mode.EXPORT, "whole")}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("subject", ["files"], indirect=True)
@pytest.mark.parametrize("when", MOMENTS)
@pytest.mark.parametrize(
    ("how", "step"),
    [pytest.param(how, step, id=f"{how}-{step}") for how, (mode, _) in EXTENTS.items() for step in STEPS[mode]],
)
def test_the_database_is_gone(
    world: World, resource: Resource, subject: Subject, how: str, step: StepName, when: str
) -> None:
    mode, extent = EXTENTS[how]
    backed_up = subject.items()
    subject.change("second")
    today = subject.items()
    request = asked(world, resource, subject, extent, mode)

    cut_off("restore", request.pk, step, when)
    assert subject.items() in (today, backed_up), "whole, one or the other"
    request.refresh_from_db()
    if request.state is Status.COMPLETED:  # it was not needed just then, and there again when it was
        comes_again(request)
        done = request.attempts.get()
    else:
        attempt = settled(request)
        live = backed_up if "is live and the original is kept" in attempt.error else today
        assert subject.items() == live, attempt.error
        assert (live is backed_up) or "The live data is as it was." in attempt.error
        was_live = attempt.went_live_at is not None or "The original was put back at once." in attempt.error
        assert len(subject.names()) == 1 + was_live, "what never was live is not left beside it"
        done = tried_again(world, request)

    if mode is Mode.IN_PLACE:
        assert subject.items() == backed_up
        perform_undo(request_undo(by=world.it, request=request, reason="Back to today.").pk)
    elif mode is Mode.BESIDE:
        wanted = {key: backed_up[key] for key in subject.part} if extent == "part" else backed_up
        assert subject.items(done.place["beside"]) == wanted
    assert subject.items() == today, "the true original, whatever was cut off on the way"
