"""Work that a provider does: a machine of the simulated AWS, backed up, copied, restored and undone by sleeping rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.deleting import mark_deleting, remove_copy
from backups.actions.discovering import discover_region
from backups.actions.givingup import adopt_stored
from backups.actions.locking import locked_resource
from backups.actions.presence import check_presence
from backups.actions.providerlook import check_provider_region
from backups.actions.registering import register_resource
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup, queue_backup
from backups.actions.verifying import verify_copy
from backups.actions.waiting import wake
from backups.drivers.base import DriverError, Mode
from backups.findings import Code
from backups.models import (
    Account,
    AccountRegion,
    Backup,
    BackupOrigin,
    BackupStatus,
    Copy,
    CopyState,
    Finding,
    Resource,
    ResourceState,
)
from backups.proof import Proof
from portal.errors import InvalidInput
from restores.actions.cleaning import clean_up
from restores.actions.performing import perform_restore
from restores.actions.sweeping import sweep_restores
from restores.actions.undoing import perform_undo, request_undo
from restores.models import AttemptStatus, RestoreRequest
from restores.workflow import Status
from tests.app.world import HOME, OTHER, World, approved, filed, taken
from tests.drivers import aws
from tests.drivers.aws import answered, refusal
from tests.fixtures_aws import account, driven, ec2, machine

pytestmark = pytest.mark.slow  # a simulated AWS

__all__ = ["account", "ec2", "machine"]


@pytest.fixture
def resource(world: World, machine: str) -> Resource:
    """Registered; its first backup is queued."""
    return register(world, "ec2", machine)


def register(world: World, kind: str, machine: str, **how: str) -> Resource:
    return register_resource(
        by=world.it,
        application=world.application,
        name=how.pop("name", f"{kind}-1"),
        kind=kind,
        environment="staging",
        home_region=how.pop("home", HOME),
        other_region=how.pop("other", OTHER),
        settings={"account": "hosting", "region": HOME, "machine": machine, **how},
    )


def snapshots(region: str = HOME) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("ec2", region).describe_snapshots(OwnerIds=["self"])["Snapshots"]
    return found


def hold_back(kind: str, status: str, region: str = HOME) -> None:
    """What was made a moment ago is still at it, as it is with AWS."""
    with aws.rows("ec2", region) as backend:
        for one in getattr(backend, kind).values():
            one.status = status


def finished(resource: Resource) -> Backup:
    return taken(resource.backups.get())


def attached(ec2: Any, machine: str) -> dict[str, str]:
    found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [machine]}])["Volumes"]
    return {one["Attachments"][0]["Device"]: one["VolumeId"] for one in found}


# Backing up


def test_a_backup_sleeps_while_aws_makes_the_snapshots(resource: Resource) -> None:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    hold_back("snapshots", "pending")
    for _ in range(2):
        perform_backup(backup.pk)
        backup.refresh_from_db()
        assert (backup.status, backup.heartbeat_at) == (BackupStatus.RUNNING, None)
        assert backup.wakes_at is not None and backup.wakes_at > timezone.now()
        assert backup.waits_for.startswith("AWS makes 3 snapshots in eu-central-1")
    later = timezone.now() + timedelta(hours=20)
    sweep_backups(later, lost_before=later - timedelta(minutes=5))
    backup.refresh_from_db()
    assert backup.status == BackupStatus.RUNNING, "asleep is not dead, and not stalled"
    hold_back("snapshots", "completed")
    perform_backup(backup.pk)
    backup.refresh_from_db()
    assert (backup.status, backup.wakes_at, backup.waits_for) == (BackupStatus.FINISHED, None, "")
    assert backup.summary == {"volumes": 3, "GiB": 38}
    copy = backup.copies.get()
    assert sorted(copy.kept["parts"]) == ["/dev/sda1", "/dev/sdf", "/dev/sdg"]
    assert sorted(copy.kept["parts"].values()) == sorted(one["SnapshotId"] for one in snapshots())
    assert copy.stored_bytes > 38 << 30, "what AWS keeps counts"
    assert copy.proof_level is Proof.PRESENT


def test_only_one_of_two_workers_asks(resource: Resource) -> None:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    assert Backup.objects.filter(pk=backup.pk, wakes_at__isnull=False).exists()
    rows = Backup.objects.filter(pk=backup.pk, status=BackupStatus.RUNNING)
    assert wake(rows, timezone.now())
    assert not wake(rows, timezone.now())
    perform_backup(backup.pk)  # awake: somebody else's
    assert rows.filter(wakes_at__isnull=True).exists()
    assert len(snapshots()) == 3


def test_what_aws_never_finishes_is_given_up_and_said(resource: Resource) -> None:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    hold_back("snapshots", "pending")
    perform_backup(backup.pk)
    later = timezone.now() + timedelta(days=6)
    sweep_backups(later, lost_before=later - timedelta(minutes=5))
    backup.refresh_from_db()
    assert backup.status == BackupStatus.FAILED
    assert backup.error.startswith("The provider has not finished it for 5\N{NO-BREAK SPACE}d: AWS makes 3 snapshots")


def test_a_snapshot_that_fails_is_a_failed_backup_worth_trying_again(resource: Resource) -> None:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    hold_back("snapshots", "error")
    perform_backup(backup.pk)
    backup.refresh_from_db()
    assert (backup.status, backup.worth_retrying) == (BackupStatus.FAILED, True)
    assert "could not complete 3 snapshots" in backup.error


# The other region


def test_the_copy_in_the_other_region_sleeps_and_replaces_the_older_one_only_when_complete(resource: Resource) -> None:
    finished(resource)
    Backup.objects.update(taken_at=timezone.now() - timedelta(days=70))
    copied(resource)
    old = {one["SnapshotId"] for one in snapshots(OTHER)}
    assert len(old) == 3
    moment = timezone.now() - timedelta(days=32)
    newer = queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=moment)
    taken(newer)
    Backup.objects.filter(pk=newer.pk).update(taken_at=moment)
    copy_to_other_region(resource.pk)
    copy = Copy.objects.get(backup=newer, region=OTHER)
    assert copy.state == CopyState.WRITING
    with aws.rows("ec2", OTHER) as backend:
        for one in backend.snapshots.values():
            if one.id not in old:
                one.status = "pending"
    continue_copy(copy.pk)
    copy.refresh_from_db()
    assert (copy.state, copy.wakes_at is not None) == (CopyState.WRITING, True)
    assert old < {one["SnapshotId"] for one in snapshots(OTHER)}, "the older one stays until the new one is complete"
    hold_back("snapshots", "completed", OTHER)
    continue_copy(copy.pk)
    copy.refresh_from_db()
    assert (copy.state, copy.proof_level) == (CopyState.PRESENT, Proof.PRESENT)
    assert {one["SnapshotId"] for one in snapshots(OTHER)} == set(copy.kept["parts"].values())
    assert len(snapshots(HOME)) == 6


def copied(resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    for copy in Copy.objects.filter(backup__resource=resource, wakes_at__isnull=False):
        continue_copy(copy.pk)


def test_deleting_a_copy_deletes_its_snapshots_and_no_others(resource: Resource) -> None:
    backup = finished(resource)
    other = taken(queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None))
    copy = backup.copies.get()
    with transaction.atomic():
        mark_deleting(locked_resource(resource.pk), [copy], timezone.now())
    remove_copy(copy, timezone.now)
    copy.refresh_from_db()
    assert copy.state == CopyState.DELETED
    assert {one["SnapshotId"] for one in snapshots()} == set(other.copies.get().kept["parts"].values())


def test_a_snapshot_that_somebody_deleted_is_a_damaged_backup(resource: Resource, ec2: Any) -> None:
    copy = finished(resource).copies.get()
    assert verify_copy(copy)
    copy.refresh_from_db()
    assert (copy.proof_level, copy.checksum_at is not None) == (Proof.PRESENT, True), "AWS shows nobody the bytes"
    ec2.delete_snapshot(SnapshotId=copy.kept["parts"]["/dev/sdf"])
    assert not verify_copy(copy)
    copy.refresh_from_db()
    assert copy.state == CopyState.DAMAGED
    assert f"AWS has no snapshot {copy.kept['parts']['/dev/sdf']} (/dev/sdf) in eu-central-1" in copy.damage


# What AWS has, and what the portal knows


@pytest.fixture
def region(account: Account) -> AccountRegion:
    return account.regions.select_related("account").get(name=HOME)


def test_the_nightly_look_finds_what_is_lost(resource: Resource, ec2: Any, region: AccountRegion) -> None:
    copy = finished(resource).copies.get()
    seen = check_provider_region(region)
    assert (seen.copies, seen.missing, seen.strays) == (1, 0, 0)
    ec2.delete_snapshot(SnapshotId=copy.kept["parts"]["/dev/sdg"])
    seen = check_provider_region(region)
    assert (seen.copies, seen.missing, seen.strays) == (0, 1, 0)
    copy.refresh_from_db()
    assert copy.state == CopyState.DAMAGED
    assert not Backup.objects.good().exists()


def test_what_a_failed_backup_left_is_removed_after_a_day(resource: Resource, region: AccountRegion) -> None:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    assert check_provider_region(region).strays == 0, "it is being made"
    hold_back("snapshots", "error")
    perform_backup(backup.pk)
    check_provider_region(region)
    assert len(snapshots()) == 3, "its worker may still live"
    check_provider_region(region, clock=lambda: timezone.now() + timedelta(hours=25))
    assert snapshots() == []


def test_what_nobody_knows_is_told_and_never_deleted(resource: Resource, region: AccountRegion) -> None:
    copy = finished(resource).copies.get()
    Copy.objects.all().delete()
    Backup.objects.all().delete()  # the portal's database was set back
    assert check_presence()[1] == []
    finding = Finding.objects.open().get(code=Code.STRAY.value, subject=f"AWS {aws.NUMBER} {HOME}")
    assert "3 snapshots or copies with the portal's tags" in finding.sentence
    assert len(snapshots()) == 3 == len(copy.kept["parts"])


def test_an_account_that_refuses_says_nothing_about_its_copies(resource: Resource, region: AccountRegion) -> None:
    copy = finished(resource).copies.get()
    with answered("ec2", "DescribeSnapshots", refusal("UnauthorizedOperation")):
        _, away = check_presence()
    assert away == [
        f"The AWS account hosting does not let the portal call ec2:DescribeSnapshots in {name}. Add it to the portal's policy"
        " there: “manage.py aws_policy” prints what is needed."
        for name in (HOME, OTHER)
    ]
    copy.refresh_from_db()
    assert copy.state == CopyState.PRESENT
    assert set(Finding.objects.open().filter(code=Code.REGION_AWAY.value).values_list("subject", flat=True)) == {
        f"AWS {aws.NUMBER} {HOME}", f"AWS {aws.NUMBER} {OTHER}"
    }  # fmt: skip
    check_presence()
    assert not Finding.objects.open().filter(code=Code.REGION_AWAY.value).exists()


# Restoring


def carried_out(request: RestoreRequest) -> RestoreRequest:
    perform_restore(request.pk)
    return driven(request)


def test_in_place_and_undo(world: World, resource: Resource, ec2: Any, machine: str) -> None:
    backup = finished(resource)
    before = attached(ec2, machine)
    request = carried_out(approved(world, filed(world, backup)))
    assert request.status == Status.COMPLETED.value
    now = attached(ec2, machine)
    assert set(now) == set(before)
    assert not set(now.values()) & set(before.values())
    assert (
        ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    )
    originals = ec2.describe_volumes(VolumeIds=sorted(before.values()))["Volumes"]
    assert {one["State"] for one in originals} == {"available"}, "the originals are kept"
    attempt = request.attempts.get()
    assert "AWS shows nobody what is in them" in attempt.proof
    assert attempt.copy is not None
    assert attempt.copy.proof_level is Proof.RESTORED
    perform_undo(request_undo(by=world.it, request=request, reason="The wrong day.").pk)
    request = driven(request)
    assert request.status == Status.UNDONE.value
    assert attached(ec2, machine) == before


def test_a_restore_sleeps_while_volumes_are_made_and_its_steps_are_done_once(
    world: World, resource: Resource, ec2: Any, making: list[str]
) -> None:
    request = approved(world, filed(world, finished(resource)))
    making[0] = "creating"
    perform_restore(request.pk)
    attempt = request.attempts.get()
    assert (attempt.status, attempt.wakes_at is not None, attempt.heartbeat_at) == (AttemptStatus.RUNNING, True, None)
    assert attempt.waits_for == "AWS makes 3 volumes of the snapshots."
    assert [step.name for step in attempt.steps.all()] == ["preflight", "pin", "restore"]
    assert attempt.steps.get(name="restore").sentence == attempt.waits_for
    later = timezone.now() + timedelta(hours=20)
    sweep_restores(later, lost_before=later - timedelta(minutes=5))
    attempt.refresh_from_db()
    assert attempt.status == AttemptStatus.RUNNING, "asleep is not dead"
    making[0] = ""
    request = driven(request)
    assert request.status == Status.COMPLETED.value
    names = [step.name for step in attempt.steps.all()]
    assert names == ["preflight", "pin", "restore", "verify", "stop_writers", "swap", "health", "hand_over"]
    assert len(ec2.describe_volumes()["Volumes"]) == 6, "three volumes were made, once"


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Says what state the simulated AWS gives to volumes that were made of snapshots; empty: its own."""
    from moto.ec2.models.elastic_block_store import Volume

    original, state = Volume.status.fget, [""]  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Volume, "status", property(lambda self: state[0] if self.snapshot_id and state[0] else original(self))
    )
    return state


def test_a_restore_that_waits_for_ever_is_interrupted_and_cleaned_up(
    world: World, resource: Resource, ec2: Any, machine: str, making: list[str]
) -> None:
    before = attached(ec2, machine)
    request = approved(world, filed(world, finished(resource)))
    making[0] = "creating"
    perform_restore(request.pk)
    later = timezone.now() + timedelta(days=6)
    sweep_restores(later, lost_before=later - timedelta(minutes=5))
    making[0] = ""
    attempt = request.attempts.get()
    assert (attempt.status, attempt.wakes_at) == (AttemptStatus.INTERRUPTED, None)
    assert "the provider has not finished for 5\N{NO-BREAK SPACE}d" in attempt.error
    clean_up(attempt.pk, clock=lambda: later)
    assert attached(ec2, machine) == before
    assert len(ec2.describe_volumes()["Volumes"]) == 3, "its volumes were removed"


def test_what_aws_keeps_is_not_downloaded(world: World, resource: Resource) -> None:
    backup = finished(resource)
    with pytest.raises(InvalidInput, match="beside the live one") as refused:
        filed(world, backup, Mode.EXPORT)
    assert refused.value.field == "mode"


# Registering


def test_its_home_region_is_where_it_is(world: World, machine: str) -> None:
    with pytest.raises(InvalidInput, match="It is in eu-central-1") as refused:
        register(world, "ec2", machine, home=OTHER, other=HOME)
    assert refused.value.field == "home_region"
    AccountRegion.objects.filter(name=OTHER).delete()
    with pytest.raises(InvalidInput, match="no other region") as refused:
        register(world, "ec2", machine)
    assert refused.value.field == "other_region"


def test_a_machine_and_a_volume_of_it_are_not_both_registered(world: World, resource: Resource, machine: str) -> None:
    with pytest.raises(InvalidInput, match="overlaps the resource ec2-1"):
        register(world, "ebs", machine, device="/dev/sdf")


# What must never happen


def test_credentials_of_another_account_condemn_nothing(resource: Resource, region: AccountRegion) -> None:
    copy = finished(resource).copies.get()
    Account.objects.update(role="arn:aws:iam::999999999999:role/haas-backup-portal")
    _, away = check_presence()
    assert all("lead into the account 999999999999, not into" in sentence for sentence in away)
    assert len(away) == 2
    with pytest.raises(DriverError, match="lead into the account"):
        verify_copy(copy)
    discover_region(region.pk)
    discover_region(region.pk)
    copy.refresh_from_db()
    resource.refresh_from_db()
    assert (copy.state, resource.state) == (CopyState.PRESENT, ResourceState.ACTIVE)


def test_what_a_failed_backup_left_whole_is_not_removed_and_is_recorded(
    resource: Resource, region: AccountRegion
) -> None:
    """Its store was away as it was given up."""
    backup = finished(resource)
    Copy.objects.all().delete()
    Backup.objects.update(
        status=BackupStatus.FAILED, error="Its worker stopped.", finished_at=timezone.now() - timedelta(days=2)
    )
    check_provider_region(region)
    assert len(snapshots()) == 3
    backup.refresh_from_db()
    assert adopt_stored(backup)
    backup.refresh_from_db()
    assert backup.status == BackupStatus.FINISHED


def test_a_backup_whose_snapshots_are_gone_is_not_recorded(resource: Resource, ec2: Any) -> None:
    backup = finished(resource)
    gone = backup.copies.get().kept["parts"]["/dev/sdf"]
    Copy.objects.all().delete()
    Backup.objects.update(
        status=BackupStatus.FAILED, error="Its worker stopped.", finished_at=timezone.now() - timedelta(days=2)
    )
    ec2.delete_snapshot(SnapshotId=gone)
    backup.refresh_from_db()
    adopt_stored(backup)
    backup.refresh_from_db()
    assert backup.status == BackupStatus.FAILED


def test_two_volumes_of_one_machine_are_not_exchanged_at_once(
    world: World, ec2: Any, machine: str, making: list[str]
) -> None:
    requests = []
    for name, device in (("one", "/dev/sdf"), ("two", "/dev/sdg")):
        made = register(world, "ebs", machine, device=device, name=name)
        requests.append(approved(world, filed(world, finished(made))))
    making[0] = "creating"
    for request in requests:
        perform_restore(request.pk)
    making[0] = ""
    assert [request.attempts.count() for request in requests] == [1, 0], "the second waits for the first"
    assert driven(requests[0]).status == Status.COMPLETED.value
    assert carried_out(requests[1]).status == Status.COMPLETED.value
    assert (
        ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    )
