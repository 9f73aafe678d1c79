"""What the verbs of ``manage.py policy`` do with the portal's own backups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from django.core.management.base import CommandError, OutputWrapper
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from backups.actions import retaining
from backups.actions.auditing import audit_company, audit_resource
from backups.actions.belief import policy_moment
from backups.facts import all_facts
from backups.judging import Judgement, ResourceFacts, judge
from backups.management.finding import person_named, resource_named, sentences
from backups.models import Backup, Copy, Finding, Resource, ResourceState, RetentionRun, RunStatus
from backups.models.retention import OPEN_RUNS
from portal.words import company_zone, counted, exact_time

FINDINGS_OPEN = 3  # the exit code that says so


class Told(Protocol):
    """The command, as far as its verbs use it."""

    stdout: OutputWrapper

    def write_json(self, value: Any) -> None:
        """One JSON document."""

    def write_json_list(self, values: Iterable[Any]) -> None:
        """One JSON document, written as it is made."""


def plan(command: Told, options: dict[str, Any]) -> None:
    """Every stored backup of the resources with its verdict."""
    named = [resource_named(words).pk for words in options["resources"]]
    resources = Resource.objects.filter(pk__in=named) if named else _of_interest()
    if options["json"]:
        command.write_json_list(_as_json(facts, judgement) for facts, judgement in _judged(resources))
        return
    zone = company_zone()
    for facts, judgement in _judged(resources):
        command.stdout.write(f"{facts.name} ({facts.id})")
        for backup, verdict in zip(facts.backups, judgement.plan.verdicts, strict=True):
            what = f"keep until {verdict.until}" if verdict.until else "keep" if verdict.keep else "DELETE"
            taken = f"{backup.taken_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
            command.stdout.write(f"  {backup.id:>8}  {taken}  {what:24}  {'; '.join(verdict.reasons)}")


def _of_interest() -> QuerySet[Resource]:
    """All that stand, and of the removed those of which a backup is left."""
    left = Exists(Backup.objects.stored().filter(resource=OuterRef("pk")))
    return Resource.objects.filter(~Q(state=ResourceState.REMOVED) | left)


def _judged(resources: Any) -> Iterator[tuple[ResourceFacts, Judgement]]:
    moment, zone = policy_moment(timezone.now()), company_zone()
    for facts in all_facts(resources, moment):
        yield facts, judge(facts, now=moment, zone=zone)


def _as_json(facts: ResourceFacts, judgement: Judgement) -> dict[str, Any]:
    copies: dict[int, list[dict[str, Any]]] = {}
    for copy in judgement.copies:
        copies.setdefault(copy.backup, []).append({"region": copy.region, "keep": copy.keep, "why": copy.why})
    return {
        "resource": facts.id,
        "name": facts.name,
        "backups": [
            {
                "id": backup.id,
                "taken_at": backup.taken_at,
                "good": backup.good,
                "keep": verdict.keep,
                "reasons": verdict.reasons,
                "until": verdict.until,
                "copies": copies.get(backup.id, []),
            }
            for backup, verdict in zip(facts.backups, judgement.plan.verdicts, strict=True)
        ],
        "other_region": judgement.elsewhere,
    }


def apply(command: Told, options: dict[str, Any]) -> None:
    """Delete what is not kept, or show what that would be."""
    now = timezone.now()
    if options["dry_run"]:
        _show_deletions(command, options, now)
        return
    begun = RetentionRun.objects.filter(resource__isnull=True, status__in=OPEN_RUNS).first()
    run = begun or retaining.plan_retention(now=now)
    if run is not None and run.status == RunStatus.APPLYING:
        retaining.apply_run(run.pk)
        run.refresh_from_db()
    if options["json"]:
        command.write_json(_run_as_json(run))
    elif run is None:
        command.stdout.write("Nothing is to be deleted.")
    elif run.status == RunStatus.DONE:
        deleted = run.deletions.filter(status="deleted").count()
        command.stdout.write(f"Run {run.pk}: {counted(deleted, 'copy', 'copies')} deleted.")
    if run is not None and run.status == RunStatus.STOPPED:
        raise CommandError(
            f"Run {run.pk} was stopped: it would delete {run.to_delete:,} of {run.copies_before:,} copies, more than"
            f" {run.limit_percent} % within a day. Look at it with “policy apply --dry-run”, then decide:"
            f" “policy decide {run.pk} --carry-on|--refuse --by USERNAME --reason …”."
        )


def _show_deletions(command: Told, options: dict[str, Any], now: Any) -> None:
    found = list(retaining.planned_deletions(now))
    if options["json"]:
        command.write_json(
            {
                "by": policy_moment(now),
                "copies": Copy.objects.standing().count(),
                "to_delete": [
                    {"resource": resource, "backup": one.backup, "copy": one.id, "region": one.region, "why": one.why}
                    for resource, one in found
                ],
            }
        )
        return
    names = dict(Resource.objects.filter(pk__in={resource for resource, _ in found}).values_list("pk", "name"))
    for resource, one in found:
        command.stdout.write(f"{names[resource]}  backup {one.backup}  {one.region}  {one.why}")
    command.stdout.write(f"{counted(len(found), 'copy', 'copies')} would be deleted; nothing was.")
    if (moment := policy_moment(now)) < now:
        command.stdout.write(
            f"By {moment:%Y-%m-%d %H:%M} UTC, and in no other region: the clock is far ahead of where retention last was."
        )


def _run_as_json(run: RetentionRun | None) -> dict[str, Any]:
    if run is None:
        return {"run": None, "status": "nothing to do", "to_delete": 0}
    deleted = run.deletions.filter(status="deleted").count()
    return {"run": run.pk, "status": run.status, "to_delete": run.to_delete, "deleted": deleted}


def decide(command: Told, options: dict[str, Any]) -> None:
    """Let a stopped run go on, or refuse it."""
    run = RetentionRun.objects.filter(pk=options["run"]).first()
    if run is None:
        raise CommandError(f"There is no run {options['run']}.", returncode=2)
    by = person_named(options["by"])
    with sentences():
        run = retaining.decide_run(by=by, run=run, carry_on=options["carry_on"], reason=options["reason"])
    if options["carry_on"]:
        retaining.apply_run(run.pk)
    run.refresh_from_db()
    command.stdout.write(f"Run {run.pk} is {run.get_status_display().lower()}.")


def audit(command: Told, options: dict[str, Any]) -> None:
    """Bring findings up to date and show the open ones."""
    resources = [resource_named(words) for words in options["resources"]]
    findings = Finding.objects.open().select_related("resource").order_by("since", "pk")
    if resources:
        for resource in resources:
            audit_resource(resource.pk, now=timezone.now())
        findings = findings.filter(resource__in=resources)
    else:
        audit_company()
    rows: list[dict[str, Any]] = [
        {
            "rule": finding.rule,
            "code": finding.code,
            "resource": finding.resource.name if finding.resource else finding.subject,
            "since": finding.since,
            "sentence": finding.sentence,
            "advice": finding.advice,
        }
        for finding in findings
    ]
    if options["json"]:
        command.write_json(rows)
    for row in [] if options["json"] else rows:
        command.stdout.write(f"{row['rule']}  {row['resource']}, since {exact_time(row['since'])}: {row['sentence']}")
    if not options["json"]:
        command.stdout.write(f"{counted(len(rows), 'finding')} open." if rows else "The policy holds.")
    if rows:
        raise SystemExit(FINDINGS_OPEN)
