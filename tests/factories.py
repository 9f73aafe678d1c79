"""Rows for tests: a cast of two clients, and resources, backups, copies and requests without any real data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from simple_history.utils import bulk_create_with_history

from backups.drivers.base import Mode
from backups.findings import Code
from backups.models import (
    Audit,
    Backup,
    BackupOrigin,
    BackupStatus,
    Copy,
    CopyState,
    Environment,
    Finding,
    Hold,
    Resource,
    ResourceState,
    RetentionRun,
    RunStatus,
)
from backups.proof import Proof
from portal.models import Application, Client, Membership, User
from portal.roles import Role
from restores.charging import Cause, classify
from restores.models import Attempt, AttemptStatus, Charge, RestoreRequest
from restores.models.approval import Approval
from restores.plan import make_plan, plan_digest
from restores.workflow import Status

PASSWORD = "a-password-for-tests"
_numbers = count(1)


def make_user(username: str, role: Role | None = None, client: Client | None = None, **facts: Any) -> User:
    """A person with at most one role."""
    facts.setdefault("first_name", username.partition("-")[0].title())
    user = User.objects.create_user(username, f"{username}@example.com", PASSWORD, **facts)
    if role is not None:
        Membership.objects.create(user=user, role=role, client=client)
    return user


def make_people(*people: tuple[User, Role | None, Client | None]) -> list[User]:
    """Many people at once, with at most one role each, and their history: in a few statements."""
    users = [user for user, _, _ in people]
    for user in users:
        user.email, user.password = f"{user.username}@example.com", _hashed(PASSWORD)
    bulk_create_with_history(users, User)
    roles = [Membership(user=user, role=role, client=client) for user, role, client in people if role is not None]
    bulk_create_with_history(roles, Membership)
    return users


_hashed = cache(make_password)


@dataclass
class Cast:
    """Two clients, and one person of each role; ``media_…`` are Mediaco's."""

    shopco: Client
    mediaco: Client
    shop: Application
    news: Application
    client: User
    colleague: User
    staff: User
    account_manager: User
    media_client: User
    media_account_manager: User
    it: User
    second_it: User
    auditor: User
    administrator: User
    nobody: User

    @property
    def people(self) -> dict[str, User]:
        """Everybody, by the name they have here."""
        return {field.name: value for field in fields(self) if isinstance(value := getattr(self, field.name), User)}


def make_cast() -> Cast:
    """The cast."""
    shopco, mediaco = Client(name="Shopco"), Client(name="Mediaco")
    bulk_create_with_history([shopco, mediaco], Client)
    shop, news = Application(client=shopco, name="Shop"), Application(client=mediaco, name="News")
    bulk_create_with_history([shop, news], Application)
    people: dict[str, tuple[str, Role | None, Client | None]] = {
        "client": ("clara-of-shopco", Role.CLIENT, shopco),
        "colleague": ("carl-of-shopco", Role.CLIENT, shopco),
        "staff": ("stefan-for-shopco", Role.STAFF, shopco),
        "account_manager": ("anna-for-shopco", Role.ACCOUNT_MANAGER, shopco),
        "media_client": ("max-of-mediaco", Role.CLIENT, mediaco),
        "media_account_manager": ("axel-for-mediaco", Role.ACCOUNT_MANAGER, mediaco),
        "it": ("ivan-of-it", Role.IT, None),
        "second_it": ("iris-of-it", Role.IT, None),
        "auditor": ("udo-auditor", Role.AUDITOR, None),
        "administrator": ("adele-administrator", Role.ADMINISTRATOR, None),
        "nobody": ("noah-without-role", None, None),
    }
    users = make_people(
        *(
            (User(username=username, first_name=username.partition("-")[0].title()), role, client)
            for username, role, client in people.values()
        )
    )
    return Cast(shopco=shopco, mediaco=mediaco, shop=shop, news=news, **dict(zip(people, users, strict=True)))


def make_resource(application: Application, name: str = "", **facts: Any) -> Resource:
    """A resource that exists only as a row."""
    number = next(_numbers)
    facts.setdefault("environment", Environment.PRODUCTION)
    facts.setdefault("kind", "files")
    facts.setdefault("settings", {"path": f"/srv/nowhere/{number}"})
    return Resource.objects.create(
        application=application,
        name=name or f"resource-{number}",
        home_region="eu-central-1",
        other_region="eu-west-1",
        locator=f"/srv/nowhere/{number}",
        **facts,
    )


def make_removed(
    application: Application, name: str = "", *, by: User | None = None, at: datetime | None = None, **facts: Any
) -> Resource:
    """A resource that was removed, as a row."""
    at = at or datetime.now(UTC)
    remover = by or User.objects.filter(memberships__role=Role.IT).first() or make_user(f"remover-{next(_numbers)}")
    return make_resource(
        application, name, state=ResourceState.REMOVED, removed_at=at, removal_asked_at=at, removed_by=remover,
        removal_reason="The application was shut down.", **facts,
    )  # fmt: skip


def make_backup(
    resource: Resource, taken_at: datetime, *, regions: tuple[str, ...] = ("eu-central-1",), **facts: Any
) -> Backup:
    """A finished backup, with a present copy in each of the regions."""
    size = facts.pop("stored_bytes", 1_800_000_000)
    failed = facts.get("status") == BackupStatus.FAILED
    proof = facts.pop("proof", Proof.PRESENT)
    values: dict[str, Any] = {
        "status": BackupStatus.FINISHED,
        "origin": BackupOrigin.SCHEDULED,
        "queued_at": taken_at,
        "resend_at": taken_at,
        "taken_at": taken_at,
        "started_at": taken_at,
        "finished_at": taken_at + timedelta(minutes=4),
        "source_bytes": size * 3,
        "stored_bytes": None if failed else size,
        "checksum": f"{next(_numbers):064x}",
        "summary": {"files": 1203, "directories": 88},
    }
    backup = Backup.objects.create(resource=resource, **(values | facts))
    for region in regions if backup.status == BackupStatus.FINISHED else ():
        Copy.objects.create(
            backup=backup,
            region=region,
            state=CopyState.PRESENT,
            stored_bytes=size,
            proof=proof,
            proven_at=taken_at + timedelta(minutes=4),
            created_at=taken_at + timedelta(minutes=4),
        )
    if backup.is_good and (resource.last_good_at is None or resource.last_good_at < taken_at):
        resource.last_good_at = taken_at
        Resource.objects.filter(pk=resource.pk).update(last_good_at=taken_at)
    return backup


def make_failed_backup(
    resource: Resource, at: datetime, error: str = "The database does not answer.", **facts: Any
) -> Backup:
    """A backup that failed, with its sentence."""
    return make_backup(
        resource,
        at,
        status=BackupStatus.FAILED,
        error=error,
        error_detail="connection refused",
        checksum="",
        source_bytes=None,
        **facts,
    )


def make_open_backup(resource: Resource, queued_at: datetime, *, running: bool = True, **facts: Any) -> Backup:
    """A backup that waits, or is being taken."""
    started = queued_at if running else None
    return Backup.objects.create(
        resource=resource,
        status=BackupStatus.RUNNING if running else BackupStatus.QUEUED,
        origin=BackupOrigin.REQUESTED,
        queued_at=queued_at,
        resend_at=queued_at,
        started_at=started,
        taken_at=started,
        heartbeat_at=started,
        **facts,
    )


def make_hold(backup: Backup, by: User, *, until: date, **facts: Any) -> Hold:
    """A hold that stands."""
    facts.setdefault("reason", "Before the migration.")
    return Hold.objects.create(backup=backup, until=until, placed_by=by, placed_at=datetime.now(UTC), **facts)


def make_request(
    backup: Backup,
    by: User,
    *,
    status: Status = Status.SUBMITTED,
    mode: Mode = Mode.IN_PLACE,
    cause: Cause = Cause.BAD_CHANGE,
    **facts: Any,
) -> RestoreRequest:
    """A request in any status, without the events that would have led there."""
    now = facts.pop("filed_at", datetime.now(UTC))
    resource, classification = backup.resource, classify(cause)
    plan = make_plan(
        resource_id=resource.pk,
        kind=resource.kind,
        locator=resource.locator,
        backup_id=backup.pk,
        checksum=backup.checksum,
        mode=mode,
        classification=classification,
    )
    values: dict[str, Any] = {
        "reason": "The prices were overwritten by an import.",
        "filed_at": now,
        "status_changed_at": now,
    }
    return RestoreRequest.objects.create(
        client=resource.client,
        resource=resource,
        backup=backup,
        mode=mode,
        cause=cause,
        classification=classification,
        plan=plan,
        status=status,
        filed_by=by,
        **(values | facts),
    )


def make_attempt(request: RestoreRequest, by: User, **facts: Any) -> Attempt:
    """A running attempt of the request, with its approval."""
    now = datetime.now(UTC)
    approval = Approval.objects.create(
        request=request, plan=request.plan, plan_digest=plan_digest(request.plan), approved_at=now, approved_by=by
    )
    values: dict[str, Any] = {
        "number": 1, "status": AttemptStatus.RUNNING, "target": request.plan["target"], "asked_by": by, "asked_at": now,
        "started_at": now, "heartbeat_at": now,
        "place": {"live": "/srv/nowhere", "beside": "/srv/.nowhere.restore-t", "kept": "/srv/.nowhere.before-t"},
    }  # fmt: skip
    return Attempt.objects.create(request=request, approval=approval, **(values | facts))


def make_charge(request: RestoreRequest, **facts: Any) -> Charge:
    """A charge to review, of which the client accepted the price."""
    values: dict[str, Any] = {"created_at": datetime.now(UTC), "estimated": Decimal("45.00"), "currency": "EUR"}
    return Charge.objects.create(request=request, client=request.client, **(values | facts))


def make_finding(resource: Resource | None, code: Code = Code.LATE, **facts: Any) -> Finding:
    """An open finding; the resource's broken rules follow it, as the audit would have it."""
    since = facts.pop("since", datetime.now(UTC) - timedelta(days=1))
    values: dict[str, Any] = {
        "sentence": "There is no good backup of the last 26 hours.",
        "advice": "See to the cause, then back it up now.",
        "opened_at": since,
    }
    made = Finding.objects.create(
        resource=resource, rule=code.rule.value, code=code.value, since=since, **(values | facts)
    )
    if resource is not None and made.closed_at is None:
        resource.broken_rules |= code.rule.bit
        Resource.objects.filter(pk=resource.pk).update(broken_rules=resource.broken_rules)
    return made


def make_audit(finished_at: datetime, zone: Any = UTC, **facts: Any) -> Audit:
    """An audit of the whole company in which all was well."""
    values: dict[str, Any] = {
        "day": finished_at.astimezone(zone).date(),
        "started_at": finished_at - timedelta(minutes=1),
        "rules": {"B1": [10, 10], "B2": [10, 10], "B3": [10, 10], "B4": [0, 0]},
        "resources": 10, "copies": 140, "opened": 0, "closed": 0, "open": 0,
    }  # fmt: skip
    return Audit.objects.create(finished_at=finished_at, **(values | facts))


def make_stopped_run(planned_at: datetime) -> RetentionRun:
    """A run of retention that would have deleted too much."""
    return RetentionRun.objects.create(
        status=RunStatus.STOPPED, planned_at=planned_at, copies_before=560, to_delete=210, limit_percent=20
    )
