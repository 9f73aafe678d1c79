"""Which state of a checkup its hash was last worked out of. Reading a large record takes minutes, so that is kept."""

from __future__ import annotations

from checkups.models import Checkup
from checkups.workflow import OF_TASKS
from portal.handover import hand_over


def version_of(checkup: Checkup) -> str:
    """Of all that the record says: each change of it is a move, or an event of its own."""
    events = checkup.events.exclude(move=OF_TASKS).order_by("-pk")
    return f"{checkup.status_changed_at.isoformat()} {events.values_list('pk', flat=True).first() or 0}"


def known_digest(checkup: Checkup) -> str:
    """SHA-256 of what people sign, as last worked out; empty when something has happened to it since."""
    return checkup.content_sha256 if checkup.content_version == version_of(checkup) else ""


def tell_of_void_signatures(checkup: Checkup) -> None:
    """What somebody has signed is no more: all are told once more that it waits. Call it under the checkup's lock."""
    if checkup.signatures.filter(sha256=checkup.content_sha256).exists():
        Checkup.objects.filter(pk=checkup.pk).update(told_ready_at=None)
        hand_over("checkups.work_out", checkup.pk)
