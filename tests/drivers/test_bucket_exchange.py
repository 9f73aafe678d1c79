"""Exchanges in a live bucket: cut short, taken back, beside applications that write, and one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from backups.drivers.base import DriverError, Mode, Standing
from tests.drivers import aws
from tests.drivers.aws import answered, refusal
from tests.drivers.cases.bucket import before_each_step
from tests.drivers.child import Job, run
from tests.drivers.contract.bench import Bench, quiet
from tests.drivers.test_bucket import bench, case_of

__all__ = ["bench"]


def body(bench: Bench, key: str) -> bytes:
    answer: bytes = case_of(bench).s3.get_object(Bucket=case_of(bench).bucket, Key=key)["Body"].read()
    return answer


@pytest.mark.parametrize("broken", ["CopyObject", "DeleteObject", "PutObjectTagging"])
def test_an_exchange_that_breaks_is_told_and_can_be_taken_back_and_finished(bench: Bench, broken: str) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take()
    before = case.snapshot(bench.place().live)
    case.mutate()
    place = bench.ready(artefact)
    newer = case.snapshot(place.live)
    for way_on, stands in (("swap_back", newer), ("swap", before)):
        with answered("s3", broken, refusal("AccessDenied")), pytest.raises(DriverError) as refused:
            driver.swap(settings, place)
        assert refused.value.retry, "whoever puts things back must try again"
        assert driver.standing(settings, place) is Standing.NOTHING
        for name in (place.beside, place.kept):
            with pytest.raises(DriverError, match="is cut short, so nothing was removed"):
                driver.discard(settings, place, name)
        getattr(driver, way_on)(settings, place)
        assert case.snapshot(place.live) == stands


def test_what_applications_write_meanwhile_and_later_stays_as_a_version(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take()
    case.mutate()
    place = bench.ready(artefact)
    newer = case.snapshot(place.live)
    first = case.s3.put_object(Bucket=case.bucket, Key="orders.csv", Body=b"after the journal")["VersionId"]
    driver.swap(settings, place)
    assert body(bench, "orders.csv") == b"1;2;3"
    second = case.s3.put_object(Bucket=case.bucket, Key="orders.csv", Body=b"after the swap")["VersionId"]
    third = case.s3.put_object(Bucket=case.bucket, Key="their own", Body=b"1")["VersionId"]
    driver.swap_back(settings, place)
    now = dict(case.snapshot(place.live))
    assert now.pop("their own")
    assert now == newer
    there = {one["VersionId"] for one in case.s3.list_object_versions(Bucket=case.bucket)["Versions"]}
    assert {first, second, third} < there


def test_a_version_that_is_gone_is_named_and_the_others_come_back(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take()
    case.mutate()
    version = case.latest(case.bucket)["orders.csv"]
    place = bench.ready(artefact)
    driver.swap(settings, place)
    case.s3.delete_object(Bucket=case.bucket, Key="orders.csv", VersionId=version)
    with pytest.raises(DriverError, match="Of 1 object in .* the version that was live is gone.*: orders.csv") as lost:
        driver.swap_back(settings, place)
    assert not lost.value.retry
    assert body(bench, "new") == b"new"
    assert driver.standing(settings, place) is Standing.ORIGINAL


def test_a_later_restore_is_not_taken_back_by_an_earlier_undo(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take("r/one")
    case.mutate()
    later = bench.take("r/two")
    first = bench.ready(artefact)
    driver.swap(settings, first)
    second = bench.ready(later)
    driver.swap(settings, second)
    assert driver.standing(settings, first) is Standing.UNKNOWN
    with pytest.raises(DriverError, match="a later restore was put in place"):
        driver.swap_back(settings, first)
    driver.swap_back(settings, second)
    assert driver.standing(settings, first) is Standing.RESTORED
    driver.swap_back(settings, first)
    assert body(bench, "orders.csv") == b"1;2;4"
    for place in (first, second):
        driver.discard(settings, place, place.kept)
    keys = [
        one["Key"] for one in case.s3.list_objects_v2(Bucket="acme-vault-central", Prefix="haas/restores/")["Contents"]
    ]
    assert [key for key in keys if not key.endswith(".last")] == []


def test_a_bucket_without_versions_is_restored_beside_alone(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact, place = bench.take(), bench.place()
    case.s3.put_bucket_versioning(Bucket=case.bucket, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(DriverError, match="keeps no versions, so what a restore in place replaces would be lost"):
        driver.preflight(settings, place, Mode.IN_PLACE, artefact, bench.workdir())
    assert driver.preflight(settings, place, Mode.BESIDE, artefact, bench.workdir())
    bench.restore(place, artefact)
    with pytest.raises(DriverError, match="keeps no versions"):
        driver.identify(settings, place)
    case.s3.put_bucket_versioning(Bucket=case.bucket, VersioningConfiguration={"Status": "Enabled"})
    case.mutate()
    place = driver.identify(settings, place)
    case.s3.put_bucket_versioning(Bucket=case.bucket, VersioningConfiguration={"Status": "Suspended"})
    before = case.snapshot(place.live)
    with pytest.raises(DriverError, match="keeps no versions"):
        driver.swap(settings, place)
    assert case.snapshot(place.live) == before
    case.s3.put_bucket_versioning(Bucket=case.bucket, VersioningConfiguration={"Status": "Enabled"})  # to be emptied


def test_only_the_bucket_of_this_restore_is_removed(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact, place = bench.take(), bench.place()
    bench.restore(place, artefact)
    tagged = {"TagSet": [{"Key": "haas:restore", "Value": "haas-rr-9-9-ffffff"}]}
    case.s3.put_bucket_tagging(Bucket=place.beside, Tagging=tagged)
    with pytest.raises(DriverError, match="is marked as another restore's"):
        driver.discard(settings, place, place.beside)
    case.s3.delete_bucket_tagging(Bucket=place.beside)
    with pytest.raises(DriverError, match="no longer says which restore it is of"):
        driver.discard(settings, place, place.beside)
    assert len(case.latest(place.beside)) == 12


@pytest.mark.slow
def test_a_restore_that_is_killed_anywhere_leaves_nothing_that_is_not_found(bench: Bench) -> None:
    case, artefact = case_of(bench), bench.take()
    names, step, status = case.names(), 0, -9
    while status == -9:
        step += 4
        place = bench.place()
        job = Job(
            "restore", case.driver, dict(case.settings), bench.store, info=artefact.info, kept=artefact.kept, place=place,
            workdir=bench.workdir(), before_each_step=before_each_step, die_at_step=step,
        )  # fmt: skip
        status = run(job)
        if step % 8:
            bench.restore(place, artefact)
            case.driver.verify(case.settings, place, artefact, quiet)
        case.driver.discard(case.settings, place, place.beside)
        assert case.names() == names
    left: dict[str, Any] = aws.client("s3").list_objects_v2(Bucket="acme-vault-central", Prefix="haas/restores/")
    assert not left.get("Contents")
