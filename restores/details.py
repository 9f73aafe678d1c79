"""The structured part of a request's reason. Pure.

Only what happened must be said: a person in trouble is not stopped by a form. The rest is asked for, and kept when given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

SINCE_MAX = 500
DETAIL_MAX = 5000


@dataclass(frozen=True)
class Details:
    """Since when it is so, what should be restored, and what must not be lost; each may be empty."""

    since_when: str = ""
    wanted: str = ""
    must_not_lose: str = ""

    def fields(self) -> dict[str, str]:
        """By the names of the request's columns."""
        return asdict(self)

    def said(self) -> Iterator[tuple[str, str]]:
        """What was said, each with its label."""
        return ((DETAIL_LABELS[name], text) for name, text in self.fields().items() if text)


NO_DETAILS = Details()

DETAIL_LABELS = {
    "since_when": "Since when",
    "wanted": "To be restored",
    "must_not_lose": "Must not be lost",
}
DETAIL_LIMITS = {"since_when": SINCE_MAX, "wanted": DETAIL_MAX, "must_not_lose": DETAIL_MAX}
