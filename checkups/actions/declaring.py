"""Starting a checkup, and writing down its scope before anything is restored.

The scope is every resource that is not removed, and every removed one of which a backup is kept, as they are when the
checkup starts. It is written in pieces; a worker that dies in between leaves the rest to the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from backups.facts import CHUNK, facts_of_each
from backups.kinds import KEPT_AT_PROVIDERS, driver_of
from backups.models import Backup, Pin, Resource, ResourceState
from backups.proof import Proof
from checkups.actions.moves import apply_move, locked_checkup, note
from checkups.actions.settling import settle_finding_row
from checkups.models import ApplicationCheck, Check, CheckStatus, Checkup, CheckupFinding
from checkups.scope import Wanted, draw, level_of, wanted_of
from checkups.workflow import Move, Status
from portal.errors import PortalError, Refused
from portal.handover import hand_over
from portal.words import company_zone, counted, size_in_words

NO_BACKUP = "There is no good backup to check."
NOT_DRAWN = "It was not drawn into the sample."


def start_due(now: datetime) -> None:
    """Start what its date has come for, one at a time, and have its scope written down."""
    today = now.astimezone(company_zone()).date()
    if not Checkup.objects.filter(status=Status.RUNNING.value).exists():
        for checkup in Checkup.objects.filter(status=Status.PLANNED.value, on__lte=today).order_by("on", "pk")[:1]:
            _start(checkup, now)
    for checkup in Checkup.objects.filter(status=Status.RUNNING.value, declared_at__isnull=True):
        hand_over("checkups.declare", checkup.pk)


def _start(checkup: Checkup, now: datetime) -> bool:
    drawn = _draw(checkup)

    def alter(locked: Checkup) -> None:
        if (locked.share, locked.seed) != (checkup.share, checkup.seed):
            raise Refused("Its sample was changed just now.")
        locked.started_at, locked.drawn = now, drawn
        locked.limits = {
            "tries_at_once": settings.CHECKUP_AT_ONCE,
            "scratch_gb": settings.CHECKUP_SCRATCH_GB,
            "restored_at_provider_gb": settings.CHECKUP_PROVIDER_GB,
        }

    try:
        apply_move(checkup, Move.START, by=None, now=now, alter=alter)
    except (PortalError, IntegrityError):  # another worker started it, or another checkup runs still
        return False
    return True


def in_scope() -> QuerySet[Resource]:
    """What a checkup that starts now has to look at."""
    stored = Backup.objects.stored().filter(resource=OuterRef("pk"))
    return Resource.objects.filter(~Q(state=ResourceState.REMOVED) | Exists(stored))


def declare(checkup: Checkup, now: datetime) -> None:
    """Write down the whole scope. Safe to call twice and by two at once: each piece is written under the checkup's lock."""
    while True:
        with transaction.atomic():
            locked = locked_checkup(checkup.pk)
            if locked.declared_at is not None or locked.state is not Status.RUNNING:
                return
            assert locked.started_at is not None
            rows = in_scope().filter(pk__gt=locked.declared_up_to, created_at__lte=locked.started_at)
            chunk = list(rows.order_by("pk").select_related("application__client")[:CHUNK])
            if not chunk:
                _declared(locked, now)
                return
            _write(locked, chunk, now)
            locked.declared_up_to = chunk[-1].pk
            locked.save(update_fields=["declared_up_to"])


def _draw(checkup: Checkup) -> list[int] | None:
    """The ids of the resources in the sample, drawn once; None for all of them."""
    if checkup.share == 100:
        return None
    newest = Backup.objects.good().filter(resource=OuterRef("pk")).order_by("-taken_at").values("stored_bytes")[:1]
    sizes = in_scope().order_by("pk").annotate(size=newest).values_list("pk", "size")
    return sorted(draw(((pk, size or 0) for pk, size in sizes.iterator()), checkup.share, checkup.seed))


def _write(checkup: Checkup, resources: Sequence[Resource], now: datetime) -> None:
    """Findings, checks and pins of a piece of the scope, in a handful of statements."""
    sample = None if checkup.drawn is None else frozenset(checkup.drawn)
    ids = [resource.pk for resource in resources]
    wanted = {one.id: wanted_of(one, now=now, zone=company_zone()) for one in facts_of_each(ids, now)}
    asked = set(ApplicationCheck.objects.filter(resource__in=ids).values_list("resource", flat=True))
    findings = [_finding(checkup, one, wanted[one.pk], sample) for one in resources if wanted.get(one.pk)]
    CheckupFinding.objects.bulk_create(findings)
    chosen = {one.backup for each in wanted.values() for one in each if one.backup is not None}
    backups = Backup.objects.select_for_update().order_by("pk").in_bulk(chosen)
    checks = [
        _check(finding, one, _level(finding, finding.resource_id in asked), backups)
        for finding in findings
        for one in wanted[finding.resource_id]
    ]
    Check.objects.bulk_create(checks)
    pins = [Pin(backup=backup, label=checkup.number, since=now) for backup in backups.values()]
    Pin.objects.bulk_create(pins, ignore_conflicts=True)
    for finding in {check.finding for check in checks if check.status == CheckStatus.FAILED}:
        settle_finding_row(finding, now)


def _finding(
    checkup: Checkup, resource: Resource, wanted: Sequence[Wanted], sample: Collection[int] | None
) -> CheckupFinding:
    why_not = _why_not(resource, sample, max(one.size for one in wanted))
    return CheckupFinding(
        checkup=checkup, resource=resource, name=resource.name, client=resource.client.name,
        client_ref=resource.client.pk, application=resource.application.name, kind=resource.kind,
        environment=resource.environment, removed=resource.state == ResourceState.REMOVED,
        sampled=not why_not, why_not_restored=why_not,
    )  # fmt: skip


def _level(finding: CheckupFinding, answers: bool) -> Proof:
    if not finding.sampled and finding.kind in KEPT_AT_PROVIDERS:
        return Proof.PRESENT  # the provider shows nobody the bytes that it keeps
    return level_of(driver_of(finding.kind).proves, restored=finding.sampled, answers=answers)


def _check(finding: CheckupFinding, one: Wanted, level: Proof, backups: Mapping[int, Backup]) -> Check:
    backup = backups.get(one.backup) if one.backup is not None else None
    return Check(
        finding=finding, what=one.what.value, region=one.region, declared=level, backup=backup,
        taken_at=backup.taken_at if backup else None, checksum=backup.checksum if backup else "",
        stored_bytes=one.size, status=CheckStatus.WAITING if backup else CheckStatus.FAILED,
        sentence="" if backup else NO_BACKUP,
    )  # fmt: skip


def _why_not(resource: Resource, sample: Collection[int] | None, size: int) -> str:
    if sample is not None and resource.pk not in sample:
        return NOT_DRAWN
    limit = settings.CHECKUP_PROVIDER_GB * 1_000_000_000
    if resource.kind in KEPT_AT_PROVIDERS and size > limit:
        return f"Restoring it at the provider would cost more than is allowed: {size_in_words(size)} of {size_in_words(limit)}."
    return ""


def _declared(locked: Checkup, now: datetime) -> None:
    locked.declared_at = now
    findings = locked.findings.all()
    number, removed = findings.count(), findings.filter(removed=True).count()
    restored = findings.filter(sampled=True).count()
    checks = Check.objects.filter(finding__checkup=locked)
    text = (
        f"The scope was written down: {counted(number, 'resource')}, {removed} of them removed with a backup that is kept;"
        f" {counted(checks.count(), 'backup')} to check, of {restored} resources by restoring them"
    )
    note(locked, None, by=None, now=now, text=text, reason=locked.rule if locked.share < 100 else "")
    locked.save(update_fields=["declared_at"])
