"""What attachments leave behind when something dies: uploads that were never published are removed after a day.

A published file without a row is told to IT's log and stays. It is what an unlucky moment leaves, but just as well what is
left of the record after the database was set back, and nobody deletes that on a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import structlog

from restores.attached import published_keys, sweep_partial
from restores.models import Attachment

log = structlog.get_logger(__name__)

LEFT_ALONE_FOR = timedelta(days=1)
A_QUERY = 500


def sweep_attachments(now: datetime) -> list[UUID]:
    """Remove what was never published; the keys of files that no row names. Safe to run twice, late, or never."""
    before = (now - LEFT_ALONE_FOR).timestamp()
    if removed := sweep_partial(before):
        log.info("attachments.swept", files=removed)
    unknown = [key for keys in _in_turns(published_keys(before)) for key in _unknown(keys)]
    if unknown:
        log.warning("attachments.without_a_row", files=len(unknown), first=unknown[0].hex)
    return unknown


def _in_turns(keys: Iterator[UUID]) -> Iterator[list[UUID]]:
    while turn := list(islice(keys, A_QUERY)):
        yield turn


def _unknown(keys: list[UUID]) -> list[UUID]:
    known = set(Attachment.objects.filter(key__in=keys).values_list("key", flat=True))
    return [key for key in keys if key not in known]
