"""A running restore is stopped: nothing live is touched, nothing is left, and the record says who wanted it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from backups.actions.progress import INTERVAL
from backups.drivers.base import Mode
from backups.models import Pin, Resource
from portal.errors import InvalidInput, NotPermitted, Refused
from restores.actions.deciding import cancel
from restores.actions.performing import perform_restore
from restores.actions.stopping import request_stop
from restores.actions.undoing import perform_undo, request_undo
from restores.models import Approval, Attempt, AttemptStatus, RestoreRequest
from restores.workflow import Status
from tests.app.world import HOME, World, approved, filed, fill_tree, fingerprint, restored

pytestmark = pytest.mark.usefixtures("scratch_is_empty")


@contextmanager
def slow_store(resource: Resource) -> Iterator[threading.Event]:
    """The backup's data comes through a pipe that holds its second half back until the event is set."""
    backup = resource.backups.get()
    path = Path(settings.STORE_REGIONS[HOME]) / backup.prefix / "data.zst"
    content, go_on = path.read_bytes(), threading.Event()
    path.unlink()
    os.mkfifo(path)

    def feed() -> None:
        try:
            with path.open("wb", buffering=0) as pipe:
                pipe.write(content[: len(content) // 2])
                go_on.wait(60)
                pipe.write(content[len(content) // 2 :])
        except BrokenPipeError:  # nobody reads any more
            return

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield go_on
    finally:
        go_on.set()
        feeder.join(60)
        path.unlink()
        path.write_bytes(content)


@contextmanager
def running(request: RestoreRequest) -> Iterator[None]:
    """A worker's thread is in the middle of restoring when the block begins, and has ended after it."""

    def work() -> None:
        try:
            perform_restore(request.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    while not request.attempts.filter(steps__name="restore", heartbeat_at__gt=_begun(request)).exists():
        assert worker.is_alive(), "it ended before it was stopped"
        time.sleep(0.05)
    yield
    worker.join(60)
    assert not worker.is_alive()


def _begun(request: RestoreRequest) -> object:
    step = request.attempts.filter(steps__name="restore").values_list("steps__started_at", flat=True)
    return step.order_by("-steps__started_at").first() or request.filed_at


@pytest.mark.parametrize("mode", [Mode.IN_PLACE, Mode.BESIDE])
def test_it_stops_within_a_second_or_two_and_everything_is_as_before(
    world: World, resource: Resource, tree: Path, mode: Mode
) -> None:
    fill_tree(tree, "today")
    before, beside = fingerprint(tree), sorted(tree.parent.iterdir())
    request = approved(world, filed(world, resource.backups.get(), mode))
    with slow_store(resource) as go_on, running(request):
        request_stop(by=world.owner, request=request, reason="The wrong backup.")
        with pytest.raises(Refused, match="being stopped already"):
            request_stop(by=world.it, request=request, reason="Stop!")
        time.sleep(INTERVAL * 2.5)  # the worker looks once in an interval; only then do the bytes come
        go_on.set()
    request.refresh_from_db()
    assert request.state is Status.CANCELLED
    assert (fingerprint(tree), sorted(tree.parent.iterdir())) == (before, beside)
    attempt = request.attempts.get()
    assert attempt.status == AttemptStatus.FAILED
    assert attempt.error == "owner had it stopped: The wrong backup. The live data is as it was."
    assert [event.move for event in request.events.all()][-2:] == ["stop", "stopped"]
    assert not Pin.objects.exists()
    assert restored(world, resource.backups.get(), mode).state is Status.COMPLETED, "another one can be asked for"


def test_what_was_asked_to_stop_before_its_swap_never_swaps(world: World, resource: Resource, tree: Path) -> None:
    """The wish comes between two steps, where no byte is moved."""
    fill_tree(tree, "today")
    before = fingerprint(tree)
    request = approved(world, filed(world, resource.backups.get()))
    with slow_store(resource) as go_on, running(request):
        go_on.set()
        request_stop(by=world.it, request=request, reason="Not now.")
    request.refresh_from_db()
    attempt = request.attempts.get()
    if request.state is Status.CANCELLED:
        assert (fingerprint(tree), attempt.went_live_at) == (before, None)
    else:  # it was quicker than the wish
        assert (request.state, attempt.status) == (Status.COMPLETED, AttemptStatus.COMPLETED)


@pytest.mark.parametrize("name", ["staff", "colleague", "manager", "auditor", "administrator", "stranger", "nobody"])
def test_only_who_asked_or_it_stops_it(world: World, resource: Resource, name: str) -> None:
    request = filed(world, resource.backups.get())
    RestoreRequest.objects.filter(pk=request.pk).update(status="running")
    with pytest.raises(NotPermitted, match="Only the person who asked, or IT, stops this restore"):
        request_stop(by=getattr(world, name), request=request, reason="Stop!")


@pytest.mark.parametrize("status", ["submitted", "approved", "completed", "failed", "undone"])
def test_what_does_not_run_cannot_be_stopped(world: World, resource: Resource, status: str) -> None:
    request = filed(world, resource.backups.get())
    RestoreRequest.objects.filter(pk=request.pk).update(status=status)
    with pytest.raises(Refused, match="cannot be stopped now"):
        request_stop(by=world.it, request=request, reason="Stop!")


def test_a_program_stops_nothing(world: World, resource: Resource) -> None:
    request = filed(world, resource.backups.get())
    RestoreRequest.objects.filter(pk=request.pk).update(status="running")
    with pytest.raises(NotPermitted, match="A service account"):
        request_stop(by=world.robot, request=request, reason="Stop!")


def test_once_it_is_live_it_is_undone_instead_and_a_reason_is_needed(world: World, resource: Resource) -> None:
    request = restored(world, resource.backups.get())
    RestoreRequest.objects.filter(pk=request.pk).update(status="running")
    Attempt.objects.update(status=AttemptStatus.RUNNING)
    with pytest.raises(Refused, match="Undo brings the original back"):
        request_stop(by=world.it, request=request, reason="Stop!")
    Attempt.objects.update(went_live_at=None)
    with pytest.raises(InvalidInput, match="Say why"):
        request_stop(by=world.it, request=request, reason=" ")


def test_what_an_earlier_attempt_put_live_is_neither_stopped_nor_forgotten(
    world: World, resource: Resource, tree: Path
) -> None:
    """Attempt 1 went live and was interrupted, attempt 2 fails before it has found that out."""
    fill_tree(tree, "today")
    today = fingerprint(tree)
    request = restored(world, resource.backups.get())
    first = request.attempts.get()
    Attempt.objects.filter(pk=first.pk).update(status=AttemptStatus.INTERRUPTED, error="Its worker died.")
    second = Attempt.objects.create(
        request=request, approval=approval_of(request, world), number=2, status=AttemptStatus.RUNNING, target=first.target,
        asked_by=world.it, asked_at=first.asked_at,
    )  # fmt: skip
    RestoreRequest.objects.filter(pk=request.pk).update(status="running")
    request.refresh_from_db()
    with pytest.raises(Refused, match="live already"):
        request_stop(by=world.it, request=request, reason="Stop!")
    Attempt.objects.filter(pk=second.pk).update(status=AttemptStatus.FAILED, error="It could not begin.")
    RestoreRequest.objects.filter(pk=request.pk).update(status="failed")
    request.refresh_from_db()
    with pytest.raises(Refused, match="Undo brings the original back"):
        cancel(by=world.it, request=request, reason="Enough.")
    perform_undo(request_undo(by=world.it, request=request, reason="The wrong one.").pk)
    request.refresh_from_db()
    assert (request.state, fingerprint(tree)) == (Status.UNDONE, today)


def approval_of(request: RestoreRequest, world: World) -> Approval:
    return Approval.objects.create(
        request=request, plan=request.plan, plan_digest=request.plan_digest, approved_at=request.filed_at,
        approved_by=world.it,
    )  # fmt: skip
