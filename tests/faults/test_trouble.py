"""The world fails under the engine: no server, no entry, no room. A clear sentence each time, and nothing is lost."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from backups.drivers.base import Mode
from backups.kinds import store_of
from backups.models import BackupStatus, Resource
from restores.actions import incidents
from restores.actions.cleaning import clean_up
from restores.actions.deciding import retry
from restores.actions.filing import file_request
from restores.actions.performing import perform_restore
from restores.charging import Cause
from restores.models import AttemptStatus, RestoreRequest
from restores.stepnames import StepName
from restores.workflow import Status
from tests.app.hazard import confirmed, declared, page, states, work
from tests.app.world import (
    HOME,
    World,
    approved,
    backup_now,
    filed,
    fingerprint,
    make_resource,
    make_resource_of,
    make_tree,
    restored,
)
from tests.drivers.databases import VARIABLE, Database
from tests.drivers.rooms import small_directory, small_file_system
from tests.drivers.servers import PostgresServer, installations
from tests.faults.death import cleaned_up, found_dead, once_done, ran_out_and_killed
from tests.faults.room import Room
from tests.faults.subjects import LiveDatabase, new_name


def again(world: World, request: RestoreRequest) -> RestoreRequest:
    """Another approval and another attempt."""
    for attempt in request.attempts.all():
        clean_up(attempt.pk)
    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)
    perform_restore(request.pk)
    return RestoreRequest.objects.get(pk=request.pk)


def last_error(request: RestoreRequest) -> str:
    """All that IT reads of it."""
    attempt = request.attempts.last()
    assert attempt is not None
    return f"{attempt.error}\n{attempt.error_detail}"


def test_a_server_that_is_down_fails_both_and_afterwards_all_is_there(
    world: World, own_server: PostgresServer, tmp_path: Path
) -> None:
    with Database(own_server, tmp_path, new_name()) as database:
        subject = LiveDatabase(database)
        resource = make_resource_of(world, "postgres", subject.settings, name="shop")
        backed_up = subject.look()
        subject.change("second")
        today = subject.look()
        request = approved(world, filed(world, resource.backups.get()))
        database.execute("CHECKPOINT")  # this server flushes nothing by itself
        own_server.kill()

        failed = backup_now(resource)
        assert failed.status == BackupStatus.FAILED
        assert str(own_server.port) in failed.error
        assert "answer" in failed.error or "reach" in failed.error
        perform_restore(request.pk)
        request.refresh_from_db()
        assert request.state is Status.FAILED
        assert str(own_server.port) in last_error(request)

        own_server.start()
        assert subject.look() == today
        assert again(world, request).state is Status.COMPLETED
        assert subject.look() == backed_up


def test_a_database_that_is_gone_fails_a_backup_and_comes_back_in_place(
    world: World, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with Database(postgres_server, tmp_path, new_name()) as database:
        subject = LiveDatabase(database)
        resource = make_resource_of(world, "postgres", subject.settings, name="shop")
        backed_up = subject.look()
        postgres_server.drop_database(database.name)

        failed = backup_now(resource)
        assert failed.status == BackupStatus.FAILED
        assert f"There is no database called {database.name}" in failed.error
        assert Resource.objects.get(pk=resource.pk).last_good_at is not None
        request = restored(world, resource.backups.earliest("pk"))
        assert request.state is Status.COMPLETED, last_error(request)
        assert subject.look() == backed_up
        assert backup_now(resource).status == BackupStatus.FINISHED


def refuse_all_but(database: Database) -> None:
    """The application's own guard, for PostgreSQL 17 and later: only the present database of this name lets anybody in."""
    ((oid,),) = database.rows("SELECT oid FROM pg_database WHERE datname = current_database()")
    database.execute(
        f"""
        CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_database() = '{database.name}'
                AND (SELECT oid FROM pg_database WHERE datname = current_database()) <> {oid}
            THEN RAISE EXCEPTION 'this is not the database that the application knows';
            END IF;
        END $$;
        CREATE EVENT TRIGGER guard ON login EXECUTE FUNCTION guard();
        """
    )


def test_what_answers_badly_after_the_swap_is_swapped_back_at_once(world: World, tmp_path: Path) -> None:
    recent = [found for found in installations() if found.major >= 17]
    if not recent:
        pytest.skip("PostgreSQL 17 or newer is not installed")
    with PostgresServer(recent[0]) as server, Database(server, tmp_path, new_name()) as database:
        subject = LiveDatabase(database)
        refuse_all_but(database)
        resource = make_resource_of(world, "postgres", subject.settings, name="shop")
        subject.change("second")
        today = subject.look()
        request = restored(world, resource.backups.get())
        assert request.state is Status.FAILED
        assert "The original was put back at once. The live data is as it was." in last_error(request)
        attempt = request.attempts.get()
        assert [step.name for step in attempt.steps.filter(status="failed")] == [StepName.HEALTH]
        assert subject.look() == today


def test_a_wrong_password_is_said_and_never_shown(
    world: World, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(postgres_server, tmp_path, new_name()) as database:
        subject = LiveDatabase(database)
        resource = make_resource_of(world, "postgres", subject.settings, name="shop")
        today = subject.look()
        good = os.environ[VARIABLE]
        monkeypatch.setenv(VARIABLE, "wr0ng-Secret")
        failed = backup_now(resource)
        request = restored(world, resource.backups.earliest("pk"))
        for sentence in (failed.error, last_error(request)):
            assert "password" in sentence
            assert "wr0ng-Secret" not in sentence + failed.error_detail
        assert request.state is Status.FAILED
        assert subject.look() == today
        monkeypatch.setenv(VARIABLE, good)
        assert again(world, request).state is Status.COMPLETED


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_full_store_takes_no_half_backup(world: World, tree: Path) -> None:
    resource = make_resource(world, tree)
    first = resource.backups.get()
    (tree / "large.bin").write_bytes(os.urandom(3_000_000))
    region = Path(settings.STORE_REGIONS[HOME])
    with small_directory(region, megabytes=1):
        store_of(HOME).prepare()
        before = files_in(region)
        failed = backup_now(resource)
        assert failed.status == BackupStatus.FAILED
        assert "room" in failed.error
        assert files_in(region) == before
    assert Resource.objects.get(pk=resource.pk).last_good_at == first.taken_at
    assert restored(world, first).state is Status.COMPLETED


def test_a_region_that_is_not_mounted_brands_no_backup_as_damaged(world: World, tree: Path) -> None:
    resource = make_resource(world, tree)
    region = Path(settings.STORE_REGIONS[HOME])
    away = region.rename(region.with_name("unmounted"))
    region.mkdir()
    try:
        request = restored(world, resource.backups.get())
        assert "not mounted" in last_error(request)
        assert "not mounted" in backup_now(resource).error
        assert os.listdir(region) == []
    finally:
        region.rmdir()
        away.rename(region)
    assert resource.backups.earliest("pk").damaged_at is None
    assert again(world, request).state is Status.COMPLETED


def test_a_link_to_anothers_data_is_neither_backed_up_nor_replaced(world: World) -> None:
    ours, theirs = (make_tree(name=f"{name}/www") for name in ("linked-a", "linked-b"))
    resource = make_resource(world, ours)
    ours.parent.rename(ours.parent.with_name("linked-a-old"))
    ours.parent.symlink_to(theirs.parent)
    (theirs / "private").write_text("of another client")
    before = fingerprint(theirs)
    assert "leads to another place" in backup_now(resource).error
    request = restored(world, resource.backups.earliest("pk"))
    assert request.state is Status.FAILED
    assert "leads to another place" in last_error(request)
    assert fingerprint(theirs) == before
    assert os.listdir(theirs.parent) == ["www"]


def test_a_restore_without_room_is_refused_before_anything_is_built(world: World) -> None:
    root = Path(settings.FILES_ROOTS[0]) / "small"
    with small_file_system(root, megabytes=3):
        tree = make_tree(name="small/shop")
        (tree / "large.bin").write_bytes(os.urandom(2_000_000))
        resource = make_resource(world, tree)
        today = fingerprint(tree)
        request = restored(world, resource.backups.get())
        assert request.state is Status.FAILED
        assert "Free space there, then try again." in last_error(request)
        assert "The live data is as it was." in last_error(request)
        assert fingerprint(tree) == today
        assert [path.name for path in root.iterdir()] == ["shop"]
    root.rmdir()


def asked_beside(world: World, resource: Resource, part: list[str] | None) -> RestoreRequest:
    backup = resource.backups.get()
    request = file_request(
        by=world.owner, backup=backup, mode=Mode.BESIDE, reason="Lost.", cause=Cause.OTHER, part=part
    )
    return approved(world, request)


def says_what_to_do(request: RestoreRequest) -> None:
    """It failed where the room ran out, and IT reads how it goes on."""
    request.refresh_from_db()
    assert request.state is Status.FAILED
    attempt = request.attempts.get()
    assert [step.name for step in attempt.steps.filter(status="failed")] == [StepName.RESTORE]
    assert re.search(r"(Free space|Make room) there, then try again\.", attempt.error), attempt.error
    assert "The live data is as it was." in attempt.error
    assert (attempt.resend_at, attempt.tidied_at is not None) == (None, True)
    assert not list(settings.SCRATCH_DIR.glob("attempt-*"))


@pytest.fixture
def small(world: World) -> Iterator[Path]:
    """A tree of 2 MB where there is room for three more of it."""
    root = Path(settings.FILES_ROOTS[0]) / "small"
    with small_file_system(root, megabytes=9):
        tree = make_tree(name="small/shop")
        (tree / "sub" / "large.bin").write_bytes(os.urandom(2_000_000))
        yield tree
    root.rmdir()


@pytest.mark.parametrize("part", [None, ["sub"]], ids=["whole", "part"])
def test_a_disk_that_fills_while_it_is_restored_beside(world: World, small: Path, part: list[str] | None) -> None:
    resource, room = make_resource(world, small), Room(small.parent)
    today = fingerprint(small)
    request = asked_beside(world, resource, part)
    perform_restore(request.pk, clock=once_done(StepName.PIN, room.fill))
    says_what_to_do(request)
    assert fingerprint(small) == today
    assert {path.name for path in small.parent.iterdir()} == {"shop", "of-another-program"}, "its leftovers are gone"
    room.free()
    done = again(world, request)
    assert done.state is Status.COMPLETED, last_error(done)
    assert (Path(done.attempts.get(number=2).place["beside"]) / "sub" / "large.bin").stat().st_size == 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["2", "3", "4", "5", "done"])
@pytest.mark.parametrize("part", [None, ["sub"]], ids=["whole", "part"])
def test_a_disk_that_fills_and_a_worker_killed_while_it_cleans_up_after_that(
    world: World, small: Path, part: list[str] | None, moment: str
) -> None:
    """Then there is room again, and the sweeper comes."""
    resource, room = make_resource(world, small), Room(small.parent)
    today = fingerprint(small)
    request = asked_beside(world, resource, part)
    ran_out_and_killed(request.pk, small.parent, moment)
    assert fingerprint(small) == today
    names = {path.name for path in small.parent.iterdir()} - {"shop", "of-another-program"}
    assert len(names) == (moment != "done"), "it died on the way"
    attempt = request.attempts.get()
    assert (attempt.status, attempt.tidied_at) == ("running", None), "nothing is recorded of how it ended"

    perform_restore(request.pk)
    room.free()
    found_dead()
    for _ in range(2):
        cleaned_up(attempt.pk)
        perform_restore(request.pk)
    request.refresh_from_db()
    attempt = request.attempts.get()
    assert (request.state, attempt.status) == (Status.FAILED, AttemptStatus.INTERRUPTED)
    assert "its worker stopped" in attempt.error
    assert "The live data is as it was." in attempt.error
    how = "failed" if moment == "done" else "running"  # in that step the room ran out; only its worker could tell
    assert [step.name for step in attempt.steps.exclude(status="done")] == [StepName.RESTORE]
    assert [step.status for step in attempt.steps.filter(name=StepName.RESTORE)] == [how]
    assert (f"during “{StepName.RESTORE.label}”" in attempt.error) == (how == "running")
    assert (attempt.resend_at, attempt.tidied_at is not None) == (None, True)
    assert fingerprint(small) == today
    assert [path.name for path in small.parent.iterdir()] == ["shop"], "no scratch is left"
    assert not list(settings.SCRATCH_DIR.glob("attempt-*"))
    done = again(world, request)
    assert done.state is Status.COMPLETED, last_error(done)
    assert fingerprint(small) == today


@pytest.mark.parametrize("part", [None, ["public.orders"]], ids=["whole", "part"])
def test_a_servers_disk_that_fills_while_it_is_restored_beside(
    world: World, own_server: PostgresServer, tmp_path: Path, part: list[str] | None
) -> None:
    place = own_server.directory / "small"
    with small_file_system(place, megabytes=40):
        space, whose = place / "space", own_server.data.stat()
        space.mkdir(mode=0o700)
        for folder in (place, space):
            shutil.chown(folder, whose.st_uid, whose.st_gid)
        own_server.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
        own_server.execute("ALTER DATABASE template0 SET TABLESPACE small")  # where what is restored is made
        with Database(own_server, tmp_path, new_name()) as database:
            subject, room = LiveDatabase(database), Room(place)
            resource = make_resource_of(world, "postgres", subject.settings, name="shop")
            subject.change("second")
            today = subject.look()
            request = asked_beside(world, resource, part)
            perform_restore(request.pk, clock=once_done(StepName.PIN, room.fill))
            says_what_to_do(request)
            assert subject.look() == today
            assert len(subject.names()) == 1
            room.free()
            done = again(world, request)
            assert done.state is Status.COMPLETED, last_error(done)
            assert len(subject.names()) == 2
        own_server.execute("ALTER DATABASE template0 SET TABLESPACE pg_default")
        own_server.close()


def test_of_an_incident_the_one_without_room_fails_and_the_rest_come_back(
    world: World, five: list[Resource], sent: list[int], small: Path
) -> None:
    cramped, room = make_resource(world, small), Room(small.parent)
    (small / "sub" / "page.txt").write_text("spoilt\n")
    today = fingerprint(small)
    incident = declared(world, [cramped, *five], concurrency=1)
    incidents.arrange(by=world.it, incident=incident, order={cramped.pk: 2})
    incident = confirmed(world, incident)
    perform_restore(sent.pop(0))
    request = incident.restore_requests.get(resource=cramped)
    assert sent == [request.pk]
    perform_restore(sent.pop(0), clock=once_done(StepName.PIN, room.fill, request))
    work(sent)
    says_what_to_do(request)
    assert fingerprint(small) == today
    assert {path.name for path in small.parent.iterdir()} == {"shop", "of-another-program"}
    assert sorted(states(incident)) == ["completed"] * 5 + ["failed"]
    assert [page(one) for one in five] == ["page of first\n"] * 5
    room.free()
    retry(by=world.it, request=request, plan_digest=request.plan_digest, typed_name=cramped.name)
    work(sent)
    assert states(incident) == ["completed"] * 6
    assert (page(cramped), request.attempts.count()) == ("page of first\n", 2)
    assert incidents.close(by=world.it, incident=incident, reason="All is back.").facts.final
