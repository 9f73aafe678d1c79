"""The steps of a trial, and what went wrong with a check, as pages tell them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from checkups.actions.steps import NAMES
from checkups.models import Check, Trial, TrialStatus
from checkups.plainly import fault_of, is_plain

COLOURS = {
    "waiting": "waiting", "queued": "waiting", "running": "working", "passed": "good", "failed": "bad", "left": "quiet",
    "interrupted": "bad", "stopped": "quiet",
}  # fmt: skip
"""The colour of a finding's, a check's or a trial's status."""


@dataclass(frozen=True)
class Step:
    """One step: in words, when it began and ended, what it tells. ``css`` is the mark's class."""

    label: str
    started_at: datetime
    finished_at: datetime | None
    sentence: str
    css: str
    technical: bool

    @property
    def took(self) -> timedelta | None:
        """How long it took."""
        return self.finished_at - self.started_at if self.finished_at else None


def steps_of(trial: Trial) -> list[Step]:
    """The steps so far, and the removal of the scratch as the last one, also where no step tells of it."""
    steps = [_step(trial, step) for step in trial.steps]
    if any(step["name"] == "remove" for step in trial.steps):
        return steps
    if trial.tidied_at and trial.place and trial.finished_at:
        words = f"Nothing of {trial.place.get('beside', 'it')} is left."
        steps.append(Step(NAMES["remove"], trial.finished_at, trial.tidied_at, words, "is-done", technical=True))
    elif trial.place and trial.finished_at:
        words = "It is being removed; what cannot be removed at once is tried again until it is gone."
        steps.append(Step(NAMES["remove"], trial.finished_at, None, words, "is-running", technical=True))
    return steps


def _step(trial: Trial, step: dict[str, Any]) -> Step:
    over = step["finished_at"]
    running = not over and trial.status == TrialStatus.RUNNING
    css = "is-done" if over and step.get("ok") else "is-running" if running else "is-failed"
    return Step(
        label=NAMES.get(step["name"], step["name"]),
        started_at=datetime.fromisoformat(step["started_at"]),
        finished_at=datetime.fromisoformat(over) if over else None,
        sentence=step["sentence"],
        css=css,
        technical=not is_plain(step),
    )


def doing_now(trial: Trial) -> str:
    """The step it is at, in words."""
    open_ones = [str(step["name"]) for step in trial.steps if not step["finished_at"]]
    if not open_ones:
        return "Waits for a free worker" if trial.status == TrialStatus.QUEUED else "Begins"
    return NAMES.get(open_ones[-1], open_ones[-1])


def faults_of(checks: Iterable[Check]) -> str:
    """Those of all failed ones, each once."""
    return ", ".join(
        dict.fromkeys(fault for check in checks if check.status == "failed" and (fault := fault_of(check)))
    )
