"""The daily backups (B2): each resource in its own moment of the window, one at a time, none silently skipped.

``Resource.next_backup_at`` is the whole state: who changes it from what it was takes the turn. So this can run twice,
late or never; after an outage everything that is due is taken, the longest overdue first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from backups.actions.taking import queue_backup
from backups.models import BackupOrigin, Resource
from backups.schedule import Window, latest_slot, next_slot
from portal.words import company_zone

log = structlog.get_logger(__name__)

TOO_FAR = timedelta(days=2)
"""No moment of a daily backup lies so far ahead: one that does was worked out by a clock that was wrong."""

A_TURN = 2000  # a minute: more than a company of 100,000 resources needs in a window of four hours


def schedule_backups(now: datetime) -> int:
    """Queue the backups that are due, and work out the moments of resources that have none yet; how many were queued.

    A clock that was ahead for a while leaves moments and backups of days to come: neither stands in for today's.
    """
    _plan_new(now)
    due = Resource.objects.backed_up().filter(next_backup_at__lte=now).order_by("next_backup_at", "pk")[:A_TURN]
    return sum(_take_turn(resource, now) for resource in due)


def _plan_new(now: datetime) -> None:
    """A new resource's first backup is queued when it is registered; the daily ones follow. One long known is overdue."""
    for lacking in (Q(next_backup_at__isnull=True), Q(next_backup_at__gt=now + TOO_FAR)):
        for resource in Resource.objects.backed_up().filter(lacking).order_by("next_backup_at", "pk")[:A_TURN]:
            known = resource.last_good_at or resource.created_at
            after = known if known <= now else now - timedelta(days=1)
            Resource.objects.filter(lacking, pk=resource.pk).update(
                next_backup_at=next_slot(resource.uid, after, window(), company_zone())
            )


def _take_turn(resource: Resource, now: datetime) -> bool:
    zone = company_zone()
    latest = latest_slot(resource.uid, now, window(), zone)
    try:
        with transaction.atomic():
            mine = Resource.objects.filter(pk=resource.pk, next_backup_at=resource.next_backup_at).update(
                next_backup_at=next_slot(resource.uid, now, window(), zone)
            )
            if not mine or (resource.last_good_at and latest <= resource.last_good_at <= now):
                return False  # another one took the turn; or this was another try, and the day has its backup by now
            queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=now)
    except IntegrityError:  # one is under way: it is the day's, and if it fails it plans another try itself
        Resource.objects.filter(pk=resource.pk, next_backup_at=resource.next_backup_at).update(
            next_backup_at=next_slot(resource.uid, now, window(), zone)
        )
        return False
    return True


def window() -> Window:
    """The company's window for daily backups."""
    return Window(*settings.BACKUP_WINDOW)
