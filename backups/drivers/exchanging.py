"""What exchanges at a provider have in common: whose they are, and that between first and last step nothing is given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from backups.drivers.base import DriverError

Held = Callable[[], object]
"""Raises when the work was given to another meanwhile."""

_held: ContextVar[Held] = ContextVar("held", default=lambda: None)


class Final(DriverError):
    """What trying again changes nothing about."""


class InTheWay(Final):
    """Something stands where it should go that is not ours to touch."""


@contextmanager
def tried_again() -> Iterator[None]:
    """Errors leave as such that are tried again, for rights come back and states pass; but what is final stays so."""
    try:
        yield
    except Final:
        raise
    except DriverError as error:
        error.retry = True
        raise


@contextmanager
def while_held(held: Held) -> Iterator[None]:
    """Meanwhile exchanges that this thread makes ask so whether they are still to be made."""
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)


def see_still_held() -> None:
    """Right before the first change: a worker may have been frozen on the way here, taken for dead, and live on."""
    _held.get()()
