"""How the company stands: the share of resources that hold each rule, its last 90 days, and what proves it.

A constant number of queries, whatever the number of resources; what is counted stands in columns that the audit keeps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q

from backups.findings import Rule
from backups.models import Audit, Backup, Copy, Finding, RegionCheck, Resource, ResourceState, RetentionRun, RunStatus
from backups.trend import DAYS, Audited
from portal.words import company_zone, share_in_words

AUDITED_WITHIN = timedelta(hours=26)
"""How old the last audit of the whole company may be: it is done every night."""

EVIDENCE = 7  # audits, and checks of regions
AGES = ((7, "within 7 days"), (30, "8 to 30 days ago"))


@dataclass(frozen=True)
class Share:
    """One rule now: to how many resources it applies, how many hold it, and the findings about it that are open."""

    rule: Rule
    holding: int
    applies: int
    findings: int

    @property
    def words(self) -> str:
        """The share, never rounded up; of a rule about the company whether it holds."""
        if self.rule.company_wide:
            return "It holds" if self.holding else "It does not hold"
        return share_in_words(self.holding, self.applies)

    @property
    def breaking(self) -> int:
        """How many resources do not hold it."""
        return self.applies - self.holding


def shares_now(now: datetime) -> list[Share]:
    """Each rule with its share, as each resource was found the last time that it was looked at. Three queries."""
    counted = _standing_and_kept(now.astimezone(company_zone()).date())
    found = open_by_rule()
    return [_of_company(rule, found) if rule.company_wide else _of_resources(rule, counted, found) for rule in Rule]


def _of_company(rule: Rule, found: Counter[str]) -> Share:
    """It applies to the company, once."""
    return Share(rule, holding=int(not found[rule.value]), applies=1, findings=found[rule.value])


def _of_resources(rule: Rule, counted: Counter[tuple[tuple[Rule, ...], int]], found: Counter[str]) -> Share:
    applying = {key: number for key, number in counted.items() if rule in key[0]}
    holding = sum(number for (_, broken), number in applying.items() if not broken & rule.bit)
    return Share(rule, holding=holding, applies=sum(applying.values()), findings=found[rule.value])


def open_by_rule() -> Counter[str]:
    """The number of open findings by rule."""
    return Counter(dict(Finding.objects.open().order_by().values_list("rule").annotate(Count("pk"))))


_STANDING, _REMOVED = (Rule.B1, Rule.B2, Rule.B3), (Rule.B4,)


def _standing_and_kept(today: date) -> Counter[tuple[tuple[Rule, ...], int]]:
    """How many resources there are of each (rules that apply, bits of the broken ones)."""
    counted: Counter[tuple[tuple[Rule, ...], int]] = Counter()
    promised = Count("pk", filter=Q(kept_until__gt=today))
    rows = Resource.objects.order_by().values_list("state", "broken_rules").annotate(number=Count("pk"), kept=promised)
    for state, broken, number, kept in rows:
        if state == ResourceState.REMOVED:
            counted[_REMOVED, broken] += kept
        else:
            counted[_STANDING, broken] += number
    stored = Exists(Backup.objects.stored().filter(resource=OuterRef("pk")))
    over = Resource.objects.filter(Q(kept_until__isnull=True) | Q(kept_until__lte=today), state=ResourceState.REMOVED)
    for broken, number in over.filter(stored).order_by().values_list("broken_rules").annotate(number=Count("pk")):
        counted[_REMOVED, broken] += number
    return counted


def audited_days(today: date) -> Audited:
    """The last audit of each of the last 90 days."""
    rows = Audit.objects.filter(day__gt=today - timedelta(days=DAYS), day__lte=today).order_by("finished_at", "pk")
    return dict(rows.values_list("day", "rules"))


@dataclass(frozen=True)
class Evidence:
    """What proves that somebody looks: the last audits and checks, and how old the oldest verification is."""

    audits: list[Audit]
    checks: list[RegionCheck]
    oldest_checksum: datetime | None

    @property
    def last(self) -> Audit | None:
        """The last audit of the whole company."""
        return self.audits[0] if self.audits else None


def is_overdue(audit: Audit | None, now: datetime) -> bool:
    """Whether the last audit is so old that what is open says little. Not before there was a first one."""
    return audit is not None and now - audit.finished_at > AUDITED_WITHIN


def evidence() -> Evidence:
    """The last of each, the newest first."""
    verified = Copy.objects.present().filter(checksum_at__isnull=False).order_by("checksum_at", "id")
    return Evidence(
        audits=list(Audit.objects.order_by("-finished_at")[:EVIDENCE]),
        checks=list(RegionCheck.objects.order_by("-finished_at")[:EVIDENCE]),
        oldest_checksum=verified.values_list("checksum_at", flat=True).first(),
    )


def verification_ages(now: datetime) -> list[tuple[str, int]]:
    """How many good copies were last verified byte by byte within which time."""
    copies = Copy.objects.present()
    edges = [now - timedelta(days=days) for days, _ in AGES]
    counts = copies.aggregate(
        recent=Count("pk", filter=Q(checksum_at__gte=edges[0])),
        older=Count("pk", filter=Q(checksum_at__lt=edges[0], checksum_at__gte=edges[1])),
        late=Count("pk", filter=Q(checksum_at__lt=edges[1])),
        never=Count("pk", filter=Q(checksum_at__isnull=True)),
    )
    return [
        (AGES[0][1], counts["recent"]),
        (AGES[1][1], counts["older"]),
        ("more than 30 days ago", counts["late"]),
        ("not yet since they were made", counts["never"]),
    ]


def stopped_run() -> RetentionRun | None:
    """The run of retention that waits for a person's decision, if one does."""
    return RetentionRun.objects.filter(status=RunStatus.STOPPED).order_by("planned_at").first()


def quiet_since() -> datetime | None:
    """Since when no finding is open, if none is: when the last one closed, or else the first audit."""
    closed = Finding.objects.filter(closed_at__isnull=False).order_by("-closed_at").values_list("closed_at", flat=True)
    return closed.first() or Audit.objects.order_by("finished_at").values_list("finished_at", flat=True).first()
