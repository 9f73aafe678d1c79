"""The record of a checkup, read from its rows. Once it is signed the rows cannot change, and neither can the record.

When a trial's scratch was removed is among its steps: the row's own note of it may come after the signatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from backups.proof import Proof
from checkups.actions.versions import known_digest
from checkups.models import Check, Checkup, CheckupFinding, Signature, Trial
from checkups.plainly import check_in_words, finding_in_words, is_plain, trial_in_words
from checkups.record import digest_of, pieces
from checkups.workflow import OF_TASKS, Move

CHUNK = 200


def record_of(checkup: Checkup, signatures: Sequence[Signature] | None = None, part: Q | None = None) -> Iterator[str]:
    """The record in canonical JSON, piece by piece.

    ``signatures`` None: those that count; the content that people sign is the record with none. With a ``part`` (a
    condition on findings) it holds only those, no events, no statements, and nothing technical: what a client is given.
    """
    given = signatures_of(checkup) if signatures is None else signatures
    findings = findings_of(checkup)
    if part is None:
        told = map(finding_record, findings.iterator(CHUNK))
        return pieces(_head(checkup), _events(checkup), told, map(_signature, given))
    findings = findings.filter(part)
    clients = list(findings.order_by("client").values_list("client", flat=True).distinct())
    head = {**_head(checkup), "part": {"clients": clients, "of": checkup.sha256}}
    return pieces(
        head, (), map(_for_clients, findings.iterator(CHUNK)), ({**_signature(one), "statement": ""} for one in given)
    )


def signatures_of(checkup: Checkup) -> list[Signature]:
    """The signatures that count: those under what the record says. Earlier ones, before it changed, are void.

    While what it says is being worked out, none do yet.
    """
    if checkup.sealed_at is None:
        digest = known_digest(checkup)
        return list(checkup.signatures.filter(sha256=digest).order_by("pk")) if digest else []
    sealing = checkup.signatures.order_by("-pk").values("sha256")[:1]  # the last one given, whatever its clock said
    return list(checkup.signatures.filter(sha256__in=sealing).order_by("pk"))


def content_digest(checkup: Checkup) -> str:
    """SHA-256 of what people sign."""
    return digest_of(record_of(checkup, []))


def findings_of(checkup: Checkup) -> QuerySet[CheckupFinding]:
    """The findings with all that belongs to them, in the record's order."""
    return with_checks(checkup.findings.all()).order_by("pk")


def with_checks(findings: QuerySet[CheckupFinding]) -> QuerySet[CheckupFinding]:
    """With their checks and all tries of them, in a constant number of queries."""
    trials = Trial.objects.order_by("pk").select_related("backup")
    checks = Check.objects.order_by("pk").select_related("backup").prefetch_related(Prefetch("trials", trials))
    return findings.select_related("resource").prefetch_related(Prefetch("checks", checks))


def _head(checkup: Checkup) -> dict[str, Any]:
    return {
        "number": checkup.number, "on": checkup.on, "started_at": checkup.started_at,
        "declared_at": checkup.declared_at, "finished_at": checkup.finished_at, "share": checkup.share,
        "seed": checkup.seed, "rule": checkup.rule, "sample_reason": checkup.sample_reason, "limits": checkup.limits,
    }  # fmt: skip


def _events(checkup: Checkup) -> Iterator[dict[str, Any]]:
    told = (
        checkup.events.exclude(move__in=[Move.SEAL.value, OF_TASKS]).select_related("finding__resource").order_by("pk")
    )
    for event in told.iterator(CHUNK):
        yield {
            "at": event.at, "by": event.name, "text": event.text, "reason": event.reason,
            "resource": str(event.finding.resource.uid) if event.finding else None,
        }  # fmt: skip


def finding_record(finding: CheckupFinding) -> dict[str, Any]:
    """One finding with its checks and all their tries."""
    return {
        "resource": str(finding.resource.uid), "name": finding.name, "client": finding.client,
        "application": finding.application, "kind": finding.kind, "environment": finding.environment,
        "removed": finding.removed, "restored": finding.sampled, "why_not_restored": finding.why_not_restored,
        "result": finding.status, "sentence": finding.sentence, "failed_at": finding.failed_at,
        "checks": [_check(check) for check in finding.checks.all()],
    }  # fmt: skip


def _for_clients(finding: CheckupFinding) -> dict[str, Any]:
    """The same without what is technical, and without the advice, which is IT's."""
    record = finding_record(finding)
    record["sentence"] = finding_in_words(finding)
    for check, told in zip(finding.checks.all(), record["checks"], strict=True):
        told["sentence"] = check_in_words(check)
        for trial, tried in zip(check.trials.all(), told["tries"], strict=True):
            tried["sentence"] = trial_in_words(trial)
            tried["steps"] = [step if is_plain(step) else {**step, "sentence": ""} for step in tried["steps"]]
            tried["scratch"] = tried["advice"] = ""
    return record


def _check(check: Check) -> dict[str, Any]:
    return {
        "what": check.what, "region": check.region, "backup": str(check.backup.uid) if check.backup else None,
        "taken_at": check.taken_at, "checksum": check.checksum, "stored_bytes": check.stored_bytes,
        "declared": Proof(check.declared).label, "reached": check.reached_level.label if check.reached_level else None,
        "result": check.status, "sentence": check.sentence,
        "tries": [_trial(trial) for trial in check.trials.all()],
    }  # fmt: skip


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "backup": str(trial.backup.uid) if trial.backup else None,
        "taken_at": trial.backup.taken_at if trial.backup else None,
        "result": trial.status, "started_at": trial.started_at, "finished_at": trial.finished_at,
        "reached": Proof(trial.reached).label if trial.reached is not None else None, "sentence": trial.sentence,
        "fault": trial.fault, "advice": trial.advice, "recovery_ms": trial.recovery_ms, "steps": trial.steps,
        "scratch": trial.place.get("beside", ""),
    }  # fmt: skip


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "name": signature.name, "at": signature.at, "statement": signature.statement, "sha256": signature.sha256,
    }  # fmt: skip
