"""Proving stored copies again and again: each checksum at least every 30 days, slowly, so that it is in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from backups.actions.companyfindings import note_finding, settle_finding
from backups.actions.damage import confirm_damage, note_damaged_copy
from backups.actions.keptparts import check_kept
from backups.actions.progress import RowProgress, WorkTakenAway
from backups.actions.taking import Clock
from backups.artefacts import StoredArtefact, StoredArtefactInfo
from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.words import Progress
from backups.findings import Code
from backups.heartbeats import AHEAD, Lost
from backups.kinds import store_of
from backups.models import Copy, CopyState, Finding
from backups.proof import Proof
from backups.stores.base import NotThere
from portal.days import short_day
from portal.errors import PortalError
from portal.words import company_zone

log = structlog.get_logger(__name__)

FIRST_CHECK = timedelta(days=2)
AGAIN_AFTER, SPREAD_DAYS = timedelta(days=20), 7
"""So that a copy is due well before its 30 days are over, and not all of one night at once."""

UNREAD_AGAIN_AFTER = timedelta(hours=6)
"""So that many copies that cannot be read leave time for the others."""

A_TURN = timedelta(minutes=5)


def due(now: datetime, *, away: Collection[str] = ()) -> Iterator[Copy]:
    """The copies whose checksum should be read again: those never read first, then what could not be read, then the oldest.

    Without those in the regions ``away``, and those that could not be read a short while ago.
    """
    there = Copy.objects.present().exclude(region__in=away).select_related("backup__resource")
    present = there.filter(unread_at__isnull=True)
    old = Q(created_at__lt=now - FIRST_CHECK) | Q(created_at__gt=now + AHEAD)  # or of a clock that was wrong
    yield from present.filter(old, checksum_at__isnull=True).order_by("created_at")[:100]
    yield from present.filter(checksum_at__gt=now + AHEAD).order_by("checksum_at", "id")[:100]
    again = Q(unread_at__lte=now - UNREAD_AGAIN_AFTER) | Q(unread_at__gt=now + AHEAD)
    yield from there.filter(again).order_by("unread_at")[:100]
    for copy in present.filter(checksum_at__lt=now - AGAIN_AFTER).order_by("checksum_at", "id")[:200]:
        assert copy.checksum_at is not None
        if copy.checksum_at < now - AGAIN_AFTER - timedelta(days=copy.pk % SPREAD_DAYS):
            yield copy


def verify_due(*, clock: Clock = timezone.now) -> tuple[int, list[str]]:
    """Verify what is due until this turn's time is over: how many copies were read, and a sentence for what could not be.

    A region that is away is left for this turn, and a copy that cannot be read though its region is there for some hours:
    neither is in the way of the others.
    """
    begun, done = clock(), 0
    away: set[str] = set()
    said: list[str] = []
    copies = due(begun)
    while (copy := next(copies, None)) is not None and clock() - begun <= A_TURN:
        try:
            done += verify_copy(copy, clock=clock, megabytes_per_second=settings.VERIFY_MB_PER_SECOND)
        except (DriverError, PortalError) as error:
            log.warning("verify.not_read", region=copy.region, copy=copy.pk, why=error.sentence)
            if _is_away(error):
                away.add(copy.region)
                said.append(error.sentence)
                copies = due(begun, away=away)
    return done, said + _tell_of_unread(clock())


def _is_away(error: DriverError | PortalError) -> bool:
    """Whether it is the region that is not there, and not something about this one copy."""
    return isinstance(error, PortalError) or isinstance(error.__cause__, NotThere)


def _named(copy: Copy) -> str:
    taken_at = copy.backup.taken_at
    assert taken_at is not None
    return f"{copy.backup.resource} of {short_day(taken_at.astimezone(company_zone()).date())}"


def _tell_of_unread(now: datetime) -> list[str]:
    """A sentence for each region with copies that cannot be read: neither sound nor proven to be damaged. IT is told."""
    told = []
    counts = Copy.objects.unread().order_by().values("region").annotate(number=Count("pk"))
    unread: dict[str, int] = dict(counts.values_list("region", "number"))
    for region, number in unread.items():
        of_region = Copy.objects.unread().filter(region=region).order_by("pk").select_related("backup__resource")
        if (first := of_region.first()) is None:  # read, or gone, since it was counted
            continue
        more = f", and {number - 1:,} more" if number > 1 else ""
        sentence = f"A copy in {region} does not read well{more}. {_named(first)}: {first.unread}"
        advice = "See to the disk and the log of its machine. The portal tries again every six hours."
        note_finding(Code.UNREADABLE, region, sentence, advice, now)
        told.append(sentence)
    for over in Finding.objects.open().filter(code=Code.UNREADABLE).exclude(subject__in=unread):
        settle_finding(Code.UNREADABLE, over.subject, now)
    return told


def verify_copy(
    copy: Copy,
    *,
    clock: Clock = timezone.now,
    megabytes_per_second: int | None = None,
    watched: Progress = lambda bytes_done, bytes_expected=None: None,
) -> bool:
    """Read every stored byte of the copy; True when its checksum holds. A damaged one is recorded, and replaced.

    Without a rate as fast as it goes; ``watched`` hears how far it is. False also when another one reads it now, or it is
    gone by now. Raises :class:`DriverError` when it cannot be read: then nothing is known of it, and its row says so unless
    all of its region is away.
    """
    mine = Copy.objects.filter(pk=copy.pk, state=CopyState.PRESENT)
    now = clock()
    lost = Lost(now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS), now)
    if not mine.filter(Q(heartbeat_at__isnull=True) | lost.among("heartbeat_at")).update(heartbeat_at=now):
        return False
    info = StoredArtefactInfo.from_json(copy.backup.artefact)
    artefact = StoredArtefact(store_of(copy.region), copy.stored_under, info)
    try:
        with RowProgress(mine, clock) as progress:
            report = _throttled(progress, megabytes_per_second) if megabytes_per_second else progress
            try:
                artefact.check(_both(report, watched))
                at_provider = check_kept(copy)
            except DamagedBackup as error:
                confirm_damage(copy, error)
                raise
    except DamagedBackup as error:
        note_damaged_copy(copy, error.sentence, clock())
        return False
    except WorkTakenAway:  # deleted meanwhile
        return False
    except DriverError as error:
        if not _is_away(error):
            mine.update(unread_at=clock(), unread=error.sentence)
        raise
    finally:
        mine.update(heartbeat_at=None)
    now = clock()
    mine.update(checksum_at=now, unread_at=None, unread="")
    proof = Proof.PRESENT if at_provider else Proof.CHECKSUM  # the provider shows nobody the bytes that it keeps
    mine.filter(proof__lte=proof).update(proof=proof, proven_at=now)
    return True


def _both(one: Progress, other: Progress) -> Progress:
    def report(bytes_done: int, bytes_expected: int | None = None) -> None:
        one(bytes_done, bytes_expected)
        other(bytes_done, bytes_expected)

    return report


def _throttled(progress: Progress, megabytes_per_second: int) -> Progress:
    """Pauses whoever reports progress so that no more than the rate is read."""
    begun = time.monotonic()

    def report(bytes_done: int, bytes_expected: int | None = None) -> None:
        progress(bytes_done, bytes_expected)
        ahead = bytes_done / (megabytes_per_second * 1_000_000) - (time.monotonic() - begun)
        if ahead > 0:
            time.sleep(min(ahead, 1.0))

    return report
