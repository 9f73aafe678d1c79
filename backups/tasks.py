"""Celery's doors to the actions: load, call, done."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from backups.actions import (
    auditing,
    contents,
    discovering,
    looking,
    presence,
    removing,
    repairing,
    retaining,
    telling,
    verifying,
)
from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.daily import once_a_day
from backups.actions.scheduling import schedule_backups
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup
from backups.actions.tidying import tidy_regions
from backups.models import Backup


@shared_task(name="backups.schedule")
def schedule() -> None:
    """Queue the daily backups that are due (B2)."""
    schedule_backups(timezone.now())


@shared_task(name="backups.take")
def take_backup(backup_id: int) -> None:
    """Take a queued backup."""
    perform_backup(backup_id)


@shared_task(name="backups.copy")
def copy_backup(resource_id: int) -> None:
    """Bring a resource's latest monthly backup to the other region (B3)."""
    copy_to_other_region(resource_id)


@shared_task(name="backups.continue_copy")
def continue_copying(copy_id: int) -> None:
    """Ask a provider again about a copy that it makes."""
    continue_copy(copy_id)


@shared_task(name="backups.repair")
def repair(resource_id: int) -> None:
    """Replace what was found damaged."""
    repairing.repair(resource_id)


@shared_task(name="backups.retain")
def retain() -> None:
    """Plan what the policy no longer keeps; runs are applied by a task of their own, again where that was stopped."""
    retaining.hand_over_open_runs()
    retaining.plan_hourly(now=timezone.now())


@shared_task(name="backups.apply_run")
def apply_run(run_id: int) -> None:
    """Delete what a run planned."""
    retaining.apply_run(run_id)


@shared_task(name="backups.finish_removal")
def finish_removal(resource_id: int) -> None:
    """Carry out a removal whose final backup has ended (B4)."""
    removing.finish_removal(resource_id)


@shared_task(name="backups.audit_resource")
def audit_resource(resource_id: int) -> None:
    """Bring one resource's findings up to date."""
    auditing.audit_resource(resource_id, now=timezone.now())


@shared_task(name="backups.discover")
def discover() -> None:
    """Have every account looked through for what has no backups."""
    discovering.discover_all()


@shared_task(name="backups.discover_region")
def discover_region(region_id: int) -> None:
    """Look through one region of an account."""
    discovering.discover_region(region_id)


@shared_task(name="backups.verify")
def verify() -> None:
    """Read the checksums of copies that were not read for long."""
    verifying.verify_due()


@shared_task(name="backups.look")
def look(resource_id: int) -> None:
    """Look whether a resource still is where it was."""
    looking.look_for(resource_id)


@shared_task(name="backups.nightly")
def nightly() -> None:
    """The night's checks, each once a day: what the regions hold, where the resources are, whether the policy holds.

    Each is done whatever becomes of the others.
    """
    errors = []
    for name, work in (
        ("presence", presence.check_presence),
        ("look", looking.look_for_all),
        ("audit", auditing.audit_company),
    ):
        try:
            once_a_day(name, settings.NIGHTLY_HOUR, work)
        except Exception as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("Not every check of the night could be done.", errors)


@shared_task(name="backups.alert")
def alert() -> None:
    """Mail IT about findings that have opened."""
    telling.alert()


@shared_task(name="backups.tell_stopped")
def tell_stopped(run_id: int) -> None:
    """Mail IT about a run that waits for a decision."""
    telling.tell_stopped(run_id)


@shared_task(name="backups.digest")
def digest() -> None:
    """Mail IT how things stand, once a day."""
    once_a_day("digest", settings.DIGEST_HOUR, telling.digest)


@shared_task(name="backups.list_contents")
def list_contents(backup_id: int) -> None:
    """Make the index of a large backup that somebody looks into."""
    contents.list_contents(Backup.objects.select_related("resource").get(pk=backup_id))


@shared_task(name="backups.tidy")
def tidy() -> None:
    """Remove leftovers in the regions, finish deletions, have missing copies made, forget old indexes."""
    tidy_regions()
    contents.forget_contents()


@shared_task(name="backups.sweep")
def sweep() -> None:
    """Send again what was lost; give up what stopped."""
    now = timezone.now()
    sweep_backups(now, lost_before=now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))
