"""Fixtures of tests with machines and databases in the simulated AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Account, AccountRegion, Discovered
from restores.actions.performing import go_on
from restores.models import Attempt, RestoreRequest
from tests.drivers import aws
from tests.drivers.cases.ec2 import build
from tests.drivers.cases.rds import build as build_rds
from tests.drivers.cases.rds import empty as empty_rds
from tests.factories import Cast

REGIONS = (aws.HOME, aws.AWAY)


@pytest.fixture
def account(transactional_db: None) -> Account:
    """The account, with two regions."""
    aws.endpoint()
    made = Account.objects.create(name="hosting", number=aws.NUMBER, role=aws.ROLE)
    for region in REGIONS:
        AccountRegion.objects.create(account=made, name=region)
    return made


@pytest.fixture
def ec2(account: Account) -> Iterator[Any]:
    """A client of the home region; everything that was made in either is removed afterwards."""
    yield aws.client("ec2")
    for region in REGIONS:
        _empty(aws.client("ec2", region))


def _empty(there: Any) -> None:
    for reservation in there.describe_instances()["Reservations"]:
        for found in reservation["Instances"]:
            if found["State"]["Name"] != "terminated":
                there.terminate_instances(InstanceIds=[found["InstanceId"]])
    for one in there.describe_volumes()["Volumes"]:
        for attached in one["Attachments"]:
            there.detach_volume(VolumeId=one["VolumeId"], InstanceId=attached["InstanceId"])
        there.delete_volume(VolumeId=one["VolumeId"])
    for one in there.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
        there.delete_snapshot(SnapshotId=one["SnapshotId"])


@pytest.fixture
def rds(account: Account) -> Iterator[Any]:
    """A client of the home region; everything that was made in either is removed afterwards."""
    yield aws.client("rds")
    for region in REGIONS:
        empty_rds(region)


@pytest.fixture
def database(rds: Any) -> str:
    """An instance, set up in many ways."""
    return str(build_rds(rds)["DBInstanceIdentifier"])


@pytest.fixture
def machine(ec2: Any) -> str:
    """A machine with three volumes."""
    return build(ec2)


@pytest.fixture
def unregistered(cast: Cast) -> Discovered:
    """A machine that discovery has found; there is none of its name in the simulated AWS."""
    aws.endpoint()
    account = Account.objects.create(name="hosting", number=aws.NUMBER, role=aws.ROLE)
    regions = [AccountRegion.objects.create(account=account, name=name) for name in (aws.HOME, aws.AWAY)]
    now = timezone.now()
    return Discovered.objects.create(
        region=regions[0], kind="ec2", locator=f"hosting/{aws.HOME}/i-0123456789abcdef0", name="<b>web-1</b>",
        settings={"account": "hosting", "region": aws.HOME, "machine": "i-0123456789abcdef0"},
        sentence="i-0123456789abcdef0, running: 3 volumes, 38 GiB", size_bytes=38 << 30,
        tags={"client": "Shopco", "application": "Shop", "environment": "production"}, first_seen_at=now, seen_at=now,
    )  # fmt: skip


def driven(request: RestoreRequest) -> RestoreRequest:
    """Woken until nothing of it sleeps any more."""
    for _ in range(10):
        sleeping = Attempt.objects.filter(request=request, wakes_at__isnull=False).first()
        if sleeping is None:
            break
        go_on(sleeping.pk)
    return RestoreRequest.objects.get(pk=request.pk)
