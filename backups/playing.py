"""Playing with the policy's numbers against the inventory as it is; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from backups.facts import facts_of_each
from backups.models import Backup, Resource, ResourceState
from backups.models.resource import ResourceQuerySet
from backups.schedule import Window
from backups.what_if import Outcome, Play, Stand, most_assumed, play, slots_of

MOST_RESOURCES = 1000
"""So many are played with at once, the first by name: a page is to answer in a moment."""

MOST_ASSUMED = 40_000
"""Backups that are assumed for all of them together: with large numbers fewer resources are played with."""

TAKEN = (ResourceState.ACTIVE, ResourceState.VANISHED)


def most_resources(what: Play) -> int:
    """How many resources are played with at once."""
    return min(MOST_RESOURCES, MOST_ASSUMED // max(most_assumed(what), 1))


def with_something_stored(resources: ResourceQuerySet) -> ResourceQuerySet:
    """Those that stand, and the removed of which something is left."""
    stored = Exists(Backup.objects.stored().filter(resource=OuterRef("pk")))
    return resources.filter(~Q(state=ResourceState.REMOVED) | stored)


def outcomes_of(resources: Sequence[int], what: Play) -> dict[int, Outcome]:
    """The outcome of each of those resources by its id, in a constant number of queries."""
    rows = Resource.objects.filter(pk__in=resources).only("uid", "state").in_bulk()
    window = Window(*settings.BACKUP_WINDOW)
    outcomes = {}
    for facts in facts_of_each(resources, what.now):
        row = rows[facts.id]
        outcomes[facts.id] = play(facts, what, slots_of(row.uid, window, what.zone), taken=row.state in TAKEN)
    return outcomes


@dataclass(frozen=True)
class Total:
    """All outcomes together. ``losing`` counts the resources of which a backup goes."""

    there: Stand
    now: Stand
    then: Stand
    new: int
    going: int
    losing: int

    @property
    def more_bytes(self) -> int:
        """How much more is stored then than by today's plan; below zero: less."""
        return self.then.stored_bytes - self.now.stored_bytes

    @property
    def fewer_bytes(self) -> int:
        """The same the other way round."""
        return -self.more_bytes


def total_of(outcomes: Iterable[Outcome]) -> Total:
    """The sum."""
    there = now = then = Stand()
    new = going = losing = 0
    for one in outcomes:
        there, now, then = there.and_(one.there), now.and_(one.now), then.and_(one.then)
        new, going, losing = new + one.new, going + len(one.going), losing + bool(one.going)
    return Total(there, now, then, new, going, losing)
