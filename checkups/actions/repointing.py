"""Pointing a check to another backup than was declared: because somebody wants a newer one, or the other region has one.

The other region holds one copy, of the latest monthly (B3): when a month turns while a checkup runs, it is another one.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from backups.actions.pinning import pin
from backups.facts import facts_of
from backups.models import Backup, Copy
from checkups.actions.moves import locked_checkup, note
from checkups.models import Check
from checkups.scope import Wanted, What, wanted_of
from portal.errors import Refused
from portal.words import company_zone, exact_time


def point(check: Check, one: Wanted, now: datetime) -> None:
    """To that backup, which is pinned from now on; the row is not saved yet. Call it in a transaction.

    Raises Refused where there is no good backup.
    """
    if one.backup is None:
        raise Refused(f"There is no good backup that could be checked as the {one.what.label}.")
    backup = Backup.objects.select_for_update().get(pk=one.backup)
    pin(backup, check.finding.checkup.number, now=now)
    check.backup, check.taken_at, check.checksum = backup, backup.taken_at, backup.checksum
    check.region, check.stored_bytes = one.region, one.size


def to_what_stands_there(check: Check) -> Copy | None:
    """The copy that has taken the declared one's place, to which the check is pointed; None when none has.

    The record says so. A copy that is neither there nor replaced stays missing.
    """
    if check.what != What.ELSEWHERE:
        return None
    now, resource = timezone.now(), check.finding.resource
    wanted = [one for one in wanted_of(facts_of(resource, now), now=now, zone=company_zone()) if one.what == check.what]
    if not wanted or wanted[0].backup in (None, check.backup_id) or wanted[0].region != check.region:
        return None
    with transaction.atomic():
        checkup = locked_checkup(check.finding.checkup_id)
        backup = Backup.objects.select_for_update().get(pk=wanted[0].backup)
        copy = (
            Copy.objects.present().filter(backup=backup, region=check.region).select_related("backup__resource").first()
        )
        if copy is None:
            return None
        point(check, wanted[0], now)
        check.save(update_fields=["backup", "taken_at", "checksum", "region", "stored_bytes"])
        assert backup.taken_at is not None
        text = f"The copy in {check.region} was replaced by that of {exact_time(backup.taken_at)}, which is checked instead"
        note(checkup, None, by=None, now=now, text=text, finding=check.finding)
    return copy
