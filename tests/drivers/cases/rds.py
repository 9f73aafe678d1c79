"""An instance in the simulated AWS that is set up in many ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups.drivers.rds import RdsDriver
from backups.drivers.words import ManifestEntry, Settings
from tests.drivers import aws
from tests.drivers.aws import before_each_step
from tests.drivers.case import BadInput, DriverCase, Fingerprint

DRIVER = RdsDriver(aws.ACCOUNTS)
NAME = "shop-db"
GIB = 20


def build(rds: Any, name: str = NAME, **more: Any) -> dict[str, Any]:
    """The instance as RDS describes it, with groups of its own."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{aws.HOME}{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName=f"{name}-sg", Description="x", VpcId=vpc)["GroupId"]
    rds.create_db_subnet_group(
        DBSubnetGroupName=f"{name}-subnets",
        DBSubnetGroupDescription="x",
        SubnetIds=[one["SubnetId"] for one in subnets],
    )
    rds.create_db_parameter_group(
        DBParameterGroupName=f"{name}-parameters", DBParameterGroupFamily="mysql8.0", Description="x"
    )
    rds.create_option_group(
        OptionGroupName=f"{name}-options", EngineName="mysql", MajorEngineVersion="8.0", OptionGroupDescription="x"
    )
    made = {
        "DBInstanceClass": "db.t3.medium",
        "Engine": "mysql",
        "EngineVersion": "8.0.36",
        "AllocatedStorage": GIB,
        "MaxAllocatedStorage": 100,
        "StorageType": "io1",
        "Iops": 1000,
        "StorageEncrypted": False,
        "MasterUsername": "admin",
        "MasterUserPassword": "not-a-secret",
        "DBName": "shop",
        "Port": 3307,
        "MultiAZ": True,
        "PubliclyAccessible": False,
        "DBSubnetGroupName": f"{name}-subnets",
        "DBParameterGroupName": f"{name}-parameters",
        "OptionGroupName": f"{name}-options",
        "VpcSecurityGroupIds": [group],
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "02:00-02:30",
        "PreferredMaintenanceWindow": "sun:04:00-sun:04:30",
        "EnableIAMDatabaseAuthentication": True,
        "EnableCloudwatchLogsExports": ["error", "slowquery"],
        "MonitoringInterval": 60,
        "MonitoringRoleArn": f"arn:aws:iam::{aws.NUMBER}:role/monitoring",
        "DeletionProtection": True,
        "CopyTagsToSnapshot": True,
        "Tags": [{"Key": "team", "Value": "shop ünïcödé"}, {"Key": "client", "Value": "Shopco"}],
    }
    found: dict[str, Any] = rds.create_db_instance(DBInstanceIdentifier=name, **{**made, **more})["DBInstance"]
    return found


def empty(region: str = aws.HOME) -> None:
    """Remove all instances and snapshots of the region, and all groups; by its rows, for moto lists no option groups."""
    with aws.rows("rds", region) as backend:
        for rows in ("databases", "database_snapshots", "subnet_groups", "db_parameter_groups", "option_groups"):
            getattr(backend, rows).clear()


SEEN = (
    "Engine", "EngineVersion", "DBInstanceClass", "AllocatedStorage", "MaxAllocatedStorage", "StorageType", "Iops",
    "MultiAZ", "PubliclyAccessible", "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow",
    "IAMDatabaseAuthenticationEnabled", "EnabledCloudwatchLogsExports", "MonitoringInterval", "MonitoringRoleArn",
    "MasterUsername", "DBName", "VpcSecurityGroups", "OptionGroupMemberships", "CopyTagsToSnapshot",
)  # fmt: skip


@dataclass
class RdsCase:
    """See the protocol. What is in the instance is stood for by its tags, which nobody sees in the data either."""

    settings: Settings
    rds: Any = field(repr=False)
    driver: RdsDriver = DRIVER
    before_each_step: Callable[[Callable[[], None]], None] = before_each_step

    @property
    def bad_inputs(self) -> Sequence[BadInput]:
        """See the protocol."""
        bad = [
            ("no such account", "account", "nobody"),
            ("a region of others", "region", "us-east-1"),
            ("no identifier", "instance", "shop_db"),
            ("two hyphens", "instance", "shop--db"),
            ("a zero byte", "instance", "shop-db\0"),
            ("none", "instance", ""),
            ("one that a restore put aside", "instance", "haas-rr-1042-1-ff9db6-before"),
        ]
        return [BadInput(what, {**self.settings, name: value}, name) for what, name, value in bad]

    def called(self, name: str) -> str:
        return NAME if name == self.driver.locator(self.settings) else name

    def of(self, name: str) -> dict[str, Any] | None:
        """The instance called so, as RDS describes it."""
        found = self.rds.describe_db_instances()["DBInstances"]
        return next((one for one in found if one["DBInstanceIdentifier"] == self.called(name)), None)

    def the(self, name: str) -> dict[str, Any]:
        found = self.of(name)
        assert found is not None, f"{name} is not there"
        return found

    def tags(self, name: str) -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in self.the(name)["TagList"]}

    def snapshot(self, name: str) -> Fingerprint:
        """See the protocol."""
        one = self.the(name)
        seen = {key: str(one.get(key)) for key in SEEN}
        seen["port"] = str(one["Endpoint"]["Port"])
        seen["subnets"] = one["DBSubnetGroup"]["DBSubnetGroupName"]
        seen["parameters"] = one["DBParameterGroups"][0]["DBParameterGroupName"]
        own = {key: value for key, value in self.tags(name).items() if not key.startswith("haas:")}
        return {**seen, "tags": str(sorted(own.items()))}

    def exists(self, name: str) -> bool:
        """See the protocol."""
        return self.of(name) is not None

    def names(self) -> frozenset[str]:
        """See the protocol."""
        return frozenset(one["DBInstanceIdentifier"] for one in self.rds.describe_db_instances()["DBInstances"])

    def tag(self, name: str, key: str, value: str) -> None:
        self.rds.add_tags_to_resource(ResourceName=self.the(name)["DBInstanceArn"], Tags=[{"Key": key, "Value": value}])

    def mutate(self) -> None:
        """See the protocol."""
        self.tag(NAME, "content", "changed")
        self.rds.modify_db_instance(DBInstanceIdentifier=NAME, BackupRetentionPeriod=9, ApplyImmediately=True)

    def grow(self, megabytes: int) -> None:
        """See the protocol: nothing is read out of an instance."""

    def lose(self) -> None:
        """See the protocol."""
        self.rds.modify_db_instance(DBInstanceIdentifier=NAME, DeletionProtection=False, ApplyImmediately=True)
        self.rds.delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)

    def stir(self, name: str) -> None:
        """See the protocol."""
        self.rds.modify_db_instance(DBInstanceIdentifier=name, PubliclyAccessible=True, ApplyImmediately=True)

    def acting(self, name: str) -> list[str]:
        """See the protocol."""
        return ["public"] if self.the(name)["PubliclyAccessible"] else []

    def tamper(self, name: str) -> str:
        """See the protocol."""
        self.tag(name, "team", "others")
        return "tags: {'client': 'Shopco', 'team': 'others'} instead of"

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        """See the protocol."""
        return [{**entries[0], "multi-AZ": False}], "multi-AZ: True instead of False"


@contextmanager
def open_case(home: Path) -> Iterator[DriverCase]:
    """A fresh instance; everything of the region is removed afterwards."""
    rds = aws.client("rds")
    build(rds)
    try:
        yield RdsCase({"account": "hosting", "region": aws.HOME, "instance": NAME}, rds)
    finally:
        for region in (aws.HOME, aws.AWAY):
            empty(region)
