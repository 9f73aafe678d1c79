"""Daily backups (B2): each resource once a day, none skipped, tried again where that makes sense, stopped when they hang."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions.scheduling import schedule_backups, window
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup, request_backup
from backups.models import Backup, BackupOrigin, BackupStatus, Resource, ResourceState
from backups.schedule import latest_slot, next_slot
from portal.words import company_zone
from tests.app.world import HOME, World, remove_tree


@pytest.fixture
def slot(resource: Resource) -> datetime:
    """Its moment of the coming night; the scheduler has worked it out."""
    schedule_backups(timezone.now())
    resource.refresh_from_db()
    assert resource.next_backup_at is not None
    return resource.next_backup_at


def take(resource: Resource, now: datetime) -> Backup:
    backup = resource.backups.open().get()
    perform_backup(backup.pk, clock=lambda: now)
    backup.refresh_from_db()
    return backup


def test_a_new_resource_waits_for_its_own_moment(resource: Resource, slot: datetime) -> None:
    assert slot == next_slot(resource.uid, resource.last_good_at, window(), company_zone())
    assert schedule_backups(slot - timedelta(seconds=1)) == 0
    assert resource.backups.count() == 1


def test_every_day_has_one_backup_however_often_the_scheduler_runs(resource: Resource, slot: datetime) -> None:
    now = slot
    for _ in range(5):
        assert [schedule_backups(now) for _ in range(3)] == [1, 0, 0]
        assert take(resource, now).status == BackupStatus.FINISHED
        now = next_slot(resource.uid, now, window(), company_zone())
    days = [at.astimezone(company_zone()).date() for at in resource.backups.values_list("taken_at", flat=True) if at]
    assert len(set(days)) >= 5


def test_two_schedulers_at_once_queue_one(resource: Resource, slot: datetime) -> None:
    barrier, queued = threading.Barrier(2), []

    def run() -> None:
        from django.db import connection

        barrier.wait()
        queued.append(schedule_backups(slot))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(queued) == [0, 1]
    assert resource.backups.open().count() == 1


def test_after_an_outage_of_days_one_is_taken_at_once(resource: Resource, slot: datetime) -> None:
    now = slot + timedelta(days=3, hours=5)
    assert schedule_backups(now) == 1
    resource.refresh_from_db()
    assert resource.next_backup_at == next_slot(resource.uid, now, window(), company_zone())


def test_one_under_way_is_the_days(world: World, resource: Resource, slot: datetime) -> None:
    request_backup(by=world.it, resource=resource, reason="Before the release.")
    assert schedule_backups(slot) == 0
    resource.refresh_from_db()
    assert resource.next_backup_at == next_slot(resource.uid, slot, window(), company_zone()), "its turn was taken"


def test_what_may_pass_is_tried_again_and_then_waits_for_the_next_night(resource: Resource, slot: datetime) -> None:
    region = Path(settings.STORE_REGIONS[HOME])
    away = region.rename(region.with_name("unmounted"))
    try:
        schedule_backups(slot)
        assert take(resource, slot).worth_retrying
        resource.refresh_from_db()
        assert resource.next_backup_at == slot + timedelta(minutes=5)
        assert schedule_backups(slot + timedelta(minutes=6)) == 1
        take(resource, slot + timedelta(minutes=6))
        resource.refresh_from_db()
        assert resource.next_backup_at == slot + timedelta(minutes=16)
    finally:
        away.rename(region)
    schedule_backups(slot + timedelta(minutes=17))
    assert take(resource, slot + timedelta(minutes=17)).status == BackupStatus.FINISHED
    resource.refresh_from_db()
    assert resource.next_backup_at == next_slot(resource.uid, slot, window(), company_zone())


def test_another_try_is_not_needed_when_somebody_backed_it_up(world: World, resource: Resource, slot: datetime) -> None:
    Resource.objects.filter(pk=resource.pk).update(next_backup_at=slot + timedelta(minutes=5))
    backup = request_backup(by=world.it, resource=resource, reason="I have mended the disk.")
    perform_backup(backup.pk, clock=lambda: slot + timedelta(minutes=2))
    assert schedule_backups(slot + timedelta(minutes=6)) == 0


def test_what_will_not_pass_is_not_tried_again_before_the_next_night(
    resource: Resource, tree: Path, slot: datetime
) -> None:
    remove_tree(tree)
    schedule_backups(slot)
    assert not take(resource, slot).worth_retrying
    resource.refresh_from_db()
    assert resource.next_backup_at == next_slot(resource.uid, slot, window(), company_zone())
    assert resource.findings.open().exists() is False, "the audit follows by its own task"


def test_a_removed_resource_is_not_backed_up_and_a_vanished_one_is(
    world: World, resource: Resource, slot: datetime
) -> None:
    Resource.objects.filter(pk=resource.pk).update(state=ResourceState.VANISHED)
    assert schedule_backups(slot) == 1
    take(resource, slot)
    now = slot + timedelta(days=1)
    Resource.objects.filter(pk=resource.pk).update(
        state=ResourceState.REMOVED,
        removed_at=now,
        removal_asked_at=now,
        removed_by=world.it,
        removal_reason="Shut down.",
    )
    assert schedule_backups(now + timedelta(days=1)) == 0


def test_a_backup_that_hangs_is_stopped_and_one_that_gets_on_is_not(resource: Resource) -> None:
    """By its progress: however long it takes, as long as it gets further."""
    now = timezone.now()
    limit = timedelta(seconds=settings.STALLED_SECONDS)

    def running(progress_at: datetime) -> Backup:
        return Backup.objects.create(
            resource=resource, status=BackupStatus.RUNNING, origin=BackupOrigin.SCHEDULED, queued_at=now, resend_at=now,
            started_at=now - timedelta(days=3), heartbeat_at=now, progress_at=progress_at,
        )  # fmt: skip

    slow = running(now - limit / 2)
    sweep_backups(now, lost_before=now - timedelta(minutes=1))
    slow.refresh_from_db()
    assert slow.status == BackupStatus.RUNNING
    Backup.objects.filter(pk=slow.pk).update(progress_at=now + timedelta(days=300))  # by a clock that was wrong
    sweep_backups(now, lost_before=now - timedelta(minutes=1))
    slow.refresh_from_db()
    assert slow.status == BackupStatus.RUNNING, "it counts from now"
    later = now + limit + timedelta(seconds=1)
    sweep_backups(later, lost_before=now - timedelta(minutes=1))
    slow.refresh_from_db()
    assert slow.status == BackupStatus.FAILED
    assert "got no further for 2" in slow.error
    assert slow.worth_retrying


def test_the_latest_slot_is_the_one_the_scheduler_counts_by(resource: Resource, slot: datetime) -> None:
    assert latest_slot(resource.uid, slot, window(), company_zone()) == slot


def test_after_a_clock_was_a_year_ahead_the_days_have_their_backups(resource: Resource, slot: datetime) -> None:
    """Neither the moment that it left for the next one nor the backup that it dated stands in for any of them."""
    ahead = slot + timedelta(days=365)
    assert schedule_backups(ahead) == 1
    assert take(resource, ahead).status == BackupStatus.FINISHED
    resource.refresh_from_db()
    assert resource.last_good_at == ahead
    for days in (1, 2, 3):
        now = slot + timedelta(days=days)
        assert schedule_backups(now) == 1
        assert take(resource, now).status == BackupStatus.FINISHED
        resource.refresh_from_db()
        assert resource.last_good_at == now, "what it shows is the newest that was really taken"
