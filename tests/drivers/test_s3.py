"""What only regions in S3 have: parts, connections that break, answers that are refusals, versions, dead writers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from backups.stores.base import NotStored, NotThere, StoredObject, StoreError, StoreFull
from backups.stores.directory import DirectoryStore
from backups.stores.s3 import S3Store, settings
from backups.stores.s3.place import PART
from backups.stores.s3.writing import PARTS_OF_ONE_SIZE, part_size
from tests.drivers import aws
from tests.drivers.buckets import (
    Wire,
    answer,
    losing_the_first_answer,
    moto_bucket,
    moto_store,
    on_sending,
    refusing,
    swift_store,
    uploads,
    versions,
)
from tests.drivers.swift import SwiftServer

pytestmark = pytest.mark.slow  # a real server of S3's protocol; every day directories are asked the same

ROOT = Path(__file__).resolve().parents[2]
SWIFT = pytest.param("swift", marks=pytest.mark.xdist_group("swift"))


@pytest.fixture(params=["aws", SWIFT])
def store(request: pytest.FixtureRequest) -> S3Store:
    return moto_store() if request.param == "aws" else swift_store(request.getfixturevalue("swift"))


def put(store: S3Store | DirectoryStore, key: str, content: bytes = b"content") -> None:
    with store.writer(key) as writer:
        writer.write(content)
        assert writer.commit() == len(content)


def read(store: S3Store, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


# Writing


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1])
def test_every_size_around_a_part_comes_back(store: S3Store, size: int) -> None:
    content = os.urandom(1 << 20) * (size >> 20) + os.urandom(size & 0xFFFFF)
    put(store, "a/b", content)
    assert store.stat("a/b") == StoredObject("a/b", size)
    assert read(store, "a/b") == content
    assert uploads(store) == []


@pytest.mark.xdist_group("swift")
def test_many_small_writes_and_a_buffer_that_is_reused(swift: SwiftServer) -> None:
    store, buffer = swift_store(swift), bytearray(700_001)
    with store.writer("key") as writer:
        for number in range(130):
            buffer[:] = bytes([number]) * len(buffer)
            writer.write(memoryview(buffer))
        assert writer.commit() == 130 * len(buffer)
    assert read(store, "key") == b"".join(bytes([number]) * len(buffer) for number in range(130))


def test_parts_grow_so_that_ten_thousand_hold_more_than_a_terabyte() -> None:
    sizes = [part_size(number) for number in range(1, 10_001)]
    assert sizes[:PARTS_OF_ONE_SIZE] == [PART] * PARTS_OF_ONE_SIZE
    assert sizes == sorted(sizes)
    assert sum(sizes) > 1.6 * (1 << 40)
    assert sizes[-1] < 5 << 30


def test_leaving_without_commit_gives_the_parts_up(store: S3Store) -> None:
    with pytest.raises(ZeroDivisionError), store.writer("a/b") as writer:
        writer.write(bytes(2 * PART + 1))
        assert uploads(store) == ["portal/regions/a/b"]
        assert list(store.list()) == []
        raise ZeroDivisionError
    assert uploads(store) == []
    assert store.stat("a/b") is None


def test_of_two_writers_of_one_key_the_last_to_commit_stays_whole(store: S3Store) -> None:
    with store.writer("key") as slow, store.writer("key") as quick:
        slow.write(bytes(PART + 10))
        quick.write(b"quick")
        assert quick.commit() == 5
        assert read(store, "key") == b"quick"
        assert slow.commit() == PART + 10
    assert read(store, "key") == bytes(PART + 10)
    assert uploads(store) == []


def test_a_part_that_fails_fails_the_object(store: S3Store) -> None:
    with (
        refusing(store, "UploadPart", 403, "AccessDenied"),
        pytest.raises(StoreError, match="does not let the portal call s3:PutObject at s3://"),
        store.writer("key") as writer,
    ):
        for _ in range(20):
            writer.write(bytes(PART))
        writer.commit()
    assert uploads(store) == []
    assert store.stat("key") is None


@pytest.mark.parametrize("operation", ["PutObject", "UploadPart"])
def test_being_asked_to_slow_down_is_obeyed(store: S3Store, operation: str) -> None:
    with refusing(store, operation, 503, "SlowDown", times=1) as seen:
        put(store, "key", bytes(PART + 1 if operation == "UploadPart" else 10))
    assert len(seen) >= 2


def test_being_asked_to_slow_down_for_ever_is_for_another_time(store: S3Store) -> None:
    with refusing(store, "PutObject", 503, "SlowDown"), pytest.raises(StoreError, match="more slowly") as slow:
        put(store, "key")
    assert slow.value.retry
    assert "north" in slow.value.sentence


@pytest.mark.parametrize(("status", "code"), [(403, "QuotaExceeded"), (507, "InsufficientStorage")])
def test_a_quota_is_a_full_store(store: S3Store, status: int, code: str) -> None:
    with refusing(store, "PutObject", status, code), pytest.raises(StoreFull, match="north has no room left") as full:
        put(store, "key")
    assert full.value.retry
    assert list(store.list()) == []


def test_a_lost_answer_to_the_last_request_loses_no_object(store: S3Store) -> None:
    with losing_the_first_answer(store, "CompleteMultipartUpload"):
        put(store, "key", bytes(PART + 1))
    assert store.stat("key") == StoredObject("key", PART + 1)


@pytest.mark.xdist_group("swift")
def test_what_was_changed_on_its_way_is_not_taken(swift: SwiftServer) -> None:
    store = swift_store(swift)

    def change(request: Any, **other: object) -> None:
        request.body = b"C" + b"ontent"

    store.place.client.meta.events.register("before-send.s3.PutObject", change)
    try:
        with pytest.raises(StoreError):
            put(store, "key")
    finally:
        store.place.client.meta.events.unregister("before-send.s3.PutObject", change)
    assert store.stat("key") is None


CHILD = """
import os, sys, time
from backups.stores.s3 import S3Store
store = S3Store(*sys.argv[1:])
with store.writer("a/b") as writer:
    writer.write(bytes(5 * (32 << 20) + 1))  # the fifth part waits until one has arrived
    print("under way", flush=True)
    time.sleep(600)
"""


def test_a_writer_that_is_killed_leaves_nothing_visible_and_the_sweep_the_rest(store: S3Store) -> None:
    place = store.place
    arguments = (place.region, place.bucket, place.prefix, place.aws_region, place.endpoint)
    put(store, "other")
    with subprocess.Popen([sys.executable, "-c", CHILD, *arguments], cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"under way\n"
        child.send_signal(signal.SIGKILL)
    assert store.stat("a/b") is None
    assert [one.key for one in store.list()] == ["other"]
    assert uploads(store) == ["portal/regions/a/b"]
    assert store.sweep(3_600, now=time.time()) == 0
    assert store.sweep(3_600, now=time.time() + 3_700) == 1
    assert uploads(store) == []
    assert read(store, "other") == b"content"


def test_the_sweep_leaves_other_prefixes_alone(store: S3Store) -> None:
    place = store.place
    place.client.create_multipart_upload(Bucket=place.bucket, Key="elsewhere/key")
    assert store.sweep(0, now=time.time() + 60) == 0
    assert uploads(store) == ["elsewhere/key"]


def test_the_sweep_of_a_bucket_that_is_not_ours_touches_nothing(store: S3Store) -> None:
    place = store.place
    place.client.create_multipart_upload(Bucket=place.bucket, Key="portal/regions/key")
    place.client.delete_object(Bucket=place.bucket, Key="portal/regions/.region")
    with pytest.raises(NotThere):
        store.sweep(0, now=time.time() + 60)
    assert uploads(store) == ["portal/regions/key"]


# Reading


@pytest.fixture
def wired(swift: SwiftServer) -> Any:
    """A region and the wire to it, with an object of 24 MiB."""
    direct = swift_store(swift)
    with Wire(swift.endpoint) as wire:
        place = direct.place
        store = S3Store("north", place.bucket, place.prefix, place.aws_region, wire.endpoint)
        put(direct, "key", CONTENT)
        yield direct, store, wire


CONTENT = os.urandom(24 << 20)


@pytest.mark.xdist_group("swift")
def test_a_connection_that_breaks_is_taken_up_where_it_broke(wired: tuple[S3Store, S3Store, Wire]) -> None:
    _, store, wire = wired
    wire.cut_after = [5 << 20, 7 << 20, 1 << 20]
    with store.open("key") as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == CONTENT
    assert wire.cut_after == []
    assert wire.connections >= 4


@pytest.mark.xdist_group("swift")
def test_who_looks_at_the_beginning_fetches_no_more_and_who_leaves_early_waits_for_nothing(
    wired: tuple[S3Store, S3Store, Wire],
) -> None:
    _, store, wire = wired
    with store.open("key") as file:
        assert file.read(1000) == CONTENT[:1000]
        assert wire.connections == 1
        assert file.read(3 << 20)
        file.read(10)
    assert file.closed
    with store.open("key") as file:
        assert file.read() == CONTENT


@pytest.mark.xdist_group("swift")
def test_what_was_replaced_meanwhile_is_never_mixed(wired: tuple[S3Store, S3Store, Wire]) -> None:
    direct, store, wire = wired
    wire.cut_after = [5 << 20]
    with store.open("key") as file:
        file.read(1000)
        put(direct, "key", CONTENT[::-1])
        with pytest.raises(StoreError, match="was replaced while it was read") as replaced:
            file.read()
        with pytest.raises(StoreError, match="was replaced while it was read"):
            file.read(1)  # never on behind a gap
    assert replaced.value.retry


@pytest.mark.xdist_group("swift")
def test_what_was_deleted_meanwhile_is_an_error(wired: tuple[S3Store, S3Store, Wire]) -> None:
    direct, store, wire = wired
    wire.cut_after = [5 << 20]
    with store.open("key") as file:
        file.read(1000)
        direct.delete("key")
        with pytest.raises(StoreError):
            file.read()


# Lists, and what is deleted


@pytest.mark.slow
def test_more_objects_than_one_page_lists() -> None:
    store = moto_store()
    names = [f"{number:04}/index.json" for number in range(1_203)]
    place = store.place
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: place.call("PutObject", name, Body=b"x"), names))
    assert [one.key for one in store.list()] == names
    assert [one.key for one in store.list("12")] == names[1_200:]


def test_the_order_is_that_of_directories(tmp_path: Path, store: S3Store) -> None:
    keys = ["a-b", "a.b", "a/b", "a0", "a_b", "aB", "A", "Z/z", "a/b-c", "a/B", "0", "a/b.c", "aa/a", "a-b.c/d"]
    directory = DirectoryStore("north", tmp_path)
    directory.prepare()
    for key in keys:
        put(store, key, key.encode())
        put(directory, key, key.encode())
    for prefix in ("", "a", "a/", "a/b", "A", "x"):
        assert list(store.list(prefix)) == list(directory.list(prefix))


def test_what_others_keep_in_the_bucket_is_not_listed(store: S3Store) -> None:
    place = store.place
    put(store, "a/b")
    for name in ("portal/regions/.hidden", "portal/regions/a b", "portal/regions-old/a", "portal/regions/a/"):
        place.client.put_object(Bucket=place.bucket, Key=name, Body=b"")
    assert [one.key for one in store.list()] == ["a/b"]


def test_what_is_deleted_is_gone_in_all_its_versions(store: S3Store) -> None:
    place = store.place
    place.client.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        put(store, "a/b", b"%d" % number)
    put(store, "a/b.c")
    place.client.delete_object(Bucket=place.bucket, Key="portal/regions/a/b")
    assert store.stat("a/b") is None
    store.delete("a/b")
    store.delete("a/b")
    assert versions(store) == ["portal/regions/a/b.c"]
    assert read(store, "a/b.c") == b"content"


def test_a_deletion_that_is_cut_short_brings_no_older_version_back(store: S3Store) -> None:
    place = store.place
    place.client.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        put(store, "a/b", b"%d" % number)
    left = [2]

    def cut(request: Any) -> AWSResponse | None:
        left[0] -= 1
        return None if left[0] >= 0 else answer(request, 403, "AccessDenied")

    with on_sending(store, "DeleteObject", cut), pytest.raises(StoreError):
        store.delete("a/b")
    assert read(store, "a/b") == b"2", "what is there is still the newest"
    store.delete("a/b")
    assert store.stat("a/b") is None


def test_a_clock_that_is_wrong_is_said_to_be(store: S3Store) -> None:
    with (
        refusing(store, "HeadObject", 403, "RequestTimeTooSkewed"),
        pytest.raises(StoreError, match="too far apart") as said,
    ):
        store.stat("a/b")
    assert said.value.retry


def test_a_server_without_versions_deletes_all_the_same(store: S3Store) -> None:
    put(store, "a/b")
    with refusing(store, "ListObjectVersions", 501, "NotImplemented"):
        store.delete("a/b")
    assert store.stat("a/b") is None


def test_a_version_that_may_not_be_deleted_is_told(store: S3Store) -> None:
    put(store, "a/b")
    with (
        refusing(store, "DeleteObject", 403, "AccessDenied"),
        pytest.raises(StoreError, match="s3:DeleteObjectVersion"),
    ):
        store.delete("a/b")


# Regions that are not there


def verbs(store: S3Store) -> list[Callable[[], object]]:
    return [
        lambda: put(store, "a/c"),
        lambda: read(store, "a/x"),
        lambda: store.stat("a/x"),
        lambda: list(store.list()),
        lambda: store.delete("a/b"),
        lambda: store.prepare(expecting="a/b"),
    ]


def test_without_a_mark_nothing_is_written_and_nothing_missing(store: S3Store) -> None:
    put(store, "a/b")
    place = store.place
    place.call("DeleteObject", ".region")
    for verb in verbs(store)[:-1]:
        with pytest.raises(NotThere, match="never prepared, or was emptied"):
            verb()
    store.prepare(expecting="a/b")
    assert read(store, "a/b") == b"content"
    for key in (".region", "a/b"):
        place.call("DeleteObject", key)
    with pytest.raises(NotThere, match="never prepared"):
        store.prepare(expecting="a/b")
    assert place.client.list_objects_v2(Bucket=place.bucket)["KeyCount"] == 0


def test_a_bucket_that_goes_in_the_middle_is_told(store: S3Store) -> None:
    place = store.place
    with pytest.raises(StoreError), store.writer("a/b") as writer:
        writer.write(bytes(10))
        place.call("DeleteObject", ".region")
        place.client.delete_bucket(Bucket=place.bucket)
        writer.commit()
    for verb in verbs(store):
        with pytest.raises(NotThere, match="there is no such bucket"):
            verb()


def test_another_regions_place_is_refused(store: S3Store) -> None:
    place = store.place
    south = S3Store("south", place.bucket, place.prefix, place.aws_region, place.endpoint)
    for verb in (lambda: put(south, "a"), south.prepare, lambda: south.delete("a")):
        with pytest.raises(StoreError, match="holds the region north, not south"):
            verb()


def test_a_missing_object_is_not_a_missing_region(store: S3Store) -> None:
    with pytest.raises(NotStored, match="no object a/b in the region north"):
        store.open("a/b")


def test_two_who_prepare_at_once_agree() -> None:
    bucket = moto_bucket()
    stores = [S3Store("north", bucket, "", aws.HOME, aws.endpoint()) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda store: store.prepare(), stores))
    assert stores[0].stat("a") is None


def test_an_endpoint_that_nobody_answers_is_not_there() -> None:
    aws.endpoint()
    for verb in verbs(S3Store("north", "bucket", "", aws.HOME, "http://127.0.0.1:9")):
        with pytest.raises(NotThere, match="cannot be reached") as away:
            verb()
        assert away.value.retry


@pytest.mark.xdist_group("swift")
def test_wrong_and_missing_credentials_are_told(swift: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> None:
    place = swift_store(swift).place
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    elsewhere = swift.endpoint.replace("127.0.0.1", "localhost")  # another client, made with what is set now
    with pytest.raises(StoreError, match="does not know the portal's credentials"):
        S3Store("north", place.bucket, place.prefix, place.aws_region, elsewhere).stat("a")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(StoreError, match="has no credentials for the region north"):
        S3Store("north", place.bucket, place.prefix, "eu-west-3", elsewhere).stat("a")


# Settings of the bucket


def test_a_bucket_as_it_comes_is_warned_about() -> None:
    told = moto_store().warnings()
    assert any("may be made public" in sentence for sentence in told)
    assert any("keeps no versions" in sentence for sentence in told)
    assert all(sentence.startswith("The bucket backups-") and "the region north" in sentence for sentence in told)


def well_kept() -> S3Store:
    store = moto_store()
    client, bucket = store.place.client, store.place.bucket
    client.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return store


OLD_VERSIONS = {"NoncurrentVersionExpiration": {"NoncurrentDays": 30}}


@pytest.mark.parametrize(
    ("rule", "warned"),
    [
        ({"Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}, "deletes the portal's backups"),
        ({"Filter": {"Prefix": "portal/"}, "Expiration": {"Days": 30}}, "deletes the portal's backups"),
        ({"Filter": {"Prefix": "portal/regions/a"}, "Expiration": {"Days": 30}}, "deletes the portal's backups"),
        (
            {"Filter": {"Prefix": ""}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]},
            "may not be read at once",
        ),
        ({"Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}, ""),
        ({"Filter": {"Prefix": ""}, **OLD_VERSIONS}, ""),
        ({"Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}, **OLD_VERSIONS}, ""),
    ],
)
def test_nobody_else_may_delete_or_move_backups(rule: dict[str, Any], warned: str) -> None:
    store = well_kept()
    assert store.warnings() == ()
    store.place.client.put_bucket_lifecycle_configuration(
        Bucket=store.place.bucket, LifecycleConfiguration={"Rules": [{"ID": "tidy", "Status": "Enabled", **rule}]}
    )
    told = store.warnings()
    assert [warned in sentence for sentence in told] == ([True] if warned else [])


@pytest.mark.xdist_group("swift")
def test_a_server_that_does_not_know_a_setting_says_nothing_of_it(swift: SwiftServer) -> None:
    store = swift_store(swift)
    assert [sentence for sentence in store.warnings() if "keeps no versions" not in sentence] == []
    with refusing(store, "GetBucketVersioning", 400, "InvalidRequest"):
        assert store.warnings() == ()


def test_what_may_not_be_asked_is_said() -> None:
    store = well_kept()
    with refusing(store, "GetBucketEncryption", 403, "AccessDenied"):
        (told,) = store.warnings()
    assert "allow the portal s3:GetEncryptionConfiguration" in told


def test_a_bucket_of_another_region_of_aws_is_no_other_region() -> None:
    """AWS answers for it from wherever it is. What another server calls its regions is its own affair."""
    store = well_kept()
    bucket = store.place.bucket
    assert S3Store("north", bucket, "", aws.HOME, "").warnings() == ()
    (told,) = S3Store("north", bucket, "", aws.AWAY, "").warnings()
    assert f"lies in {aws.HOME} of AWS, not in {aws.AWAY}" in told
    assert S3Store("north", bucket, "", aws.AWAY, aws.endpoint()).warnings() == ()


def test_a_way_that_anybody_can_read_along_is_warned_about() -> None:
    place = replace(well_kept().place, endpoint="http://s3.example.com")
    said = settings.warnings_of(place, [])
    assert "is reached without encryption" in next(said)


def test_what_was_found_is_told_though_not_all_could_be_asked() -> None:
    store = moto_store()
    with refusing(store, "GetBucketVersioning", 503, "SlowDown"):
        told = store.warnings()
    assert any("may be made public" in sentence for sentence in told)
    kept = well_kept()
    with refusing(kept, "GetBucketVersioning", 503, "SlowDown"), pytest.raises(StoreError):
        kept.warnings()


def test_what_the_server_says_it_kept_and_does_not_have_is_an_error() -> None:
    store = moto_store()
    with store.writer("a/b") as writer:
        writer.write(b"content")
        with refusing(store, "HeadObject", 404, "404"), pytest.raises(StoreError, match="does not have it") as raised:
            writer.commit()
    assert raised.value.retry
