"""B3: the latest monthly backup has one copy in the other region. Copy → verify → only then delete the older one.

Every copy is written under a prefix of its own. So a worker that was taken for dead and wakes up can only ever remove
what it wrote itself, never the copy that another worker has made meanwhile.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from backups.actions.belief import policy_moment
from backups.actions.damage import confirm_damage, note_damaged_copy, note_sound_again
from backups.actions.deleting import mark_deleting, remove_copy, remove_retired
from backups.actions.keptparts import copy_kept
from backups.actions.locking import locked_resource
from backups.actions.progress import RowProgress, WorkTakenAway
from backups.actions.taking import Clock, stored_size
from backups.actions.waiting import LONGEST, put_to_sleep, wake
from backups.artefacts import StoredArtefact, StoredArtefactInfo, copy_artefact
from backups.drivers.base import DamagedBackup, StillWorking
from backups.facts import facts_of
from backups.findings import Code
from backups.heartbeats import Lost
from backups.judging import judge
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState, Finding, Resource
from backups.proof import Proof
from portal.errors import Refused
from portal.handover import hand_over
from portal.words import company_zone

log = structlog.get_logger(__name__)


def latest_monthly(resource: Resource, now: datetime) -> Backup | None:
    """The backup that the other region should hold; None also for a removed resource (B4)."""
    wanted = judge(facts_of(resource, now), now=now, zone=company_zone()).elsewhere
    return Backup.objects.select_related("resource").get(pk=wanted) if wanted is not None else None


def copy_to_other_region(resource_id: int, *, clock: Clock = timezone.now) -> None:
    """Bring the resource's latest monthly backup to its other region, if it is not there yet; then remove what is over.

    Called after every good backup and by the sweeper, so what failed or was killed is made good by the next call. An
    older copy goes only after every byte of the new one was read back and its checksum holds. A backup that turns out
    to be damaged at home is recorded so, and the next one takes its place.
    """
    resource = Resource.objects.get(pk=resource_id)
    while (backup := latest_monthly(resource, clock())) is not None:
        if make_copy(backup, resource.other_region, clock=clock):
            break
    _retire_older(resource, clock())
    remove_retired(Copy.objects.filter(backup__resource=resource), clock=clock)


def make_copy(backup: Backup, region: str, *, clock: Clock = timezone.now) -> bool:
    """Have a verified copy of the backup in that region; False when its source was found damaged, which is recorded.

    True as well when it is there already, or a living worker writes it now.
    """
    copy = _claim(backup, region, clock)
    return copy is None or _write(copy, clock)


def continue_copy(copy_id: int, *, clock: Clock = timezone.now) -> None:
    """Ask the provider again about a copy that it makes; once it stands, what it replaces goes. Safe to call twice."""
    if not wake(Copy.objects.filter(pk=copy_id, state=CopyState.WRITING), clock()):
        return
    copy = Copy.objects.select_related("backup__resource").get(pk=copy_id)
    _write(copy, clock)
    copy_to_other_region(copy.backup.resource_id, clock=clock)


def give_up_lost_copies(lost: Lost) -> None:
    """Retire copies whose writer beats no more or whose provider does not finish, and have each made anew."""
    endless = Q(wakes_at__isnull=False, created_at__lt=lost.now - LONGEST)
    writing = Copy.objects.filter(lost.among("heartbeat_at") | endless, state=CopyState.WRITING)
    for pk, resource_id in writing.order_by("heartbeat_at", "pk").values_list("pk", "backup__resource")[:100]:
        if writing.filter(pk=pk).update(state=CopyState.DELETING, wakes_at=None):
            hand_over("backups.copy", resource_id)


def _claim(backup: Backup, region: str, clock: Clock) -> Copy | None:
    """The row of the copy to write; None when it is there already or a living worker writes it now."""
    now = clock()
    lost = Lost(now - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS), now)
    standing = Copy.objects.filter(backup=backup, region=region)
    try:
        with transaction.atomic():
            standing.filter(lost.among("heartbeat_at"), state=CopyState.WRITING).update(state=CopyState.DELETING)
            return Copy.objects.create(
                backup=backup,
                region=region,
                prefix=f"{backup.prefix}-{secrets.token_hex(4)}",
                state=CopyState.WRITING,
                created_at=now,
                heartbeat_at=now,
            )
    except IntegrityError:
        return None


def _write(copy: Copy, clock: Clock) -> bool:
    """Copy, read back, and only then call it present; False when the copy at home is damaged, which is recorded.

    Whatever is raised, the row says that nothing is there.
    """
    backup = copy.backup
    info = StoredArtefactInfo.from_json(backup.artefact)
    writing = Copy.objects.filter(pk=copy.pk, state=CopyState.WRITING)
    try:
        sources = Copy.objects.present().filter(backup=backup).exclude(region=copy.region)
        # What can be read before what could not.
        source = sources.order_by(F("unread_at").asc(nulls_first=True), "pk").first()
        if source is None:
            raise Refused(f"No copy of the backup of {backup.resource} is left to be copied.")
        here, there = store_of(source.region), store_of(copy.region)
        with RowProgress(writing, clock) as progress:
            try:
                kept = copy_kept(source, copy, progress)
                read_back = copy_artefact(here, source.stored_under, there, copy.prefix, info, progress, kept)
            except DamagedBackup as error:
                confirm_damage(source, error)
                log.warning("copy.source_damaged", backup=backup.pk, why=error.sentence)
                note_damaged_copy(source, error.sentence, clock())
                _give_up(copy, clock)
                return False
            if not read_back:
                StoredArtefact(there, copy.prefix, info, kept).check(progress)
        made = writing.update(
            state=CopyState.PRESENT,
            stored_bytes=stored_size(info, kept),
            kept=kept.as_json() if kept else {},
            proof=Proof.PRESENT if kept else Proof.CHECKSUM,
            proven_at=clock(),
            checksum_at=clock(),
            heartbeat_at=None,
        )
        if not made:
            raise WorkTakenAway("This copy was given up meanwhile.")
        note_sound_again(copy, clock())
    except StillWorking as waiting:
        put_to_sleep(writing, waiting, clock())
    except BaseException:
        _give_up(copy, clock)
        raise
    return True


def _give_up(copy: Copy, clock: Clock) -> None:
    """The bytes go only when the row says that they do: an answer of the database may have been lost, not the update."""
    Copy.objects.filter(pk=copy.pk, state=CopyState.WRITING).update(state=CopyState.DELETING, wakes_at=None)
    if Copy.objects.filter(pk=copy.pk, state__in=[CopyState.DELETING, CopyState.DELETED]).exists():
        remove_copy(copy, clock)


def _retire_older(resource: Resource, now: datetime) -> None:
    """What the other region holds beside the latest monthly goes, once that one stands there, verified.

    Never a backup's last copy. Under the resource's lock and by the facts as they are then, so that two who retire at
    once agree about which one stays.
    """
    moment = policy_moment(now)
    if moment < now:  # by a moment that has passed the newest copy is not the wanted one: two stay until it is believed
        return
    with transaction.atomic():
        resource = locked_resource(resource.pk)
        copied = Backup.objects.filter(copies__in=Copy.objects.standing().filter(region=resource.other_region))
        list(
            Backup.objects.select_for_update().filter(pk__in=copied, resource=resource).order_by("pk")
        )  # none is asked for now
        facts = facts_of(resource, moment)
        judgement = judge(facts, now=moment, zone=company_zone())
        there = {
            backup.id
            for backup in facts.backups
            for copy in backup.copies
            if copy.region == resource.other_region and copy.good and copy.verified and copy.readable
        }
        if judgement.elsewhere in there:
            over = [verdict.id for verdict in judgement.to_delete if verdict.region == resource.other_region]
            mark_deleting(resource, list(Copy.objects.filter(pk__in=over)), now)


def hand_over_missing_copies() -> None:
    """Have copies made for resources that have a good backup and nothing in their other region (the worst case of B3).

    And for those of which the audit has found that the copy there is not of the latest monthly.
    """
    held = Copy.objects.filter(
        backup__resource=OuterRef("pk"),
        region=OuterRef("other_region"),
        state__in=[CopyState.PRESENT, CopyState.WRITING],
    )
    outdated = Finding.objects.open().filter(resource=OuterRef("pk"), code=Code.OUTDATED_ELSEWHERE)
    wanting = ~Exists(held) | Exists(outdated)
    missing = Resource.objects.backed_up().filter(wanting, last_good_at__isnull=False)
    for resource_id in missing.order_by("?").values_list("pk", flat=True)[
        :200
    ]:  # what cannot be copied keeps none back
        hand_over("backups.copy", resource_id)
