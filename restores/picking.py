"""Which backups a person may pick for a restore, and which one to suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from backups.models import Backup, Copy, Resource
from backups.proof import Proof
from portal.permissions import Person, visible
from portal.roles import Permission
from portal.words import span_in_words
from restores.plan import loss_window
from restores.wording import moment_of

SHOWN = 40  # backups in the picker at once; the moment it went wrong leads to older ones
NEWER_SHOWN = 5  # of those newer than that moment
FOUND = 20  # resources shown by a search


@dataclass(frozen=True)
class Choice:
    """One backup in the picker. ``age`` is also the data-loss window of restoring it in place."""

    backup: Backup
    when: str
    age: str
    proof: str
    suggested: bool


def restorable(resource: Resource) -> QuerySet[Backup]:
    """The resource's good backups of which a copy is present, newest first."""
    present = Copy.objects.present()
    return (
        Backup.objects.good()
        .filter(Exists(present.filter(backup=OuterRef("pk"))), resource=resource)
        .prefetch_related(Prefetch("copies", present, to_attr="present_copies"))
        .order_by("-taken_at", "-pk")
    )


def choices(
    resource: Resource, now: datetime, went_wrong: datetime | None = None, picked: int | None = None
) -> list[Choice]:
    """What the picker shows, newest first: around ``went_wrong`` when that is given, else the newest ones.

    A backup that is picked already stays among them however old it is.
    """
    suggested: Backup | None = None
    if went_wrong is None:
        shown = list(restorable(resource)[:SHOWN])
    else:
        before = list(restorable(resource).filter(taken_at__lt=went_wrong)[:SHOWN])
        after = list(restorable(resource).filter(taken_at__gte=went_wrong).order_by("taken_at", "pk")[:NEWER_SHOWN])
        suggested = before[0] if before else None
        shown = [*reversed(after), *before]
    if picked is not None and all(backup.pk != picked for backup in shown):
        shown.extend(restorable(resource).filter(pk=picked))
    return [_choice(backup, now, backup is suggested) for backup in shown]


def _choice(backup: Backup, now: datetime, suggested: bool) -> Choice:
    return Choice(
        backup=backup,
        when=moment_of(backup, now),
        age=span_in_words(loss_window(backup.taken_at or now, now)),
        proof=best_proof(backup.present_copies).label,  # type: ignore[attr-defined]  # prefetched
        suggested=suggested,
    )


def best_proof(copies: Sequence[Copy]) -> Proof:
    """The highest proof among copies."""
    return max((copy.proof_level for copy in copies), default=Proof.RECORDED)


def resources_to_ask_for(person: Person, words: str) -> list[Resource]:
    """The resources that the person may ask a restore of and that match all the words, by name; ``FOUND`` at most."""
    may = visible(person, Permission.FILE_REQUESTS, "application__client")
    found = Resource.objects.standing().filter(may).named(words)
    return list(found.select_related("application__client").order_by("name", "pk")[:FOUND])
