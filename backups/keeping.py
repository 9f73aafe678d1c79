"""Why each stored backup is kept and until when, or why it goes or went: for pages and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from backups.actions.belief import NOT_BELIEVED, policy_moment
from backups.facts import facts_of_each
from backups.judging import CopyVerdict, judge
from backups.models import Backup, Deletion, DeletionStatus
from portal.words import company_zone


@dataclass(frozen=True)
class Keeping:
    """What the policy says about one backup: ``until`` is the last day that it is expected to see, if one can be named.

    ``copies`` are the verdicts on its copies by their ids. One of which nothing is left is not kept; its reasons say why.
    """

    keep: bool
    reasons: tuple[str, ...]
    until: date | None = None
    copies: Mapping[int, CopyVerdict] = field(default_factory=dict)


def keepings_of(backups: Sequence[Backup], now: datetime) -> dict[int, Keeping]:
    """By the id of each that is or was stored, by the moment that retention believes. The same few queries for any number."""
    zone, found, moment = company_zone(), _why_gone(backups), policy_moment(now)
    resources = sorted({backup.resource_id for backup in backups})
    for facts in facts_of_each(resources, moment) if resources else ():
        judgement = judge(facts, now=moment, zone=zone)
        copies: dict[int, dict[int, CopyVerdict]] = {}
        for copy in judgement.copies:
            if moment < now and not copy.keep and copy.region != facts.home_region:
                copy = copy._replace(keep=True, why=NOT_BELIEVED)
            copies.setdefault(copy.backup, {})[copy.id] = copy
        for verdict in judgement.plan.verdicts:
            if verdict.id in copies:
                found[verdict.id] = Keeping(verdict.keep, verdict.reasons, verdict.until, copies[verdict.id])
    return found


def _why_gone(backups: Iterable[Backup]) -> dict[int, Keeping]:
    """The deleted ones, with the reason for which the last copy of each went."""
    gone = [backup.pk for backup in backups if backup.deleted_at is not None]
    if not gone:
        return {}
    deletions = Deletion.objects.filter(copy__backup__in=gone, status=DeletionStatus.DELETED).order_by("done_at", "pk")
    why: dict[int, str] = dict(deletions.values_list("copy__backup", "why"))
    return {pk: Keeping(False, (why[pk],) if pk in why else ()) for pk in gone}
