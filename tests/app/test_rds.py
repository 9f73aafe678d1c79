"""Database instances of the simulated AWS in the portal: backed up, copied, restored, undone, found, lost and orphaned."""

from __future__ import annotations

from copy import copy
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.discovering import discover_region
from backups.actions.providerlook import check_provider_region
from backups.actions.registering import register_resource
from backups.actions.taking import perform_backup
from backups.actions.taking_in import take_in
from backups.drivers.base import DriverError
from backups.findings import Code
from backups.models import (
    Account,
    AccountRegion,
    Backup,
    BackupStatus,
    Copy,
    CopyState,
    Discovered,
    Finding,
    RegionCheck,
    Resource,
    ResourceState,
)
from backups.proof import Proof
from portal.errors import Refused
from restores.actions.cleaning import clean_up
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.workflow import Status
from tests.app.world import HOME, OTHER, World, approved, filed
from tests.drivers import aws
from tests.drivers.aws import answered
from tests.drivers.cases.rds import build
from tests.drivers.rdsbench import put, refusal, snapshots
from tests.fixtures_aws import account, database, driven, rds

pytestmark = pytest.mark.slow  # a simulated AWS

__all__ = ["account", "database", "rds"]


@pytest.fixture
def region(account: Account) -> AccountRegion:
    return account.regions.select_related("account").get(name=HOME)


@pytest.fixture
def resource(world: World, database: str) -> Resource:
    """Registered; its first backup is queued."""
    return register_resource(
        by=world.it, application=world.application, name=database, kind="rds", environment="staging", home_region=HOME,
        other_region=OTHER, settings={"account": "hosting", "region": HOME, "instance": database.upper()},
    )  # fmt: skip


def finished(resource: Resource) -> Backup:
    backup = resource.backups.get()
    for _ in range(3):
        perform_backup(backup.pk)
    backup.refresh_from_db()
    assert backup.status == BackupStatus.FINISHED, backup.error
    return backup


def ids(rds: Any) -> dict[str, str]:
    return {one["DBInstanceIdentifier"]: one["DbiResourceId"] for one in rds.describe_db_instances()["DBInstances"]}


def test_a_backup_sleeps_while_rds_makes_the_snapshot_and_is_copied(resource: Resource, database: str) -> None:
    assert resource.locator == f"hosting/{HOME}/{database}"
    backup = resource.backups.get()
    perform_backup(backup.pk)
    put("database_snapshots", status="creating", percent_progress=12)
    perform_backup(backup.pk)
    backup.refresh_from_db()
    assert (backup.status, backup.heartbeat_at) == (BackupStatus.RUNNING, None)
    assert backup.waits_for == f"RDS makes a snapshot of {database} in {HOME}: 12 %."
    put("database_snapshots", status="available")
    perform_backup(backup.pk)
    backup.refresh_from_db()
    assert (backup.status, backup.summary) == (BackupStatus.FINISHED, {"instances": 1, "GiB": 20})
    assert backup.copies.get().proof_level is Proof.PRESENT
    copy_to_other_region(resource.pk)
    away = Copy.objects.get(region=OTHER)
    continue_copy(away.pk)
    away.refresh_from_db()
    assert away.state == CopyState.PRESENT
    assert [one["DBSnapshotIdentifier"] for one in snapshots(OTHER)] == list(away.kept["parts"].values())


def test_in_place_and_undo(world: World, resource: Resource, rds: Any, database: str) -> None:
    original = ids(rds)[database]
    request = approved(world, filed(world, finished(resource)))
    perform_restore(request.pk)
    request = driven(request)
    assert request.status == Status.COMPLETED.value
    attempt = request.attempts.get()
    assert "no rows were compared" in attempt.proof
    assert attempt.copy is not None and attempt.copy.proof_level is Proof.RESTORED
    step = attempt.steps.get(name="stop_writers")
    assert "cannot keep applications off" in step.sentence
    now = ids(rds)
    assert now[database] != original
    assert original in now.values()
    perform_undo(request_undo(by=world.it, request=request, reason="The wrong day.").pk)
    assert driven(request).status == Status.UNDONE.value
    assert ids(rds)[database] == original


def test_an_exchange_that_breaks_leaves_the_original_live_and_says_so(
    world: World, resource: Resource, rds: Any, database: str
) -> None:
    original = ids(rds)[database]
    request = approved(world, filed(world, finished(resource)))
    with answered("rds", "ModifyDBInstance", refusal("SomethingNew", passes=2)):  # fitting, and the first renaming
        perform_restore(request.pk)
        request = driven(request)
    attempt = request.attempts.get()
    assert database not in ids(rds), "nothing has the live name"
    assert request.status == Status.FAILED.value
    assert "The portal could not yet see to it that everything is as it should be; it tries again" in attempt.error
    clean_up(attempt.pk, clock=lambda: timezone.now() + timedelta(minutes=30))
    attempt.refresh_from_db()
    assert attempt.error.endswith("The live data is as it was.")
    assert ids(rds) == {database: original}, "with its name, and nothing beside it"


# Discovery


def test_stopped_ones_are_found_and_taken_in_and_what_cannot_be_says_why(
    world: World, rds: Any, database: str, region: AccountRegion
) -> None:
    rds.stop_db_instance(DBInstanceIdentifier=database)
    rds.create_db_instance_read_replica(DBInstanceIdentifier="shop-replica", SourceDBInstanceIdentifier=database)
    discover_region(region.pk)
    found = {one.name: one for one in Discovered.objects.all()}
    assert found[database].sentence == f"{database}, stopped: MySQL 8.0.36, db.t3.medium, 20 GiB"
    assert (found[database].kind, found[database].size_bytes) == ("rds", 20 << 30)
    assert (
        found["shop-replica"].why_not == f"It is a read replica of {database}, which holds the same. Back that one up."
    )
    with pytest.raises(Refused, match="read replica"):
        take_in(by=world.it, found=found["shop-replica"])
    finding = Finding.objects.open().get(code=Code.UNPROTECTED.value)
    assert finding.sentence.startswith(f"2 database instances in AWS {aws.NUMBER} {HOME} have no backups: ")


def test_two_listings_without_it_flag_it_and_a_refused_one_changes_nothing(
    resource: Resource, rds: Any, database: str, region: AccountRegion
) -> None:
    hours = count(1)

    def looked() -> str:
        later = timezone.now() + timedelta(hours=next(hours))
        discover_region(region.pk, clock=lambda: later)
        resource.refresh_from_db()
        return resource.state

    rds.modify_db_instance(DBInstanceIdentifier=database, NewDBInstanceIdentifier="moved", ApplyImmediately=True)
    with answered("rds", "DescribeDBInstances", refusal("AccessDenied", 403)):
        assert [looked(), looked()] == [ResourceState.ACTIVE, ResourceState.ACTIVE]
    assert [looked(), looked()] == [ResourceState.ACTIVE, ResourceState.VANISHED]
    rds.modify_db_instance(DBInstanceIdentifier="moved", NewDBInstanceIdentifier=database, ApplyImmediately=True)
    assert looked() == ResourceState.ACTIVE


def test_what_the_portal_made_is_nobodys_to_take_in_and_a_live_one_with_its_mark_is(
    rds: Any, database: str, region: AccountRegion
) -> None:
    name = "haas-rr-1-1-abcdef"
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mysql",
        Tags=[{"Key": "haas:restore", "Value": name}],
    )  # fmt: skip
    discover_region(region.pk)
    assert list(Discovered.objects.values_list("name", flat=True)) == [database]
    rds.modify_db_instance(DBInstanceIdentifier=name, NewDBInstanceIdentifier="web-db", ApplyImmediately=True)
    discover_region(region.pk)
    assert Discovered.objects.filter(name="web-db").exists()


# Lost and orphaned snapshots


def test_the_nightly_look_finds_what_is_lost(resource: Resource, rds: Any, region: AccountRegion) -> None:
    stored = finished(resource).copies.get()
    seen = check_provider_region(region)
    assert (seen.copies, seen.missing, seen.strays) == (1, 0, 0)
    [name] = stored.kept["parts"].values()
    rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    seen = check_provider_region(region)
    assert (seen.copies, seen.missing, seen.strays) == (0, 1, 0)
    stored.refresh_from_db()
    assert stored.state == CopyState.DAMAGED


def test_what_ec2_refuses_keeps_nobody_from_looking_at_databases(
    resource: Resource, rds: Any, region: AccountRegion
) -> None:
    stored = finished(resource).copies.get()
    rds.delete_db_snapshot(DBSnapshotIdentifier=next(iter(stored.kept["parts"].values())))
    build(rds, "other-db")
    with answered("ec2", "*", aws.refusal("UnauthorizedOperation")):
        with pytest.raises(DriverError, match="does not let the portal call ec2:DescribeSnapshots"):
            check_provider_region(region)
        discover_region(region.pk)
    stored.refresh_from_db()
    assert stored.state == CopyState.DAMAGED
    assert not RegionCheck.objects.exists(), "no evidence of what was not looked at whole"
    assert [one.locator for one in Discovered.objects.all()] == [f"hosting/{HOME}/other-db"]
    region.refresh_from_db()
    assert region.listed_at is None
    assert Finding.objects.open().filter(code=Code.UNLISTED).exists()


def test_orphans_are_removed_where_their_backup_failed_and_told_where_nobody_knows_them(
    resource: Resource, rds: Any, database: str, region: AccountRegion
) -> None:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    assert check_provider_region(region).strays == 0, "it is being made"
    put("database_snapshots", status="failed")
    perform_backup(backup.pk)
    rds.create_db_snapshot(DBInstanceIdentifier=database, DBSnapshotIdentifier="by-hand")
    check_provider_region(region, clock=lambda: timezone.now() + timedelta(hours=25))
    assert [one["DBSnapshotIdentifier"] for one in snapshots()] == ["by-hand"], "others' are others'"
    tag = {"Key": "haas:copy", "Value": "f/5"}
    rds.create_db_snapshot(DBInstanceIdentifier=database, DBSnapshotIdentifier="orphan", Tags=[tag])
    assert check_provider_region(region).strays == 1
    assert "orphan" in Finding.objects.open().get(code=Code.STRAY.value).sentence
    assert len(snapshots()) == 2, "and is never deleted"


def test_more_of_them_are_listed_by_pages(rds: Any, database: str, region: AccountRegion) -> None:
    build(rds, "other-db")
    with aws.rows("rds") as backend:
        made = backend.databases["other-db"]
        for number in range(110):  # more than RDS gives at once
            backend.databases[f"db-{number}"] = _named(made, f"db-{number}")
    discover_region(region.pk)
    assert Discovered.objects.filter(kind="rds").count() == 112


def _named(made: Any, name: str) -> Any:
    other = copy(made)
    other.db_instance_identifier = name
    return other
