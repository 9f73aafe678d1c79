"""The colours of status pills. Pure."""

from __future__ import annotations

from enum import StrEnum


class Colour(StrEnum):
    """The meaning of a status pill's colour; the words beside it say the same."""

    WAITING = "waiting"
    WORKING = "working"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"
