"""The audit: each resource held against the policy, findings opened and closed, the whole company every night.

Findings are written set by set, a chunk of resources at a time under their locks; a resource's ``broken_rules`` follows
its open findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backups.actions.taking import Clock
from backups.facts import facts_of_each, id_chunks
from backups.findings import Found, Rule, applicable, audit
from backups.models import Audit, Backup, Copy, Finding, Resource, ResourceState
from portal.handover import hand_over
from portal.words import company_zone


@dataclass
class Tally:
    """What an audit counts on its way."""

    rules: dict[Rule, list[int]] = field(default_factory=lambda: {rule: [0, 0] for rule in Rule})
    resources: int = 0
    opened: int = 0
    closed: int = 0


def audit_resource(resource_id: int, *, now: datetime) -> None:
    """Bring the findings of one resource up to date; IT is told of what opens."""
    tally = Tally()
    _audit([resource_id], now, tally)
    if tally.opened:
        hand_over("backups.alert")


def audit_company(*, clock: Clock = timezone.now) -> Audit:
    """Bring every resource's findings up to date, and keep the result as evidence, also when all is well."""
    now, tally = clock(), Tally()
    for chunk in id_chunks(_to_audit(now)):
        _audit(chunk, now, tally)
    for rule in (rule for rule in Rule if rule.company_wide):
        tally.rules[rule] = [int(not Finding.objects.open().filter(rule=rule.value).exists()), 1]
    made = Audit.objects.create(
        day=now.astimezone(company_zone()).date(),
        started_at=now,
        finished_at=clock(),
        rules={rule.value: counts for rule, counts in tally.rules.items()},
        resources=tally.resources,
        copies=Copy.objects.standing().count(),
        opened=tally.opened,
        closed=tally.closed,
        open=Finding.objects.open().count(),
    )
    if tally.opened:
        hand_over("backups.alert")
    return made


def _to_audit(now: datetime) -> QuerySet[Resource]:
    """All that stand, and of the removed those of which something is, or should be, left."""
    yesterday = now.astimezone(company_zone()).date() - timedelta(days=1)
    left = Exists(Backup.objects.stored().filter(resource=OuterRef("pk")))
    return Resource.objects.filter(
        ~Q(state=ResourceState.REMOVED) | Q(kept_until__gte=yesterday) | Q(broken_rules__gt=0) | left
    )


def _audit(resources: Sequence[int], now: datetime, tally: Tally) -> None:
    zone = company_zone()
    with transaction.atomic():
        locked = Resource.objects.select_for_update(no_key=True).filter(pk__in=resources).order_by("pk")
        before = {pk: (bits, at) for pk, bits, at in locked.values_list("pk", "broken_rules", "audited_at")}
        found: dict[int, list[Found]] = {}
        for facts in facts_of_each(resources, now):
            found[facts.id] = audit(facts, now=now, zone=zone)
            broken = {one.code.rule for one in found[facts.id]}
            for rule in applicable(facts, now, zone):
                tally.rules[rule][0] += rule not in broken
                tally.rules[rule][1] += 1
        tally.resources += len(found)
        _record(found, {pk: at for pk, (_, at) in before.items()}, now, tally)
        _mark_broken(found, {pk: bits for pk, (bits, _) in before.items()})
        Resource.objects.filter(pk__in=found).update(audited_at=now)  # a derived column, not in the history


def _record(found: dict[int, list[Found]], audited: dict[int, datetime | None], now: datetime, tally: Tally) -> None:
    """Open what is new, close what no longer holds, and keep the words of the others current.

    ``audited``: when each resource was audited before.
    """
    known = {
        (finding.resource_id, finding.code): finding for finding in Finding.objects.open().filter(resource__in=found)
    }
    new, changed = [], []
    for resource_id, of_one in found.items():
        for one in of_one:
            finding = known.pop((resource_id, one.code.value), None)
            if finding is None:
                # What the audit before did not find has come since: a backup may be lost long after its month.
                since = max(one.since, audited[resource_id] or one.since)
                new.append(finding_of(replace(one, since=since), now, resource_id=resource_id))
            elif (finding.sentence, finding.advice) != (one.sentence, one.advice) or finding.since > now:
                finding.sentence, finding.advice = one.sentence, one.advice
                # It moves on with what has passed meanwhile; what an older day joins is no older for it.
                since = max(one.since, finding.since) if one.since < now else finding.since
                finding.since = min(since, now)  # a clock may have been wrong
                changed.append(finding)
    Finding.objects.bulk_create(new, batch_size=500)
    Finding.objects.bulk_update(changed, ["sentence", "advice", "since"], batch_size=500)
    over = [finding.pk for finding in known.values()]
    if over:
        Finding.objects.filter(pk__in=over).update(closed_at=now)
    tally.opened, tally.closed = tally.opened + len(new), tally.closed + len(over)


def finding_of(one: Found, now: datetime, *, resource_id: int | None = None, subject: str = "") -> Finding:
    """The row of a finding that opens now."""
    return Finding(
        resource_id=resource_id,
        rule=one.code.rule.value,
        code=one.code.value,
        subject=subject,
        sentence=one.sentence,
        advice=one.advice,
        since=min(one.since, now),
        opened_at=now,
    )


def _mark_broken(found: dict[int, list[Found]], before: dict[int, int]) -> None:
    by_bits: dict[int, list[int]] = {}
    for resource_id, of_one in found.items():
        bits = 0
        for one in of_one:
            bits |= one.code.rule.bit
        if before.get(resource_id) != bits:
            by_bits.setdefault(bits, []).append(resource_id)
    for bits, resources in by_bits.items():
        Resource.objects.filter(pk__in=resources).update(broken_rules=bits)  # a derived column, not in the history
