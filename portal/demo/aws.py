"""The demo's AWS account, where it is wanted: a simulated one on this machine, which forgets everything when it stops."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
from django.utils import timezone

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.discovering import discover_region
from backups.actions.taking import perform_backup
from backups.actions.taking_in import take_in
from backups.models import Account, AccountRegion, Copy, Discovered, Resource
from portal.demo.cast import MERIDIAN, NORDWIND
from portal.demo.company import HOME_REGION, OTHER_REGION, person
from portal.elsewhere import ENDPOINT, aws_elsewhere
from portal.history import acting
from portal.models import Application, Client
from portal.supervisor.checks import CannotStart
from portal.supervisor.children import Program

NUMBER = "111122223333"
ROLE = f"arn:aws:iam::{NUMBER}:role/haas-backup-portal"
MOST_STEPS = 20
PRIVATE = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)

MACHINES: tuple[tuple[str, dict[str, str], tuple[tuple[str, int, str], ...]], ...] = (
    ("mail-1", {"client": MERIDIAN, "application": "Mail", "environment": "staging"}, (("/dev/sdf", 40, "gp3"),)),
    (
        "shop-web-1",
        {"client": NORDWIND, "application": "Web shop", "environment": "production"},
        (("/dev/sdf", 20, "gp3"),),
    ),
    (
        "shop-search-1",
        {"client": NORDWIND, "application": "Web shop"},
        (("/dev/sdf", 60, "gp3"), ("/dev/sdg", 100, "st1")),
    ),
    ("old-batch", {}, ()),
)
"""Name, tags, and volumes beside the root disk. The first one is taken in and backed up; the last one stands still."""

STOPPED, TAKEN_IN = "old-batch", "mail-1"


DATABASE = {
    "DBInstanceIdentifier": "shop-orders", "Engine": "postgres", "EngineVersion": "16.3", "DBInstanceClass": "db.t3.small",
    "AllocatedStorage": 50, "StorageType": "gp3", "MasterUsername": "orders", "MasterUserPassword": "simulated",
    "DBName": "orders", "BackupRetentionPeriod": 7, "DeletionProtection": True,
}  # fmt: skip
"""An instance of RDS that nobody backs up, and its tags."""
DATABASE_TAGS = {"client": NORDWIND, "application": "Web shop", "environment": "production"}

BUCKET, INVOICES = "shop-invoices", 40
"""A bucket that nobody backs up, and how many objects it holds. Its tags are the database's."""
VAULTS = {HOME_REGION: "simulated-vault-home", OTHER_REGION: "simulated-vault-away"}


def is_wanted() -> bool:
    """Whether this demo has the account."""
    return bool(aws_elsewhere())


def program() -> Program:
    """What the supervisor runs."""
    port = str(urlsplit(os.environ[ENDPOINT]).port)
    argv = (sys.executable, "-m", "portal.demo.awsserver", port)
    return Program("aws", argv, {})


def answers() -> bool:
    """Whether it does."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", urlsplit(os.environ[ENDPOINT]).port or 0)) == 0


def make_account() -> None:
    """What other people have started there; the account in the portal; one of them taken in, backed up and copied."""
    _start()
    with acting(None, "the demo's simulated account"):
        account = Account.objects.create(name="simulated", number=NUMBER, role=ROLE)
        regions = [AccountRegion.objects.create(account=account, name=name, vault=VAULTS[name]) for name in VAULTS]
        Application.objects.create(client=Client.objects.get(name=MERIDIAN), name="Mail")
    for region in regions:
        discover_region(region.pk)
    Discovered.objects.update(first_seen_at=timezone.now() - timedelta(days=2))
    _back_up(take_in(by=person("ivo"), found=Discovered.objects.get(name=TAKEN_IN)))


def _start() -> None:
    session = boto3.Session(region_name=HOME_REGION)
    keys = session.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="demo")["Credentials"]
    inside = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], HOME_REGION)
    _start_machines(inside.client("ec2"))
    inside.client("rds").create_db_instance(**DATABASE, Tags=_as_tags(DATABASE_TAGS))
    _make_buckets(inside)


def _start_machines(ec2: Any) -> None:
    for name, tags, volumes in MACHINES:
        [made] = ec2.run_instances(
            ImageId="ami-12345678", InstanceType="t3.small", MinCount=1, MaxCount=1,
            TagSpecifications=_tagged("instance", {"Name": name, **tags}),
        )["Instances"]  # fmt: skip
        for device, size, kind in volumes:
            _attach(ec2, made, device, size, kind, f"{name} {device}")
        if name == STOPPED:
            ec2.stop_instances(InstanceIds=[made["InstanceId"]])
    zone = f"{HOME_REGION}a"
    ec2.create_volume(
        AvailabilityZone=zone, Size=12, TagSpecifications=_tagged("volume", {"Name": "copy before upgrade"})
    )


def _attach(ec2: Any, machine: Mapping[str, Any], device: str, size: int, kind: str, name: str) -> None:
    zone = machine["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(
        AvailabilityZone=zone, Size=size, VolumeType=kind, TagSpecifications=_tagged("volume", {"Name": name})
    )
    ec2.attach_volume(VolumeId=made["VolumeId"], InstanceId=machine["InstanceId"], Device=device)


def _make_buckets(session: boto3.Session) -> None:
    """The vaults, and one with invoices."""
    for region, name in ((HOME_REGION, BUCKET), *VAULTS.items()):
        s3: Any = session.client("s3", region_name=region)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=PRIVATE)
    s3 = session.client("s3")
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": _as_tags(DATABASE_TAGS)})
    for number in range(1, INVOICES + 1):
        text = f"Invoice {number:04d}\nOne tent, two persons: 249.00 EUR\n"
        s3.put_object(Bucket=BUCKET, Key=f"2026/{number:04d}.txt", Body=text.encode(), ContentType="text/plain")


def _tagged(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": _as_tags(tags)}]


def _as_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _back_up(resource: Resource) -> None:
    """Each step at once: the workers are not there yet."""
    backup = resource.backups.get()
    for _ in range(MOST_STEPS):
        perform_backup(backup.pk)
        backup.refresh_from_db()
        if not backup.is_open:
            break
    if not backup.is_good:
        raise CannotStart(f"The first backup of {resource} failed: {backup.error} {backup.error_detail}")
    copy_to_other_region(resource.pk)
    for copy in Copy.objects.filter(backup=backup, wakes_at__isnull=False):
        continue_copy(copy.pk)
