"""Who may go on with an exchange: one worker at a time, also where one that was taken for dead lives on."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from backups.drivers.base import DriverError, StillWorking
from backups.drivers.bucket.vault import Vault

State = Mapping[str, Any]
OWNER, TURN = "owner", "turn"
AGAIN_IN = 20.0


class Claim:
    """A small JSON object in a vault, and the right to write it, which lapses unless it is renewed.

    How old it is S3 tells, and each writing is conditional on the one before: of two that want it one gets it, and who has lost
    it learns so by the next :meth:`hold`. A request that is on its way at that moment can still come after: what it
    puts is one version more.
    """

    def __init__(
        self, vault: Vault, key: str, lease: float, state: dict[str, Any], etag: str, before: State | None
    ) -> None:
        self.state = state
        self._before = before
        self._vault, self._key, self._etag = vault, key, etag
        self._renew_after = lease / 4
        self._lock = threading.Lock()
        self._owner = secrets.token_hex(8)
        self._renewed = time.monotonic()

    @classmethod
    def taken(cls, vault: Vault, key: str, lease: float, begun: Callable[[State | None], State]) -> Claim:
        """The claim, with what ``begun`` makes of what is written there. Raises :class:`StillWorking` while another has it."""
        there = vault.stamped(key)
        state = None if there is None else dict(json.loads(there.body))
        if there is not None and state and state.get(OWNER) and there.age < timedelta(seconds=lease):
            raise StillWorking("Another worker of the portal is at the same exchange.", again_in=AGAIN_IN)
        claim = cls(vault, key, lease, dict(begun(state)), there.etag if there else "", state)
        claim.save()
        return claim

    def save(self, **changes: Any) -> None:
        """Write what has changed, and keep the claim. Raises :class:`~backups.drivers.bucket.vault.Overtaken` when another has it."""
        with self._lock:
            self._write({**self.state, **changes, OWNER: self._owner})

    def hold(self) -> None:
        """Before anything live is changed. Raises :class:`~backups.drivers.bucket.vault.Overtaken` once another has it.

        Threads may call it.
        """
        with self._lock:
            if time.monotonic() - self._renewed >= self._renew_after:
                self._write(self.state)

    def release(self, **changes: Any) -> None:
        """Let the next call have it at once."""
        with self._lock:
            self._write({**self.state, **changes, OWNER: ""})

    def take_back(self) -> None:
        """Leave what was written there before: it was taken for something that is not to be done."""
        if self._before is None:
            self._vault.forget(self._key)
        else:
            with self._lock:
                self._write({**self._before, OWNER: "", TURN: self.state[TURN]})

    def released(self) -> None:
        """As :meth:`release`, where something went wrong that is told instead."""
        with suppress(DriverError):
            self.release()

    def _write(self, state: dict[str, Any]) -> None:
        written = {**state, TURN: int(state.get(TURN, 0)) + 1}  # no two are the same
        self._etag = self._vault.put_over(self._key, json.dumps(written).encode(), self._etag)
        self.state, self._renewed = written, time.monotonic()
