"""Buckets on a real server that speaks S3: Swift. It holds conditions that the simulated AWS does not, and has no tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.aws import clients
from backups.aws.accounts import AwsAccount, AwsRegion
from backups.drivers.base import DriverError, Mode
from backups.drivers.bucket import BucketDriver, Pace
from tests.drivers import aws
from tests.drivers.aws import answered
from tests.drivers.case import until_done
from tests.drivers.contract.bench import quiet
from tests.drivers.rooms import prepared
from tests.drivers.swift import SwiftServer

pytestmark = pytest.mark.slow  # a second server of S3's protocol

VAULT = "swift-vault"
ODD = {
    "/leading": b"1", "a//b": b"2", "A/case": b"3", "a/case": b"4", "a/../b": b"5", "ends in a space ": b"6",
    "plus+ &?#%41=~": b"7", "ünïcödé ✓": b"8", "k" * 200: b"9", "empty": b"", "control\x7f": b"10", "tab\tand\nline": b"11",
}  # fmt: skip


@pytest.fixture
def server(swift: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SwiftServer]:
    """Swift for S3; who one is tells the simulated AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint())
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", swift.endpoint)
    for name, value in (("AWS_ACCESS_KEY_ID", "portal:portal"), ("AWS_SECRET_ACCESS_KEY", "s3cret-of-tests")):
        monkeypatch.setenv(name, value)
    clients.forget_clients()
    yield swift
    clients.forget_clients()


def number_of_credentials(region: str) -> str:
    """Which account the simulated AWS takes Swift's credentials for."""
    import botocore.session

    return str(botocore.session.Session().create_client("sts", region_name=region).get_caller_identity()["Account"])


def make(s3: Any, name: str, region: str, *, versions: bool = True) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    if versions:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def test_a_bucket_is_backed_up_restored_and_exchanged_on_a_real_server(server: SwiftServer, tmp_path: Path) -> None:
    s3, region = server.client(), server.location
    for name in (VAULT, "swift-live"):
        make(s3, name, region)
    for key, body in ODD.items():
        s3.put_object(Bucket="swift-live", Key=key, Body=body, ContentType="text/x-odd", Metadata={"owner": "shop"})
    s3.put_object(Bucket="swift-live", Key="large", Body=b"0123456789abcdef" * (11 << 16), Metadata={"large": "yes"})
    account = AwsAccount("swift", number_of_credentials(region), regions={region: AwsRegion(region, vault=VAULT)})
    driver = BucketDriver(aws.KnownAccounts({"swift": account}), pace=Pace(piece=5 << 20, threads=4))
    settings = {"account": "swift", "region": region, "bucket": "swift-live", "tags": "none"}
    assert driver.check(settings).sentence.endswith("it keeps versions")
    store = prepared("here", tmp_path / "store")

    def taken(token: str) -> StoredArtefact:
        with ArtefactWriter(store, token, kind="s3", header={}) as writer:
            done = until_done(lambda: driver.take(settings, writer, quiet))
            return StoredArtefact(store, token, writer.finish(done), done.kept)

    artefact = taken("r/one")
    assert artefact.kept is not None
    driver.kept.check(settings, artefact.kept)
    assert {entry["key"] for entry in artefact.manifest()} == {*ODD, "large"}
    copied: list[str] = []
    with answered("s3", "CopyObject", lambda request, **_: copied.append(request.url)):
        taken("r/two")
    assert copied == []
    s3.put_object(Bucket="swift-live", Key="a//b", Body=b"changed")
    s3.put_object(Bucket="swift-live", Key="new", Body=b"new")
    s3.delete_object(Bucket="swift-live", Key="empty")
    place = driver.place(settings, "rr-1-1-abcdef", Mode.IN_PLACE)
    assert driver.preflight(settings, place, Mode.IN_PLACE, artefact, tmp_path)
    until_done(lambda: driver.restore(settings, place, artefact, tmp_path, quiet))
    assert driver.verify(settings, place, artefact, quiet).compared == {"objects": 13}
    place = driver.identify(settings, place)
    driver.swap(settings, place)

    def live() -> dict[str, bytes]:
        found = s3.list_objects_v2(Bucket="swift-live")["Contents"]
        return {one["Key"]: s3.get_object(Bucket="swift-live", Key=one["Key"])["Body"].read() for one in found}

    now = live()
    assert len(now.pop("large")) == 11 << 20
    assert now == ODD
    driver.swap_back(settings, place)
    now = live()
    del now["large"]
    assert now == {key: body for key, body in ODD.items() if key != "empty"} | {"a//b": b"changed", "new": b"new"}
    with pytest.raises(DriverError, match="no longer says which restore it is of"):  # Swift keeps no tags
        driver.discard(settings, place, place.beside)
    for token in ("r/one", "r/two"):
        driver.kept.delete(settings, region, token, None)
    for what in ("objects", "parts", "marks"):
        left = s3.list_object_versions(Bucket=VAULT, Prefix=f"haas/{what}/")
        assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_an_object_that_is_overwritten_while_it_is_copied_is_taken_as_it_is_then(
    server: SwiftServer, tmp_path: Path
) -> None:
    """In a bucket without versions the copy is bound to the ETag that was listed."""
    s3, region = server.client(), server.location
    make(s3, "swift-vault-b", region)
    make(s3, "swift-plain", region, versions=False)
    s3.put_object(Bucket="swift-plain", Key="orders", Body=b"older")
    account = AwsAccount(
        "swift", number_of_credentials(region), regions={region: AwsRegion(region, vault="swift-vault-b")}
    )
    driver = BucketDriver(aws.KnownAccounts({"swift": account}))
    settings = {"account": "swift", "region": region, "bucket": "swift-plain", "tags": "none"}
    written: list[bool] = []

    def overwrites(request: Any, **_: Any) -> None:
        if not written:
            written.append(True)
            s3.put_object(Bucket="swift-plain", Key="orders", Body=b"newer, and longer")

    store = prepared("here", tmp_path / "store")
    with answered("s3", "CopyObject", overwrites), ArtefactWriter(store, "r/1", kind="s3", header={}) as writer:
        taken = driver.take(settings, writer, quiet)
        info = writer.finish(taken)
    assert taken.warnings == ("1 object changed or went while copied, and are as they were a moment later: orders.",)
    [entry] = StoredArtefact(store, "r/1", info, taken.kept).manifest()
    assert entry["size"] == 17
    place = driver.place(settings, "rr-2-1-abcdef", Mode.BESIDE)
    artefact = StoredArtefact(store, "r/1", info, taken.kept)
    driver.restore(settings, place, artefact, tmp_path, quiet)
    driver.verify(settings, place, artefact, quiet)
    assert s3.get_object(Bucket=place.beside, Key="orders")["Body"].read() == b"newer, and longer"
