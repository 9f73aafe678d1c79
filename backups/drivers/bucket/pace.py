"""How much is done by one call of a verb, and many small calls of S3 at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from backups.aws.answers import code_of
from backups.drivers.base import DriverError

R = TypeVar("R")
AGAIN_IN = 1.0

NOT_THERE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
NO_BUCKET = frozenset({"404", "NoSuchBucket"})
UNKNOWN_CALL = frozenset({"NotImplemented", "MethodNotAllowed", "InvalidRequest", "MalformedXML", "501", "405"})
"""What servers other than AWS's say of settings that they do not have."""
OTHERWISE = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
"""What was asked for under a condition is not so any more."""


@dataclass(frozen=True)
class Pace:
    """``seconds`` of work by one call of a verb; ``piece``: bytes that one request copies at most; ``threads`` of calls.

    ``lease``: after so many seconds without a word from the worker that exchanges a bucket another may go on.
    """

    seconds: float = 300.0
    piece: int = 256 << 20
    threads: int = 16
    lease: float = 180.0

    def turn(self) -> Turn:
        """One call's share, from now on."""
        return Turn(time.monotonic() + self.seconds)

    def each(self, jobs: Sequence[Callable[[], R]]) -> list[R]:
        """What the jobs return, a few at once. Raises what the first of them that failed has raised."""
        if not jobs:
            return []
        with ThreadPoolExecutor(self.threads, "s3") as pool:
            under_way = [pool.submit(job) for job in jobs]
            try:
                return [one.result() for one in under_way]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


@dataclass(frozen=True)
class Turn:
    """Until when this call of a verb works."""

    until: float

    @property
    def over(self) -> bool:
        """Whether the rest is for the next call."""
        return time.monotonic() >= self.until


def why(error: DriverError) -> str:
    """S3's name for what went wrong; empty for what is none of its answers."""
    cause = error.__cause__
    return code_of(cause) if cause is not None else ""
