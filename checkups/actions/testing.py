"""“Test this backup”: what a checkup does, at any time, for one backup."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.actions.locking import locked_resource
from backups.actions.pinning import pin
from backups.kinds import driver_of
from backups.models import Backup, Copy
from checkups.actions.queueing import queue_test
from checkups.models import ApplicationCheck, Trial
from checkups.permissions import check_can_test
from checkups.scope import level_of
from portal.errors import InvalidInput, Refused
from portal.models import User
from portal.reasons import checked_reason


def request_test(*, by: User, backup: Backup, region: str = "", reason: str, now: datetime | None = None) -> Trial:
    """Queue a trial of the backup's copy in that region, or in its home region; its proof rises when it passes."""
    check_can_test(by, backup)
    reason = checked_reason(reason, "Say why it is tested: the reason is kept with the test.")
    now, resource = now or timezone.now(), backup.resource
    region = region or resource.home_region
    answers = ApplicationCheck.objects.filter(resource=resource).exists()
    wanted = level_of(driver_of(resource.kind).proves, restored=True, answers=answers)
    try:
        with transaction.atomic():
            locked_resource(resource.pk)
            locked = Backup.objects.select_for_update().select_related("resource").get(pk=backup.pk)
            check_can_test(by, locked)
            copy = (
                Copy.objects.present().filter(backup=locked, region=region).select_related("backup__resource").first()
            )
            if copy is None:
                raise InvalidInput(f"There is no copy of this backup in {region} to test.", field="region")
            trial = queue_test(copy, wanted, by=by, reason=reason, now=now)
            pin(locked, trial.label, now=now)
    except IntegrityError:
        raise Refused(f"A backup of {resource} is being tested just now. Wait until that is done.") from None
    return trial
