"""A bucket of the simulated AWS through the portal's own machinery: backed up, copied, restored beside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.providerlook import check_provider_region
from backups.actions.registering import register_resource
from backups.actions.taking import perform_backup
from backups.drivers.base import Mode
from backups.models import Account, AccountRegion, BackupStatus, Copy, CopyState, Resource
from backups.proof import Proof
from portal.errors import InvalidInput
from restores.actions.incidents import arrange
from restores.actions.performing import perform_restore
from restores.models import AttemptStatus
from tests.app.hazard import declared
from tests.app.world import HOME, OTHER, World, approved, filed
from tests.drivers import aws
from tests.drivers.cases.bucket import VAULTS, empty_account, fill, make, make_vaults
from tests.fixtures_aws import account

__all__ = ["account"]
BUCKET = "shop-uploads"


@pytest.fixture
def resource(world: World, account: Account) -> Iterator[Resource]:
    """Registered, with a vault in each region; its first backup is queued."""
    make_vaults()
    for region, vault in VAULTS.items():
        AccountRegion.objects.filter(account=account, name=region).update(vault=vault)
    make(aws.client("s3"), BUCKET, HOME)
    fill(aws.client("s3"), BUCKET)
    try:
        yield register_resource(
            by=world.it,
            application=world.application,
            name="uploads",
            kind="s3",
            environment="staging",
            home_region=HOME,
            other_region=OTHER,
            settings={"account": "hosting", "region": HOME, "bucket": BUCKET},
        )
    finally:
        empty_account()


def content(bucket: str = BUCKET) -> dict[str, bytes]:
    s3 = aws.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def backed_up(resource: Resource) -> Copy:
    backup = resource.backups.get()
    perform_backup(backup.pk)
    backup.refresh_from_db()
    assert (backup.status, backup.error) == (BackupStatus.FINISHED, "")
    assert backup.summary == {"objects": 12}
    return backup.copies.get()


def test_a_backup_its_copy_and_the_nightly_look(resource: Resource, account: Account) -> None:
    copy = backed_up(resource)
    copy_to_other_region(resource.pk)
    there = Copy.objects.get(backup=copy.backup, region=OTHER)
    if there.wakes_at:
        continue_copy(there.pk)
        there.refresh_from_db()
    assert (there.state, there.proof_level) == (CopyState.PRESENT, Proof.PRESENT)
    for region in account.regions.select_related("account"):
        seen = check_provider_region(region)
        assert (seen.copies, seen.missing, seen.strays) == (1, 0, 0)
    s3 = aws.client("s3")
    [lost, *_] = s3.list_objects_v2(Bucket=VAULTS[HOME], Prefix="haas/marks/")["Contents"]
    for one in s3.list_objects_v2(Bucket=VAULTS[HOME], Prefix="haas/marks/")["Contents"]:
        s3.delete_object(Bucket=VAULTS[HOME], Key=one["Key"])
    assert lost
    assert check_provider_region(account.regions.select_related("account").get(name=HOME)).missing == 1
    copy.refresh_from_db()
    assert copy.state == CopyState.DAMAGED


def test_a_restore_stands_beside_and_none_is_offered_in_place(world: World, resource: Resource) -> None:
    copy = backed_up(resource)
    before = content()
    s3 = aws.client("s3")
    s3.put_object(Bucket=BUCKET, Key="orders.csv", Body=b"spoilt")
    newer = content()
    with pytest.raises(InvalidInput, match="A backup of a bucket cannot be restored in place. Have it restored beside"):
        filed(world, copy.backup, Mode.IN_PLACE)
    request = approved(world, filed(world, copy.backup, Mode.BESIDE))
    perform_restore(request.pk)
    attempt = request.attempts.get()
    assert (attempt.status, attempt.error) == (AttemptStatus.COMPLETED, "")
    assert "12 objects" in attempt.proof
    assert content() == newer
    assert content(attempt.place["beside"]) == before


def test_in_an_incident_it_comes_back_beside(world: World, resource: Resource) -> None:
    backed_up(resource)
    incident = declared(world, [resource])
    assert incident.affected.get().mode == Mode.BESIDE
    with pytest.raises(InvalidInput, match="uploads can only be restored beside the live one"):
        arrange(by=world.it, incident=incident, modes={resource.pk: "in_place"})


def test_a_vault_is_no_resource_and_stays_while_backups_lie_in_it(resource: Resource) -> None:
    with pytest.raises(CommandError, match=f"The bucket {BUCKET} is backed up itself"):
        call_command("aws_account", "region", "hosting", HOME, "--vault", BUCKET)
    call_command("aws_account", "region", "hosting", HOME, "--vault", "another-vault")
    call_command("aws_account", "region", "hosting", HOME, "--vault", VAULTS[HOME], "--kms-key", "alias/x")
    call_command("aws_account", "region", "hosting", HOME, "--kms-key", "")
    assert AccountRegion.objects.get(name=HOME).vault == VAULTS[HOME], "what is not named stays"
    backed_up(resource)
    with pytest.raises(CommandError, match=f"Backups lie in {VAULTS[HOME]}"):
        call_command("aws_account", "region", "hosting", HOME, "--vault", "another-vault")
