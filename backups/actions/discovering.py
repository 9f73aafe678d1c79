"""Finding what is at a provider and has no resource, and what has one and is not there. A listing that fails changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from backups.actions.companyfindings import note_finding, settle_finding
from backups.actions.looking import note_sighting
from backups.actions.providerlook import subject_of
from backups.actions.taking import Clock
from backups.drivers.base import DriverError
from backups.drivers.provider import Candidate, Discovery
from backups.findings import Code
from backups.heartbeats import AHEAD
from backups.kinds import KINDS
from backups.models import AccountRegion, Discovered, Resource, ResourceState
from backups.unprotected import locators, unprotected
from portal.handover import hand_over
from portal.words import counted

log = structlog.get_logger(__name__)

EXAMPLES, GROUP = 5, 500
MISSES_APART = timedelta(minutes=30)
"""Two listings within so long are one sighting: a message that comes twice, or an account that shows itself late."""
BLIND_AFTER = timedelta(hours=6)
"""What could not be listed for so long is a finding."""
CHANGING = ("settings", "name", "sentence", "size_bytes", "tags", "why_not", "seen_at", "region")


def discover_all() -> None:
    """Have every region of every account looked through, each by a task of its own."""
    for pk in AccountRegion.objects.order_by("pk").values_list("pk", flat=True):
        hand_over("backups.discover_region", pk)


def discover_region(region_id: int, *, clock: Clock = timezone.now) -> list[str]:
    """Look through one region, one kind of thing after another: what cannot be listed keeps nobody from the others.

    Returns what AWS would not list, in words, each once.
    Safe to run twice, late or never: what was listed before another listing that is known already changes nothing.
    """
    region = AccountRegion.objects.select_related("account").filter(pk=region_id).first()
    if region is None:
        return []
    begun, listed = clock(), []
    refusals: list[str] = []
    for discovery, kinds in _discoveries():
        try:
            listed.append((kinds, list(discovery.everything(region.account.name, region.name))))
        except DriverError as error:
            log.warning("discovery.failed", subject=subject_of(region), kinds=kinds, why=error.sentence)
            refusals.append(error.sentence)
    with transaction.atomic():
        now = clock()
        region.listed_at = AccountRegion.objects.select_for_update().get(pk=region.pk).listed_at  # one at a time
        known = region.listed_at if region.listed_at is not None and region.listed_at < now + AHEAD else None
        if known is not None and known > begun:
            return list(dict.fromkeys(refusals))
        for kinds, found in listed:
            seen = set(locators(found))
            _note_sightings(region, kinds, seen, begun, misses=known is None or known <= begun - MISSES_APART)
            _keep(region, kinds, found, seen, now)
        _note_listed(region, refusals, begun, now)
    return list(dict.fromkeys(refusals))


def _discoveries() -> list[tuple[Discovery, list[str]]]:
    """Each way of discovering once, with the kinds that share it: they find the same."""
    found: list[tuple[Discovery, list[str]]] = []
    for kind, driver in KINDS.items():
        if driver.discovery is None:
            continue
        if same := [kinds for discovery, kinds in found if discovery == driver.discovery]:
            same[0].append(kind)
        else:
            found.append((driver.discovery, [kind]))
    return found


def _note_listed(region: AccountRegion, refusals: Sequence[str], begun: datetime, now: datetime) -> None:
    """When all of it was listed last. What AWS would not list for long is told: the list is as old as that."""
    subject = subject_of(region)
    if not refusals:
        AccountRegion.objects.filter(pk=region.pk).update(listed_at=begun)
        settle_finding(Code.UNLISTED, subject, now)
        return
    if region.listed_at is not None and now - BLIND_AFTER < region.listed_at < now + AHEAD:
        return
    since = f"since {region.listed_at:%d %b %Y %H:%M} UTC" if region.listed_at else "yet"
    sentence = f"Not all that is in {subject} could be listed {since}: {' '.join(dict.fromkeys(refusals))}"
    advice = (
        "Until it can, nobody knows what is there without backups. “manage.py aws_account check” says what is missing."
    )
    note_finding(Code.UNLISTED, subject, sentence, advice, now)


def _registered(seen: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """What of it has a resource. Asked of many at a time: the company has far more than the region."""
    found: set[tuple[str, str]] = set()
    rest = iter(sorted(seen))
    while group := list(islice(rest, GROUP)):
        kinds, places = {kind for kind, _ in group}, {locator for _, locator in group}
        standing = Resource.objects.standing().filter(kind__in=kinds, locator__in=places)
        found.update(standing.values_list("kind", "locator"))
    return found & set(seen)


def _note_sightings(
    region: AccountRegion, kinds: Collection[str], seen: Collection[tuple[str, str]], begun: datetime, *, misses: bool
) -> None:
    """Resources that were there before and are not in the listing have been missed once more; the others are well.

    Without ``misses`` nothing is missed: two listings of one moment are one sighting.
    """
    mine = Resource.objects.backed_up().filter(
        kind__in=kinds,
        settings__account=region.account.name,
        settings__region=region.name,
        created_at__lt=begun,
    )
    for resource in mine.order_by("pk").iterator():
        there = (resource.kind, resource.locator) in seen
        if not there and misses:
            note_sighting(resource, there=False, said=f"{resource.locator} is not in AWS's listing of {region.name}.")
        elif there and (resource.missed_sightings or resource.state == ResourceState.VANISHED):
            note_sighting(resource, there=True, said="")


def _keep(
    region: AccountRegion,
    kinds: Collection[str],
    found: Sequence[Candidate],
    seen: Collection[tuple[str, str]],
    now: datetime,
) -> None:
    """The rows of these kinds become exactly what was found; how long each has been without backups stays known."""
    rows = _rows(region, unprotected(found, _registered(seen)), now)
    Discovered.objects.filter(first_seen_at__gt=now).update(first_seen_at=now)  # by a clock that was ahead
    Discovered.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["kind", "locator"], update_fields=CHANGING, batch_size=GROUP
    )
    Discovered.objects.filter(region=region, kind__in=kinds).exclude(seen_at=now).delete()
    _tell(region, now)


def _rows(region: AccountRegion, found: Iterable[Candidate], now: datetime) -> list[Discovered]:
    """Each once: what is on two pages of a listing is one thing."""
    rows = {
        (one.kind, one.locator): Discovered(
            region=region,
            kind=one.kind,
            locator=one.locator,
            settings=dict(one.settings),
            name=one.name[:300],
            sentence=one.sentence,
            size_bytes=one.size_bytes,
            tags=dict(one.tags),
            why_not=one.why_not,
            first_seen_at=now,
            seen_at=now,
        )
        for one in found
    }
    return list(rows.values())


def _tell(region: AccountRegion, now: datetime) -> None:
    rows = Discovered.objects.filter(region=region)
    numbers = dict(rows.order_by().values_list("kind").annotate(Count("pk")))
    number, subject = sum(numbers.values()), subject_of(region)
    if not number:
        settle_finding(Code.UNPROTECTED, subject, now)
        return
    names = list(rows.order_by("first_seen_at", "name").values_list("name", flat=True)[:EXAMPLES])
    named = ", ".join(names) + (" …" if number > len(names) else "")
    have = "has" if number == 1 else "have"
    what = ", ".join(counted(numbers[kind], driver.noun) for kind, driver in KINDS.items() if kind in numbers)
    sentence = f"{what} in {subject} {have} no backups: {named}"
    advice = "Take each of them in, or have it removed there if nobody needs it: every resource must have backups."
    note_finding(Code.UNPROTECTED, subject, sentence, advice, now)


def forget_registered(resource: Resource) -> None:
    """What was just registered is not without backups any more; nor is what it consists of."""
    same = Q(locator=resource.locator) | Q(locator__startswith=f"{resource.locator}:")
    forget_discovered(Discovered.objects.filter(same, kind__in=KINDS[resource.kind].shares_with))


def forget_discovered(rows: QuerySet[Discovered]) -> None:
    """They are not without backups any more, and the findings of their regions say so."""
    regions = list(AccountRegion.objects.filter(discovered__in=rows).select_related("account").distinct())
    rows.delete()
    for region in regions:
        _tell(region, timezone.now())
