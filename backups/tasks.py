"""Celery's doors to the actions: load, call, done."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup
from backups.actions.tidying import tidy_regions


@shared_task(name="backups.take")
def take_backup(backup_id: int) -> None:
    """Take a queued backup."""
    perform_backup(backup_id)


@shared_task(name="backups.copy")
def copy_backup(resource_id: int) -> None:
    """Bring a resource's latest monthly backup to the other region (B3)."""
    copy_to_other_region(resource_id)


@shared_task(name="backups.tidy")
def tidy() -> None:
    """Remove leftovers in the regions, finish deletions, have missing copies made."""
    tidy_regions()


@shared_task(name="backups.sweep")
def sweep() -> None:
    """Send again what was lost; give up what stopped."""
    now = timezone.now()
    sweep_backups(now, lost_before=now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))
