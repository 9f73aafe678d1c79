"""Retention: what the policy no longer keeps is deleted, copy by copy, by a plan that is written down first.

A run is planned, and its plan recorded, before anything goes. Whoever applies it looks at each resource again under its
lock: what is pinned, held or needed by then stays. So a run can be stopped, killed, repeated or carried out late, and
two can never delete more than the policy says. A run that would delete more than a set share of all copies within a day
(floor 5) stops before the first one and waits for a person of IT.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.belief import NOT_BELIEVED, follow_clock, policy_moment
from backups.actions.deleting import mark_deleting, remove_copy, remove_retired
from backups.actions.locking import locked_resource
from backups.actions.taking import Clock
from backups.drivers.base import DriverError
from backups.facts import all_facts, facts_of
from backups.heartbeats import AHEAD
from backups.judging import CopyVerdict, judge
from backups.models import Backup, Copy, Deletion, DeletionStatus, Resource, RetentionRun, RunStatus
from backups.models.retention import OPEN_RUNS
from backups.permissions import check_can_decide_run, check_can_run_retention
from portal.errors import PortalError, Refused
from portal.handover import hand_over
from portal.history import acting
from portal.models import User
from portal.reasons import checked_reason
from portal.words import company_zone

log = structlog.get_logger(__name__)

WITHIN = timedelta(days=1)
FREE_DELETIONS = 3
"""So few copies a day never stop a run: in a company of two resources they are more than any share."""

BATCH = 1000
DECISION_REASON_MISSING = "Say why: the reason is kept with the run."


def planned_deletions(now: datetime) -> Iterator[tuple[int, CopyVerdict]]:
    """What a run planned now would delete in the whole company, as (resource, verdict), resource by resource."""
    zone, moment = company_zone(), policy_moment(now)
    for facts in all_facts(Resource.objects.all(), moment):
        # By a moment that has passed, the newest copy in the other region is not the wanted one: there nothing goes then.
        for verdict in judge(facts, now=moment, zone=zone).going(facts.home_region, at_home_only=moment < now):
            yield facts.id, verdict


def plan_retention(*, now: datetime, asked_by: User | None = None) -> RetentionRun | None:
    """Write down what is to go in the whole company; None when nothing is, or when a run is open already.

    The run is handed over to be applied, or stopped when it would delete too much, whoever asked for it.
    """
    if RetentionRun.objects.filter(resource__isnull=True, status__in=OPEN_RUNS).exists():
        return None
    verdicts = [verdict for _, verdict in planned_deletions(now)]
    return _write_run(verdicts, None, now, asked_by=asked_by) if verdicts else None


def plan_hourly(*, now: datetime) -> RetentionRun | None:
    """What the beat asks for: :func:`plan_retention`, but not within a day of a refusal. IT sees to the cause first."""
    follow_clock(now)
    lately = {"decided_at__gt": now - WITHIN, "decided_at__lte": now + AHEAD}
    refused = RetentionRun.objects.filter(resource__isnull=True, status=RunStatus.REFUSED, **lately)
    return None if refused.exists() else plan_retention(now=now)


def run_retention(*, by: User, now: datetime | None = None) -> RetentionRun:
    """Plan a run at once, on a person's word. Raises NotPermitted, or Refused when there is nothing for it to do."""
    check_can_run_retention(by)
    run = plan_retention(now=now or timezone.now(), asked_by=by)
    if run is not None:
        return run
    waiting = RetentionRun.objects.filter(resource__isnull=True, status=RunStatus.STOPPED).first()
    if waiting is not None:
        raise Refused("A run was stopped and waits for a decision. Decide about that one first.")
    raise Refused("There is nothing to delete, or another run is deleting it right now.")


def plan_removal(resource: Resource, *, by: User, reason: str, now: datetime) -> RetentionRun | None:
    """Write down what goes with a resource that a person has just removed, over exactly this list. In a transaction."""
    verdicts = judge(facts_of(resource, now), now=now, zone=company_zone()).to_delete
    return _write_run(verdicts, resource, now, by=by, reason=reason) if verdicts else None


def _write_run(
    verdicts: list[CopyVerdict],
    resource: Resource | None,
    now: datetime,
    *,
    by: User | None = None,
    reason: str = "",
    asked_by: User | None = None,
) -> RetentionRun | None:
    before = Copy.objects.standing().count()
    lately = Deletion.objects.filter(
        status=DeletionStatus.DELETED, done_at__gt=now - WITHIN, run__decided_by__isnull=True
    ).count()
    run = RetentionRun(
        resource=resource,
        status=RunStatus.APPLYING,
        planned_at=now,
        copies_before=before,
        to_delete=len(verdicts),
        deleted_before=lately,
        limit_percent=settings.RETENTION_LIMIT_PERCENT,
        decided_at=now if by else None,
        decided_by=by,
        reason=reason,
    )
    if by is None and len(verdicts) + lately > FREE_DELETIONS and run.share_percent > run.limit_percent:
        run.status = RunStatus.STOPPED
    try:
        with acting(by or asked_by, reason or "retention"), transaction.atomic():
            run.save()
            Deletion.objects.bulk_create(
                (Deletion(run=run, copy_id=verdict.id, why=verdict.why) for verdict in verdicts), batch_size=BATCH
            )
            hand_over("backups.tell_stopped" if run.status == RunStatus.STOPPED else "backups.apply_run", run.pk)
    except IntegrityError:  # another one planned in the same moment
        return None
    return run


def decide_run(
    *, by: User, run: RetentionRun, carry_on: bool, reason: str, now: datetime | None = None
) -> RetentionRun:
    """A person of IT lets a stopped run go on as it was planned, or refuses it. Raises NotPermitted, Refused, InvalidInput."""
    reason = checked_reason(reason, DECISION_REASON_MISSING)
    now = now or timezone.now()
    with acting(by, reason), transaction.atomic():
        locked = RetentionRun.objects.select_for_update().get(pk=run.pk)
        check_can_decide_run(by, locked)
        locked.decided_at, locked.decided_by, locked.reason = now, by, reason
        if carry_on:
            locked.status = RunStatus.APPLYING
            hand_over("backups.apply_run", locked.pk)
        else:
            locked.status, locked.finished_at = RunStatus.REFUSED, now
        locked.save()
    return locked


def apply_run(run_id: int, *, clock: Clock = timezone.now) -> None:
    """Carry out what is still planned of a run. Safe to call twice, at once, late: each copy is looked at again."""
    run = RetentionRun.objects.filter(pk=run_id, status=RunStatus.APPLYING).first()
    if run is None:
        return
    while batch := list(
        Deletion.objects.filter(run=run, status=DeletionStatus.PLANNED)
        .order_by("id")
        .values_list("pk", "copy__backup__resource")[:BATCH]
    ):
        for resource_id, deletions in groupby(batch, key=lambda row: row[1]):
            _apply(resource_id, [pk for pk, _ in deletions], clock)
    remove_retired(Copy.objects.filter(deletions__run=run), clock=clock)  # what one that was killed had only marked
    now = clock()
    with acting(run.decided_by, "retention"), transaction.atomic():
        locked = RetentionRun.objects.select_for_update().get(pk=run.pk)
        if locked.status == RunStatus.APPLYING:
            locked.status, locked.finished_at = RunStatus.DONE, now
            locked.save()


def _apply(resource_id: int, deletions: list[int], clock: Clock) -> None:
    """Mark the copies of one resource that still are to go, then remove their bytes."""
    now = clock()
    moment = policy_moment(now)
    with transaction.atomic():
        resource = locked_resource(resource_id)
        planned = list(
            Deletion.objects.select_for_update(of=("self",))
            .filter(pk__in=deletions, status=DeletionStatus.PLANNED)
            .select_related("copy")
        )
        backups = {deletion.copy.backup_id for deletion in planned}
        list(Backup.objects.select_for_update().filter(pk__in=backups).order_by("pk"))  # nobody asks for one meanwhile
        verdicts = {
            verdict.id: verdict for verdict in judge(facts_of(resource, moment), now=moment, zone=company_zone()).copies
        }
        going = []
        for deletion in planned:
            verdict = verdicts.get(deletion.copy_id)  # none: another one has it deleted already
            deletion.done_at = now
            deletion.status = DeletionStatus.DELETED
            if verdict is not None and verdict.keep:
                deletion.status, deletion.kept_because = DeletionStatus.KEPT, verdict.why
            elif verdict is not None and moment < now and verdict.region != resource.home_region:
                deletion.status, deletion.kept_because = DeletionStatus.KEPT, NOT_BELIEVED
            elif verdict is not None:
                going.append(deletion.copy)
            deletion.save(update_fields=["status", "kept_because", "done_at"])
        mark_deleting(resource, going, now)
    for copy in going:
        try:
            remove_copy(copy, clock)
        except (DriverError, PortalError) as error:  # its row says that it goes; tidying tries again
            log.warning("retention.not_removed", copy=copy.pk, why=error.sentence)


def hand_over_open_runs() -> None:
    """A run that is to be applied is handed over again until it is done."""
    for pk in RetentionRun.objects.filter(status=RunStatus.APPLYING).values_list("pk", flat=True)[:100]:
        hand_over("backups.apply_run", pk)
