"""What stood under the keys of a part of the journal when its exchange reached them, and what it has put there."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import asdict, dataclass, field

from backups.drivers.bucket.entry import Listed
from backups.drivers.bucket.restores import Notes

REACHED = "reached/"


@dataclass
class Reached:
    """Of one part, in one round: a restore that is put in place again after it was taken back begins anew.

    ``before``: what was live right before the exchange, by key; written before anything is changed. Not always what the journal
    says: applications go on writing. ``ours``: the versions that the exchange has put. ``whole``: it is done, and knows all
    that it has put; a worker that dies before may have put more.
    """

    before: dict[str, Listed | None] = field(default_factory=dict)
    ours: dict[str, list[str]] = field(default_factory=dict)
    whole: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def read(cls, notes: Notes, number: int, again: int) -> Reached | None:
        """What is written of the part; None where the exchange has not come to it."""
        body = notes.vault.get(_key(notes, number, again))
        if body is None:
            return None
        told = json.loads(gzip.decompress(body))
        before = {key: Listed(**one) if one else None for key, one in told["before"].items()}
        return cls(before, told["ours"], told["whole"])

    def write(self, notes: Notes, number: int, again: int) -> None:
        """Keep it."""
        before = {key: asdict(one) if one else None for key, one in self.before.items()}
        told = {"before": before, "ours": self.ours, "whole": self.whole}
        notes.vault.put(_key(notes, number, again), gzip.compress(json.dumps(told).encode(), 5, mtime=0))

    def put(self, key: str, version: str) -> None:
        """The exchange has put that version. Threads may call it."""
        with self._lock:
            self.ours.setdefault(key, []).append(version)


def _key(notes: Notes, number: int, again: int) -> str:
    return f"{notes.prefix}{REACHED}{again:04d}-{number:08d}"
