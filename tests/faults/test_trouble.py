"""The world fails under the engine: no server, no entry, no room. A clear sentence each time, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from backups.models import BackupStatus, Resource
from restores.actions.cleaning import clean_up
from restores.actions.deciding import retry
from restores.actions.performing import perform_restore
from restores.models import RestoreRequest
from restores.workflow import Status
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
    make_world,
    remove_tree,
    restored,
)
from tests.drivers.databases import VARIABLE, Database
from tests.drivers.servers import PostgresServer
from tests.faults.subjects import LiveDatabase, new_name


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def again(world: World, request: RestoreRequest) -> RestoreRequest:
    """Another approval and another attempt."""
    for attempt in request.attempts.all():
        clean_up(attempt.pk)
    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)
    perform_restore(request.pk)
    return RestoreRequest.objects.get(pk=request.pk)


def last_error(request: RestoreRequest) -> str:
    attempt = request.attempts.last()
    assert attempt is not None
    return attempt.error


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


@contextmanager
def no_room_in(path: Path, kilobytes: int) -> Iterator[None]:
    """A file system of that size lies over the directory meanwhile."""
    path.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mount may not be used by this user: run as root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.fixture
def tree() -> Iterator[Path]:
    path = make_tree()
    yield path
    remove_tree(path)


def test_a_full_store_takes_no_half_backup(world: World, tree: Path) -> None:
    resource = make_resource(world, tree)
    first = resource.backups.get()
    (tree / "large.bin").write_bytes(os.urandom(3_000_000))
    region = Path(settings.STORE_REGIONS[HOME])
    with no_room_in(region, 512):
        failed = backup_now(resource)
        assert failed.status == BackupStatus.FAILED
        assert "room" in failed.error
        assert not [path for path in region.rglob("*") if path.is_file()]
    assert Resource.objects.get(pk=resource.pk).last_good_at == first.taken_at
    assert restored(world, first).state is Status.COMPLETED


def test_a_restore_without_room_is_refused_before_anything_is_built(world: World) -> None:
    root = Path(settings.FILES_ROOTS[0]) / "small"
    with no_room_in(root, 3000):
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
