"""The numbers of a checkup, read from its rows, and those of the signed one before."""

from __future__ import annotations

from statistics import median

from django.db.models import Count, Q

from backups.proof import Proof
from checkups.comparison import Comparison, Numbers, compare
from checkups.models import Check, Checkup, Trial, TrialStatus
from checkups.models.finding import FindingStatus
from checkups.workflow import Status


def comparison_of(checkup: Checkup, part: Q | None = None) -> Comparison:
    """Against the last one that was signed before; with a ``part`` (a condition on findings) only of that."""
    before = signed_before(checkup)
    return compare(numbers_of(checkup, part), numbers_of(before, part) if before else None)


def signed_before(checkup: Checkup) -> Checkup | None:
    """The one that this is compared with. One that was signed after this does not change what a document of this says."""
    earlier = Checkup.objects.filter(status=Status.SIGNED.value, on__lt=checkup.on)
    if checkup.sealed_at is not None:
        earlier = earlier.filter(sealed_at__lte=checkup.sealed_at)
    return earlier.order_by("-on", "-pk").first()


def numbers_of(checkup: Checkup, part: Q | None = None) -> Numbers:
    """What it found, in numbers."""
    findings = checkup.findings.filter(part or Q())
    by_status = dict(findings.order_by().values_list("status").annotate(Count("pk")))
    checks = Check.objects.filter(finding__in=findings)
    levels = checks.filter(reached__isnull=False).order_by().values_list("reached").annotate(Count("pk"))
    tried = Trial.objects.filter(check_row__in=checks, status=TrialStatus.PASSED, recovery_ms__isnull=False).order_by()
    times = [time for time in tried.values_list("recovery_ms", flat=True) if time is not None]
    return Numbers(
        number=checkup.number,
        checks=checks.count(),
        failed=dict(findings.filter(status=FindingStatus.FAILED).values_list("resource", "name")),
        passed=frozenset(findings.filter(status=FindingStatus.PASSED).values_list("resource", flat=True)),
        left=by_status.get(FindingStatus.LEFT.value, 0),
        waiting=by_status.get(FindingStatus.WAITING.value, 0),
        levels={Proof(level): number for level, number in levels},
        median_ms=int(median(times)) if times else None,
        total_ms=sum(times),
    )
