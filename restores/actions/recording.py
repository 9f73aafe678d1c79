"""Recording the steps of an attempt as they begin and end, and the lease that lets it go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from backups.actions.progress import StopAsked, WorkTakenAway
from backups.drivers.base import StillWorking
from backups.drivers.exchanging import while_held
from restores.actions.stopping import stop_asked
from restores.actions.words import in_words
from restores.models import Attempt, AttemptStatus, Step, StepStatus
from restores.stepnames import StepName

AFTER_THE_SWAP = frozenset({StepName.HEALTH, StepName.HAND_OVER, StepName.SWAP_BACK})
"""Steps that are carried to their end: what was restored stands, or is live."""


@dataclass
class Told:
    """What a step tells of itself; fill it in before it ends. ``possible``: whether there was anything it could do."""

    sentence: str = ""
    possible: bool = True


class Recorder:
    """Writes the steps of one attempt."""

    def __init__(self, attempt: Attempt, clock: Callable[[], datetime]) -> None:
        self.attempt = attempt
        self.clock = clock
        self.failed: StepName | None = None
        """The step that failed, if one did."""
        self._position = 0
        self._begun = {step.name: step for step in attempt.steps.all()}  # by a worker before, for a provider to go on

    def has(self, name: StepName) -> bool:
        """Whether the step was begun."""
        return name.value in self._begun

    def is_done(self, name: StepName) -> bool:
        """Whether the step has ended well: it is not done again."""
        return self.has(name) and self._begun[name.value].status in (StepStatus.DONE, StepStatus.NOT_POSSIBLE)

    @contextmanager
    def step(self, name: StepName) -> Iterator[Told]:
        """Record the step around the block. It does not begin when the attempt was given up meanwhile.

        One that waits for a provider goes on when it is entered again.
        """
        row = self._begin(name)
        told = Told()
        try:
            yield told
        except StillWorking as waiting:
            row.sentence = waiting.sentence
            row.save(update_fields=["sentence"])
            raise
        except Exception as error:
            self.failed = name
            self._end(row, StepStatus.FAILED, in_words(error).sentence)
            raise
        self._end(row, StepStatus.DONE if told.possible else StepStatus.NOT_POSSIBLE, told.sentence)

    def _begin(self, name: StepName) -> Step:
        now = self.clock()
        self._position = max(self._position, len(self._begun)) + 1
        with transaction.atomic():
            hold_lease(self.attempt, now, may_stop=name not in AFTER_THE_SWAP)
            if (row := self._begun.get(name.value)) is None:
                row = Step.objects.create(
                    attempt=self.attempt, position=self._position, name=name.value, started_at=now
                )
                self._begun[name.value] = row
            return row

    def _end(self, row: Step, status: StepStatus, sentence: str) -> None:
        row.status, row.sentence, row.finished_at = status, sentence, self.clock()
        row.save(update_fields=["status", "sentence", "finished_at"])


def hold_lease(attempt: Attempt, now: datetime, *, may_stop: bool = False) -> None:
    """Beat once; raises :class:`WorkTakenAway` when the sweeper gave the attempt up.

    ``may_stop``: raises :class:`StopAsked` when somebody wants it stopped. Nothing live is changed after that.
    """
    held = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.RUNNING).update(heartbeat_at=now)
    if not held:
        raise WorkTakenAway("This attempt was given up meanwhile.")
    if may_stop and stop_asked(attempt):
        raise StopAsked("This attempt is to stop.")


def holding(attempt: Attempt, clock: Callable[[], datetime]) -> AbstractContextManager[None]:
    """Meanwhile exchanges ask right before their first change whether the attempt is still this worker's."""
    return while_held(lambda: hold_lease(attempt, clock()))
