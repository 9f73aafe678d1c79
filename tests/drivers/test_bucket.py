"""What only buckets have: what is copied once, lists that are made beside removals, pieces, and what cannot be copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from backups.artefacts import ArtefactWriter
from backups.aws.accounts import AwsRegion
from backups.drivers.base import DamagedBackup, DriverError, Mode, StillWorking
from backups.drivers.bucket import BucketDriver, Pace
from backups.drivers.bucket.target import hash_of
from backups.drivers.provider import KeptAt
from tests.drivers import aws
from tests.drivers.aws import answered, before_each_step, refusal
from tests.drivers.case import until_done
from tests.drivers.cases import factories
from tests.drivers.cases.bucket import ACCOUNT, ACCOUNTS, VAULTS, BucketCase
from tests.drivers.child import Job, run
from tests.drivers.contract.bench import Bench, quiet
from tests.drivers.rooms import prepared

pytestmark = pytest.mark.slow  # hundreds of calls to a simulated S3; every day the contract suite asks machines of EC2

HOME_VAULT, AWAY_VAULT = VAULTS[aws.HOME], VAULTS[aws.AWAY]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "scratch").mkdir()
    with factories()["s3"](tmp_path) as case:
        yield Bench(case, prepared("here", tmp_path / "store"), tmp_path / "scratch")


def case_of(bench: Bench) -> BucketCase:
    assert isinstance(bench.case, BucketCase)
    return bench.case


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The calls of S3 that are made meanwhile."""
    called: Counter[str] = Counter()

    def count(event_name: str, **_: Any) -> None:
        called[event_name.rpartition(".")[2]] += 1

    with answered("s3", "*", count):
        yield called


def a_hundred(params: dict[str, Any], **_: Any) -> None:
    """So many keys are on a page of a listing, as if S3 had that of itself: a page is full with less."""
    params["MaxKeys"] = 100


def versions(under: str, vault: str = HOME_VAULT) -> list[str]:
    """Every version in a vault of what lies there."""
    pages = aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=vault, Prefix=under)
    return [one["Key"] for page in pages for kind in ("Versions", "DeleteMarkers") for one in page.get(kind, ())]


def kept_of(bench: Bench, prefix: str) -> KeptAt:
    kept = bench.take(prefix).kept
    assert kept is not None
    return kept


def untagged(bench: Bench, **pace: Any) -> None:
    """From now on nobody tags objects there, and the driver goes at that pace."""
    case_of(bench).settings = {**bench.case.settings, "tags": "none"}
    case_of(bench).driver = replace(case_of(bench).driver, pace=Pace(**pace))


# Taking


@pytest.mark.slow
def test_a_take_that_is_killed_anywhere_and_begun_again_copies_each_object_once(bench: Bench) -> None:
    job = Job("take", bench.case.driver, dict(bench.case.settings), bench.store, before_each_step=before_each_step)
    status, step = -9, 0
    while status == -9:
        step += 3
        status = run(replace(job, die_at_step=step))
        artefact = bench.take()
        names = versions("haas/objects/")
        assert len(set(names)) == 12
        assert len(names) - 12 <= 1 or step == 0, "nothing is copied twice that a list or a listing could have told"
        assert artefact.kept is not None
        kept = bench.case.driver.kept
        assert kept is not None
        kept.check(bench.case.settings, artefact.kept)
        kept.delete(bench.case.settings, aws.HOME, "backup", artefact.kept)
        assert versions("haas/") == [], "and nothing of it is left"
    assert status == 0
    assert step > 20


def test_what_the_last_backup_has_is_not_copied_again(bench: Bench) -> None:
    bench.take("r/one")
    bench.case.mutate()  # two are new, one of them under a key that was there, one is hidden, one has other tags
    with counted() as called:
        artefact = bench.take("r/two")
    assert called["CopyObject"] == 2
    assert called["GetObjectTagging"] == 12
    entries = {entry["key"]: entry for entry in artefact.manifest()}
    assert entries["a//b"]["tags"] == {"team": "others"}
    assert "empty" not in entries
    assert len(versions("haas/objects/")) == 14


def test_calls_of_a_second_backup_grow_with_pages_and_not_with_objects(bench: Bench) -> None:
    untagged(bench)
    for number in range(110):
        case_of(bench).s3.put_object(Bucket=case_of(bench).bucket, Key=f"many/{number:05d}", Body=b"x")
    bench.take("r/one")
    with counted() as called, answered("s3", "ListObjectVersions", a_hundred, event="provide-client-params"):
        bench.take("r/two")
    assert called["ListObjectVersions"] == 2
    assert not called["CopyObject"] and not called["HeadObject"] and not called["GetObjectTagging"]
    assert called.total() < 40


@pytest.mark.slow
def test_long_work_is_done_a_slice_at_a_time_and_goes_on(bench: Bench) -> None:
    untagged(bench, seconds=0)
    case, settings = case_of(bench), bench.case.settings
    for number in range(1100):
        case.s3.put_object(Bucket=case.bucket, Key=f"many/{number:05d}", Body=b"x")
    with counted() as called:
        artefact = bench.take("r/one")
    assert called["CopyObject"] == 1112
    driver, kept = case.driver, artefact.kept
    assert kept is not None
    with pytest.raises(StillWorking, match="AWS copies 1,112 objects from eu-central-1 to eu-west-1"):
        driver.kept.copy(settings, kept, aws.AWAY, "r/b-2", quiet)
    with counted() as called:
        there = until_done(lambda: driver.kept.copy(settings, kept, aws.AWAY, "r/b-2", quiet))
    assert called["CopyObject"] < 120, "the first page was there"
    driver.kept.check(settings, there)
    place = bench.place()
    with pytest.raises(StillWorking, match="AWS copies out of the vault"):
        driver.restore(settings, place, artefact, bench.workdir(), quiet)
    bench.restore(place, artefact)
    with pytest.raises(StillWorking, match="1,000 objects compared"):
        driver.verify(settings, place, artefact, quiet)
    assert until_done(lambda: driver.verify(settings, place, artefact, quiet)).compared == {"objects": 1112}
    for number in range(0, 1100, 10):
        case.s3.put_object(Bucket=case.bucket, Key=f"many/{number:05d}", Body=b"y")
    with pytest.raises(StillWorking, match="compared with the backup"):
        driver.identify(settings, place)
    place = until_done(lambda: driver.identify(settings, place))
    until_done(lambda: driver.swap(settings, place))
    assert driver.standing(settings, place) == "restored"
    assert case.snapshot(place.live) == case.snapshot(place.beside)
    until_done(lambda: driver.swap_back(settings, place))
    assert case.s3.get_object(Bucket=case.bucket, Key="many/00010")["Body"].read() == b"y"
    until_done(lambda: driver.discard(settings, place, place.beside))
    assert place.beside not in case.names()
    for name, token in ((aws.HOME, "r/one"), (aws.AWAY, "r/b-2")):
        for _ in range(10):
            try:
                driver.kept.delete(settings, name, token, None)
            except StillWorking:
                continue
            break
        left = [
            key for key in versions("haas/", VAULTS[name]) if not key.endswith(".last")
        ]  # which restore was the last
        assert left == []


def test_a_version_that_is_gone_when_it_is_copied_is_no_error(bench: Bench) -> None:
    case = case_of(bench)
    version = case.latest(case.bucket)["orders.csv"]

    def gone(request: Any, **_: Any) -> None:
        case.s3.delete_object(Bucket=case.bucket, Key="orders.csv", VersionId=version)

    with answered("s3", "CopyObject", gone), ArtefactWriter(bench.store, "r/one", kind="s3", header={}) as writer:
        taken = case.driver.take(case.settings, writer, quiet)
        writer.finish(taken)
    assert taken.summary == {"objects": 11}
    assert taken.warnings == (
        "1 object changed or went while copied, and are as they were a moment later: orders.csv.",
    )


def test_what_is_archived_is_named_and_left_alone(bench: Bench) -> None:
    case = case_of(bench)
    case.s3.put_object(Bucket=case.bucket, Key="old.tar", Body=b"old", StorageClass="DEEP_ARCHIVE")
    with ArtefactWriter(bench.store, "r/one", kind="s3", header={}) as writer:
        taken = case.driver.take(case.settings, writer, quiet)
        writer.finish(taken)
    assert taken.summary == {"objects": 12}
    assert "S3 has archived them and copies nothing from there: 1 object (old.tar)" in taken.warnings[0]
    artefact = bench.take("r/two")
    place = bench.place()
    said = case.driver.preflight(case.settings, place, Mode.IN_PLACE, artefact, bench.workdir())
    assert any("1 object could not be copied when the backup was taken" in one for one in said)
    place = bench.ready(artefact)
    case.driver.swap(case.settings, place)
    assert "old.tar" in case.latest(case.bucket), "not hidden, though the backup has nothing of it"


@contextmanager
def unreadable(key: str, code: str) -> Iterator[None]:
    """A look at that object is answered by 400 without a word; asked for its bytes S3 says why."""

    def silent(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, 400, {}, aws.body_of("")) if key in request.url else None

    def said(request: Any, **_: Any) -> Any:
        body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>"
        return AWSResponse(request.url, 400, {}, aws.body_of(body)) if key in request.url else None

    with answered("s3", "HeadObject", silent), answered("s3", "GetObject", said):
        yield


def test_what_cannot_be_read_for_another_reason_is_never_left_out(bench: Bench) -> None:
    """A key that was switched off, say: without it nothing of the bucket would be backed up, and all would seem well."""
    with (
        unreadable("orders.csv", "KMS.DisabledException"),
        ArtefactWriter(bench.store, "r/1", kind="s3", header={}) as writer,
        pytest.raises(DriverError),
    ):
        bench.case.driver.take(bench.case.settings, writer, quiet)


def test_what_only_the_customer_can_read_is_named(bench: Bench) -> None:
    foreign = unreadable("orders.csv", "InvalidRequest")
    with foreign, ArtefactWriter(bench.store, "r/1", kind="s3", header={}) as writer:
        taken = bench.case.driver.take(bench.case.settings, writer, quiet)
    assert taken.summary == {"objects": 11}
    assert "encrypted with a key that only the customer has" in taken.warnings[0]
    assert "1 object (orders.csv)" in taken.warnings[0]


@pytest.mark.parametrize(
    ("code", "status", "said", "retry"),
    [
        ("SlowDown", 503, "asks the account hosting to call more slowly", True),
        ("AccessDenied", 403, "does not let the portal call s3:PutObject in eu-central-1", False),
        ("InternalError", 500, "AWS has trouble in eu-central-1", True),
    ],
)
def test_what_s3_says_while_it_copies(bench: Bench, code: str, status: int, said: str, retry: bool) -> None:
    def refused(request: Any, **_: Any) -> Any:
        text = f"<Error><Code>{code}</Code><Message>No.</Message></Error>"
        return AWSResponse(request.url, status, {}, aws.body_of(text))

    case_of(bench).driver = replace(case_of(bench).driver, pace=Pace(threads=1))
    with (
        answered("s3", "CopyObject", refused),
        ArtefactWriter(bench.store, "r/one", kind="s3", header={}) as writer,
        pytest.raises(DriverError) as error,
    ):
        bench.case.driver.take(bench.case.settings, writer, quiet)
    assert said in error.value.sentence
    assert error.value.retry is retry
    assert bench.take("r/one").kept is not None, "the same list goes on"
    assert len(versions("haas/objects/")) == 12


# Large objects


def test_a_large_object_is_copied_in_pieces_with_all_that_belongs_to_it_and_goes_on(bench: Bench) -> None:
    case = case_of(bench)
    case.driver = replace(case.driver, pace=Pace(seconds=0, piece=5 << 20))
    case.s3.put_object(
        Bucket=case.bucket, Key="large", Body=b"0123456789abcdef" * (11 << 16), Metadata={"owner": "shop"},
        ContentType="video/mp4", Tagging="a=b%20c", StorageClass="STANDARD_IA",
    )  # fmt: skip
    with (
        ArtefactWriter(bench.store, "r/one", kind="s3", header={}) as writer,
        pytest.raises(StillWorking, match="AWS copies large: 0 %"),
    ):
        case.driver.take(case.settings, writer, quiet)
    assert len(aws.client("s3").list_multipart_uploads(Bucket=HOME_VAULT)["Uploads"]) == 1
    case.driver = replace(case.driver, pace=Pace(piece=5 << 20))
    with counted() as called:
        artefact = bench.take("r/one")
    assert (called["CreateMultipartUpload"], called["UploadPartCopy"]) == (0, 3)
    before = case.snapshot(bench.place().live)
    place = bench.ready(artefact)
    assert case.snapshot(place.beside) == before
    case.s3.put_object(Bucket=case.bucket, Key="large", Body=b"small now")
    newer = case.snapshot(place.live)
    place = bench.ready(artefact)
    theirs = case.s3.create_multipart_upload(Bucket=case.bucket, Key="large")["UploadId"]
    theirs_too = {"Bucket": case.bucket, "Key": "large", "UploadId": theirs}
    case.s3.upload_part(PartNumber=1, Body=b"an application's", **theirs_too)
    case.driver.swap(case.settings, place)
    assert case.snapshot(place.live) == before
    case.driver.swap_back(case.settings, place)
    assert case.snapshot(place.live) == newer
    assert len(case.s3.list_parts(**theirs_too)["Parts"]) == 1, "what applications upload meanwhile is theirs"
    case.s3.abort_multipart_upload(**theirs_too)


# The other region


def test_copies_go_once_are_encrypted_with_the_key_of_their_region_and_only_bring_what_is_new(bench: Bench) -> None:
    case, settings = case_of(bench), bench.case.settings
    key = aws.client("kms", aws.AWAY).create_key()["KeyMetadata"]["Arn"]
    regions = {**ACCOUNT.regions, aws.AWAY: AwsRegion(aws.AWAY, key, AWAY_VAULT)}
    driver = BucketDriver(aws.KnownAccounts({"hosting": replace(ACCOUNT, regions=regions)}))
    first = kept_of(bench, "r/one")
    for _ in range(2):
        there = until_done(lambda: driver.kept.copy(settings, first, aws.AWAY, "r/b-1", quiet))
    assert len(versions("haas/objects/", AWAY_VAULT)) == 12
    west = aws.client("s3", aws.AWAY)
    for name in set(versions("haas/objects/", AWAY_VAULT)):
        head = west.head_object(Bucket=AWAY_VAULT, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    driver.kept.check(settings, there)
    case.mutate()
    second = kept_of(bench, "r/two")
    with counted() as called:
        newer = until_done(lambda: driver.kept.copy(settings, second, aws.AWAY, "r/b-2", quiet))
    assert called["CopyObject"] == 2
    driver.kept.delete(settings, aws.AWAY, "r/b-1", there)
    driver.kept.check(settings, newer)
    assert len(versions("haas/objects/", AWAY_VAULT)) == 12


def test_a_bucket_is_restored_from_the_other_regions_vault(bench: Bench) -> None:
    """When the home region's vault is the hazard."""
    case, artefact = case_of(bench), bench.take("r/one")
    assert artefact.kept is not None
    before = case.snapshot(bench.place().live)
    kept = artefact.kept
    artefact.kept = until_done(lambda: case.driver.kept.copy(case.settings, kept, aws.AWAY, "r/b-1", quiet))
    case.driver.kept.delete(case.settings, aws.HOME, "r/one", kept)
    case.mutate()
    place = bench.place()
    case.driver.preflight(case.settings, place, Mode.IN_PLACE, artefact, bench.workdir())
    place = bench.ready(artefact)
    case.driver.swap(case.settings, place)
    assert case.snapshot(place.live) == before


# What vaults hold


@pytest.mark.parametrize("harm", ["gone", "altered", "part gone", "part altered", "list gone"])
def test_a_vault_that_lacks_something_is_a_damaged_backup(bench: Bench, harm: str) -> None:
    kept, s3 = kept_of(bench, "r/one"), aws.client("s3")
    what = {"g": "objects", "a": "objects", "p": "parts", "l": "marks"}[harm[0]]
    [key, *_] = [one for one in versions(f"haas/{what}/") if not one.endswith("begun")]
    if harm.endswith("gone"):
        s3.delete_object(Bucket=HOME_VAULT, Key=key)
    else:
        body = s3.get_object(Bucket=HOME_VAULT, Key=key)["Body"].read()
        s3.put_object(Bucket=HOME_VAULT, Key=key, Body=body[:-1] + b"!")
    with pytest.raises(DamagedBackup) as damaged:
        bench.case.driver.kept.check(bench.case.settings, kept)  # type: ignore[union-attr]
    assert damaged.value.sentence.startswith("The stored backup is damaged: ")
    assert HOME_VAULT in damaged.value.sentence


def test_what_is_lost_in_the_vault_is_copied_again_by_the_next_backup(bench: Bench) -> None:
    bench.take("r/one")
    aws.client("s3").delete_object(Bucket=HOME_VAULT, Key=versions("haas/objects/")[0])
    with counted() as called:
        kept = kept_of(bench, "r/two")
    assert called["CopyObject"] == 1
    case_of(bench).driver.kept.check(bench.case.settings, kept)


def test_deleting_a_backup_leaves_what_another_names_and_nothing_else(bench: Bench) -> None:
    case = case_of(bench)
    first = kept_of(bench, "r/one")
    case.mutate()
    second = kept_of(bench, "r/two")
    for _ in range(2):
        case.driver.kept.delete(case.settings, aws.HOME, "r/one", first)
    case.driver.kept.check(case.settings, second)
    assert len(versions("haas/objects/")) == 12
    with pytest.raises(DamagedBackup):
        case.driver.kept.check(case.settings, first)
    case.driver.kept.delete({"account": "hosting"}, aws.HOME, "r/two", None)  # as who knows the token alone
    assert versions("haas/") == []


@pytest.mark.slow
def test_a_removal_that_breaks_anywhere_is_finished_by_the_next(bench: Bench) -> None:
    case = case_of(bench)
    for at in range(1, 12):
        first = kept_of(bench, f"r/{at}")
        case.mutate()
        second = kept_of(bench, f"r/{at}-2")
        left = [at]

        def breaks(request: Any, **more: Any) -> Any:
            left[0] -= 1  # noqa: B023
            return refusal("AccessDenied")(request, **more) if left[0] <= 0 else None  # noqa: B023

        broken = None
        with answered("s3", "*", breaks):
            try:
                case.driver.kept.delete(case.settings, aws.HOME, f"r/{at}", first)
            except DriverError as error:
                broken = error
        assert broken is not None
        case.driver.kept.check(case.settings, second)
        case.driver.kept.delete(case.settings, aws.HOME, f"r/{at}", first)
        case.driver.kept.check(case.settings, second)
        assert len(set(versions("haas/objects/"))) == 12
        case.driver.kept.delete(case.settings, aws.HOME, f"r/{at}-2", second)
        assert versions("haas/") == []
        case.s3.put_object(Bucket=case.bucket, Key="empty", Body=b"")
        case.s3.delete_object(Bucket=case.bucket, Key="new")


def test_a_backup_that_is_made_and_one_that_goes_see_each_other(bench: Bench) -> None:
    """Both ways: what would go may be what is counted on."""
    case = case_of(bench)
    first = kept_of(bench, "r/one")
    refused: list[DriverError] = []

    def meanwhile(request: Any, **_: Any) -> None:
        if not refused:
            try:
                case.driver.kept.delete(case.settings, aws.HOME, "r/one", first)
            except DriverError as error:
                refused.append(error)

    case.mutate()
    with answered("s3", "CopyObject", meanwhile):
        second = kept_of(bench, "r/two")
    assert refused[0].retry
    assert "is being made, and may count on what would go" in refused[0].sentence
    case.driver.kept.check(case.settings, second)

    waits: list[StillWorking] = []
    entered: list[bool] = []

    def while_it_goes(request: Any, **_: Any) -> None:
        if not entered:
            entered.append(True)
            with ArtefactWriter(bench.store, "r/three", kind="s3", header={}) as writer:
                try:
                    case.driver.take(case.settings, writer, quiet)
                except StillWorking as error:
                    waits.append(error)

    case.driver.kept.delete(case.settings, aws.HOME, "r/one", first)
    case.s3.put_object(Bucket=case.bucket, Key="newer", Body=b"1")
    third = kept_of(bench, "r/four")
    with answered("s3", "DeleteObjects", while_it_goes):
        case.driver.kept.delete(case.settings, aws.HOME, "r/two", second)
    assert "is being removed from the vault; this one waits" in waits[0].sentence
    case.driver.kept.check(case.settings, third)
    case.driver.kept.check(case.settings, kept_of(bench, "r/three"))
    assert [
        one for one in versions("haas/marks/") if "r=two" in one or "r=one" in one or one.endswith("deleting")
    ] == []


def test_a_backup_that_counts_on_what_was_taken_away_is_none(bench: Bench) -> None:
    """The last line of defence: whoever removed it, however late."""
    bench.take("r/one")
    names = versions("haas/objects/")

    def takes_away(request: Any, **_: Any) -> None:
        if "/parts/" in request.url:
            aws.client("s3").delete_object(Bucket=HOME_VAULT, Key=names[0])

    with (
        answered("s3", "PutObject", takes_away),
        pytest.raises(DriverError, match="was removed from the vault") as lost,
    ):
        bench.take("r/two")
    assert lost.value.retry


def test_every_list_is_told_and_what_was_begun_as_well(bench: Bench) -> None:
    case = case_of(bench)
    kept = kept_of(bench, "r/one")

    def stops(request: Any, **more: Any) -> Any:
        return refusal("AccessDenied")(request, **more)

    case.mutate()
    with answered("s3", "CopyObject", stops), pytest.raises(DriverError):
        bench.take("r/two")
    owned = list(case.driver.kept.owned({"account": "hosting"}, aws.HOME))
    assert [one.token for one in owned] == ["r/one", "r/two"]
    assert owned[0].name == kept.parts["list"]
    assert list(BucketDriver(aws.ACCOUNTS).kept.owned({"account": "hosting"}, aws.HOME)) == [], "no vault, no lists"
    case.driver.kept.delete({"account": "hosting"}, aws.HOME, "r/two", None)
    assert [one.token for one in case.driver.kept.owned({"account": "hosting"}, aws.HOME)] == ["r/one"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"vault": ""}, "has no vault in eu-central-1"),
        ({"vault": "vault-of-nobody"}, "There is no bucket vault-of-nobody, which is set as the vault"),
        ({"vault": AWAY_VAULT}, "is in eu-west-1, not in eu-central-1"),
        ({"vault": "vault-odd"}, "keeps no versions"),
        ({"vault": "vault-odd", "versions": "yes"}, "may be made public"),
    ],
)
def test_a_vault_that_is_not_fit_is_refused_in_words(bench: Bench, wrong: dict[str, str], said: str) -> None:
    case = case_of(bench)
    case.s3.create_bucket(Bucket="vault-odd", CreateBucketConfiguration={"LocationConstraint": aws.HOME})
    if "versions" in wrong:
        case.s3.put_bucket_versioning(Bucket="vault-odd", VersioningConfiguration={"Status": "Enabled"})
    regions = {aws.HOME: AwsRegion(aws.HOME, vault=wrong["vault"])}
    driver = BucketDriver(aws.KnownAccounts({"hosting": replace(ACCOUNT, regions=regions)}))
    for ask in (
        lambda: driver.check(case.settings),
        lambda: driver.take(case.settings, ArtefactWriter(bench.store, "x", kind="s3", header={}), quiet),
    ):
        with pytest.raises(DriverError, match=said):
            ask()


def test_a_vault_that_is_gone_is_named_by_the_nightly_look(bench: Bench) -> None:
    regions = {aws.HOME: AwsRegion(aws.HOME, vault="vault-of-nobody")}
    driver = BucketDriver(aws.KnownAccounts({"hosting": replace(ACCOUNT, regions=regions)}))
    with pytest.raises(DriverError, match=f"There is no bucket vault-of-nobody, .* the vault in {aws.HOME}. Make it"):
        list(driver.kept.owned({"account": "hosting"}, aws.HOME))
    denied = answered("s3", "ListObjectsV2", refusal("AccessDenied"))
    with (
        denied,
        pytest.raises(DriverError, match=f"The vault {HOME_VAULT} in {aws.HOME} cannot be listed. The AWS acc"),
    ):
        list(case_of(bench).driver.kept.owned({"account": "hosting"}, aws.HOME))


def test_another_vault_is_not_taken_for_a_lost_backup(bench: Bench) -> None:
    kept = kept_of(bench, "r/one")
    regions = {aws.HOME: AwsRegion(aws.HOME, vault="vault-other")}
    driver = BucketDriver(aws.KnownAccounts({"hosting": replace(ACCOUNT, regions=regions)}))
    with pytest.raises(DriverError, match=f"lies in the vault {HOME_VAULT}, but vault-other is set") as refused:
        driver.kept.check(bench.case.settings, kept)
    assert not isinstance(refused.value, DamagedBackup)


# Discovery


def test_buckets_are_found_in_their_region_without_the_portals_own(bench: Bench) -> None:
    case = case_of(bench)
    place = bench.place()
    bench.restore(place, bench.take("r/one"))
    case.s3.put_bucket_tagging(
        Bucket=case.bucket, Tagging={"TagSet": [{"Key": "client", "Value": "Shopco"}, {"Key": "haas:x", "Value": "y"}]}
    )
    assert place.beside in case.names()
    discovery = case.driver.discovery
    [found] = discovery.everything("hosting", aws.HOME)
    assert (found.kind, found.name, found.locator) == ("s3", case.bucket, case.driver.locator(case.settings))
    assert found.tags == {"client": "Shopco"}
    assert case.driver.check(found.settings).locator == found.locator
    assert list(discovery.everything("hosting", aws.AWAY)) == []
    ours = replace(case.driver, stores=frozenset({case.bucket}))
    assert list(ours.discovery.everything("hosting", aws.HOME)) == []
    for operation, code in (("ListBuckets", "AccessDenied"), ("GetBucketTagging", "AllAccessGone")):
        with answered("s3", operation, refusal(code)), pytest.raises(DriverError):
            list(discovery.everything("hosting", aws.HOME))
    with answered("s3", "GetBucketTagging", refusal("AccessDenied")):
        untold = {one.name: one.tags for one in discovery.everything("hosting", aws.HOME)}
    assert untold[case.bucket] == {}, "a bucket may have a policy of its own, and is found all the same"


def test_names_in_vaults_tell_resources_apart() -> None:
    assert hash_of("hosting/eu-central-1/a") != hash_of("hosting/eu-central-1/b")
    assert ACCOUNTS("hosting").regions[aws.HOME].vault == HOME_VAULT


def test_what_was_altered_in_the_vault_is_copied_anew_and_never_taken_for_sound(bench: Bench) -> None:
    first = bench.take("r/1")
    vault = VAULTS[aws.HOME]
    s3 = aws.client("s3")
    [one, *_] = [
        found["Key"]
        for found in s3.list_objects_v2(Bucket=vault, Prefix="haas/objects/")["Contents"]
        if found["Size"] > 0
    ]
    size = s3.head_object(Bucket=vault, Key=one)["ContentLength"]
    s3.put_object(Bucket=vault, Key=one, Body=b"x" * size)
    kept = bench.case.driver.kept
    assert kept is not None
    assert first.kept is not None
    with pytest.raises(DamagedBackup):
        kept.check(bench.case.settings, first.kept)
    second = bench.take("r/2")
    assert second.kept is not None
    kept.check(bench.case.settings, second.kept)
    assert s3.get_object(Bucket=vault, Key=one)["Body"].read() != b"x" * size
    place = bench.place(Mode.BESIDE)
    bench.restore(place, second)
    bench.case.driver.verify(bench.case.settings, place, second, quiet)
