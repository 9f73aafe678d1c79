"""A part of a backup, as a request names it: what was picked, and what that comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_PICKED = 500
"""Of one request. A directory counts once, whatever it holds."""

TOO_MANY = (
    f"A part can have at most {MOST_PICKED} entries. Pick the directories that hold them, or restore everything beside"
    " the live one."
)


@dataclass(frozen=True)
class Picked:
    """The keys of what was picked, in order, without what is below another one; bound to one backup, which never changes.

    ``kinds``: how many of each kind were picked; ``entries`` and ``size`` (bytes) count what is below them too.
    """

    keys: tuple[str, ...]
    kinds: Mapping[str, int]
    entries: int
    size: int

    def as_json(self) -> dict[str, Any]:
        """Two entries of a plan: the keys, and what they come to."""
        holds = {"kinds": dict(sorted(self.kinds.items())), "entries": self.entries, "bytes": self.size}
        return {"part": list(self.keys), "part_holds": holds}

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> Picked | None:
        """What :meth:`as_json` put into the plan; None in the plan of a whole restore."""
        if "part" not in plan:
            return None
        holds = plan["part_holds"]
        return cls(tuple(plan["part"]), holds["kinds"], holds["entries"], holds["bytes"])

    def in_words(self, nouns: Mapping[str, tuple[str, str]]) -> str:
        """ "2 directories and 3 files"; ``nouns`` by kind, for one and for many, in the order in which they are named."""
        counts = [(self.kinds[kind], nouns[kind]) for kind in nouns if self.kinds.get(kind)]
        *others, last = [f"{count:,} {one if count == 1 else many}" for count, (one, many) in counts] or ["a part"]
        return f"{', '.join(others)} and {last}" if others else last
