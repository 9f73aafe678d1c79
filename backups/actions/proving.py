"""What a restore proved of a copy, and how long it took."""

from __future__ import annotations

from datetime import datetime, timedelta

from backups.models import Copy, Resource
from backups.proof import Proof


def note_proof(copy: Copy, level: Proof, now: datetime) -> None:
    """The copy was proven to that level now; a higher level proven before stays."""
    Copy.objects.filter(pk=copy.pk, proof__lte=level).update(proof=level, proven_at=now)


def note_recovery(resource: Resource, took: timedelta, size: int, now: datetime) -> None:
    """A whole restore of ``size`` source bytes, compared as well, took so long: what a client can expect of the next one."""
    Resource.objects.filter(pk=resource.pk).update(  # derived, not in the history
        recovery_ms=int(took.total_seconds() * 1000), recovery_bytes=size, recovery_at=now
    )
