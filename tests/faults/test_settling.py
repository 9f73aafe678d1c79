"""What a stopped attempt left is put right before anybody decides, and nobody's writes are taken away by who comes late."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backups.drivers.base import Place
from backups.models import Resource
from portal.errors import Refused
from restores.actions.deciding import cancel, retry
from restores.actions.performing import perform_restore
from restores.actions.tidying import tidy
from restores.actions.undoing import perform_undo, request_undo
from restores.models import Attempt, RestoreRequest
from restores.stepnames import StepName
from restores.workflow import Status
from tests.app.world import World, approved, filed, fingerprint, make_resource, make_resource_of, remove_tree, restored
from tests.drivers.databases import Database
from tests.drivers.servers import PostgresServer
from tests.faults.death import cleaned_up, found_dead, killed, once_done
from tests.faults.subjects import LiveDatabase, new_name

pytestmark = pytest.mark.slow  # workers are killed

NOT_YET = "still putting things right"


def later() -> datetime:
    return timezone.now() + timedelta(hours=2)


def last_attempt(request: RestoreRequest) -> Attempt:
    return Attempt.objects.filter(request=request).order_by("-number")[0]


@pytest.fixture
def subject(own_server: PostgresServer, tmp_path: Path) -> Iterator[LiveDatabase]:
    """A database on a server of the test's own."""
    with Database(own_server, tmp_path, new_name()) as database:
        yield LiveDatabase(database)


@pytest.fixture
def resource(world: World, subject: LiveDatabase) -> Resource:
    return make_resource_of(world, "postgres", subject.settings, name="shop")


def test_a_server_that_dies_after_the_swap_loses_neither_of_the_two(
    world: World, resource: Resource, subject: LiveDatabase, own_server: PostgresServer
) -> None:
    backed_up = subject.look()
    subject.change("second")
    today = subject.look()
    request = approved(world, filed(world, resource.backups.get()))

    def dies() -> None:
        own_server.execute("CHECKPOINT")  # it flushes nothing by itself
        own_server.kill()

    perform_restore(request.pk, clock=once_done(StepName.SWAP, dies))
    request.refresh_from_db()
    assert request.state is Status.FAILED
    assert "tries again by itself" in last_attempt(request).error

    own_server.start()
    assert tidy(clock=later) == 0, "nothing is removed before it is known which of the two is live"
    for decide in (
        lambda: retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=resource.name),
        lambda: cancel(by=world.owner, request=request, reason="Never mind."),
        lambda: request_undo(by=world.it, request=request, reason="Back."),
    ):
        with pytest.raises(Refused, match=NOT_YET):
            decide()

    cleaned_up(last_attempt(request).pk)
    assert "is live and the original is kept" in last_attempt(request).error
    assert subject.look() == backed_up
    undo = request_undo(by=world.it, request=request, reason="Back to today.")
    perform_undo(undo.pk)
    assert subject.look() == today


def test_a_database_that_was_closed_is_opened_as_soon_as_its_server_is_back(
    world: World, resource: Resource, subject: LiveDatabase, own_server: PostgresServer
) -> None:
    today = subject.look()
    request = approved(world, filed(world, resource.backups.get()))
    killed("restore", request.pk, StepName.STOP_WRITERS, "recorded")
    assert subject.look() is None, "closed to everybody"
    own_server.execute("CHECKPOINT")
    own_server.kill()
    found_dead()
    cleaned_up(last_attempt(request).pk)
    assert last_attempt(request).resend_at is not None
    own_server.start()
    cleaned_up(last_attempt(request).pk)
    assert last_attempt(request).resend_at is None
    assert subject.look() == today


def test_an_undo_whose_swap_was_done_is_told_as_done(
    world: World, resource: Resource, subject: LiveDatabase, own_server: PostgresServer
) -> None:
    subject.change("second")
    today = subject.look()
    request = restored(world, resource.backups.get())
    undo = request_undo(by=world.it, request=request, reason="Back to today.")

    def dies() -> None:
        own_server.execute("CHECKPOINT")
        own_server.kill()

    perform_undo(undo.pk, clock=once_done(StepName.SWAP_BACK, dies))
    assert last_attempt(request).resend_at is not None
    own_server.start()
    cleaned_up(undo.pk)
    request.refresh_from_db()
    assert request.state is Status.UNDONE
    assert subject.look() == today, "and open to the application"


def test_what_was_written_since_an_earlier_swap_is_not_swapped_away(
    world: World, resource: Resource, subject: LiveDatabase
) -> None:
    backed_up = subject.look()
    subject.change("second")
    request = approved(world, filed(world, resource.backups.get()))
    killed("restore", request.pk, StepName.SWAP, "recorded")
    found_dead()
    cleaned_up(last_attempt(request).pk)
    assert subject.look() == backed_up
    subject.change("written since")
    subject.execute("CREATE TABLE of_a_release (id int)")  # the health check counts tables
    since = subject.look()
    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=resource.name)
    perform_restore(request.pk)
    request.refresh_from_db()
    assert request.state is Status.FAILED
    assert subject.look() == since


class TestDirectory:
    """The same on a directory."""

    @pytest.fixture
    def resource(self, world: World, tree: Path) -> Resource:
        return make_resource(world, tree, name="shop")

    def test_nobody_decides_before_it_is_known_what_a_dead_worker_left(
        self, world: World, resource: Resource, tree: Path
    ) -> None:
        request = approved(world, filed(world, resource.backups.get()))
        killed("restore", request.pk, StepName.SWAP, "done, not recorded")
        found_dead()
        request.refresh_from_db()
        with pytest.raises(Refused, match=NOT_YET):
            cancel(by=world.owner, request=request, reason="Never mind.")
        with pytest.raises(Refused, match=NOT_YET):
            retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=resource.name)
        cleaned_up(last_attempt(request).pk)
        with pytest.raises(Refused, match="is live"):
            cancel(by=world.owner, request=request, reason="Never mind.")

    def test_a_name_that_nothing_has_gets_the_original_back(self, world: World, resource: Resource, tree: Path) -> None:
        """Where two names cannot be exchanged in one step, a worker can die between the two renames."""
        today = fingerprint(tree)
        request = approved(world, filed(world, resource.backups.get()))
        killed("restore", request.pk, StepName.STOP_WRITERS, "recorded")
        place = Place.from_json(last_attempt(request).place)
        os.rename(place.live, place.kept)
        found_dead()
        cleaned_up(last_attempt(request).pk)
        assert "The live data is as it was." in last_attempt(request).error
        assert fingerprint(tree) == today

    def test_what_replaced_nothing_cannot_be_undone_away(self, world: World, resource: Resource, tree: Path) -> None:
        backed_up = fingerprint(tree)
        remove_tree(tree)
        request = restored(world, resource.backups.get())
        assert request.state is Status.COMPLETED
        with pytest.raises(Refused, match="Nothing stood there before"):
            request_undo(by=world.it, request=request, reason="Back.")
        tidy(clock=lambda: timezone.now() + timedelta(days=100))
        assert fingerprint(tree) == backed_up

    def test_a_place_that_cannot_be_is_a_failed_attempt_with_a_sentence(
        self, world: World, resource: Resource, tree: Path
    ) -> None:
        request = approved(world, filed(world, resource.backups.get()))
        Resource.objects.filter(pk=resource.pk).update(settings={"path": "/nowhere/shop"})
        perform_restore(request.pk)
        request.refresh_from_db()
        assert request.state is Status.FAILED
        assert "is not below" in last_attempt(request).error
