"""The portal with buckets as its regions, of the simulated AWS: prepared, backed up to, copied, verified, deleted."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backups.actions.copying import copy_to_other_region
from backups.actions.presence import check_presence
from backups.actions.regions import regions_away
from backups.actions.tidying import tidy_regions
from backups.findings import Code
from backups.kinds import store_of
from backups.models import Copy, CopyState, Finding
from backups.proof import Proof
from backups.stores.s3.settings import BLOCKS
from portal.environment import read_environment
from tests.app.world import HOME, OTHER, World, days_ago, make_resource, stored_prefixes
from tests.drivers import aws
from tests.drivers.buckets import moto_bucket


@pytest.fixture
def buckets(settings: Any) -> None:
    """Both regions are buckets, given as an operator gives them."""
    given = ",".join(
        f"{name}=s3://{moto_bucket(region)}/portal?region={region}&endpoint={aws.endpoint()}"
        for name, region in ((HOME, aws.HOME), (OTHER, aws.AWAY))
    )
    settings.STORE_REGIONS = read_environment({"STORE_REGIONS": given})["STORE_REGIONS"]


def prepare() -> str:
    told = io.StringIO()
    call_command("prepare_regions", stdout=io.StringIO(), stderr=told)
    return told.getvalue()


def test_backups_are_kept_in_buckets(world: World, tree: Path, buckets: None) -> None:
    assert len(regions_away()) == 2
    told = prepare()
    assert f"of the region {HOME} keeps no versions" in told
    assert f"of the region {OTHER} may be made public" in told
    assert regions_away() == []
    resource = make_resource(world, tree)
    resource.backups.update(taken_at=days_ago(70))
    copy_to_other_region(resource.pk)
    copy = Copy.objects.get(backup__resource=resource, region=OTHER)
    assert copy.proof == Proof.CHECKSUM
    for region in (HOME, OTHER):
        assert len(stored_prefixes(resource, region)) == 1
    Copy.objects.filter(pk=copy.pk).update(state=CopyState.DELETING)
    tidy_regions()
    assert stored_prefixes(resource, OTHER) == set()


def test_a_bucket_that_is_not_there_is_named(db: None, buckets: None, settings: Any) -> None:
    settings.STORE_REGIONS = {HOME: settings.STORE_REGIONS[HOME].replace("backups-", "none-")}
    with pytest.raises(CommandError, match=f"The region {HOME} is not at s3://none-.* no such bucket"):
        prepare()
    assert store_of(HOME).free_bytes() is None


def test_settings_that_are_not_right_are_found_every_night_until_they_are(
    db: None, buckets: None, settings: Any
) -> None:
    prepare()
    check_presence()
    found = {one.subject: one for one in Finding.objects.open().filter(code=Code.REGION_SETTINGS)}
    assert set(found) == {HOME, OTHER}
    assert f"of the region {HOME} keeps no versions" in found[HOME].sentence
    s3, bucket = aws.client("s3", aws.HOME), settings.STORE_REGIONS[HOME].split("/")[2]
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, True))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encrypted = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=encrypted)
    check_presence()
    assert [one.subject for one in Finding.objects.open().filter(code=Code.REGION_SETTINGS)] == [OTHER]
