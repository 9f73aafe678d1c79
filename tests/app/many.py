"""A company with very many machines and snapshots: rows of the portal, and what they stand for in the simulated AWS."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from backups.models import Account, AccountRegion, Backup, BackupOrigin, BackupStatus, Copy, CopyState, Resource
from backups.models.resource import Environment
from portal.models import Application, Client
from tests.drivers import aws
from tests.drivers.many import make_snapshots

DEVICES = ("/dev/sda1", "/dev/sdf")
BACKUPS = 10
"""Of each machine; each is of two volumes."""


def make_region() -> AccountRegion:
    """The home region of the account."""
    aws.endpoint()
    account = Account.objects.create(name="hosting", number=aws.NUMBER, role=aws.ROLE)
    AccountRegion.objects.create(account=account, name=aws.AWAY)
    return AccountRegion.objects.create(account=account, name=aws.HOME)


def register_machines(machines: Sequence[str]) -> list[Resource]:
    """A resource of each, without the looks and the first backup that registering one by one brings."""
    client, _ = Client.objects.get_or_create(name="Manyco")
    application, _ = Application.objects.get_or_create(client=client, name="All")
    return Resource.objects.bulk_create(
        [
            Resource(
                name=f"machine-{machine}",
                application=application,
                kind="ec2",
                environment=Environment.PRODUCTION,
                home_region=aws.HOME,
                other_region=aws.AWAY,
                locator=f"hosting/{aws.HOME}/{machine}",
                settings={"account": "hosting", "region": aws.HOME, "machine": machine},
            )
            for machine in machines
        ],
        batch_size=500,
    )


def make_copies(snapshots: int) -> list[Copy]:
    """Copies with so many snapshots in the rows of the portal, and these in AWS."""
    machines = -(-snapshots // (BACKUPS * len(DEVICES)))
    now = timezone.now()
    resources = register_machines([f"i-{uuid.uuid4().hex[:17]}" for _ in range(machines)])
    backups = Backup.objects.bulk_create(
        [
            Backup(
                resource=resource, status=BackupStatus.FINISHED, origin=BackupOrigin.SCHEDULED, queued_at=at, resend_at=at,
                taken_at=at, started_at=at, finished_at=at, source_bytes=1, stored_bytes=1, checksum="ab" * 32,
            )
            for resource in resources
            for at in (now - timedelta(days=day, hours=1) for day in range(BACKUPS))
        ],
        batch_size=500,
    )  # fmt: skip
    copies = [
        Copy(
            backup=backup, region=aws.HOME, prefix=backup.prefix, state=CopyState.PRESENT, stored_bytes=1,
            created_at=now - timedelta(hours=1),
            kept={"region": aws.HOME, "parts": {device: f"snap-{uuid.uuid4().hex[:17]}" for device in DEVICES}, "size": 1},
        )
        for backup in backups[: -(-snapshots // len(DEVICES))]
    ]  # fmt: skip
    for copy in copies:
        make_snapshots(copy.kept["parts"], token=copy.prefix)
    return Copy.objects.bulk_create(copies, batch_size=500)
