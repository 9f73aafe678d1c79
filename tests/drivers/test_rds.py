"""What only database instances have: snapshots that RDS makes in its own time, copies with keys, and all that a restore says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backups.artefacts import ArtefactWriter
from backups.aws.accounts import AwsRegion
from backups.drivers.base import DamagedBackup, DriverError, NotFound, StillWorking
from backups.drivers.rds import RdsDriver
from backups.drivers.rds.snapshots import name_of
from tests.drivers import aws
from tests.drivers.aws import answered, before_each_step
from tests.drivers.case import until_done
from tests.drivers.cases.rds import NAME
from tests.drivers.child import Job, run
from tests.drivers.contract.bench import Bench, quiet
from tests.drivers.rdsbench import altered, bench, case_of, noted, put, refusal, snapshots

pytestmark = pytest.mark.slow  # a simulated AWS in detail

__all__ = ["bench"]

# Taking


@pytest.mark.slow
def test_a_take_that_is_killed_anywhere_and_begun_again_makes_one_snapshot(bench: Bench) -> None:
    job = Job("take", bench.case.driver, dict(bench.case.settings), bench.store, before_each_step=before_each_step)
    status, step = -9, 0
    while status == -9:
        step += 1
        with aws.rows("rds") as backend:
            backend.database_snapshots.clear()
        status = run(replace(job, die_at_step=step))
        artefact = bench.take()
        [made] = snapshots()
        assert artefact.kept is not None
        assert artefact.kept.parts == {NAME: made["DBSnapshotIdentifier"]}
    assert status == 0
    assert step > 2


def test_a_snapshot_is_named_by_its_token_alone() -> None:
    for token in ("r/b", "R_x.1//b--2-", "5/" + "ü" * 100, "a" * 120, "-"):
        name = name_of(token)
        assert name[0].isalpha() and "--" not in name and name[-1] != "-" and len(name) <= 255 and name == name.lower()
        assert name.replace("-", "").isascii() and name.replace("-", "").isalnum()
    assert len({name_of(token) for token in ("a/b", "a-b", "A/b", "a.b")}) == 4


def test_a_long_snapshot_is_waited_for_with_how_far_it_is(bench: Bench) -> None:
    case = bench.case
    with ArtefactWriter(bench.store, "backup", kind="rds", header={}) as writer:
        with pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        put("database_snapshots", status="creating", percent_progress=40)
        for _ in range(2):
            with pytest.raises(StillWorking, match="RDS makes a snapshot of shop-db in eu-central-1: 40 %") as waits:
                case.driver.take(case.settings, writer, quiet)
        assert waits.value.bytes_done == waits.value.bytes_expected * 40 // 100 == 8 << 30  # type: ignore[operator]
        put("database_snapshots", status="available")
        taken = case.driver.take(case.settings, writer, quiet)
    assert taken.summary == {"instances": 1, "GiB": 20}
    assert taken.kept is not None and taken.kept.size == 20 << 30
    assert len(snapshots()) == 1
    assert snapshots()[0]["SnapshotType"] == "manual"


def test_a_failed_snapshot_makes_no_backup(bench: Bench) -> None:
    case = bench.case
    with ArtefactWriter(bench.store, "backup", kind="rds", header={}) as writer:
        with pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        put("database_snapshots", status="failed")
        with pytest.raises(DriverError, match="could not complete a snapshot in eu-central-1") as failed:
            case.driver.take(case.settings, writer, quiet)
    assert failed.value.retry and not isinstance(failed.value, StillWorking)


def test_an_instance_that_takes_the_name_meanwhile_is_noticed(bench: Bench) -> None:
    case = case_of(bench)
    with ArtefactWriter(bench.store, "backup", kind="rds", header={}) as writer:
        with pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        case.lose()
        case.rds.create_db_instance(DBInstanceIdentifier=NAME, DBInstanceClass="db.t3.micro", Engine="mysql")
        with pytest.raises(DriverError, match="another instance took the name shop-db") as refused:
            case.driver.take(case.settings, writer, quiet)
    assert refused.value.retry


def test_an_instance_that_is_altered_meanwhile_is_not_described_otherwise_than_it_was(bench: Bench) -> None:
    case = case_of(bench)
    with ArtefactWriter(bench.store, "backup", kind="rds", header={}) as writer:
        with pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        put("databases", engine_version="8.0.40")
        with pytest.raises(DriverError, match="the version or the size of shop-db was changed"):
            case.driver.take(case.settings, writer, quiet)


@pytest.mark.parametrize(
    ("status", "said", "waits"),
    [
        ("modifying", "is modifying. It can have a snapshot made of it after that", True),
        ("stopped", "is stopped, and only one that runs can have a snapshot made of it", False),
        ("storage-full", "is storage-full, so it cannot have a snapshot made of it", False),
    ],
)
def test_an_instance_of_which_rds_makes_none_now(bench: Bench, status: str, said: str, waits: bool) -> None:
    put("databases", status=status)
    assert f"({status})" in bench.case.driver.check(bench.case.settings).sentence
    with pytest.raises(DriverError) as refused:
        bench.take()
    assert said in refused.value.sentence
    assert isinstance(refused.value, StillWorking) is waits
    assert snapshots() == []


def test_members_of_clusters_and_replicas_are_refused_in_words(bench: Bench) -> None:
    case = case_of(bench)
    case.rds.create_db_instance_read_replica(DBInstanceIdentifier="shop-replica", SourceDBInstanceIdentifier=NAME)
    with pytest.raises(DriverError, match="is a read replica of shop-db, which holds the same"):
        case.driver.check({**case.settings, "instance": "shop-replica"})

    def of_cluster(parsed: dict[str, Any]) -> None:
        for one in parsed["DBInstances"]:
            one["DBClusterIdentifier"] = "shop-cluster"

    with altered("DescribeDBInstances", of_cluster):
        with pytest.raises(DriverError, match="member of the database cluster shop-cluster") as refused:
            case.driver.check(case.settings)
        assert refused.value.setting == "instance"
        with pytest.raises(DriverError, match="Clusters are not backed up here"):
            bench.take()
        [member, *_] = case.driver.discovery.everything("hosting", aws.HOME)
    assert "cluster shop-cluster" in member.why_not
    assert snapshots() == []


def test_a_snapshot_of_others_under_that_name_is_not_taken_for_ours(bench: Bench) -> None:
    case = case_of(bench)
    case.rds.create_db_snapshot(DBInstanceIdentifier=NAME, DBSnapshotIdentifier=name_of("backup"))
    with pytest.raises(DriverError, match="that the portal has not made"):
        bench.take()
    case.driver.kept.delete(case.settings, aws.HOME, "backup", None)
    assert len(snapshots()) == 1, "others' stays"


# What RDS says


@pytest.mark.parametrize(
    ("code", "status", "said", "retry"),
    [
        ("Throttling", 400, "asks the account hosting to call more slowly", True),
        ("AccessDenied", 403, "does not let the portal call rds:DescribeDBInstances", False),
        ("InvalidClientTokenId", 403, "does not know the portal's credentials", False),
        ("InternalFailure", 500, "AWS has trouble in eu-central-1", True),
        ("InvalidDBInstanceState", 400, "AWS could not do it in eu-central-1 just now", True),
        ("SnapshotQuotaExceeded", 400, "has reached a limit of its own", True),
        ("SomethingNew", 400, "AWS refused what the portal asked for", False),
    ],
)
def test_what_rds_says_in_words(bench: Bench, code: str, status: int, said: str, retry: bool) -> None:
    with answered("rds", "DescribeDBInstances", refusal(code, status)), pytest.raises(DriverError) as refused:
        bench.case.driver.check(bench.case.settings)
    assert said in refused.value.sentence
    assert refused.value.retry is retry
    assert code in refused.value.detail
    assert not isinstance(refused.value, NotFound)


def test_what_passes_is_tried_again_at_once(bench: Bench) -> None:
    with answered("rds", "DescribeDBInstances", refusal("Throttling", times=1)):
        assert bench.case.driver.check(bench.case.settings).sentence.startswith(
            "Instance shop-db (available): MySQL 8.0.36"
        )


def test_lists_are_read_by_pages_of_the_size_that_rds_allows(bench: Bench) -> None:
    """Moto gives all snapshots at once, so the second page is made here; RDS refuses to give more than 100."""
    for token in ("r/one", "r/two"):
        bench.take(token)
    asked: list[dict[str, Any]] = []

    def half(parsed: dict[str, Any]) -> None:
        parsed["DBSnapshots"].sort(key=lambda one: one["DBSnapshotIdentifier"])
        if len(asked) == 1:
            del parsed["DBSnapshots"][1:]
            parsed["Marker"] = "more"
        else:
            del parsed["DBSnapshots"][:1]

    with noted("DescribeDBSnapshots", asked), altered("DescribeDBSnapshots", half):
        owned = list(bench.case.driver.kept.owned(bench.case.settings, aws.HOME))  # type: ignore[union-attr]
    assert {one.token for one in owned} == {"r/one", "r/two"}
    assert [one.get("Marker") for one in asked] == [None, "more"]
    assert all(one["MaxRecords"] == 100 for one in asked)


# Copies


def test_a_copy_is_made_once_and_encrypted_with_the_key_of_its_region(bench: Bench) -> None:
    kept = bench.take().kept
    assert kept is not None
    key = aws.client("kms", aws.AWAY).create_key()["KeyMetadata"]["KeyId"]
    account = replace(aws.ACCOUNT, regions={**aws.ACCOUNT.regions, aws.AWAY: AwsRegion(aws.AWAY, key)})
    driver = RdsDriver(aws.KnownAccounts({"hosting": account}))
    asked: list[dict[str, Any]] = []
    with noted("CopyDBSnapshot", asked):
        for _ in range(2):
            there = until_done(lambda: driver.kept.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet))
    [copied] = snapshots(aws.AWAY)
    assert len(asked) == 1
    assert asked[0]["SourceRegion"] == aws.HOME
    assert there.parts == {NAME: copied["DBSnapshotIdentifier"]}
    assert copied["KmsKeyId"].endswith(key) and copied["Encrypted"]
    assert {one["Key"]: one["Value"] for one in copied["TagList"]}["haas:copy"] == "r/b-2"
    driver.kept.check(bench.case.settings, there)
    for _ in range(2):
        driver.kept.delete(bench.case.settings, aws.AWAY, "r/b-2", there)
    assert snapshots(aws.AWAY) == []
    assert len(snapshots()) == 1


def test_an_encrypted_snapshot_goes_nowhere_without_a_key_there(bench: Bench) -> None:
    put("databases", storage_encrypted=True, kms_key_id="arn:aws:kms:eu-central-1:111122223333:key/1")
    kept = bench.take().kept
    assert kept is not None
    with pytest.raises(DriverError, match="Set a key for that region: “manage.py aws_account region hosting eu-west-1"):
        bench.case.driver.kept.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet)  # type: ignore[union-attr]
    assert snapshots(aws.AWAY) == []


def test_a_copy_that_takes_long_fails_or_lost_its_source(bench: Bench) -> None:
    kept, copies = bench.take().kept, bench.case.driver.kept
    assert kept is not None and copies is not None
    with pytest.raises(StillWorking, match="RDS copies a snapshot of shop-db from eu-central-1 to eu-west-1"):
        copies.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet)
    put("database_snapshots", aws.AWAY, status="copying", percent_progress=7)
    with pytest.raises(StillWorking, match="eu-west-1: 7 %"):
        copies.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet)
    put("database_snapshots", aws.AWAY, status="failed")
    with pytest.raises(DriverError, match="could not complete a snapshot in eu-west-1") as failed:
        copies.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet)
    assert not isinstance(failed.value, StillWorking)
    there = replace(kept, region=aws.AWAY, parts={NAME: snapshots(aws.AWAY)[0]["DBSnapshotIdentifier"]})
    with pytest.raises(DamagedBackup, match="calls faulty the snapshot"):
        copies.check(bench.case.settings, there)
    with aws.rows("rds") as backend:
        backend.database_snapshots.clear()
    for ask in (
        lambda: copies.copy(bench.case.settings, kept, aws.AWAY, "r/b-3", quiet),
        lambda: copies.check(bench.case.settings, kept),
    ):
        with pytest.raises(DamagedBackup, match="has no snapshot"):
            ask()


def test_a_copy_keeps_its_option_group_or_says_what_it_needs(bench: Bench) -> None:
    """Moto tells no option group of a snapshot, and copies without."""
    kept, copies = bench.take().kept, bench.case.driver.kept
    assert kept is not None and copies is not None
    asked: list[dict[str, Any]] = []

    def with_group(parsed: dict[str, Any]) -> None:
        for one in parsed.get("DBSnapshots", ()):
            one["OptionGroupName"] = "shop-db-options"

    words = "The snapshot requires a target option group with the following options: TDE"
    with altered("DescribeDBSnapshots", with_group), noted("CopyDBSnapshot", asked):
        with (
            answered("rds", "CopyDBSnapshot", refusal("InvalidParameterCombination", words=words)),
            pytest.raises(DriverError, match="there is no such group in eu-west-1. Make one there"),
        ):
            copies.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet)
        aws.client("rds", aws.AWAY).create_option_group(
            OptionGroupName="shop-db-options", EngineName="mysql", MajorEngineVersion="8.0", OptionGroupDescription="x"
        )
        with pytest.raises(StillWorking):
            copies.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet)
    assert [one.get("OptionGroupName") for one in asked] == [None, "shop-db-options"]
