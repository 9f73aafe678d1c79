"""What happened to a checkup, in one line of time: what its record tells, and who signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from checkups.models import Checkup, CheckupEvent, Signature
from checkups.workflow import Move

NTH = ("first", "second")


@dataclass(frozen=True)
class Happened:
    """One thing that happened; ``reason`` is what was said with it."""

    at: datetime
    text: str
    reason: str


def events_of(checkup: Checkup) -> QuerySet[CheckupEvent]:
    """What happened to the checkup itself, and what was checked again, oldest first. The rest stands with each finding."""
    return checkup.events.filter(Q(finding__isnull=True) | Q(move=Move.CHECK_AGAIN.value)).order_by("pk")


def with_signatures(
    events: Sequence[CheckupEvent], signatures: Iterable[Signature], digest: str | None
) -> list[Happened]:
    """The events with the signatures among them, each before the first event that came later.

    Signatures under the ``digest`` count, all others are void; None: which count is not known now. The one that completed
    the record is an event already.
    """
    told = _told(signatures, digest)
    if any(event.move == Move.SEAL.value for event in events):
        told.pop()
    happened = []
    for event in events:
        while told and (told[0].at < event.at or (event.move == Move.SEAL.value and told[0].at == event.at)):
            happened.append(told.pop(0))
        happened.append(Happened(event.at, event.text, event.reason))
    return happened + told


def _told(signatures: Iterable[Signature], digest: str | None) -> list[Happened]:
    """A statement is told where it counts no more: the others stand with their signatures."""
    given: Counter[str] = Counter()
    told = []
    for one in signatures:
        said = f"{one.name} signed {NTH[min(given[one.sha256], 1)]}"
        given[one.sha256] += 1
        if digest is None or one.sha256 == digest:
            told.append(Happened(one.at, said, ""))
        else:
            told.append(Happened(one.at, f"{said}; the record changed after that, so it counts no more", one.statement))
    return told
