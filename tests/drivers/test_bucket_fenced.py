"""Exchanges in a live bucket whose worker is frozen, taken for dead, and lives on; and what else stands in their way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from backups.drivers.base import Artefact, DriverError, Mode, Place, Standing
from backups.drivers.bucket import BucketDriver, Pace
from backups.drivers.bucket.vault import Overtaken
from backups.drivers.exchanging import while_held
from tests.drivers import aws
from tests.drivers.aws import answered, body_of, refusal
from tests.drivers.cases.bucket import BucketCase
from tests.drivers.contract.bench import Bench
from tests.drivers.test_bucket import bench, case_of

__all__ = ["bench"]
pytestmark = pytest.mark.slow
VAULT = "acme-vault-central"


def ready(bench: Bench, **pace: Any) -> tuple[BucketCase, BucketDriver, Place, Artefact]:
    """A restore that may be put in place of what was changed since, by a worker whose claim lapses at once."""
    case, artefact = case_of(bench), bench.take()
    case.mutate()
    driver = replace(case.driver, pace=Pace(**{"threads": 1, "lease": 0, **pace}))
    return case, driver, bench.ready(artefact), artefact


def once(act: Callable[[], object], answer: Any = None) -> Callable[..., Any]:
    """For botocore's events: that is done before the first request only, which then gets that answer or goes through."""
    done: list[bool] = []

    def first(request: Any, **_: Any) -> Any:
        if done:
            return None
        done.append(True)
        act()
        return answer(request) if answer else None

    return first


def slow_down(request: Any) -> AWSResponse:
    return AWSResponse(request.url, 503, {}, body_of("<Error><Code>SlowDown</Code><Message>No.</Message></Error>"))


def changed_meanwhile(request: Any) -> AWSResponse:
    text = "<Error><Code>PreconditionFailed</Code><Message>No.</Message></Error>"
    return AWSResponse(request.url, 412, {}, body_of(text))


def body(bench: Bench, key: str) -> bytes:
    answer: bytes = case_of(bench).s3.get_object(Bucket=case_of(bench).bucket, Key=key)["Body"].read()
    return answer


# Another worker


@pytest.mark.parametrize("call", ["CopyObject", "DeleteObject", "PutObjectTagging"])
def test_what_is_sent_again_after_another_has_gone_on_is_not_sent(bench: Bench, call: str) -> None:
    case, driver, place, _ = ready(bench)
    newer = case.snapshot(place.live)
    took_over = once(lambda: driver.swap_back(bench.case.settings, place), slow_down)
    with answered("s3", call, took_over), pytest.raises(Overtaken):
        driver.swap(bench.case.settings, place)
    assert driver.standing(bench.case.settings, place) is Standing.ORIGINAL
    assert case.snapshot(place.live) == newer


def test_a_large_object_is_not_completed_after_another_has_gone_on(bench: Bench) -> None:
    case, settings = case_of(bench), bench.case.settings
    for letter in (b"a", b"b"):
        case.s3.put_object(Bucket=case.bucket, Key="large", Body=letter * (6 << 20))
        if letter == b"a":
            artefact = bench.take()
    driver = replace(case.driver, pace=Pace(threads=1, lease=0, piece=5 << 20))
    place = bench.ready(artefact)
    with (
        answered("s3", "UploadPartCopy", once(lambda: driver.swap_back(settings, place))),
        pytest.raises(DriverError),
    ):
        driver.swap(settings, place)
    assert driver.standing(settings, place) is Standing.ORIGINAL
    assert body(bench, "large")[:1] == b"b"
    assert not case.s3.list_multipart_uploads(Bucket=case.bucket).get("Uploads"), (
        "which nobody else could tell from theirs"
    )


class Frozen(BaseException):
    """In place of a worker that stops where it stands, and goes on never."""


def test_pieces_of_a_worker_that_died_are_given_up_and_nobody_elses(bench: Bench) -> None:
    case, settings = case_of(bench), bench.case.settings
    case.s3.put_object(Bucket=case.bucket, Key="large", Body=b"a" * (6 << 20))
    driver = replace(case.driver, pace=Pace(threads=1, lease=0, piece=5 << 20))
    artefact = bench.take()
    case.s3.put_object(Bucket=case.bucket, Key="large", Body=b"b" * (6 << 20))
    place = bench.ready(artefact)
    theirs = case.s3.create_multipart_upload(Bucket=case.bucket, Key="large")["UploadId"]

    def dies(request: Any, **_: Any) -> None:
        raise Frozen

    with answered("s3", "UploadPartCopy", dies), pytest.raises(Frozen):
        driver.swap(settings, place)
    assert len(case.s3.list_multipart_uploads(Bucket=case.bucket)["Uploads"]) == 2
    driver.swap_back(settings, place)
    [left] = case.s3.list_multipart_uploads(Bucket=case.bucket)["Uploads"]
    assert left["UploadId"] == theirs
    case.s3.abort_multipart_upload(Bucket=case.bucket, Key="large", UploadId=theirs)


class TakenAway(Exception):
    """What whoever is given up learns."""


@pytest.mark.parametrize("way", ["swap", "swap_back"])
def test_who_was_given_up_before_it_began_changes_nothing(bench: Bench, way: str) -> None:
    case, driver, place, _ = ready(bench)
    if way == "swap_back":
        driver.swap(bench.case.settings, place)
    stands, before = driver.standing(bench.case.settings, place), case.latest(case.bucket)

    def held() -> None:
        assert driver.standing(bench.case.settings, place) is Standing.NOTHING, (
            "whoever looks now sees that it has begun"
        )
        raise TakenAway

    with while_held(held), pytest.raises(TakenAway):
        getattr(driver, way)(bench.case.settings, place)
    assert driver.standing(bench.case.settings, place) is stands
    assert case.latest(case.bucket) == before
    getattr(driver, way)(bench.case.settings, place)


def test_a_frozen_worker_does_not_make_its_restore_the_last_again(bench: Bench) -> None:
    _, driver, place, artefact = ready(bench)
    later: list[Place] = []

    def others() -> None:
        driver.swap_back(bench.case.settings, place)
        later.append(bench.ready(artefact))
        driver.swap(bench.case.settings, later[0])

    def last(request: Any, **_: Any) -> None:
        if request.url.endswith(".last") and not later:
            others()

    with answered("s3", "PutObject", last), pytest.raises(Overtaken):
        driver.swap(bench.case.settings, place)
    assert driver.standing(bench.case.settings, later[0]) is Standing.RESTORED
    driver.swap_back(bench.case.settings, later[0])
    assert body(bench, "orders.csv") == b"1;2;4"


# Applications


def test_what_is_written_in_the_last_moment_comes_back(bench: Bench) -> None:
    """Where S3 says that the object is another one by now."""
    case, driver, place, _ = ready(bench)
    newer = dict(case.snapshot(place.live))

    def writes() -> None:
        case.s3.put_object(Bucket=case.bucket, Key="orders.csv", Body=b"in the last moment")

    copies: list[str] = []

    def meanwhile(request: Any, **_: Any) -> Any:
        if "orders.csv" in request.url:
            copies.append(request.headers.get("If-Match", ""))
            if len(copies) == 1:
                writes()
                return changed_meanwhile(request)
        return None

    with answered("s3", "CopyObject", meanwhile):
        driver.swap(bench.case.settings, place)
    assert body(bench, "orders.csv") == b"1;2;3"
    assert len(set(copies)) == 2, "each on condition of what stood there"
    driver.swap_back(bench.case.settings, place)
    assert body(bench, "orders.csv") == b"in the last moment"
    now = dict(case.snapshot(place.live))
    assert now.pop("orders.csv") != newer.pop("orders.csv")
    assert now == newer


def test_what_is_written_after_it_was_put_back_stays(bench: Bench) -> None:
    case, driver, place, _ = ready(bench, threads=16)
    driver.swap(bench.case.settings, place)
    with answered("s3", "PutObjectTagging", refusal("AccessDenied")), pytest.raises(DriverError):
        driver.swap_back(bench.case.settings, place)
    assert body(bench, "orders.csv") == b"1;2;4"
    case.s3.put_object(Bucket=case.bucket, Key="orders.csv", Body=b"since")
    driver.swap_back(bench.case.settings, place)
    assert body(bench, "orders.csv") == b"since"


def test_what_they_deleted_stays_deleted_and_tags_that_were_live_come_back(bench: Bench) -> None:
    case, driver, place, _ = ready(bench)
    tags = {"TagSet": [{"Key": "legal", "Value": "hold"}]}
    case.s3.put_object_tagging(Bucket=case.bucket, Key="a//b", Tagging=tags)
    with answered("s3", "DeleteObject", refusal("AccessDenied")), pytest.raises(DriverError):
        driver.swap(bench.case.settings, place)
    case.s3.delete_object(Bucket=case.bucket, Key="new")
    driver.swap_back(bench.case.settings, place)
    assert "new" not in case.latest(case.bucket)
    assert case.s3.get_object_tagging(Bucket=case.bucket, Key="a//b")["TagSet"] == tags["TagSet"]


@pytest.mark.parametrize("way", ["swap", "swap_back"])
def test_an_object_of_the_same_size_is_not_taken_for_ours(bench: Bench, way: str) -> None:
    """Of what a key of KMS encrypts the ETag tells nothing."""
    case, settings = case_of(bench), bench.case.settings
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]

    def write(text: bytes, *keys: str) -> None:
        for one in keys:
            how = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
            case.s3.put_object(Bucket=case.bucket, Key=one, Body=text, **how)

    write(b"11111111", "k1", "k2")
    artefact = bench.take()
    write(b"22222222", "k1", "k2")
    place, driver = bench.ready(artefact), replace(case.driver, pace=Pace(threads=1, lease=0))
    copies: list[str] = []

    def second(request: Any, **_: Any) -> Any:
        copies.append(request.url)
        return refusal("AccessDenied")(request) if len(copies) == 2 else None

    with answered("s3", "CopyObject", second), pytest.raises(DriverError):
        driver.swap(settings, place)
    write(b"33333333", "k2")
    getattr(driver, way)(settings, place)
    wanted = {"swap": (b"11111111", b"11111111"), "swap_back": (b"22222222", b"33333333")}[way]
    assert (body(bench, "k1"), body(bench, "k2")) == wanted


# What stands in the way


def test_a_look_that_s3_refuses_without_a_word_is_no_customers_key(bench: Bench) -> None:
    """As when a session has expired: the object was not put back, so it is not called so."""
    case, driver, place, _ = ready(bench)
    newer = case.snapshot(place.live)
    with answered("s3", "PutObjectTagging", refusal("AccessDenied")), pytest.raises(DriverError):
        driver.swap(bench.case.settings, place)

    def silent(request: Any, **_: Any) -> AWSResponse | None:
        return AWSResponse(request.url, 400, {}, body_of("")) if f"/{case.bucket}/" in request.url else None

    with answered("s3", "HeadObject", silent), pytest.raises(DriverError):
        driver.swap_back(bench.case.settings, place)
    assert driver.standing(bench.case.settings, place) is Standing.NOTHING
    driver.swap_back(bench.case.settings, place)
    assert case.snapshot(place.live) == newer


def test_versions_that_were_archived_since_are_named_and_the_others_come_back(bench: Bench) -> None:
    _, driver, place, _ = ready(bench)
    driver.swap(bench.case.settings, place)

    def archived(request: Any, **_: Any) -> Any:
        return refusal("InvalidObjectState")(request) if "orders.csv" in request.url else None

    with answered("s3", "CopyObject", archived):
        for _ in range(2):
            with pytest.raises(DriverError, match="is gone or was archived, .*: orders.csv") as lost:
                driver.swap_back(bench.case.settings, place)
            assert not lost.value.retry
    assert body(bench, "new") == b"new"
    assert driver.standing(bench.case.settings, place) is Standing.UNKNOWN


def test_without_its_notes_nothing_is_called_brought_back(bench: Bench) -> None:
    case, driver, place, _ = ready(bench)
    newer, vault = case.snapshot(place.live), aws.client("s3")
    driver.swap(bench.case.settings, place)
    kept = vault.list_objects_v2(Bucket=VAULT, Prefix="haas/restores/")["Contents"]
    [noted] = [one["Key"] for one in kept if "/reached/" in one["Key"]]
    marker = vault.delete_object(Bucket=VAULT, Key=noted)["VersionId"]
    with pytest.raises(DriverError, match="is not known what to bring back"):
        driver.swap_back(bench.case.settings, place)
    assert driver.standing(bench.case.settings, place) is Standing.NOTHING
    vault.delete_object(Bucket=VAULT, Key=noted, VersionId=marker)
    driver.swap_back(bench.case.settings, place)
    assert case.snapshot(place.live) == newer


def test_a_bucket_that_is_gone_is_said_once_and_for_all(bench: Bench) -> None:
    case, driver, place, _ = ready(bench)
    with answered("s3", "PutObjectTagging", refusal("AccessDenied")), pytest.raises(DriverError):
        driver.swap(bench.case.settings, place)
    case.lose()
    with pytest.raises(DriverError, match="is not there any more, so nothing could be brought back") as gone:
        driver.swap_back(bench.case.settings, place)
    assert not gone.value.retry


def test_a_bucket_that_stops_keeping_versions_stops_the_exchange(bench: Bench) -> None:
    case, driver, place, _ = ready(bench)

    def suspended() -> None:
        how = {"Status": "Suspended"}
        case.s3.put_bucket_versioning(Bucket=case.bucket, VersioningConfiguration=how)

    with answered("s3", "CopyObject", once(suspended)), pytest.raises(DriverError, match="keeps no versions any more"):
        driver.swap(bench.case.settings, place)
    versions = case.s3.list_object_versions(Bucket=case.bucket)
    made = [one for one in (*versions["Versions"], *versions.get("DeleteMarkers", ())) if one["VersionId"] == "null"]
    assert len(made) == 1, "it stops at the first"
    case.s3.put_bucket_versioning(Bucket=case.bucket, VersioningConfiguration={"Status": "Enabled"})
    with suppress(DriverError):
        driver.swap_back(bench.case.settings, place)


def test_it_is_said_beforehand_that_earlier_versions_move_away(bench: Bench) -> None:
    case, artefact, place = case_of(bench), bench.take(), bench.place()
    rule = {
        "ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""},
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}],
    }  # fmt: skip
    case.s3.put_bucket_lifecycle_configuration(Bucket=case.bucket, LifecycleConfiguration={"Rules": [rule]})
    said = case.driver.preflight(case.settings, place, Mode.IN_PLACE, artefact, bench.workdir())
    assert any("removes or moves earlier versions" in one for one in said)
