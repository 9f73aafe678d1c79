"""Exchanges in a live bucket: cut short, taken back, beside applications that write, and one after the other."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from backups.drivers.base import DriverError, Mode, Standing, StillWorking
from backups.drivers.bucket import Pace, journal
from backups.drivers.bucket.vault import Overtaken
from tests.drivers import aws
from tests.drivers.aws import answered, before_each_step, refusal
from tests.drivers.child import Job, run
from tests.drivers.contract.bench import Bench, quiet
from tests.drivers.test_bucket import bench, case_of, unreadable

pytestmark = pytest.mark.slow  # hundreds of calls to a simulated S3

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
    assert body(bench, "orders.csv") == b"after the journal", "what was live comes back, not what the journal says"
    assert now.pop("orders.csv")
    assert now == {key: one for key, one in newer.items() if key != "orders.csv"}
    there = {one["VersionId"] for one in case.s3.list_object_versions(Bucket=case.bucket)["Versions"]}
    assert {first, second, third} < there


def test_an_exchange_that_was_cut_short_takes_back_what_is_its_own_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts that it never came to, and what applications have written since, stay as they are."""
    monkeypatch.setattr(journal, "BATCH", 4)  # else a part has a thousand objects
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take()
    keys = sorted(case.latest(case.bucket))
    for key in keys:
        case.s3.put_object(Bucket=case.bucket, Key=key, Body=b"newer")
    case.s3.put_object(Bucket=case.bucket, Key=keys[0] + "+", Body=b"not in the backup")
    place = bench.ready(artefact)
    for key in (keys[0], keys[-1]):
        case.s3.put_object(Bucket=case.bucket, Key=key, Body=b"after the journal")
    sent: list[str] = []

    def breaks(request: Any, **_: Any) -> Any:
        sent.append(request.url)
        return refusal("AccessDenied")(request) if len(sent) == 6 else None

    with answered("s3", "CopyObject", breaks), pytest.raises(DriverError):
        driver.swap(settings, place)
    assert driver.standing(settings, place) is Standing.NOTHING
    assert body(bench, keys[0]) != b"after the journal", "it had come to this one"
    theirs = {keys[1]: b"after the exchange", keys[-2]: b"where it never came"}
    for key, text in theirs.items():
        case.s3.put_object(Bucket=case.bucket, Key=key, Body=text)
    case.s3.delete_object(Bucket=case.bucket, Key=keys[2])
    driver.swap_back(settings, place)
    assert driver.standing(settings, place) is Standing.ORIGINAL
    wanted = dict.fromkeys(keys, b"newer") | {keys[0]: b"after the journal", keys[-1]: b"after the journal"} | theirs
    wanted[keys[0] + "+"] = b"not in the backup"
    del wanted[keys[2]]
    assert {key: body(bench, key) for key in case.latest(case.bucket)} == wanted


def test_two_workers_never_exchange_the_same_bucket(bench: Bench) -> None:
    """One that was taken for dead and lives on learns, before it changes anything, that another has gone on."""
    case, settings = case_of(bench), bench.case.settings
    artefact = bench.take()
    case.mutate()
    place = bench.ready(artefact)
    newer = case.snapshot(place.live)
    slow, waiting = (replace(case.driver, pace=Pace(threads=1, lease=lease)) for lease in (0, 180))
    told: list[Exception] = []

    def meanwhile(request: Any, **_: Any) -> None:
        if not told:
            told.append(AssertionError("the other came through"))
            with pytest.raises(StillWorking, match="Another worker of the portal is at the same exchange") as refused:
                waiting.swap_back(settings, place)
            told[0] = refused.value
            slow.swap_back(settings, place)

    with answered("s3", "HeadObject", meanwhile), pytest.raises(Overtaken):
        slow.swap(settings, place)
    assert isinstance(told[0], StillWorking)
    assert case.snapshot(place.live) == newer
    assert slow.standing(settings, place) is Standing.ORIGINAL
    waiting.swap(settings, place)
    assert waiting.standing(settings, place) is Standing.RESTORED


def test_one_that_comes_when_all_is_over_leaves_nothing_behind(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    place = bench.ready(bench.take())
    before = case.snapshot(place.live)
    looks: list[str] = []

    def meanwhile(request: Any, **_: Any) -> None:
        looks.append(request.url)
        if len(looks) == 1:
            driver.discard(settings, place, place.beside)

    with answered("s3", "GetBucketVersioning", meanwhile), pytest.raises(DriverError, match="is not there any more"):
        driver.swap(settings, place)
    assert looks
    assert case.snapshot(place.live) == before
    left = aws.client("s3").list_objects_v2(Bucket="acme-vault-central", Prefix="haas/restores/")
    assert "Contents" not in left


@pytest.mark.parametrize(
    ("key", "how", "says"),
    [
        ("orders.csv", {"StorageClass": "GLACIER"}, "is archived"),
        ("new", {"StorageClass": "DEEP_ARCHIVE"}, "is archived"),
        ("orders.csv", {}, "is encrypted with a key that only the customer has"),
    ],
)
def test_what_could_not_be_brought_back_is_not_replaced(bench: Bench, key: str, how: Any, says: str) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take()
    case.mutate()
    ready = bench.ready(artefact)
    case.s3.put_object(Bucket=case.bucket, Key=key, Body=b"theirs", **how)
    newer = case.latest(case.bucket)
    place = bench.place()
    bench.restore(place, artefact)
    with unreadable(key, "InvalidRequest") if not how else nullcontext():
        with pytest.raises(DriverError, match=f"{key} in .* {says}"):
            driver.identify(settings, place)
        with pytest.raises(DriverError, match=f"{key} in .* {says}"):
            driver.swap(settings, ready)  # whose journal knows nothing of it
        driver.swap_back(settings, ready)
    assert case.latest(case.bucket) == newer, "not one new version was made"


def test_a_version_that_is_gone_is_named_and_the_others_come_back(bench: Bench) -> None:
    case, driver, settings = case_of(bench), case_of(bench).driver, bench.case.settings
    artefact = bench.take()
    case.mutate()
    version = case.latest(case.bucket)["orders.csv"]
    place = bench.ready(artefact)
    driver.swap(settings, place)
    case.s3.delete_object(Bucket=case.bucket, Key="orders.csv", VersionId=version)
    for _ in ("at once", "and whoever asks again"):
        with pytest.raises(
            DriverError, match="Of 1 object in .* the version that was live is gone.*: orders.csv"
        ) as lost:
            driver.swap_back(settings, place)
        assert not lost.value.retry
        assert body(bench, "new") == b"new"
        assert driver.standing(settings, place) is Standing.UNKNOWN, "nobody is told that all is as it was"


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
