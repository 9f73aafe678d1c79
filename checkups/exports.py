"""A checkup to take along: its record as JSON, and a line per check as CSV. Both stream: a company may have 100,000 resources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Q
from django.http import StreamingHttpResponse

from checkups.actions.recording import CHUNK, findings_of, record_of
from checkups.models import Check, Checkup, CheckupFinding, Task, TrialStatus
from checkups.plainly import check_in_words
from portal.permissions import Person, has_permission, visible
from portal.roles import Permission
from portal.spreadsheet import csv_answer

COLUMNS = (
    "checkup", "client", "application", "resource", "kind", "environment", "what", "region", "backup_taken_at", "declared",
    "reached", "result", "sentence", "tries", "failed_tries", "started_at", "finished_at", "recovery_ms", "owner", "due_on",
)  # fmt: skip


Say = Callable[[Check], str]
"""What a reader is told of a check."""


def part_of(user: Person) -> Q | None:
    """Which findings the person is given: None for all of them, to who sees checkups company-wide."""
    if has_permission(user, Permission.VIEW_CHECKUPS, None):
        return None
    return visible(user, Permission.VIEW_CHECKUPS, "client_ref")


def json_answer(user: Person, checkup: Checkup) -> StreamingHttpResponse:
    """The record as a file: the very bytes whose SHA-256 was signed, or the person's own part of them."""
    pieces = record_of(checkup, part=part_of(user))
    answer = StreamingHttpResponse(pieces, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{checkup.number}.json"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def csv_of_checks(user: Person, checkup: Checkup) -> StreamingHttpResponse:
    """A row per check, with its last try. Who has the task is told to those who see tasks."""
    findings, part = findings_of(checkup), part_of(user)
    if part is not None:
        findings = findings.filter(part)
    say = (lambda check: check.sentence) if part is None else check_in_words
    answer = csv_answer(f"{checkup.number}.csv", COLUMNS, _rows(user, checkup, findings.iterator(CHUNK), say))
    answer["Cache-Control"] = "private, no-store"
    return answer


def _rows(user: Person, checkup: Checkup, findings: Iterator[CheckupFinding], say: Say) -> Iterator[tuple[Any, ...]]:
    seen = Task.objects.visible_to(user).filter(finding__checkup=checkup).select_related("owner")
    tasks = {task.finding_id: task for task in seen.iterator()}  # as many as failed
    for finding in findings:
        for check in finding.checks.all():
            yield _row(checkup, finding, check, say(check), tasks.get(finding.pk))


def _row(checkup: Checkup, finding: CheckupFinding, check: Check, sentence: str, task: Task | None) -> tuple[Any, ...]:
    tries = list(check.trials.all())
    failed = sum(trial.status == TrialStatus.FAILED for trial in tries)
    last = max(tries, key=lambda trial: trial.pk, default=None)
    reached = check.reached_level
    return (
        checkup.number, finding.client, finding.application, finding.name, finding.kind, finding.environment, check.what,
        check.region, check.taken_at, check.declared_level.label, reached.label if reached else None, check.status,
        sentence, len(tries), failed, last.started_at if last else None, last.finished_at if last else None,
        last.recovery_ms if last else None, str(task.owner) if task else None, task.due_on if task else None,
    )  # fmt: skip
