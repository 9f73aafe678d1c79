"""Starting a checkup, and writing down its scope before anything is restored.

The scope is every resource that is not removed, and every removed one of which a backup is kept, as they are when the
checkup starts. It is written in pieces; a worker that dies in between leaves the rest to the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from backups.actions.pinning import pin
from backups.facts import CHUNK, facts_of_each
from backups.kinds import KEPT_AT_PROVIDERS, driver_of
from backups.models import Backup, Resource, ResourceState
from backups.proof import Proof
from checkups.actions.moves import apply_move, locked_checkup, note
from checkups.actions.settling import settle_finding_row
from checkups.models import ApplicationCheck, Check, CheckStatus, Checkup, CheckupFinding
from checkups.scope import Wanted, draw, level_of, wanted_of
from checkups.workflow import Move, Status
from portal.errors import PortalError
from portal.words import company_zone, counted, size_in_words

NO_BACKUP = "There is no good backup to check."
NOT_DRAWN = "It was not drawn into the sample."


def start_due(now: datetime) -> list[Checkup]:
    """Start what its date has come for, one at a time, and bring its scope to its end."""
    today = now.astimezone(company_zone()).date()
    due = Checkup.objects.filter(status=Status.PLANNED.value, on__lte=today).order_by("on", "pk")
    started = [checkup for checkup in due[:1] if _start(checkup, now)]
    for checkup in Checkup.objects.filter(status=Status.RUNNING.value, declared_at__isnull=True):
        declare(checkup, now)
    return started


def _start(checkup: Checkup, now: datetime) -> bool:
    def alter(locked: Checkup) -> None:
        locked.started_at = now
        locked.limits = {
            "tries_at_once": settings.CHECKUP_AT_ONCE,
            "scratch_gb": settings.CHECKUP_SCRATCH_GB,
            "restored_at_provider_gb": settings.CHECKUP_PROVIDER_GB,
        }

    try:
        apply_move(checkup, Move.START, by=None, now=now, reason=checkup.rule, alter=alter)
    except (PortalError, IntegrityError):  # another worker started it, or another checkup runs still
        return False
    return True


def in_scope() -> QuerySet[Resource]:
    """What a checkup that starts now has to look at."""
    stored = Backup.objects.stored().filter(resource=OuterRef("pk"))
    return Resource.objects.filter(~Q(state=ResourceState.REMOVED) | Exists(stored))


def declare(checkup: Checkup, now: datetime) -> None:
    """Write down the whole scope. Safe to call twice and by two at once: each piece is written under the checkup's lock."""
    sample = _sample(checkup)
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
            _write(locked, chunk, sample, now)
            locked.declared_up_to = chunk[-1].pk
            locked.save(update_fields=["declared_up_to"])


def _sample(checkup: Checkup) -> Collection[int] | None:
    """The ids of the resources in the sample; None for all of them."""
    if checkup.share == 100:
        return None
    newest = Backup.objects.good().filter(resource=OuterRef("pk")).order_by("-taken_at").values("stored_bytes")[:1]
    sizes = in_scope().order_by("pk").annotate(size=newest).values_list("pk", "size")
    return set(draw(((pk, size or 0) for pk, size in sizes.iterator()), checkup.share, checkup.seed))


def _write(checkup: Checkup, resources: Sequence[Resource], sample: Collection[int] | None, now: datetime) -> None:
    facts = {one.id: one for one in facts_of_each([resource.pk for resource in resources], now)}
    asked = set(ApplicationCheck.objects.filter(resource__in=resources).values_list("resource", flat=True))
    for resource in resources:
        wanted = wanted_of(facts[resource.pk], now=now, zone=company_zone()) if resource.pk in facts else []
        if not wanted:
            continue
        why_not = _why_not(resource, sample, max(one.size for one in wanted))
        finding = CheckupFinding.objects.create(
            checkup=checkup, resource=resource, name=resource.name, client=resource.client.name,
            client_ref=resource.client.pk, application=resource.application.name, kind=resource.kind,
            environment=resource.environment, removed=resource.state == ResourceState.REMOVED,
            sampled=not why_not, why_not_restored=why_not,
        )  # fmt: skip
        proves = driver_of(resource.kind).proves
        level = level_of(proves, restored=not why_not, answers=resource.pk in asked)
        if why_not and resource.kind in KEPT_AT_PROVIDERS:
            level = Proof.PRESENT  # the provider shows nobody the bytes that it keeps
        _write_checks(finding, wanted, level, now)


def _why_not(resource: Resource, sample: Collection[int] | None, size: int) -> str:
    if sample is not None and resource.pk not in sample:
        return NOT_DRAWN
    limit = settings.CHECKUP_PROVIDER_GB * 1_000_000_000
    if resource.kind in KEPT_AT_PROVIDERS and size > limit:
        return f"Restoring it at the provider would cost more than is allowed: {size_in_words(size)} of {size_in_words(limit)}."
    return ""


def _write_checks(finding: CheckupFinding, wanted: Sequence[Wanted], level: Proof, now: datetime) -> None:
    backups = Backup.objects.select_for_update().in_bulk([one.backup for one in wanted if one.backup is not None])
    for one in wanted:
        backup = backups.get(one.backup) if one.backup is not None else None
        Check.objects.create(
            finding=finding, what=one.what.value, region=one.region, declared=level, backup=backup,
            taken_at=backup.taken_at if backup else None, checksum=backup.checksum if backup else "",
            stored_bytes=one.size, status=CheckStatus.WAITING if backup else CheckStatus.FAILED,
            sentence="" if backup else NO_BACKUP,
        )  # fmt: skip
        if backup is not None:
            pin(backup, finding.checkup.number, now=now)
    settle_finding_row(finding, now)


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
    note(locked, None, by=None, now=now, text=text, reason=locked.rule)
    locked.save(update_fields=["declared_at"])
