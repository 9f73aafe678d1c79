"""Whether every copy still lies in its region in its full size, and nothing that the portal does not know.

A region is listed once, a group of resources at a time. Nothing is called missing on the word of a listing alone: each
suspect is asked for by name, and a region that cannot be read says nothing about what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from backups.actions.companyfindings import note_finding, settle_finding
from backups.actions.damage import note_damaged_copy
from backups.actions.givingup import adopt_stored, has_no_index
from backups.actions.providerlook import check_providers
from backups.actions.regions import named_regions
from backups.actions.taking import Clock
from backups.artefacts import StoredArtefactInfo, delete_artefact, index_key
from backups.artefacts.layout import DATA, MANIFEST
from backups.drivers.base import DriverError
from backups.findings import Code
from backups.heartbeats import AHEAD
from backups.kinds import store_of
from backups.models import Backup, BackupStatus, Copy, CopyState, Finding, RegionCheck
from backups.stores.base import NotThere, Store, StoredObject, StoreError
from portal.errors import PortalError

log = structlog.get_logger(__name__)

GROUP = 200
EXAMPLES = 5


@dataclass
class _Count:
    copies: int = 0
    missing: int = 0
    strays: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def check_presence(*, clock: Clock = timezone.now) -> tuple[int, list[str]]:
    """Look at every region: how many copies were seen whole, and a sentence for each region that cannot be read.

    That one is a finding, and the others are looked at all the same.
    """
    whole, away = 0, []
    for region in (regions := named_regions()):
        try:
            whole += check_region(region, clock=clock).copies
        except (StoreError, DriverError, PortalError) as error:
            log.warning("presence.region_away", region=region, why=error.sentence)
            advice = "Nothing is known about the copies there until it answers. Mount its disk, or see to its network."
            note_finding(Code.REGION_AWAY, region, error.sentence, advice, clock())
            away.append(error.sentence)
        else:
            settle_finding(Code.REGION_AWAY, region, clock())
            _judge_settings(region, clock())
    kept, unanswered, subjects = check_providers(clock=clock)
    whole, away = whole + kept, away + unanswered
    # Of one that is neither configured nor said to hold anything nothing is asked any more.
    for gone in (
        Finding.objects.open()
        .filter(code__in=[Code.REGION_AWAY, Code.REGION_SETTINGS, Code.STRAY])
        .exclude(subject__in=[*regions, *subjects])
    ):
        settle_finding(Code(gone.code), gone.subject, clock())
    return whole, away


def _judge_settings(region: str, now: datetime) -> None:
    """Whether its place is set up as one for backups should be. Where that cannot be asked nothing is said."""
    try:
        warnings = store_of(region).warnings()
    except (StoreError, PortalError) as error:
        log.warning("presence.settings_unasked", region=region, why=error.sentence)
        return
    if not warnings:
        settle_finding(Code.REGION_SETTINGS, region, now)
        return
    advice = "Set it as the sentence says. “manage.py prepare_regions” says at once whether all is well."
    note_finding(Code.REGION_SETTINGS, region, " ".join(warnings), advice, now)


def check_region(region: str, *, clock: Clock = timezone.now) -> RegionCheck:
    """Look at one region and keep what was seen as evidence. Raises StoreError when it cannot be read."""
    store, begun, count = store_of(region), clock(), _Count()
    for group in _groups(store):
        _compare(region, store, group, begun, count, clock)
    _look_for_unseen(region, store, begun, count, clock)
    now = clock()
    made = RegionCheck.objects.create(
        region=region,
        started_at=begun,
        finished_at=now,
        copies=count.copies,
        missing=count.missing,
        strays=len(count.strays),
    )
    if count.strays:
        named = ", ".join(count.strays[:EXAMPLES]) + (" …" if len(count.strays) > EXAMPLES else "")
        sentence = f"{region} holds {len(count.strays)} backups that the portal does not know: {named}"
        advice = "See whether the portal's database was set back; the portal deletes nothing that it does not know."
        note_finding(Code.STRAY, region, sentence, advice, now)
    else:
        settle_finding(Code.STRAY, region, now)
    return made


def _groups(store: Store) -> Iterator[dict[str, dict[str, int]]]:
    """The sizes of the region's objects by key, by resource uid, so many resources at a time."""
    group: dict[str, dict[str, int]] = {}
    for uid, objects in groupby(store.list(), key=lambda found: found.key.partition("/")[0]):
        group[uid] = {found.key: found.size for found in objects}
        if len(group) == GROUP:
            yield group
            group = {}
    if group:
        yield group


def _compare(
    region: str, store: Store, group: dict[str, dict[str, int]], begun: datetime, count: _Count, clock: Clock
) -> None:
    uids = [uid for uid in group if _is_uuid(uid)]
    copies = Copy.objects.filter(region=region, backup__resource__uid__in=uids).select_related("backup__resource")
    known: dict[str, set[str]] = {uid: set() for uid in group}
    for copy in copies.exclude(state=CopyState.DELETED).iterator():
        uid = str(copy.backup.resource.uid)
        known[uid].add(copy.stored_under)
        if copy.state == CopyState.PRESENT:
            _judge(copy, group[uid], store, begun, count, clock)
    count.seen.update(uids)
    for uid, objects in group.items():
        for prefix in sorted({key.rpartition("/")[0] for key in objects} - known[uid]):
            if not _is_leftover(prefix, region, store, clock):
                count.strays.append(prefix or uid)  # or it lies at the root


def _judge(copy: Copy, sizes: dict[str, int], store: Store, begun: datetime, count: _Count, clock: Clock) -> None:
    if _is_whole(copy, sizes.get):
        count.copies += 1
        return

    def asked(key: str) -> int | None:
        found: StoredObject | None = store.stat(key)
        return found.size if found else None

    if (
        begun <= copy.created_at <= begun + AHEAD
        or not Copy.objects.present().filter(pk=copy.pk).exists()
        or _is_whole(copy, asked)
    ):
        return  # written or deleted while the region was listed
    count.missing += 1
    sentence = f"The stored backup is missing from the region {copy.region}, or a part of it is."
    note_damaged_copy(copy, sentence, clock())


def _is_whole(copy: Copy, size_of: object) -> bool:
    info = StoredArtefactInfo.from_json(copy.backup.artefact)
    prefix = copy.stored_under
    return (
        bool(size_of(index_key(prefix)))  # type: ignore[operator]
        and size_of(f"{prefix}/{DATA}") == info.size  # type: ignore[operator]
        and size_of(f"{prefix}/{MANIFEST}") == info.manifest_size  # type: ignore[operator]
    )


def _look_for_unseen(region: str, store: Store, begun: datetime, count: _Count, clock: Clock) -> None:
    """Copies of resources of which the listing showed nothing at all."""
    before = Q(created_at__lt=begun) | Q(created_at__gt=begun + AHEAD)  # or by a clock that was wrong
    copies = Copy.objects.present().filter(before, region=region).select_related("backup__resource")
    for copy in copies.iterator(chunk_size=2000):
        if str(copy.backup.resource.uid) not in count.seen:
            _judge(copy, {}, store, begun, count, clock)


def _is_leftover(prefix: str, region: str, store: Store, clock: Clock) -> bool:
    """Whether it is what a dead writer or an unfinished deletion of ours left; that is removed.

    What is being written belongs to an open backup; what nobody knows is never touched; and what proves to be a whole
    backup, given up while its region was away, is recorded as one.
    """
    uid = prefix.rpartition("/")[2][:36]
    if not _is_uuid(uid):
        return False
    backup = Backup.objects.filter(uid=UUID(uid)).select_related("resource").first()
    if backup is None:
        return False
    if backup.is_open or Copy.objects.filter(region=region, backup=backup).exclude(state=CopyState.DELETED).exists():
        return backup.is_open or Copy.objects.filter(region=region, backup=backup, prefix=prefix).exists()
    if Copy.objects.filter(region=region, backup=backup, prefix=prefix).exists():
        delete_artefact(store, prefix)
        return True
    if backup.status != BackupStatus.FAILED:
        return False
    return _settle_leftover(backup, region, store, prefix, clock)


def _settle_leftover(backup: Backup, region: str, store: Store, prefix: str, clock: Clock) -> bool:
    """What a backup that was given up has left: recorded where it is whole, removed where it is not; False: a stray."""
    try:
        if region != backup.resource.home_region or prefix != backup.prefix:
            if not has_no_index(store, prefix):
                return False  # a whole copy that no row knows: the database may have been set back
            whole = False
        else:
            whole = adopt_stored(backup, clock=clock)
    except NotThere:
        raise
    except (DriverError, StoreError) as error:  # nothing is known of it, and it keeps nobody from the others
        log.warning("presence.leftover_unread", region=region, prefix=prefix, why=error.sentence)
        return False
    if not whole:
        delete_artefact(store, prefix)
    return True


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
