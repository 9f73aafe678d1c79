"""How every client of AWS is made: what it waits for, how often it tries, what it calls itself; kept for the process's life."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from botocore.config import Config

NAME = "haas-backup-portal"
TRIES = 8
"""Of one request, with back-off between them."""
TRIES_IN_HASTE, SECONDS_IN_HASTE = 2, 8
"""Where a person waits for the answer: tries, and how long each waits for a word."""

_lock = threading.Lock()
_clients: dict[tuple[object, ...], Any] = {}


def config(*, tries: int = TRIES, mode: str = "adaptive", hasty: bool = False, **more: Any) -> Config:
    """Botocore's configuration. ``adaptive``: what is throttled slows down all calls of the client, before it gives up.

    AWS_MAX_ATTEMPTS may have it tried less often. ``hasty``: a person waits for the answer, and is told soon that there is none.
    """
    if hasty:
        tries = min(tries, TRIES_IN_HASTE)
    wanted = min(tries, int(os.environ.get("AWS_MAX_ATTEMPTS", tries)))
    return Config(
        retries={"mode": mode, "total_max_attempts": wanted},
        connect_timeout=SECONDS_IN_HASTE if hasty else 10,
        read_timeout=SECONDS_IN_HASTE if hasty else 60,
        tcp_keepalive=True,
        user_agent_extra=NAME,
        **more,
    )


def client_of(made_of: tuple[object, ...], make: Callable[[], Any]) -> Any:
    """The client that was made of the same before, or a new one. Forked processes share no connections."""
    key = (os.getpid(), *made_of)
    with _lock:
        found = _clients.get(key)
    if found is None:
        made = make()  # may ask the network: nobody else waits for that, and of two that were made one counts
        with _lock:
            found = _clients.setdefault(key, made)
    return found


def forget_clients() -> None:
    """Make the next call get in anew: after a policy, a trust or a key was changed there."""
    with _lock:
        _clients.clear()
