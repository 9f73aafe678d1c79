"""A removal's plan as people read it: what goes, what stays and until when, and what the button does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backups.actions.removing import RemovalPlan
from backups.judging import StoredBackup
from backups.models import Resource
from backups.retention import KEPT_DAILY, NONE_GOOD, NONE_READABLE, Verdict
from portal.words import counted, exact_time, span_in_words


@dataclass(frozen=True)
class RemovalInWords:
    """``in_case``: kept only if the final backup cannot be taken; ``in_its_stead``: so is all of this, none of it known to be
    good and readable.

    ``copies`` and ``bytes`` are what is deleted at once.
    """

    going: Sequence[StoredBackup]
    staying: Sequence[tuple[StoredBackup, Verdict[int]]]
    in_case: Sequence[StoredBackup]
    in_its_stead: Sequence[StoredBackup]
    copies: int
    bytes: int
    final_sentence: str
    none_good: bool
    verb: str


def removal_in_words(resource: Resource, plan: RemovalPlan, now: datetime) -> RemovalInWords:
    """The plan of a removal, as its page shows it."""
    perhaps = plan.staying if plan.final_backup else []
    in_case = [backup for backup, verdict in perhaps if verdict.reasons == (KEPT_DAILY,)]
    in_its_stead = [backup for backup, verdict in perhaps if verdict.reasons in ((NONE_GOOD,), (NONE_READABLE,))]
    sizes = {backup.id: backup.stored_bytes for backup, _ in plan.backups}
    leaving = [verdict for verdict in plan.copies if not verdict.keep]
    return RemovalInWords(
        going=sorted(plan.going, key=lambda backup: backup.taken_at, reverse=True),
        staying=[
            (backup, verdict)
            for backup, verdict in reversed(plan.staying)
            if backup not in in_case and backup not in in_its_stead
        ],
        in_case=in_case,
        in_its_stead=in_its_stead,
        copies=len(leaving),
        bytes=sum(sizes[verdict.backup] for verdict in leaving),
        final_sentence=final_sentence(plan, now),
        none_good=bool(plan.backups) and resource.is_production and not any(backup.good for backup, _ in plan.backups),
        verb=_verb(resource, plan, len(in_case) + len(in_its_stead)),
    )


def final_sentence(plan: RemovalPlan, now: datetime) -> str:
    """That a final backup is taken first, why, and what happens if it cannot be; empty when none is taken."""
    newest = plan.newest_good_at
    unread = any(backup.good and not backup.readable for backup, _ in plan.backups)
    if not plan.final_backup:
        return ""
    if newest is None:
        why = "no good one can be read now" if unread else "there is no good one"
        return (
            f"A final backup is taken first, because {why}. If it cannot be taken, because the resource does"
            " not answer any more, the removal goes on, nothing that is stored of it is deleted, and IT is told."
        )
    age = f"is {span_in_words(now - newest)} old" if newest <= now else "is dated in the future"
    return (
        f"A final backup is taken first, because the newest good one{' that can be read' if unread else ''} {age}. If it cannot be"
        f" taken, because the resource does not answer any more, the removal goes on, and the backup of"
        f" {exact_time(newest, now)} is kept in its place."
    )


def _verb(resource: Resource, plan: RemovalPlan, perhaps: int) -> str:
    number = len(plan.going) + perhaps
    most = "up to " if perhaps else ""
    deleting = f" and delete {most}{counted(number, 'backup')}" if number else ""
    return f"Remove {resource.name}{deleting}"
