"""What the next retention run would delete, as far as can be looked at while somebody waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from backups.facts import CHUNK, all_facts
from backups.judging import CopyVerdict, StoredBackup, judge
from backups.models import Resource
from portal.words import company_zone

SHOWN = 50
PATIENCE = 5.0
"""Seconds. In a company so large that this is not enough the page says how far it looked."""


class Going(NamedTuple):
    """One copy that would go."""

    resource: int
    name: str
    backup: StoredBackup
    verdict: CopyVerdict


@dataclass
class Upcoming:
    """The first copies that would go, how many there are in all, and how many resources were looked at."""

    shown: list[Going] = field(default_factory=list)
    copies: int = 0
    bytes: int = 0
    looked_at: int = 0
    complete: bool = True


def upcoming_deletions(
    moment: datetime, *, at_home_only: bool, clock: Callable[[], float] = time.monotonic
) -> Upcoming:
    """Look at resource after resource until all were looked at, or the time that a person waits is over.

    ``moment``: by which a run would delete; ``at_home_only``: it would not touch the other regions.
    """
    zone, begun, found = company_zone(), clock(), Upcoming()
    for facts in all_facts(Resource.objects.all(), moment):
        if found.looked_at and found.looked_at % CHUNK == 0 and clock() - begun > PATIENCE:
            found.complete = False
            break
        found.looked_at += 1
        backups = {backup.id: backup for backup in facts.backups}
        for verdict in judge(facts, now=moment, zone=zone).going(facts.home_region, at_home_only=at_home_only):
            backup = backups[verdict.backup]
            found.copies, found.bytes = found.copies + 1, found.bytes + backup.stored_bytes
            if len(found.shown) < SHOWN:
                found.shown.append(Going(facts.id, facts.name, backup, verdict))
    return found
