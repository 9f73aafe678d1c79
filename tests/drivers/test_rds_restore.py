"""Restoring a database instance beside: everything is said, what RDS forgets is put right, and what cannot be is refused early."""

from __future__ import annotations

from typing import Any

import pytest

from backups.drivers.base import DamagedBackup, DriverError, Mode, NotAsBackedUp, StillWorking
from backups.drivers.provider import KeptAt
from portal.demo import awsgaps
from tests.drivers import aws
from tests.drivers.aws import answered
from tests.drivers.case import until_done
from tests.drivers.cases.rds import NAME
from tests.drivers.contract.bench import AlteredManifest, Bench, quiet
from tests.drivers.rdsbench import altered, bench, case_of, noted, put, refusal, snapshots

pytestmark = pytest.mark.slow  # a simulated AWS in detail

__all__ = ["bench"]


def preflight(bench: Bench, artefact: Any, mode: Mode = Mode.BESIDE) -> str:
    place = bench.place(mode)
    return " ".join(bench.case.driver.preflight(bench.case.settings, place, mode, artefact, bench.workdir()))


def test_everything_is_said_to_rds(bench: Bench) -> None:
    """RDS gives defaults for what is not said; moto takes most of it from the original, so the call is looked at."""
    case, artefact = case_of(bench), bench.take()
    asked: list[dict[str, Any]] = []
    group = case.the(NAME)["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    place = bench.place()
    with noted("RestoreDBInstanceFromDBSnapshot", asked):
        bench.restore(place, artefact)
    [said] = asked
    tags = {one["Key"]: one["Value"] for one in said.pop("Tags")}
    assert said == {
        "DBInstanceIdentifier": place.beside,
        "DBSnapshotIdentifier": snapshots()[0]["DBSnapshotIdentifier"],
        "DeletionProtection": False,
        "Engine": "mysql",
        "DBInstanceClass": "db.t3.medium",
        "LicenseModel": "general-public-license",
        "StorageType": "io1",
        "Iops": 1000,
        "DedicatedLogVolume": False,
        "MultiAZ": True,
        "DBSubnetGroupName": "shop-db-subnets",
        "VpcSecurityGroupIds": [group],
        "DBParameterGroupName": "shop-db-parameters",
        "OptionGroupName": "shop-db-options",
        "Port": 3307,
        "PubliclyAccessible": False,
        "CACertificateIdentifier": "rds-ca-default",
        "EnableIAMDatabaseAuthentication": True,
        "EnableCloudwatchLogsExports": ["error", "slowquery"],
        "AutoMinorVersionUpgrade": True,
        "CopyTagsToSnapshot": True,
    }
    assert tags["team"] == "shop ünïcödé" and tags["haas:restore"] == place.beside and tags["haas:protected"] == "yes"
    verified = case.driver.verify(case.settings, place, artefact, quiet)
    assert verified.compared["properties"] > 40
    assert "no rows were compared" in verified.sentence


def test_what_rds_does_not_bring_back_is_given_afterwards(bench: Bench) -> None:
    case, artefact = case_of(bench), bench.take()
    asked: list[dict[str, Any]] = []
    before = case.snapshot(NAME)
    place = bench.place()
    with pytest.raises(StillWorking):
        case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    with aws.rows("rds") as backend:  # as RDS leaves it
        made = backend.databases[place.beside]
        made.backup_retention_period, made.preferred_backup_window = 1, "05:00-05:30"
        made.preferred_maintenance_window = "mon:01:00-mon:01:30"
        made.monitoring_interval, made.monitoring_role_arn = 0, None
        made.enabled_cloudwatch_logs_exports = ["general"]
    assert case.snapshot(place.beside) != before
    with noted("ModifyDBInstance", asked):
        bench.restore(place, artefact)
    [said] = asked
    assert said["ApplyImmediately"] is True
    assert (said["MonitoringInterval"], said["MaxAllocatedStorage"]) == (60, 100)
    assert case.snapshot(place.beside) == before
    case.driver.verify(case.settings, place, artefact, quiet)


@pytest.mark.parametrize(
    ("row", "value", "said"),
    [
        ("db_instance_class", "db.t3.micro", "class: db.t3.micro instead of db.t3.medium"),
        ("port", 3306, "port: 3306 instead of 3307"),
        (
            "db_parameter_group_name",
            "default.mysql8.0",
            "parameter group: default.mysql8.0 instead of shop-db-parameters",
        ),
        ("option_group_name", "default:mysql-8-0", "option group: default:mysql-8-0 instead of shop-db-options"),
        ("vpc_security_group_ids", ["sg-0"], "security groups: ['sg-0'] instead of"),
        ("multi_az", False, "multi-AZ: False instead of True"),
        ("backup_retention_period", 1, "days of automated backups: 1 instead of 7"),
        ("engine_version", "8.4.1", "version: 8.4.1 instead of 8.0.36"),
        ("engine_version", "8.0.35", "version: 8.0.35 instead of 8.0.36"),
        ("iops", 3000, "IOPS: 3000 instead of 1000"),
    ],
)
def test_a_restored_instance_that_differs_is_named(bench: Bench, row: str, value: Any, said: str) -> None:
    artefact, place = bench.take(), bench.place()
    bench.restore(place, artefact)
    with aws.rows("rds") as backend:
        setattr(backend.databases[place.beside], row, value)
    with pytest.raises(NotAsBackedUp) as differs:
        bench.case.driver.verify(bench.case.settings, place, artefact, quiet)
    assert said in differs.value.detail


def test_the_next_version_of_the_same_kind_is_accepted_and_said(bench: Bench) -> None:
    artefact, place = bench.take(), bench.place()
    bench.restore(place, artefact)
    put("databases", engine_version="8.0.40")
    said = bench.case.driver.verify(bench.case.settings, place, artefact, quiet).sentence
    assert "RDS made it of version 8.0.40, after 8.0.36." in said


def test_an_instance_of_another_snapshot_is_not_ours(bench: Bench) -> None:
    """RDS does not tell of which snapshot an instance is; the tag is given in the same call."""
    artefact, place = bench.take(), bench.place()
    bench.restore(place, artefact)
    case_of(bench).tag(place.beside, "haas:part", "haas-of-another-day")
    with pytest.raises(NotAsBackedUp) as differs:
        bench.case.driver.verify(bench.case.settings, place, artefact, quiet)
    assert "snapshot: haas-of-another-day instead of" in differs.value.detail


def test_parameters_that_wait_for_a_restart_get_one(bench: Bench) -> None:
    """In moto parameters are always in sync."""
    artefact, place = bench.take(), bench.place()
    asked: list[dict[str, Any]] = []

    def waiting(parsed: dict[str, Any]) -> None:
        for one in parsed.get("DBInstances", ()):
            if not asked:
                one["DBParameterGroups"][0]["ParameterApplyStatus"] = "pending-reboot"

    with noted("RebootDBInstance", asked), altered("DescribeDBInstances", waiting):
        bench.restore(place, artefact)
        bench.restore(place, artefact)
    assert asked == [{"DBInstanceIdentifier": place.beside}]


@pytest.mark.parametrize("status", ["creating", "backing-up", "modifying", "rebooting"])
def test_a_restore_that_takes_long_is_waited_for(bench: Bench, status: str) -> None:
    artefact, place = bench.take(), bench.place()
    case = bench.case
    with pytest.raises(StillWorking):
        case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    put("databases", status=status)
    for _ in range(2):
        with pytest.raises(StillWorking, match=f"is {status}"):
            case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    put("databases", status="available")
    until_done(lambda: case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet))
    assert len(case.names()) == 2


def test_a_restore_that_fails_is_said_and_can_be_removed(bench: Bench) -> None:
    artefact, place, case = bench.take(), bench.place(), bench.case
    with pytest.raises(StillWorking):
        case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    with aws.rows("rds") as backend:
        backend.databases[place.beside].status = "incompatible-restore"
    with pytest.raises(DriverError, match="is incompatible-restore, so it cannot"):
        case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    case.driver.discard(case.settings, place, place.beside)
    assert case.names() == {NAME}


def test_what_has_the_name_of_a_restore_and_is_others_is_not_touched(bench: Bench) -> None:
    artefact, place, case = bench.take(), bench.place(), case_of(bench)
    case.rds.create_db_instance(DBInstanceIdentifier=place.beside, DBInstanceClass="db.t3.micro", Engine="mysql")
    for verb in (
        lambda: bench.restore(place, artefact),
        lambda: case.driver.verify(case.settings, place, artefact, quiet),
        lambda: case.driver.identify(case.settings, place),
        lambda: case.driver.discard(case.settings, place, place.beside),
    ):
        with pytest.raises(DriverError, match="that is not of this restore, so it was not touched"):
            verb()
    assert case.exists(place.beside)


def test_a_snapshot_that_went_before_the_restore_is_a_damaged_backup(bench: Bench) -> None:
    artefact, place = bench.take(), bench.place()
    with aws.rows("rds") as backend:
        backend.database_snapshots.clear()
    for verb in (lambda: preflight(bench, artefact), lambda: bench.restore(place, artefact)):
        with pytest.raises(DamagedBackup, match="RDS has no snapshot"):
            verb()


def test_a_manifest_of_another_kind_is_told(bench: Bench) -> None:
    artefact = bench.take()
    with pytest.raises(NotAsBackedUp, match="describes 0 instances instead of one"):
        preflight(bench, AlteredManifest(artefact, []))


def test_an_answer_that_was_lost_makes_no_second_one(bench: Bench) -> None:
    """What was begun is not shown yet, and begun again: RDS refuses by the name."""
    case, artefact = bench.case, bench.take()
    with answered("rds", "DescribeDBSnapshots", refusal("DBSnapshotNotFound", 404)), pytest.raises(StillWorking):
        bench.take()
    assert len(snapshots()) == 1
    place = bench.place()
    with pytest.raises(StillWorking):
        case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    with answered("rds", "DescribeDBInstances", refusal("DBInstanceNotFound", 404)), pytest.raises(StillWorking):
        case.driver.restore(case.settings, place, artefact, bench.workdir(), quiet)
    assert case.names() == {NAME, place.beside}


# Preflight


@pytest.mark.parametrize(
    ("rows", "said"),
    [("option_groups", "option group shop-db-options"), ("subnet_groups", "subnet group shop-db-subnets")],
)
def test_groups_that_are_gone_are_named(bench: Bench, rows: str, said: str) -> None:
    artefact = bench.take()
    bench.case.lose()
    with aws.rows("rds") as backend:
        getattr(backend, rows).clear()
    with pytest.raises(DriverError, match=f"what is not there any more: the {said}"):
        preflight(bench, artefact)


def test_a_parameter_group_that_is_gone_is_named(bench: Bench) -> None:
    """Moto lists nothing where RDS refuses."""
    artefact = bench.take()
    with (
        answered("rds", "DescribeDBParameterGroups", refusal("DBParameterGroupNotFound", 404)),
        pytest.raises(DriverError, match="not there any more: the parameter group shop-db-parameters"),
    ):
        preflight(bench, artefact)


def test_security_groups_that_are_gone_are_not_replaced_by_the_default(bench: Bench) -> None:
    case, artefact = case_of(bench), bench.take()
    [entry] = artefact.manifest()
    left, gone = entry["security groups"][0], "sg-0123456789abcdef0"
    one_left = AlteredManifest(artefact, [{**entry, "security groups": [gone, left]}])
    none_left = AlteredManifest(artefact, [{**entry, "security groups": [gone]}])
    for altered_manifest, whose in ((one_left, "those that are left"), (none_left, "those that shop-db has now")):
        said = f"Not there any more: {gone}. The restored instance has {whose}: {left}."
        assert said in preflight(bench, altered_manifest)
        place = bench.place()
        bench.restore(place, altered_manifest)
        assert [one["VpcSecurityGroupId"] for one in case.the(place.beside)["VpcSecurityGroups"]] == [left]
        assert said in case.driver.verify(case.settings, place, altered_manifest, quiet).sentence
        case.driver.discard(case.settings, place, place.beside)
    case.lose()
    with pytest.raises(DriverError, match=f"{gone}.* and no instance of that name says which to take instead"):
        preflight(bench, none_left)


@pytest.mark.parametrize("limit", ["DBInstances", "AllocatedStorage"])
def test_an_account_without_room_is_told(bench: Bench, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    artefact = bench.take()
    assert "room for one more instance" in preflight(bench, artefact)
    monkeypatch.setitem(awsgaps.LIMITS, limit, (40, 40))
    with pytest.raises(DriverError, match=r"has 40 of 40 .* Have the limit raised") as refused:
        preflight(bench, artefact)
    assert refused.value.retry


def test_a_key_that_is_going_is_told(bench: Bench) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    put("databases", storage_encrypted=True, kms_key_id=key)
    artefact = bench.take()
    preflight(bench, artefact)
    with aws.rows("kms") as backend:
        backend.keys[key.rpartition("/")[2]].key_state = "PendingDeletion"
    with pytest.raises(DriverError, match="is encrypted, is PendingDeletion. Have it enabled"):
        preflight(bench, artefact)
    with answered("kms", "DescribeKey", refusal("AccessDeniedException")):
        assert "Whether the key of the snapshot can be used was not seen." in preflight(bench, artefact)


def test_versions_that_rds_has_withdrawn_are_told(bench: Bench) -> None:
    """Moto offers nothing of MySQL."""
    artefact = bench.take()
    assert "does not offer mysql 8.0.36 on db.t3.medium any more" in preflight(bench, artefact)
    with altered("DescribeOrderableDBInstanceOptions", lambda parsed: parsed["OrderableDBInstanceOptions"].append({})):
        assert "RDS offers mysql 8.0.36 on db.t3.medium." in preflight(bench, artefact)


def test_replicas_and_what_waits_are_named_before_an_exchange(bench: Bench) -> None:
    case, artefact = case_of(bench), bench.take()
    case.rds.create_db_instance_read_replica(DBInstanceIdentifier="shop-replica", SourceDBInstanceIdentifier=NAME)

    def waits(parsed: dict[str, Any]) -> None:
        for one in parsed["DBInstances"]:
            one["PendingModifiedValues"] = {"EngineVersion": "8.0.40"}

    with altered("DescribeDBInstances", waits):
        said = preflight(bench, artefact, Mode.IN_PLACE)
    assert "Its read replicas stay with the original, which nobody writes to then: shop-replica." in said
    assert "DNS takes some more minutes" in said
    assert "Changes that wait for its maintenance window are made as it is renamed: EngineVersion." in said
    assert "replicas" not in preflight(bench, artefact, Mode.BESIDE)


@pytest.mark.parametrize("status", ["stopped", "storage-full"])
def test_an_instance_that_cannot_be_renamed_is_not_replaced(bench: Bench, status: str) -> None:
    artefact = bench.take()
    put("databases", status=status)
    with pytest.raises(DriverError, match=f"is {status}"):
        preflight(bench, artefact, Mode.IN_PLACE)
    preflight(bench, artefact, Mode.BESIDE)


def test_a_copy_elsewhere_is_said_to_be_brought_home_first(bench: Bench) -> None:
    artefact = bench.take()
    artefact.kept = KeptAt(aws.AWAY, {NAME: "haas-x"})
    with pytest.raises(DriverError, match="The only copy is in eu-west-1"):
        preflight(bench, artefact)


def test_rights_that_are_missing_are_named(bench: Bench) -> None:
    artefact = bench.take()
    with (
        answered("rds", "DescribeAccountAttributes", refusal("AccessDenied", 403)),
        pytest.raises(DriverError, match="does not let the portal call rds:DescribeAccountAttributes"),
    ):
        preflight(bench, artefact)
