"""Taking backups: the row is the lease, a failure is a sentence, a torn write is never a backup."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions.givingup import give_up_if_lost
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup, request_backup
from backups.actions.verifying import verify_copy
from backups.artefacts import read_index
from backups.heartbeats import Lost
from backups.kinds import store_of
from backups.models import Backup, BackupStatus, Copy, CopyState, Resource
from backups.proof import Proof
from portal.errors import InvalidInput, NotPermitted, Refused
from tests.app.world import HOME, World, backup_now, fill_tree, remove_tree, stored_prefixes


def test_a_finished_backup_has_its_facts_and_its_artefact(resource: Resource) -> None:
    backup = resource.backups.get()
    assert backup.status == BackupStatus.FINISHED
    assert backup.summary["files"] == 2
    assert len(backup.checksum) == 64
    copy = backup.copies.get()
    assert (copy.region, copy.state, copy.proof_level) == (HOME, CopyState.PRESENT, Proof.PRESENT)
    assert resource.last_good_at == backup.taken_at
    assert read_index(store_of(HOME), backup.prefix) is not None


def test_the_same_message_twice_takes_one_backup(resource: Resource) -> None:
    backup = resource.backups.get()
    finished = backup.finished_at
    perform_backup(backup.pk)
    backup.refresh_from_db()
    assert backup.finished_at == finished
    assert len(stored_prefixes(resource)) == 1


@pytest.mark.parametrize("name", ["it", "staff", "robot"])
def test_back_up_now(world: World, resource: Resource, name: str) -> None:
    backup = request_backup(by=getattr(world, name), resource=resource, reason="Before the release.")
    assert backup.status == BackupStatus.QUEUED
    with pytest.raises(Refused, match="under way already"):
        request_backup(by=world.it, resource=resource, reason="Me too.")


@pytest.mark.parametrize("name", ["owner", "manager", "auditor", "administrator", "stranger", "nobody"])
def test_others_do_not_back_up(world: World, resource: Resource, name: str) -> None:
    with pytest.raises(NotPermitted):
        request_backup(by=getattr(world, name), resource=resource, reason="Please.")


def test_back_up_now_needs_a_reason(world: World, resource: Resource) -> None:
    with pytest.raises(InvalidInput):
        request_backup(by=world.it, resource=resource, reason=" ")


def test_a_failed_backup_says_why_and_fills_no_slot(resource: Resource, tree: Path) -> None:
    good = resource.last_good_at
    remove_tree(tree)
    failed = backup_now(resource)
    assert failed.status == BackupStatus.FAILED
    assert "There is no directory" in failed.error
    resource.refresh_from_db()
    assert resource.last_good_at == good
    assert len(stored_prefixes(resource)) == 1


def test_a_backup_whose_worker_died_is_given_up_and_its_leftovers_removed(resource: Resource) -> None:
    now = timezone.now()
    dead = Backup.objects.create(
        resource=resource, status=BackupStatus.RUNNING, origin="scheduled", queued_at=now, resend_at=now,
        started_at=now, heartbeat_at=now - timedelta(minutes=5),
    )  # fmt: skip
    half = Path(settings.STORE_REGIONS[HOME]) / dead.prefix
    half.mkdir(parents=True)
    (half / "data.zst").write_bytes(b"torn")
    sweep_backups(now, lost_before=now - timedelta(minutes=1))
    dead.refresh_from_db()
    assert dead.status == BackupStatus.FAILED
    assert "interrupted" in dead.error
    assert dead.prefix not in stored_prefixes(resource)


def test_a_heartbeat_of_a_clock_that_was_ahead_keeps_no_dead_backup_alive(world: World, resource: Resource) -> None:
    now = timezone.now()
    ahead = now + timedelta(days=90)
    dead = Backup.objects.create(
        resource=resource, status=BackupStatus.RUNNING, origin="scheduled", queued_at=ahead, resend_at=ahead,
        started_at=ahead, heartbeat_at=ahead, progress_at=ahead,
    )  # fmt: skip
    sweep_backups(now, lost_before=now - timedelta(minutes=1))
    dead.refresh_from_db()
    assert dead.status == BackupStatus.FAILED
    queued = request_backup(by=world.it, resource=resource, reason="Now.")
    Backup.objects.filter(pk=queued.pk).update(queued_at=ahead, resend_at=ahead)
    sweep_backups(now, lost_before=now - timedelta(minutes=1))
    queued.refresh_from_db()
    assert queued.resend_at <= now + timedelta(minutes=5), "it was handed over again, and waits no longer than others"


@pytest.mark.parametrize("status", ["running", "queued"])
def test_what_was_stored_whole_is_never_deleted_or_overwritten(resource: Resource, tree: Path, status: str) -> None:
    """The database was set back to a moment in which the backup was not finished yet; or its worker died just then."""
    backup = resource.backups.get()
    data = Path(settings.STORE_REGIONS[HOME]) / backup.prefix / "data.zst"
    content, checksum, taken_at, summary = data.read_bytes(), backup.checksum, backup.taken_at, backup.summary
    Copy.objects.all().delete()
    old = timezone.now() - timedelta(hours=5)
    running = {"started_at": old, "taken_at": old, "heartbeat_at": old, "progress_at": old}
    nothing = dict.fromkeys(running) | {"finished_at": None, "stored_bytes": None, "checksum": "", "artefact": {}}
    resource.backups.update(status=status, **nothing | (running if status == "running" else {}))
    fill_tree(tree, "today")
    if status == "queued":
        perform_backup(backup.pk)
    else:
        sweep_backups(timezone.now(), lost_before=timezone.now() - timedelta(minutes=1))
    assert data.read_bytes() == content
    backup.refresh_from_db()
    assert (backup.status, backup.checksum, backup.taken_at) == (BackupStatus.FINISHED, checksum, taken_at)
    assert backup.summary == summary
    assert verify_copy(Copy.objects.present().get())


def test_a_backup_that_was_finished_in_the_last_moment_is_not_given_up(resource: Resource) -> None:
    """The sweeper has seen it late; before its turn comes the worker has finished it."""
    backup, now = resource.backups.get(), timezone.now()
    Backup.objects.filter(pk=backup.pk).update(heartbeat_at=now - timedelta(minutes=5))
    late = Backup.objects.select_related("resource").get(pk=backup.pk)
    assert not give_up_if_lost(late, Lost(now - timedelta(minutes=1), now))
    assert stored_prefixes(resource) == {backup.prefix}
    backup.refresh_from_db()
    assert backup.status == BackupStatus.FINISHED


def test_a_queued_backup_whose_message_was_lost_is_handed_over_again_less_and_less_often(
    world: World, resource: Resource
) -> None:
    backup = request_backup(by=world.it, resource=resource, reason="Before the release.")
    waits = []
    for _ in range(4):
        now = Backup.objects.get(pk=backup.pk).resend_at
        sweep_backups(now, lost_before=now - timedelta(minutes=1))
        waits.append(Backup.objects.get(pk=backup.pk).resend_at - now)
    assert waits == sorted(waits)
    assert waits[-1] >= 4 * waits[0]
