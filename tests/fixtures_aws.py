"""Fixtures of tests with machines in the simulated AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backups.models import Account, AccountRegion
from tests.drivers import aws
from tests.drivers.cases.ec2 import build

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
def machine(ec2: Any) -> str:
    """A machine with three volumes."""
    return build(ec2)
