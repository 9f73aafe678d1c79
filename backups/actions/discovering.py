"""Finding what is at a provider and has no resource, and what has one and is not there. A listing that fails changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backups.actions.companyfindings import note_finding, settle_finding
from backups.actions.looking import note_sighting
from backups.actions.providerlook import subject_of
from backups.actions.taking import Clock
from backups.drivers.base import DriverError
from backups.drivers.provider import Candidate, Discovery
from backups.findings import Code
from backups.kinds import KINDS
from backups.models import AccountRegion, Discovered, Resource, ResourceState
from backups.unprotected import locators, unprotected
from portal.handover import hand_over
from portal.words import counted

log = structlog.get_logger(__name__)

EXAMPLES = 5
CHANGING = ("settings", "name", "sentence", "size_bytes", "tags", "why_not", "seen_at", "region")


def discover_all() -> None:
    """Have every region of every account looked through, each by a task of its own."""
    for pk in AccountRegion.objects.order_by("pk").values_list("pk", flat=True):
        hand_over("backups.discover_region", pk)


def discover_region(region_id: int, *, clock: Clock = timezone.now) -> None:
    """Look through one region. Safe to run twice, late or never."""
    region = AccountRegion.objects.select_related("account").filter(pk=region_id).first()
    if region is None:
        return
    begun = clock()
    try:
        found = [one for each in _discoveries() for one in each.everything(region.account.name, region.name)]
    except DriverError as error:
        log.warning("discovery.failed", subject=subject_of(region), why=error.sentence)
        return
    seen = set(locators(found))
    _note_sightings(region, seen, begun)
    _keep(region, found, seen, clock())


def _discoveries() -> list[Discovery]:
    """Each way of discovering once: kinds that share it find the same."""
    found: list[Discovery] = []
    for driver in KINDS.values():
        if driver.discovery is not None and driver.discovery not in found:
            found.append(driver.discovery)
    return found


def discovered_kinds() -> frozenset[str]:
    """The kinds whose resources are looked for by listing, all at once."""
    return frozenset(kind for kind, driver in KINDS.items() if driver.discovery is not None)


def _registered(seen: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    kinds = {kind for kind, _ in seen}
    standing = Resource.objects.standing().filter(kind__in=kinds).values_list("kind", "locator")
    return set(standing.iterator()) & set(seen)


def _note_sightings(region: AccountRegion, seen: Collection[tuple[str, str]], begun: datetime) -> None:
    """Resources that were there before and are not in the listing have been missed once more; the others are well."""
    mine = Resource.objects.backed_up().filter(
        kind__in=discovered_kinds(),
        settings__account=region.account.name,
        settings__region=region.name,
        created_at__lt=begun,
    )
    for resource in mine.iterator():
        there = (resource.kind, resource.locator) in seen
        if not there:
            note_sighting(resource, there=False, said=f"{resource.locator} is not in AWS's listing of {region.name}.")
        elif resource.missed_sightings or resource.state == ResourceState.VANISHED:
            note_sighting(resource, there=True, said="")


def _keep(region: AccountRegion, found: Sequence[Candidate], seen: Collection[tuple[str, str]], now: datetime) -> None:
    """The rows become exactly what was found; how long each has been without backups stays known."""
    with transaction.atomic():
        AccountRegion.objects.select_for_update().get(pk=region.pk)  # one at a time
        rows = _rows(region, unprotected(found, _registered(seen)), now)
        Discovered.objects.filter(first_seen_at__gt=now).update(first_seen_at=now)  # by a clock that was ahead
        Discovered.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["kind", "locator"], update_fields=CHANGING, batch_size=500
        )
        Discovered.objects.filter(region=region).exclude(seen_at=now).delete()
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
    number, subject = rows.count(), subject_of(region)
    if not number:
        settle_finding(Code.UNPROTECTED, subject, now)
        return
    names = list(rows.order_by("first_seen_at", "name").values_list("name", flat=True)[:EXAMPLES])
    named = ", ".join(names) + (" …" if number > len(names) else "")
    have = "has" if number == 1 else "have"
    kinds = set(rows.values_list("kind", flat=True))
    noun = KINDS[kinds.pop()].noun if len(kinds) == 1 else "resource"
    sentence = f"{counted(number, noun)} in {subject} {have} no backups: {named}"
    advice = "Take each of them in, or have it removed there if nobody needs it: every resource must have backups."
    note_finding(Code.UNPROTECTED, subject, sentence, advice, now)


def forget_registered(resource: Resource) -> None:
    """What was just registered is not without backups any more; nor is what it consists of."""
    same = Q(locator=resource.locator) | Q(locator__startswith=f"{resource.locator}:")
    rows = Discovered.objects.filter(same, kind__in=KINDS[resource.kind].shares_with)
    regions = list(AccountRegion.objects.filter(discovered__in=rows).select_related("account").distinct())
    rows.delete()
    for region in regions:
        _tell(region, timezone.now())
