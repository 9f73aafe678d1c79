"""The paper of a checkup: until it is signed every page says so. And what all its parts share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from checkups.actions.recording import findings_of
from checkups.models import Check, Checkup, CheckupFinding, Trial
from checkups.scope import What
from portal.paper import BAD, MARGIN, SMALL, Paper, writable
from portal.words import exact_time, span_in_words

FAINT = (246, 226, 223)

SHORT = {
    What.DAILY: "daily",
    What.MONTHLY: "monthly",
    What.BOTH: "daily and monthly",
    What.ELSEWHERE: "other region",
    What.KEPT: "kept after removal",
}


class Sheet(Paper):
    """A4 pages. ``mark`` stands on each of them, and large behind what is written."""

    def __init__(self, title: str, foot: str, made_at: datetime, mark: str) -> None:
        self.mark = mark
        super().__init__(title, f"{foot} · {mark}" if mark else foot, made_at)

    def header(self) -> None:
        """The mark, then what all papers have."""
        if self.mark:
            x, y = self.get_x(), self.get_y()
            with self.local_context():
                self.pen(64, "B", FAINT)
                with self.rotation(52, self.w / 2, self.h / 2):
                    self.set_xy(0, self.h / 2 - 15)
                    self.cell(self.w, 30, writable(self.mark), align="C")
                self.pen(SMALL, "B", BAD)
                self.set_xy(self.w - MARGIN - 60, MARGIN - 8)
                self.cell(60, 5, writable(self.mark), align="R")
            self.set_xy(x, y)
        super().header()


@dataclass(frozen=True)
class Told:
    """What is told: the checkup, as its reader may see it. ``part`` None: all of it."""

    checkup: Checkup
    part: Q | None
    now: datetime

    @property
    def findings(self) -> QuerySet[CheckupFinding]:
        """With all that belongs to them, clients together."""
        return findings_of(self.checkup).filter(self.part or Q()).order_by("client", "name", "pk")

    @property
    def checks(self) -> QuerySet[Check]:
        """Their checks."""
        found = self.checkup.findings.filter(self.part or Q())
        return Check.objects.filter(finding__in=found.order_by()).order_by()

    def moment(self, moment: datetime | None) -> str:
        """In the company's zone; a dash for none."""
        return exact_time(moment, self.now) if moment else "–"


def took(trial: Trial | None) -> str:
    """How long the try lasted."""
    if trial is None or trial.started_at is None or trial.finished_at is None:
        return "–"
    if trial.recovery_ms is not None:
        return span_in_words(timedelta(milliseconds=trial.recovery_ms))
    return span_in_words(trial.finished_at - trial.started_at)


def last_try(check: Check) -> Trial | None:
    """The last one."""
    return max(check.trials.all(), key=lambda trial: trial.pk, default=None)


def whose(finding: CheckupFinding) -> str:
    """Which resource it is about, in full."""
    removed = ", removed" if finding.removed else ""
    return f"{finding.name} ({finding.client}, {finding.application}; {finding.kind}, {finding.environment}{removed})"
