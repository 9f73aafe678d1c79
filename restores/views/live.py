"""The moving part of a request's page: its attempts, their steps, and how far the running one is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from restores.models import Attempt, AttemptKind, AttemptStatus, RestoreRequest, Step, StepStatus
from restores.progress import Progress, progress_of
from restores.stepnames import STEPS, TECHNICAL, UNDO_STEPS, StepName
from restores.wording import is_being_stopped
from restores.workflow import Status, Turn

OPEN = (AttemptStatus.QUEUED, AttemptStatus.RUNNING)
WITH_BYTES = (StepName.RESTORE, StepName.VERIFY, StepName.CHECKSUM)
STEP_CSS = {
    StepStatus.RUNNING: "is-running",
    StepStatus.DONE: "is-done",
    StepStatus.FAILED: "is-failed",
    StepStatus.NOT_POSSIBLE: "is-skipped",
}
STEP_WORDS = {
    StepStatus.RUNNING: "now",
    StepStatus.DONE: "done",
    StepStatus.FAILED: "failed",
    StepStatus.NOT_POSSIBLE: "not possible here",
}


@dataclass(frozen=True)
class StepRow:
    """One step as the page shows it: recorded, or still to come."""

    label: str
    css: str
    word: str
    sentence: str
    started_at: datetime | None
    took: timedelta | None
    progress: Progress | None
    technical: bool


@dataclass(frozen=True)
class Run:
    """One attempt with its steps."""

    attempt: Attempt
    steps: list[StepRow]

    @property
    def title(self) -> str:
        """What it is called on the page."""
        return "Undo" if self.attempt.kind == AttemptKind.UNDO else f"Attempt {self.attempt.number}"

    @property
    def is_open(self) -> bool:
        """Whether it is queued or running."""
        return self.attempt.status in OPEN

    @property
    def failed(self) -> bool:
        """Whether it ended without doing what it was to do."""
        return self.attempt.status in (AttemptStatus.FAILED, AttemptStatus.INTERRUPTED)

    @property
    def colour(self) -> str:
        """The meaning of its pill's colour."""
        if self.failed:
            return "bad"
        return "working" if self.is_open else "good"

    @property
    def took(self) -> timedelta | None:
        """How long it ran, once it has ended."""
        begun, ended = self.attempt.started_at, self.attempt.finished_at
        return ended - begun if begun and ended else None


@dataclass(frozen=True)
class Live:
    """What moves, and what has come to rest beside it. ``seen`` changes when the rest of the page has to change as well.

    ``current`` is the run that is queued or running, ``past`` are the others, newest first.
    """

    current: Run | None
    past: list[Run]
    moving: bool
    waiting: bool
    seen: str


def live_of(request: RestoreRequest, now: datetime) -> Live:
    """The moving part as it stands now; reads only what :func:`fetching.request_or_404` has fetched."""
    runs = [_run(request, attempt, now) for attempt in request.attempts.all()]
    current = next((run for run in runs if run.is_open), None)
    told = sum(len(run.attempt.error) for run in runs)  # cleaning up after one says more about it
    stopping = "-stopping" if is_being_stopped(request) else ""
    moving = current is not None or request.facts.turn is Turn.PORTAL
    return Live(
        current=current,
        past=[run for run in reversed(runs) if run is not current],
        moving=moving,
        waiting=not request.facts.final,
        seen=f"{request.status}-{len(runs)}-{current.attempt.pk if current else 0}-{told}{stopping}",
    )


def _run(request: RestoreRequest, attempt: Attempt, now: datetime) -> Run:
    planned = UNDO_STEPS if attempt.kind == AttemptKind.UNDO else STEPS[request.restore_mode]
    recorded = {step.name: step for step in attempt.steps.all()}
    open_ = attempt.status in OPEN
    rows = [_recorded(attempt, step, now) for step in recorded.values()]
    if open_:
        rows += [_to_come(name) for name in planned if name.value not in recorded]
    return Run(attempt, rows)


def _recorded(attempt: Attempt, step: Step, now: datetime) -> StepRow:
    status, name = StepStatus(step.status), StepName(step.name)
    running = status is StepStatus.RUNNING and attempt.status == AttemptStatus.RUNNING
    moved = running and name in WITH_BYTES
    return StepRow(
        label=name.label,
        css=STEP_CSS[status] if running or status is not StepStatus.RUNNING else STEP_CSS[StepStatus.FAILED],
        word=STEP_WORDS[status] if running or status is not StepStatus.RUNNING else "interrupted",
        sentence="" if step.sentence and step.sentence in attempt.error else step.sentence,
        started_at=step.started_at,
        took=step.finished_at - step.started_at if step.finished_at else None,
        progress=progress_of(attempt.bytes_done, attempt.bytes_expected, step.started_at, now) if moved else None,
        technical=name in TECHNICAL,
    )


def _to_come(name: StepName) -> StepRow:
    return StepRow(name.label, "is-next", "to come", "", None, None, None, technical=False)


def newest_restore(request: RestoreRequest) -> Attempt | None:
    """The newest attempt that was a restore, from what is fetched already."""
    restores = [attempt for attempt in request.attempts.all() if attempt.kind == AttemptKind.RESTORE]
    return restores[-1] if restores else None


def finished_restore(request: RestoreRequest) -> Attempt | None:
    """The restore that this request ended with, if it did."""
    return newest_restore(request) if request.state in (Status.COMPLETED, Status.UNDONE) else None
