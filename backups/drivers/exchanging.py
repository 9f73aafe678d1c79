"""What exchanges at a provider have in common: between their first step and their last nothing is given up for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backups.drivers.base import DriverError


class InTheWay(DriverError):
    """Something stands where it should go that is not ours to touch."""


@contextmanager
def tried_again() -> Iterator[None]:
    """Errors leave as such that are tried again, for rights come back and states pass; but not where others are in the way."""
    try:
        yield
    except InTheWay:
        raise
    except DriverError as error:
        error.retry = True
        raise
