"""Replacing what was found damaged, where that is possible: from the other region, or from the resource itself."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.belief import policy_moment
from backups.actions.copying import make_copy
from backups.actions.deleting import mark_deleting, remove_retired
from backups.actions.locking import locked_resource
from backups.actions.taking import Clock, queue_backup
from backups.drivers.base import DriverError
from backups.facts import facts_of
from backups.judging import REPLACED, ResourceFacts, judge
from backups.models import Backup, BackupOrigin, Copy, Resource
from portal.errors import PortalError
from portal.handover import hand_over
from portal.words import company_zone

log = structlog.get_logger(__name__)


def repair(resource_id: int, *, clock: Clock = timezone.now) -> None:
    """Copy back what is sound elsewhere, remove the damaged bytes that this replaces, back up anew where nothing else helps.

    Safe to run twice, late or never: it looks at what is there.
    """
    resource = Resource.objects.get(pk=resource_id)
    for backup_id in _copies_to_bring_home(facts_of(resource, clock())):
        backup = Backup.objects.select_related("resource").get(pk=backup_id)
        try:
            make_copy(backup, resource.home_region, clock=clock)
        except (DriverError, PortalError) as error:  # the next run tries again; the finding stays open
            log.warning("repair.not_copied", backup=backup_id, why=error.sentence)
    _remove_replaced(resource, clock())
    remove_retired(Copy.objects.filter(backup__resource=resource), clock=clock)
    hand_over("backups.copy", resource_id)
    facts = facts_of(resource, clock())
    if resource.removed_at is None and _newest_is_lost(facts, clock()):
        _back_up_anew(resource, clock())


def hand_over_damaged() -> None:
    """What the sweeper does: resources with damaged copies are looked at again."""
    damaged = Copy.objects.filter(state="damaged", backup__deleted_at__isnull=True)
    any_hundred = Resource.objects.filter(pk__in=damaged.values("backup__resource")).order_by(
        "?"
    )  # none waits for others
    for resource_id in any_hundred.values_list("pk", flat=True)[:100]:
        hand_over("backups.repair", resource_id)


def _copies_to_bring_home(facts: ResourceFacts) -> list[int]:
    """Kept backups whose copy in the home region is damaged while a sound one stands elsewhere."""
    return [
        backup.id
        for backup in facts.backups
        if backup.good and not any(copy.good and copy.region == facts.home_region for copy in backup.copies)
    ]


def _remove_replaced(resource: Resource, now: datetime) -> None:
    moment = policy_moment(now)
    with transaction.atomic():
        locked = locked_resource(resource.pk)
        verdicts = judge(facts_of(locked, moment), now=moment, zone=company_zone()).copies
        replaced = [verdict.id for verdict in verdicts if not verdict.keep and verdict.why == REPLACED]
        mark_deleting(locked, list(Copy.objects.filter(pk__in=replaced)), now)


def _newest_is_lost(facts: ResourceFacts, now: datetime) -> bool:
    """Whether the newest backup until now has no sound copy left: what it held can only be had from the resource."""
    taken = [backup for backup in facts.backups if backup.taken_at <= now] or facts.backups
    return bool(taken) and not max(taken, key=lambda backup: (backup.taken_at, backup.id)).good


def _back_up_anew(resource: Resource, now: datetime) -> None:
    try:
        with transaction.atomic():
            reason = "the newest backup was found damaged"
            queue_backup(resource, origin=BackupOrigin.REPLACING, by=None, reason=reason, now=now)
    except IntegrityError:  # one is under way already
        return
