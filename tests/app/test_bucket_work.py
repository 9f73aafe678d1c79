"""A bucket of the simulated AWS through the portal's own machinery: backed up, copied, restored beside and in place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.providerlook import check_provider_region
from backups.actions.registering import register_resource
from backups.actions.taking import perform_backup
from backups.drivers.base import Mode
from backups.models import Account, AccountRegion, BackupStatus, Copy, CopyState, Resource
from backups.proof import Proof
from portal.errors import Refused
from restores.actions.cleaning import clean_up
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.models import AttemptStatus, RestoreRequest
from restores.workflow import Status
from tests.app.world import HOME, OTHER, World, approved, filed
from tests.drivers import aws
from tests.drivers.aws import answered, refusal
from tests.drivers.cases.bucket import VAULTS, empty_account, fill, make, make_vaults
from tests.fixtures_aws import account

pytestmark = pytest.mark.slow  # a simulated AWS

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


def changed() -> dict[str, bytes]:
    """What is live after applications have written: one object altered, one deleted, one new."""
    s3 = aws.client("s3")
    s3.put_object(Bucket=BUCKET, Key="orders.csv", Body=b"spoilt")
    s3.delete_object(Bucket=BUCKET, Key="page.html")
    s3.put_object(Bucket=BUCKET, Key="new", Body=b"new")
    return content()


def test_a_restore_stands_beside(world: World, resource: Resource) -> None:
    copy = backed_up(resource)
    before, newer = content(), changed()
    request = approved(world, filed(world, copy.backup, Mode.BESIDE))
    perform_restore(request.pk)
    attempt = request.attempts.get()
    assert (attempt.status, attempt.error) == (AttemptStatus.COMPLETED, "")
    assert "12 objects" in attempt.proof
    assert content() == newer
    assert content(attempt.place["beside"]) == before


def test_a_restore_in_place_and_its_undo(world: World, resource: Resource) -> None:
    copy = backed_up(resource)
    before, newer = content(), changed()
    request = approved(world, filed(world, copy.backup, Mode.IN_PLACE))
    perform_restore(request.pk)
    attempt = request.attempts.get()
    assert (attempt.status, attempt.error) == (AttemptStatus.COMPLETED, "")
    assert "12 objects" in attempt.proof
    assert content() == before
    perform_undo(request_undo(by=world.it, request=request, reason="The orders of this morning are needed.").pk)
    request.refresh_from_db()
    assert request.status == Status.UNDONE
    assert content() == newer


def test_an_exchange_that_breaks_is_taken_back_by_the_portal(world: World, resource: Resource) -> None:
    copy = backed_up(resource)
    newer = changed()
    request = approved(world, filed(world, copy.backup, Mode.IN_PLACE))

    def breaks(request: object, **more: object) -> object:
        return refusal("AccessDenied")(request, **more) if f"/{BUCKET}/" in request.url else None  # type: ignore[attr-defined]

    with answered("s3", "DeleteObject", breaks):
        perform_restore(request.pk)
    if (attempt := request.attempts.get()).resend_at is not None:
        clean_up(attempt.pk, clock=lambda: timezone.now() + timedelta(hours=1))
        attempt.refresh_from_db()
    assert (attempt.status, attempt.resend_at, attempt.went_live_at) == (AttemptStatus.FAILED, None, None)
    assert attempt.error.endswith("The live data is as it was.")
    assert content() == newer


def test_an_undo_that_finds_versions_gone_says_which_and_never_that_all_is_as_it_was(
    world: World, resource: Resource
) -> None:
    """As when a lifecycle rule has removed what was live before."""
    copy = backed_up(resource)
    changed()
    s3 = aws.client("s3")
    version = s3.head_object(Bucket=BUCKET, Key="orders.csv")["VersionId"]
    request = approved(world, filed(world, copy.backup, Mode.IN_PLACE))
    perform_restore(request.pk)
    s3.delete_object(Bucket=BUCKET, Key="orders.csv", VersionId=version)
    undo = request_undo(by=world.it, request=request, reason="The orders of this morning are needed.")
    perform_undo(undo.pk)
    undo.refresh_from_db()
    request.refresh_from_db()
    assert (undo.status, request.status) == (AttemptStatus.FAILED, Status.COMPLETED)
    assert (
        "the version that was live is gone or was archived, so what was restored stays there: orders.csv" in undo.error
    )
    told = request.events.latest("pk")
    assert told.text == ("The undo did not take place; it could not be told which data is live; IT has to look")
    with pytest.raises(Refused, match="neither the original nor what this request restored"):
        _again(world, request)


def _again(world: World, request: RestoreRequest) -> None:
    undo = request_undo(by=world.it, request=request, reason="Perhaps now.")
    perform_undo(undo.pk)
    undo.refresh_from_db()
    if undo.status == AttemptStatus.FAILED:
        raise Refused(undo.error)


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
