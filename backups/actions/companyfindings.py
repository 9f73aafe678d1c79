"""Findings about the company as a whole rather than one resource: a region, the clock. At most one open per code and subject."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backups.actions.auditing import finding_of
from backups.findings import Code, Found
from backups.models import Finding
from portal.handover import hand_over


def note_finding(code: Code, subject: str, sentence: str, advice: str, now: datetime) -> None:
    """Open it and have IT told; one that is open already gets the new words."""
    with transaction.atomic():
        known = (
            Finding.objects.open().select_for_update().filter(resource__isnull=True, code=code, subject=subject).first()
        )
        if known is None:
            finding_of(Found(code, sentence, advice, now), now, subject=subject).save()
            hand_over("backups.alert")
        elif known.sentence != sentence:
            known.sentence = sentence
            known.save(update_fields=["sentence"])


def settle_finding(code: Code, subject: str, now: datetime) -> None:
    """It no longer holds."""
    Finding.objects.open().filter(resource__isnull=True, code=code, subject=subject).update(closed_at=now)
