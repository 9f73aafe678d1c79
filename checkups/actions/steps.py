"""The steps of a trial, written into its row as they begin and end."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from backups.actions.progress import StopAsked, WorkTakenAway
from backups.drivers.base import DriverError, StillWorking
from backups.proof import Proof
from backups.stores.base import StoreError
from checkups.models import Trial, TrialStatus
from portal.errors import PortalError

NAMES = {
    "read": "Read every stored byte",
    "preflight": "Check before the restore",
    "restore": "Restore into scratch",
    "neutralise": "Switch off what acts by itself",
    "verify": "Compare with the manifest",
    "ask": "Ask the application",
    "remove": "Remove the scratch",
}


class NotThere(Exception):
    """There is no copy to try: none at all, or one that was found ``damaged`` before."""

    def __init__(self, sentence: str, *, damaged: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.damaged = damaged


@dataclass
class Told:
    """What a step tells of itself; fill it in before it ends."""

    sentence: str = ""


class Steps:
    """Writes the steps of one trial. One that waits for a provider goes on when it is entered again."""

    def __init__(self, trial: Trial, clock: Callable[[], datetime]) -> None:
        self.trial = trial
        self.clock = clock
        self.failed = ""
        self.reached: Proof | None = None  # before whatever failed after it

    @property
    def asking(self) -> bool:
        """Whether it failed because the application did not answer."""
        return self.failed == "ask"

    def is_done(self, name: str) -> bool:
        """Whether the step has ended well: it is not done again."""
        return any(step["name"] == name and step["finished_at"] and step["ok"] for step in self.trial.steps)

    def begin_anew(self, why: str) -> None:
        """Everything is done once more; a line says so. What was built before is known to be there."""
        now = self.clock().isoformat()
        line = {"name": "read", "started_at": now, "finished_at": now, "ok": True, "sentence": why}
        self._save([line, *({**step, "ok": False} for step in self.trial.steps)])

    @contextmanager
    def step(self, name: str) -> Iterator[Told]:
        """Record the step around the block. Raises WorkTakenAway when the trial was given up meanwhile."""
        steps = [step for step in self.trial.steps if step["name"] != name]
        before = next((step for step in self.trial.steps if step["name"] == name), None)
        begun = before["started_at"] if before else self.clock().isoformat()
        row = {"name": name, "started_at": begun, "finished_at": "", "ok": False, "sentence": ""}
        self._save([*steps, row])
        told = Told()
        try:
            yield told
        except StillWorking as waiting:
            self._save([*steps, {**row, "sentence": waiting.sentence}])
            raise
        except (WorkTakenAway, StopAsked):
            raise
        except Exception as error:
            self.failed = name
            self._save([*steps, {**row, "finished_at": self.clock().isoformat(), "sentence": self.words_of(error)}])
            raise
        self._save([*steps, {**row, "finished_at": self.clock().isoformat(), "ok": True, "sentence": told.sentence}])

    def _save(self, steps: list[dict[str, object]]) -> None:
        self.trial.steps = steps
        held = Trial.objects.filter(pk=self.trial.pk, status=TrialStatus.RUNNING).update(steps=steps)
        if not held:
            raise WorkTakenAway("This trial was given up meanwhile.")

    @staticmethod
    def words_of(error: Exception) -> str:
        """What went wrong, in a sentence for people."""
        if isinstance(error, DriverError | StoreError | PortalError | NotThere):
            return error.sentence
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return "There is no room left on the disk for the trial. IT has to make room, then have it checked again."
        return "The trial stopped because of a fault in the portal. IT has to look at it."
