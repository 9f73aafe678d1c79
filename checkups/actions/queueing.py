"""Queueing a trial: the row first, then the message."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from backups.kinds import KEPT_AT_PROVIDERS
from backups.models import Backup, Copy
from backups.proof import Proof
from checkups.models import Check, CheckStatus, Trial
from portal.handover import hand_over
from portal.models import User


def queue_trial(check: Check, now: datetime) -> bool:
    """Queue a try of that check; False when another trial of its resource is under way. Call it in a transaction."""
    resource = check.finding.resource
    try:
        with transaction.atomic():
            trial = Trial.objects.create(
                resource=resource, check_row=check, backup=check.backup, number=check.tries + 1, wanted=check.declared, queued_at=now,
                resend_at=_resend(now), scratch_bytes=scratch_of(check.backup, Proof(check.declared)),
            )  # fmt: skip
            check.status, check.tries = CheckStatus.RUNNING, check.tries + 1
            check.save(update_fields=["status", "tries"])
    except IntegrityError:
        return False
    hand_over("checkups.try", trial.pk)
    return True


def queue_test(copy: Copy, wanted: Proof, *, by: User, reason: str, now: datetime) -> Trial:
    """Queue what somebody asked for. Raises IntegrityError when another trial of the resource is under way."""
    trial = Trial.objects.create(
        resource=copy.backup.resource, copy=copy, backup=copy.backup, asked_by=by, reason=reason, wanted=wanted, queued_at=now,
        resend_at=_resend(now), scratch_bytes=scratch_of(copy.backup, wanted),
    )  # fmt: skip
    hand_over("checkups.try", trial.pk)
    return trial


def scratch_of(backup: Backup | None, wanted: Proof) -> int:
    """How much room of the portal's machines a trial takes; none where the provider has it, or nothing is restored."""
    if backup is None or wanted < Proof.RESTORED or backup.resource.kind in KEPT_AT_PROVIDERS:
        return 0
    return backup.source_bytes or 0


def _resend(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.RESEND_AFTER_SECONDS)
