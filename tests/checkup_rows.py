"""Rows of checkups for tests: what workers would have written, without any real restore."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from backups.models import Backup, Resource
from backups.proof import Proof
from checkups.actions.moves import note
from checkups.actions.recording import content_digest
from checkups.actions.settling import settle_finding_row
from checkups.actions.signing import sign
from checkups.models import Check, CheckStatus, Checkup, CheckupFinding, Trial, TrialStatus
from checkups.outcomes import Fault, advice_for
from checkups.scope import What
from checkups.workflow import Move, Status
from portal.models import User
from tests.factories import make_backup

ON = date(2026, 11, 15)
AT = datetime(2026, 11, 15, 5, 0, tzinfo=UTC)
HOME, OTHER = "eu-central-1", "eu-west-1"
STATEMENT = "Shop-db is backed up anew and was checked by hand."


def make_checkup(by: User, *, on: date = ON, status: Status = Status.READY, **facts: Any) -> Checkup:
    """A checkup without findings. One that began did so on its date, at 05:00 UTC."""
    begun = datetime(on.year, on.month, on.day, 5, tzinfo=UTC)
    values: dict[str, Any] = {
        "status_changed_at": begun + timedelta(hours=2), "set_at": begun - timedelta(days=200), "set_by": by,
        "seed": "9f2c4e5b7a1d3c60", "limits": {"tries_at_once": 2, "scratch_gb": 50, "restored_at_provider_gb": 100},
    }  # fmt: skip
    if status not in (Status.PLANNED, Status.WITHDRAWN):
        values |= {"started_at": begun, "declared_at": begun + timedelta(minutes=1)}
    if status is Status.READY:
        values["finished_at"] = begun + timedelta(hours=2)
    if status in (Status.CANCELLED, Status.WITHDRAWN):
        values["closed_reason"] = "The power was off."
    nth = Checkup.objects.filter(on=on).count() + 1
    checkup = Checkup.objects.create(on=on, nth=nth, status=status.value, **(values | facts))
    note(checkup, Move.SET, by=by, now=checkup.set_at, text=f"{by} set the date", reason=checkup.rule)
    if checkup.started_at is not None:
        note(checkup, Move.START, by=None, now=checkup.started_at, text="The checkup started", reason=checkup.rule)
    return checkup


def make_found(
    checkup: Checkup,
    resource: Resource,
    *,
    fault: Fault | None = None,
    sentence: str = "",
    minutes: float = 12,
    level: Proof = Proof.CONTENT_MATCHED,
    **facts: Any,
) -> CheckupFinding:
    """A finding with two checks, tried: the newest backup at home, and its copy elsewhere. With a ``fault`` the first failed."""
    assert checkup.started_at is not None
    begun = checkup.started_at
    backup = resource.backups.order_by("-taken_at").first() or make_backup(
        resource, begun - timedelta(hours=2), regions=(HOME, OTHER)
    )
    values: dict[str, Any] = {
        "name": resource.name, "client": resource.client.name, "client_ref": resource.client.pk,
        "application": resource.application.name, "kind": resource.kind, "environment": resource.environment,
    }  # fmt: skip
    finding = CheckupFinding.objects.create(checkup=checkup, resource=resource, **(values | facts))
    _tried(finding, What.BOTH, HOME, backup, begun, minutes, level, fault, sentence)
    _tried(finding, What.ELSEWHERE, OTHER, backup, begun + timedelta(minutes=30), minutes, level, None, "")
    with transaction.atomic():
        settle_finding_row(finding, begun + timedelta(hours=1))
    return finding


def _tried(
    finding: CheckupFinding,
    what: What,
    region: str,
    backup: Backup,
    begun: datetime,
    minutes: float,
    level: Proof,
    fault: Fault | None,
    sentence: str,
) -> None:
    said = sentence or (f"3 files differ from the manifest of {finding.name}." if fault else "1,203 files are equal.")
    check = Check.objects.create(
        finding=finding, what=what.value, region=region, backup=backup, taken_at=backup.taken_at,
        checksum=backup.checksum, stored_bytes=backup.stored_bytes or 0, declared=level,
        reached=None if fault else level, tries=1, status=CheckStatus.FAILED if fault else CheckStatus.PASSED, sentence=said,
    )  # fmt: skip
    ended = begun + timedelta(minutes=minutes)
    steps = [
        {
            "name": name,
            "started_at": begun.isoformat(),
            "finished_at": ended.isoformat(),
            "ok": not (fault and name == "verify"),
            "sentence": told,
        }
        for name, told in (
            ("restore", f"A complete restore stands in scratch, in {region}: /srv/scratch/secret-path."),
            ("verify", said),
        )
    ]
    Trial.objects.create(
        resource=finding.resource, check_row=check, backup=check.backup, status=TrialStatus.FAILED if fault else TrialStatus.PASSED,
        wanted=level, reached=None if fault else level, queued_at=begun, started_at=begun, finished_at=ended,
        place={"live": "/srv/live", "beside": "/srv/scratch/secret-path"}, steps=steps, sentence=said,
        fault=fault.value if fault else "", advice=advice_for(fault, what) if fault else "",
        recovery_ms=None if fault else int(minutes * 60_000), tidied_at=ended + timedelta(minutes=1),
    )  # fmt: skip


def make_ready(
    by: User,
    resources: Sequence[Resource],
    *,
    failing: Collection[str] = (),
    fault: Fault = Fault.DIFFERS,
    on: date = ON,
    **facts: Any,
) -> Checkup:
    """A checkup of these resources that waits to be signed; those with the names of ``failing`` failed."""
    checkup = make_checkup(by, on=on, **facts)
    for resource in resources:
        make_found(checkup, resource, fault=fault if resource.name in failing else None)
    return checkup


def make_signed(by: User, second: User, resources: Sequence[Resource], **facts: Any) -> Checkup:
    """The same, signed by both."""
    checkup = make_ready(by, resources, **facts)
    moment = AT.replace(year=checkup.on.year, month=checkup.on.month, day=checkup.on.day) + timedelta(days=1)
    for person in (by, second):
        digest = content_digest(checkup)
        checkup = sign(by=person, checkup=checkup, digest=digest, statement=STATEMENT, now=moment)
    return checkup
