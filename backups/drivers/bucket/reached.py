"""What stood under the keys of a part of the journal when its exchange reached them, and what it has put there."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from backups.drivers.bucket.entry import Listed
from backups.drivers.bucket.restores import Notes

REACHED = "reached/"


@dataclass
class Reached:
    """Of one part, in one round: a restore that is put in place again after it was taken back begins anew.

    ``before``: what was live right before the exchange, by key; written before anything is changed. Not always what the journal
    says: applications go on writing. ``tags``: its tags, where those alone are changed. ``ours``: the versions, delete markers
    among them, that the exchange has made. ``unsure``: the keys where it may have made one that it does not know, as a worker that
    dies leaves them. ``back``: the keys that were put back.
    """

    notes: Notes
    number: int
    again: int
    before: dict[str, Listed | None] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    ours: dict[str, list[str]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    back: set[str] = field(default_factory=set)
    _under_way: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def read(cls, notes: Notes, number: int, again: int) -> Reached | None:
        """What is written of the part; None where the exchange has not come to it."""
        body = notes.vault.get(_key(notes, number, again))
        if body is None:
            return None
        told: dict[str, Any] = json.loads(gzip.decompress(body))
        before = {key: Listed(**one) if one else None for key, one in told["before"].items()}
        return cls(notes, number, again, before, told["tags"], told["ours"], set(told["unsure"]), set(told["back"]))

    def write(self) -> None:
        """Keep it. Threads may call it."""
        with self._lock:
            told = {
                "before": {key: asdict(one) if one else None for key, one in self.before.items()},
                "tags": self.tags,
                "ours": self.ours,
                "unsure": sorted(self.unsure),
                "back": sorted(self.back),
            }
            body = gzip.compress(json.dumps(told).encode(), 5, mtime=0)
            self.notes.vault.put(_key(self.notes, self.number, self.again), body)

    def stands(self, key: str, listed: Listed | None, tags: dict[str, str] | None = None) -> None:
        """So it was before the exchange. Threads may call it, and those below."""
        with self._lock:
            self.before[key] = listed
            if tags is not None:
                self.tags[key] = tags

    def begins(self, key: str) -> None:
        """A version may be made there from now on."""
        with self._lock:
            self._under_way.add(key)

    def ends(self, key: str, version: str = "") -> None:
        """It was made, or with no version surely was not."""
        with self._lock:
            self._under_way.discard(key)
            if version:
                self.ours.setdefault(key, []).append(version)

    def is_back(self, key: str) -> None:
        """What was live is again."""
        with self._lock:
            self.back.add(key)

    def set_out(self, keys: Iterable[str]) -> None:
        """Write, before anything is changed, that versions may be made under those."""
        with self._lock:
            self.unsure |= set(keys)
        self.write()

    def come_back(self, keys: Iterable[str]) -> None:
        """Write what was made under those: all is known but what was under way when it failed."""
        with self._lock:
            self.unsure = (self.unsure - set(keys)) | self._under_way
        self.write()


def _key(notes: Notes, number: int, again: int) -> str:
    return f"{notes.prefix}{REACHED}{again:04d}-{number:08d}"
