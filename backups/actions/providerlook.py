"""Whether what providers keep is there, and nothing that the portal does not know: the nightly look at their regions.

Each region of each account is listed once, by pages. As with the portal's own regions nothing is called missing on the word
of a listing alone, a region that does not answer says nothing, and what nobody knows is never deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from backups.actions.companyfindings import note_finding, settle_finding
from backups.actions.damage import note_damaged_copy
from backups.actions.givingup import has_no_index
from backups.actions.keptparts import check_kept
from backups.actions.taking import Clock
from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.provider import Kept, Owned
from backups.findings import Code
from backups.heartbeats import AHEAD
from backups.kinds import KINDS, store_of
from backups.models import AccountRegion, Backup, BackupStatus, Copy, CopyState, RegionCheck
from backups.stores.base import StoreError
from portal.errors import PortalError

log = structlog.get_logger(__name__)

GROUP, EXAMPLES = 500, 5
UNDECIDED = timedelta(days=1)
"""For so long what a failed backup has left is not touched: its worker may still live."""

MAY_BE_MADE = (BackupStatus.QUEUED, BackupStatus.RUNNING, BackupStatus.FAILED)
"""What is made for such a backup is nothing to tell: it is open, or failed so lately that its worker may still live."""


@dataclass
class _Count:
    copies: int = 0
    missing: int = 0
    strays: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


class _Made(NamedTuple):
    """Of a backup what tells whether something may be made for it, or was left by it."""

    status: str
    finished_at: datetime | None
    home_region: str


def subject_of(region: AccountRegion) -> str:
    """What findings and checks of it are about."""
    return f"AWS {region.account.number} {region.name}"


def check_providers(*, clock: Clock = timezone.now) -> tuple[int, list[str], list[str]]:
    """Look at every region of every account: copies seen whole, a sentence for each that does not answer, all subjects."""
    whole, away, subjects = 0, [], []
    for region in AccountRegion.objects.select_related("account").order_by("account__name", "name"):
        subject = subject_of(region)
        subjects.append(subject)
        try:
            whole += check_provider_region(region, clock=clock).copies
        except DriverError as error:
            log.warning("presence.provider_away", subject=subject, why=error.sentence)
            advice = (
                "Nothing is known about the copies there until all of it can be listed."
                f" “manage.py aws_account check {region.account.name}” says what is missing."
            )
            note_finding(Code.REGION_AWAY, subject, error.sentence, advice, clock())
            away.append(error.sentence)
        else:
            settle_finding(Code.REGION_AWAY, subject, clock())
    return whole, away, subjects


def check_provider_region(region: AccountRegion, *, clock: Clock = timezone.now) -> RegionCheck:
    """Look at one region of an account and keep what was seen as evidence.

    What one kind's listing refuses keeps nobody from the others; then raises DriverError, and there is no evidence.
    """
    begun, count, refused = clock(), _Count(), []
    for kept, kinds in _kinds_of_keeping():
        try:
            owned = kept.owned({"account": region.account.name}, region.name)
            while group := list(islice(owned, GROUP)):
                count.seen |= {one.name for one in group if one.sound}
                _compare(kept, region, group, count, clock)
        except DriverError as error:
            refused.append(error)
        else:
            _look_for_unseen(region, kinds, begun, count, clock)
    if count.strays or not refused:
        _tell_strays(region, count.strays, clock())
    if refused:
        raise refused[0]
    return RegionCheck.objects.create(
        region=subject_of(region),
        started_at=begun,
        finished_at=clock(),
        copies=count.copies,
        missing=count.missing,
        strays=len(count.strays),
    )


def _kinds_of_keeping() -> list[tuple[Kept, list[str]]]:
    """Each way of keeping once, with the kinds that share it: they list the same."""
    found: list[tuple[Kept, list[str]]] = []
    for kind, driver in KINDS.items():
        if driver.kept is None:
            continue
        if same := [kinds for kept, kinds in found if kept == driver.kept]:
            same[0].append(kind)
        else:
            found.append((driver.kept, [kind]))
    return found


def _compare(kept: Kept, region: AccountRegion, group: Sequence[Owned], count: _Count, clock: Clock) -> None:
    """What belongs to no copy: leftovers of ours are removed, what nobody knows is told. Asked of the rows all at once."""
    names: dict[str, list[str]] = defaultdict(list)
    for one in group:
        names[one.token].append(one.name)
    uids = {uid for token in names if (uid := _backup_uid(token))}
    # Backups first: one that is finished in between has its copy by then.
    backups = Backup.objects.filter(uid__in=uids)
    made = {
        uid: _Made(status, finished_at, home)
        for uid, status, finished_at, home in backups.values_list(
            "uid", "status", "finished_at", "resource__home_region"
        )
    }
    copies = Copy.objects.filter(region=region.name, backup__uid__in=uids)
    known = dict(copies.values_list("prefix", "state"))
    for token in sorted(names):
        state, uid = known.get(token), _backup_uid(token)
        backup = made.get(uid) if uid else None
        if state is not None and state != CopyState.DELETED:
            continue
        if state == CopyState.DELETED or _is_left_by(backup, token, region.name, clock()):
            _remove(kept, region, token)
        elif backup is None or backup.status not in MAY_BE_MADE:
            count.strays += names[token]


def _remove(kept: Kept, region: AccountRegion, token: str) -> None:
    """A leftover that cannot be removed keeps nobody from the others; the next night tries again."""
    try:
        kept.delete({"account": region.account.name}, region.name, token, None)
    except DriverError as error:
        log.warning("presence.leftover_stays", subject=subject_of(region), token=token, why=error.sentence)


def _is_left_by(backup: _Made | None, token: str, region: str, now: datetime) -> bool:
    """Whether it is of a backup that failed so long ago that no worker of it lives, and is not whole."""
    if backup is None or backup.status != BackupStatus.FAILED or backup.home_region != region:
        return False
    if backup.finished_at is None or now - UNDECIDED <= backup.finished_at <= now + AHEAD:
        return False
    try:
        return has_no_index(store_of(region), token)  # else it may be whole, and is recorded yet
    except (StoreError, DriverError, PortalError):
        return False


def _backup_uid(token: str) -> UUID | None:
    """The backup that a token is of: ``resource/backup``, or ``resource/backup-more`` for a further copy."""
    try:
        return UUID(token.partition("/")[2][:36])
    except ValueError:
        return None


def _look_for_unseen(
    region: AccountRegion, kinds: Collection[str], begun: datetime, count: _Count, clock: Clock
) -> None:
    """Copies that should be there, and of which the listing did not show all."""
    before = Q(created_at__lt=begun) | Q(created_at__gt=begun + AHEAD)  # or by a clock that was wrong
    copies = Copy.objects.present().filter(
        before,
        region=region.name,
        backup__resource__kind__in=kinds,
        backup__resource__settings__account=region.account.name,
    )
    for copy in copies.exclude(kept={}).select_related("backup__resource").iterator(chunk_size=2000):
        if set(copy.kept["parts"].values()) <= count.seen:
            count.copies += 1
            continue
        try:
            check_kept(copy)  # by name: a listing may lag behind
        except DamagedBackup as error:
            if Copy.objects.present().filter(pk=copy.pk).exists():  # else it was deleted meanwhile
                count.missing += 1
                note_damaged_copy(copy, error.sentence, clock())
        except DriverError as error:  # nothing is known of it, and it keeps nobody from the others
            log.warning("presence.copy_unasked", copy=copy.pk, why=error.sentence)
        else:
            count.copies += 1


def _tell_strays(region: AccountRegion, strays: Sequence[str], now: datetime) -> None:
    subject = subject_of(region)
    if not strays:
        settle_finding(Code.STRAY, subject, now)
        return
    named = ", ".join(strays[:EXAMPLES]) + (" …" if len(strays) > EXAMPLES else "")
    sentence = f"{subject} has {len(strays)} snapshots or copies with the portal's tags that it does not know: {named}"
    advice = "See whether the portal's database was set back; the portal deletes nothing that it does not know."
    note_finding(Code.STRAY, subject, sentence, advice, now)
