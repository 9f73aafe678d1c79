"""What IT is told: findings as they open, runs that were stopped, and every morning how things stand, also when all is well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone

from backups.actions.taking import Clock
from backups.compliance import is_overdue
from backups.findings import Rule
from backups.models import (
    Audit,
    Backup,
    BackupStatus,
    Copy,
    Deletion,
    DeletionStatus,
    Finding,
    RegionCheck,
    RetentionRun,
    RunStatus,
)
from portal.telling import tell_it
from portal.words import company_zone

MOST = 50  # findings named in one mail


def alert(*, clock: Clock = timezone.now) -> int:
    """Tell IT of open findings that nobody was told of; how many. Two at once tell of each only once."""
    now = clock()
    untold = list(Finding.objects.open().filter(told_at__isnull=True).order_by("opened_at", "pk")[:500])
    mine = [one for one in untold if Finding.objects.filter(pk=one.pk, told_at__isnull=True).update(told_at=now)]
    if not mine:
        return 0
    findings = list(
        Finding.objects.filter(pk__in=[one.pk for one in mine])
        .select_related("resource__application__client")
        .order_by("rule", "since", "pk")
    )
    try:
        tell_it("alert", {"findings": findings[:MOST], "number": len(findings), "more": max(len(findings) - MOST, 0)})
    except Exception:
        Finding.objects.filter(pk__in=[one.pk for one in mine], told_at=now).update(told_at=None)
        raise
    return len(mine)


def tell_stopped(run_id: int) -> None:
    """Tell IT that a run waits for a person's decision."""
    run = RetentionRun.objects.filter(pk=run_id, status=RunStatus.STOPPED).first()
    if run is not None:
        tell_it("stopped", {"run": run})


def digest(*, clock: Clock = timezone.now) -> None:
    """The morning's mail: what holds, what does not, what was done in the last day."""
    tell_it("digest", digest_of(clock()))


def digest_of(now: datetime) -> dict[str, Any]:
    """What the morning's mail says."""
    day = now - timedelta(days=1)
    backups = Backup.objects.filter(finished_at__gt=day)
    open_findings = dict(Finding.objects.open().values_list("rule").annotate(number=Count("pk")).order_by("rule"))
    audit = Audit.objects.first()
    return {
        "day": now.astimezone(company_zone()).date(),
        "audit": audit,
        "overdue": is_overdue(audit, now),
        "rules": [
            (rule, *(audit.rules.get(rule.value, (0, 0)) if audit else (0, 0)), open_findings.get(rule.value, 0))
            for rule in Rule
        ],
        "findings": list(
            Finding.objects.open().select_related("resource__application__client").order_by("since", "pk")[:MOST]
        ),
        "number": sum(open_findings.values()),
        "new": Finding.objects.filter(opened_at__gt=day).count(),
        "closed": Finding.objects.filter(closed_at__gt=day).count(),
        "taken": backups.filter(status=BackupStatus.FINISHED).count(),
        "failed": backups.filter(status=BackupStatus.FAILED).count(),
        "deleted": Deletion.objects.filter(status=DeletionStatus.DELETED, done_at__gt=day).count(),
        "verified": Copy.objects.present().filter(checksum_at__gt=day).count(),
        "regions": list(RegionCheck.objects.filter(finished_at__gt=day).order_by("region")),
        "stopped": RetentionRun.objects.filter(status=RunStatus.STOPPED).first(),
    }
