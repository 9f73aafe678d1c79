"""Removing a resource (B4), and bringing one back that was removed by mistake.

A person of IT removes it, over the exact list of what goes and what stays, which they confirm with the resource's name.
Of production a final backup is taken first when there is no good one of the last day; what comes of that is waited
for, a few tries long where the failure may pass, and then the removal is carried out whether it could be taken or not:
the resource may be gone already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.actions.retaining import plan_removal
from backups.actions.taking import Clock, queue_backup
from backups.facts import facts_of
from backups.judging import CopyVerdict, StoredBackup, judge
from backups.kinds import driver_of
from backups.models import Backup, BackupOrigin, BackupStatus, Resource, ResourceState
from backups.permissions import check_can_bring_back, check_can_remove
from backups.retention import Verdict, kept_until
from backups.schedule import retry_after
from portal.errors import InvalidInput, Refused
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from portal.words import company_zone

FRESH = timedelta(days=1)

FINAL_TRIES = 3
"""So often a final backup is tried whose failure may pass: a worker that died, a region that was away."""


@dataclass(frozen=True)
class RemovalPlan:
    """What a removal would do: shown to the person, and bound to their confirmation by ``digest``.

    ``backups`` pairs every stored backup with its verdict; ``final_backup``: one is taken first.
    """

    backups: Sequence[tuple[StoredBackup, Verdict[int]]]
    copies: Sequence[CopyVerdict]
    final_backup: bool
    newest_good_at: datetime | None
    kept_until: date | None
    digest: str

    @property
    def going(self) -> list[StoredBackup]:
        """The backups of which nothing is left."""
        return [backup for backup, verdict in self.backups if not verdict.keep]

    @property
    def staying(self) -> list[tuple[StoredBackup, Verdict[int]]]:
        """The backups that are kept, with why and until when."""
        return [(backup, verdict) for backup, verdict in self.backups if verdict.keep]


def removal_plan(resource: Resource, now: datetime) -> RemovalPlan:
    """What would go and what would stay if the resource were removed now."""
    zone = company_zone()
    facts = replace(facts_of(resource, now), removed_at=now)
    judgement = judge(facts, now=now, zone=zone)
    good = [backup.taken_at for backup in facts.backups if backup.readable]
    newest = max([at for at in good if at <= now] or good, default=None)  # one of the future is none of today
    fresh = newest is not None and timedelta(0) <= now - newest <= FRESH
    final = resource.is_production and not fresh
    list_of_all = sorted([verdict.id, verdict.keep] for verdict in judgement.copies)
    return RemovalPlan(
        backups=list(zip(facts.backups, judgement.plan.verdicts, strict=True)),
        copies=judgement.copies,
        final_backup=final,
        newest_good_at=newest,
        kept_until=kept_until(now, zone) if resource.is_production else None,
        digest=hashlib.sha256(json.dumps([resource.pk, final, list_of_all]).encode()).hexdigest(),
    )


def remove_resource(
    *, by: User, resource: Resource, reason: str, typed_name: str, digest: str, now: datetime | None = None
) -> Resource:
    """Remove the resource as :func:`removal_plan` said; ``digest`` is that plan's.

    Raises NotPermitted or Refused by the rule, InvalidInput naming ``reason`` or ``typed_name``, and Refused when the list
    is no longer what the person saw. The result is removed, or being removed while its final backup is taken.
    """
    check_can_remove(by, resource)
    reason = checked_reason(reason, "Say why the resource is removed: it is kept with it.")
    if typed_name.strip() != resource.name:
        raise InvalidInput(f"Type the name {resource.name} to confirm that this is the one.", field="typed_name")
    now = now or timezone.now()
    with acting(by, reason), transaction.atomic():
        locked = locked_resource(resource.pk)
        check_can_remove(by, locked)
        plan = removal_plan(locked, now)
        if plan.digest != digest:
            raise Refused("Its backups have changed since you looked. Look at the list again, then confirm it.")
        locked.removal_asked_at, locked.removed_by, locked.removal_reason = now, by, reason
        if plan.final_backup:
            _take_final_backup(locked, by, now)
        else:
            _remove(locked, now)
    return locked


def finish_removal(resource_id: int, *, clock: Clock = timezone.now) -> None:
    """Carry out a removal that waited for its final backup. Safe to call twice, late or never."""
    now = clock()
    with transaction.atomic():
        locked = locked_resource(resource_id)
        if locked.state != ResourceState.REMOVING:
            return
        _believe_no_later_than(now, locked)
        if locked.backups.open().exists() or _is_tried_again(locked, now):
            return
        with acting(locked.removed_by, locked.removal_reason):
            _remove(locked, now)


def _believe_no_later_than(now: datetime, locked: Resource) -> None:
    """Asked for by a clock that was ahead: else no final backup would ever have come after the asking."""
    assert locked.removal_asked_at is not None
    if locked.removal_asked_at > now:
        locked.removal_asked_at = now
        with acting(None, "the clock was ahead when it was asked for"):
            locked.save(update_fields=["removal_asked_at"])


def _is_tried_again(locked: Resource, now: datetime) -> bool:
    """Whether the final backup failed in a way that may pass; then another is queued, each time after twice the wait.

    One that had run for long when the removal was asked, or was found whole only now, is not the final one: then the first
    is queued.
    """
    assert locked.removal_asked_at is not None
    asked = locked.backups.filter(finished_at__gte=locked.removal_asked_at)
    old = Q(status=BackupStatus.FINISHED, taken_at__lt=locked.removal_asked_at - FRESH)
    since = asked.exclude(old).order_by("-finished_at", "-pk")
    last, tries = since.first(), since.count()
    if last is None and asked.exists():
        queue_backup(locked, origin=BackupOrigin.FINAL, by=locked.removed_by, reason=locked.removal_reason, now=now)
        return True
    if last is None or last.status != BackupStatus.FAILED or not last.worth_retrying or tries >= FINAL_TRIES:
        return False
    assert last.finished_at is not None
    if last.finished_at <= now < last.finished_at + retry_after(tries):
        return True  # the sweeper asks again
    queue_backup(locked, origin=BackupOrigin.FINAL, by=locked.removed_by, reason=locked.removal_reason, now=now)
    return True


def hand_over_removals() -> None:
    """What the sweeper does: removals whose final backup has ended are carried out."""
    for pk in Resource.objects.filter(state=ResourceState.REMOVING).values_list("pk", flat=True)[:100]:
        hand_over("backups.finish_removal", pk)


def _take_final_backup(locked: Resource, by: User, now: datetime) -> None:
    locked.state = ResourceState.REMOVING
    locked.save()
    if not Backup.objects.open().filter(resource=locked).exists():  # one under way is as fresh
        queue_backup(locked, origin=BackupOrigin.FINAL, by=by, reason=locked.removal_reason, now=now)


def _remove(locked: Resource, now: datetime) -> None:
    """From now on the resource is removed; what goes is written down as a run and deleted after commit."""
    if locked.backups.open().exists():
        raise Refused(f"A backup of {locked.name} is under way. Wait until it is finished.")
    locked.state, locked.removed_at, locked.next_backup_at = ResourceState.REMOVED, now, None
    locked.kept_until = kept_until(now, company_zone()) if locked.is_production else None
    locked.save()
    assert locked.removed_by is not None
    plan_removal(locked, by=locked.removed_by, reason=locked.removal_reason, now=now)
    hand_over("backups.audit_resource", locked.pk)


def bring_back(*, by: User, resource: Resource, reason: str, now: datetime | None = None) -> Resource:
    """Make a removed resource active again while a good backup of it lives; its next backup is due at once."""
    check_can_bring_back(by, resource)
    reason = checked_reason(reason, "Say why the resource is brought back: it is kept with it.")
    now = now or timezone.now()
    try:
        with acting(by, reason), transaction.atomic():
            locked = locked_resource(resource.pk)
            check_can_bring_back(by, locked)
            _check_place_is_free(locked)
            locked.undone_removal_at = locked.removed_at  # what it deleted stays deleted, and findings say so
            locked.state, locked.removed_at, locked.kept_until = ResourceState.ACTIVE, None, None
            locked.removal_asked_at, locked.removed_by, locked.removal_reason = None, None, ""
            locked.next_backup_at = now
            locked.save()
            hand_over("backups.copy", locked.pk)  # the removal took the one in the other region (B3)
            hand_over("backups.audit_resource", locked.pk)
    except IntegrityError as error:  # registered in the same moment
        raise Refused("Another resource took its name or its place just now.") from error
    return locked


def _check_place_is_free(resource: Resource) -> None:
    standing = Resource.objects.standing().exclude(pk=resource.pk)
    if standing.filter(application=resource.application, name=resource.name).exists():
        raise Refused(
            f"{resource.application} has another resource named {resource.name} by now. Remove that one first."
        )
    driver = driver_of(resource.kind)
    for name, locator in standing.filter(kind=resource.kind).values_list("name", "locator").iterator():
        if driver.overlaps(locator, resource.locator):
            raise Refused(f"Where it was, the resource {name} is by now. Remove that one first.")
