"""What an instance is like, beyond the data in it: how each property is read, given to a restored one, and compared. Pure.

RDS gives a restored instance its own defaults for whatever is not said, so everything is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backups.aws import tags

Description = Mapping[str, Any]
"""An instance as RDS describes it."""

Entry = Mapping[str, Any]
"""Its line in a manifest: the properties by name, and ``tags``."""

DEFAULT = ("default:", "default.")
"""How the names of option and parameter groups begin that belong to RDS itself."""

BASELINE_IOPS, BASELINE_THROUGHPUT = 3000, 125
"""What every gp3 has. RDS refuses to be told it of small ones."""


@dataclass(frozen=True)
class Property:
    """One of them. ``restored`` and ``modified`` are the arguments of the two calls that set it; empty: none does."""

    name: str
    read: Callable[[Description], Any]
    restored: str = ""
    modified: str = ""
    compared: bool = True


def _plain(name: str, key: str, restored: str = "", modified: str = "", *, compared: bool = True) -> Property:
    return Property(name, lambda found: found.get(key), restored, modified, compared)


def _flag(name: str, key: str, restored: str = "", modified: str = "", *, compared: bool = True) -> Property:
    return Property(name, lambda found: bool(found.get(key)), restored, modified, compared)


def _first(found: Description, key: str, name: str) -> Any:
    return next((one.get(name) for one in found.get(key) or ()), None)


def _iops(found: Description) -> int | None:
    value = found.get("Iops") or 0
    chosen = found.get("StorageType") in ("io1", "io2") or value > BASELINE_IOPS
    return value if value and chosen else None


def _throughput(found: Description) -> int | None:
    value = found.get("StorageThroughput") or 0
    return value if value > BASELINE_THROUGHPUT else None


def _most_storage(found: Description) -> int | None:
    """Up to which it grows by itself; RDS tells the size itself, or nothing, where it does not."""
    most = found.get("MaxAllocatedStorage") or 0
    return most if most > found.get("AllocatedStorage", 0) else None


def _port(found: Description) -> int | None:
    return (found.get("Endpoint") or {}).get("Port") or found.get("DbInstancePort") or None


def _processor(found: Description) -> list[dict[str, str]] | None:
    features = [{"Name": one["Name"], "Value": one["Value"]} for one in found.get("ProcessorFeatures") or ()]
    return sorted(features, key=lambda one: one["Name"]) or None


PROPERTIES = (
    _plain("engine", "Engine", "Engine"),
    _plain("version", "EngineVersion"),
    _plain("class", "DBInstanceClass", "DBInstanceClass", "DBInstanceClass"),
    _plain("license", "LicenseModel", "LicenseModel", "LicenseModel"),
    _plain("size", "AllocatedStorage"),
    _plain("storage type", "StorageType", "StorageType", "StorageType"),
    Property("IOPS", _iops, "Iops", "Iops"),
    Property("throughput", _throughput, "StorageThroughput", "StorageThroughput"),
    Property("grows up to", _most_storage, "", "MaxAllocatedStorage"),
    _flag("own volume for logs", "DedicatedLogVolume", "DedicatedLogVolume", "DedicatedLogVolume"),
    _flag("encrypted", "StorageEncrypted"),
    _plain("key", "KmsKeyId", compared=False),  # that of the snapshot; a copy brought home has its region's
    _flag("multi-AZ", "MultiAZ", "MultiAZ", "MultiAZ"),
    _plain("zone", "AvailabilityZone", compared=False),  # left to RDS, which takes one that has room
    Property(
        "subnet group", lambda found: (found.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"), "DBSubnetGroupName"
    ),
    Property(
        "security groups",
        lambda found: sorted(one["VpcSecurityGroupId"] for one in found.get("VpcSecurityGroups") or ()),
        "VpcSecurityGroupIds",
        "VpcSecurityGroupIds",
    ),
    Property(
        "parameter group",
        lambda found: _first(found, "DBParameterGroups", "DBParameterGroupName"),
        "DBParameterGroupName",
        "DBParameterGroupName",
    ),
    Property(
        "option group",
        lambda found: _first(found, "OptionGroupMemberships", "OptionGroupName"),
        "OptionGroupName",
        "OptionGroupName",
    ),
    Property("port", _port, "Port", "DBPortNumber"),
    _plain("network type", "NetworkType", "NetworkType", "NetworkType"),
    _flag("public", "PubliclyAccessible", "PubliclyAccessible", "PubliclyAccessible"),
    _plain("certificate authority", "CACertificateIdentifier", "CACertificateIdentifier", "CACertificateIdentifier"),
    _flag(
        "IAM sign-in",
        "IAMDatabaseAuthenticationEnabled",
        "EnableIAMDatabaseAuthentication",
        "EnableIAMDatabaseAuthentication",
    ),
    Property(  # while it is restored RDS takes that of Oracle alone
        "password in Secrets Manager",
        lambda found: bool(found.get("MasterUserSecret")),
        modified="ManageMasterUserPassword",
    ),
    Property("directory", lambda found: _first(found, "DomainMemberships", "Domain"), "Domain"),
    Property("directory role", lambda found: _first(found, "DomainMemberships", "IAMRoleName"), "DomainIAMRoleName"),
    _plain("master user", "MasterUsername"),
    _plain("database", "DBName"),
    _plain("character set", "CharacterSetName"),
    _plain("time zone", "Timezone"),
    Property("processor", _processor, "ProcessorFeatures", "ProcessorFeatures"),
    Property(
        "exported logs",
        lambda found: sorted(found.get("EnabledCloudwatchLogsExports") or ()),
        "EnableCloudwatchLogsExports",
    ),
    _flag("minor upgrades", "AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"),
    _flag("tags on snapshots", "CopyTagsToSnapshot", "CopyTagsToSnapshot", "CopyTagsToSnapshot"),
    _plain("extended support", "EngineLifecycleSupport", "EngineLifecycleSupport"),
    _plain("days of automated backups", "BackupRetentionPeriod", "", "BackupRetentionPeriod"),
    _plain("backup window", "PreferredBackupWindow", "", "PreferredBackupWindow"),
    _plain("maintenance window", "PreferredMaintenanceWindow", "", "PreferredMaintenanceWindow"),
    _plain("monitoring interval", "MonitoringInterval", "", "MonitoringInterval"),
    _plain("monitoring role", "MonitoringRoleArn", "", "MonitoringRoleArn"),
    _plain("insights mode", "DatabaseInsightsMode", "", "DatabaseInsightsMode"),
    _flag("performance insights", "PerformanceInsightsEnabled", "", "EnablePerformanceInsights"),
    _plain("insights key", "PerformanceInsightsKMSKeyId", "", "PerformanceInsightsKMSKeyId"),
    _plain("insights retention", "PerformanceInsightsRetentionPeriod", "", "PerformanceInsightsRetentionPeriod"),
    Property(
        "roles",
        lambda found: sorted([one["FeatureName"], one["RoleArn"]] for one in found.get("AssociatedRoles") or ()),
    ),
    _flag("deletion protection", "DeletionProtection", compared=False),  # comes with the live name
    Property("replicas", lambda found: sorted(found.get("ReadReplicaDBInstanceIdentifiers") or ()), compared=False),
)


def entry_of(found: Description) -> dict[str, Any]:
    """The line in the manifest of an instance."""
    read = {one.name: one.read(found) for one in PROPERTIES}
    return {"instance": found["DBInstanceIdentifier"], **read, "tags": dict(sorted(_own_tags(found).items()))}


def _own_tags(found: Description) -> dict[str, str]:
    return tags.own(tags.read(found, "TagList"))


def restore_arguments(entry: Entry) -> dict[str, Any]:
    """Everything that can be said to RDS as it makes an instance of a snapshot."""
    said = {one.restored: entry.get(one.name) for one in PROPERTIES if one.restored}
    if str(said["OptionGroupName"]).startswith(DEFAULT):
        del said["OptionGroupName"]  # RDS's own, which it gives by itself
    return {key: value for key, value in said.items() if value not in (None, [])}


def changes(found: Description, entry: Entry) -> dict[str, Any]:
    """What an instance has to be given afterwards to be like the one of the entry."""
    now = entry_of(found)
    wanted = {
        one.modified: entry[one.name]
        for one in PROPERTIES
        if one.modified and one.compared and entry.get(one.name) not in (None, []) and entry[one.name] != now[one.name]
    }
    if entry.get("monitoring interval") and "MonitoringRoleArn" in wanted:
        wanted["MonitoringInterval"] = entry["monitoring interval"]  # neither goes without the other
    if "EnablePerformanceInsights" in wanted and not entry["performance insights"]:
        wanted = {key: value for key, value in wanted.items() if not key.startswith("PerformanceInsights")}
    logs, have = set(entry.get("exported logs") or ()), set(now["exported logs"])
    if logs != have:
        types = {"EnableLogTypes": sorted(logs - have), "DisableLogTypes": sorted(have - logs)}
        wanted["CloudwatchLogsExportConfiguration"] = {key: value for key, value in types.items() if value}
    return wanted


def differences(found: Description, entry: Entry) -> Iterator[tuple[str, Any, Any]]:
    """Name, what it is, what it should be. What is not in the entry was not recorded, and is not compared."""
    now = entry_of(found)
    for one in PROPERTIES:
        if not one.compared or one.name not in entry or now[one.name] == entry[one.name]:
            continue
        if one.name == "encrypted" and now[one.name]:
            continue  # never worse
        yield one.name, now[one.name], entry[one.name]
    others = {key: value for key, value in now["tags"].items() if key in entry["tags"]}  # more may be added by rule
    if others != entry["tags"]:
        yield "tags", others, entry["tags"]


def number_compared(entry: Entry) -> int:
    """How many properties are compared, the tags as one."""
    return 1 + sum(one.compared and one.name in entry for one in PROPERTIES)
