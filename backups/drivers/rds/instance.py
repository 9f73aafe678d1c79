"""A database instance, as RDS describes it now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import DriverError, NotFound, StillWorking

GIB = 1 << 30
SOON = 20.0

READY = frozenset({"available", "storage-optimization"})
"""In which RDS makes snapshots of an instance and changes it."""

STUCK = frozenset(
    {
        "failed", "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable",
        "incompatible-create", "incompatible-network", "incompatible-option-group", "incompatible-parameters",
        "incompatible-restore", "insufficient-capacity", "restore-error", "storage-full",
    }
)  # fmt: skip
"""Out of which it comes by no waiting."""

_ENGINES = {
    "db2": "Db2", "mariadb": "MariaDB", "mysql": "MySQL", "oracle": "Oracle", "postgres": "PostgreSQL",
    "sqlserver": "SQL Server", "aurora": "Aurora", "docdb": "DocumentDB", "neptune": "Neptune",
}  # fmt: skip


@dataclass(frozen=True)
class Instance:
    """One instance. Its ``id`` stays whatever it is called; no other ever has it."""

    id: str
    name: str
    becomes: str  # the name that it is being given; the same as ``name`` when it is not being renamed
    arn: str  # has the name in it
    status: str
    engine: str
    version: str
    size: int  # GiB
    cluster: str
    replica_of: str
    replicas: tuple[str, ...]
    protected: bool
    tags: Mapping[str, str]
    described: Mapping[str, Any]  # all that RDS says

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Instance:
        """From RDS's description."""
        name = found["DBInstanceIdentifier"].lower()
        pending: Mapping[str, Any] = found.get("PendingModifiedValues") or {}
        return cls(
            id=found["DbiResourceId"],
            name=name,
            becomes=(pending.get("DBInstanceIdentifier") or name).lower(),
            arn=found["DBInstanceArn"],
            status=found.get("DBInstanceStatus", ""),
            engine=found.get("Engine", ""),
            version=found.get("EngineVersion", ""),
            size=found.get("AllocatedStorage", 0),
            cluster=found.get("DBClusterIdentifier") or "",
            replica_of=found.get("ReadReplicaSourceDBInstanceIdentifier")
            or found.get("ReadReplicaSourceDBClusterIdentifier")
            or "",
            replicas=(
                *(found.get("ReadReplicaDBInstanceIdentifiers") or ()),
                *(found.get("ReadReplicaDBClusterIdentifiers") or ()),
            ),
            protected=bool(found.get("DeletionProtection")),
            tags=tags.read(found, "TagList"),
            described=found,
        )

    @property
    def words(self) -> str:
        """ "MySQL 8.0.36, db.t3.micro, 20 GiB"."""
        label = next((label for name, label in _ENGINES.items() if self.engine.startswith(name)), self.engine)
        return f"{label} {self.version}, {self.described.get('DBInstanceClass', '')}, {self.size:,} GiB"

    @property
    def is_going(self) -> bool:
        """Whether it is being deleted."""
        return self.status in ("deleting", "deleted")


def instance(access: Access, name: str) -> Instance:
    """The instance of that name as it is now. Raises :class:`NotFound` when there is none, or it is being deleted."""
    found = instance_if_there(access, name)
    if found is None:
        raise NotFound(
            f"There is no database instance {name} in {access.region} of the AWS account {access.account.name}, or it is being"
            " deleted."
        )
    return found


def instance_if_there(access: Access, name: str) -> Instance | None:
    """The instance of that name as it is now; None when there is none, or it is being deleted."""
    try:
        answer = access.call("rds", "describe_db_instances", DBInstanceIdentifier=name)
    except NotFound:
        return None
    found = [Instance.of(one) for one in answer["DBInstances"]]
    return next((one for one in found if not one.is_going), None)


def by_id(access: Access, ids: Collection[str]) -> dict[str, Instance]:
    """Those instances, by id, whatever they are called now; what is not there is not among them."""
    wanted = [{"Name": "dbi-resource-id", "Values": sorted(set(ids))}]
    found = map(Instance.of, access.pages("rds", "describe_db_instances", "DBInstances", Filters=wanted) if ids else ())
    return {one.id: one for one in found if one.id in ids and not one.is_going}


def unfit(found: Instance) -> str:
    """Why such an instance can neither be backed up nor be put in the place of another, and what to do; empty if it can."""
    if found.cluster:
        return (
            f"It is a member of the database cluster {found.cluster}, whose storage belongs to all members, so RDS makes no"
            " snapshot of one of them. Clusters are not backed up here: back up the databases in it, each by itself."
        )
    if found.replica_of:
        return f"It is a read replica of {found.replica_of}, which holds the same. Back that one up."
    if found.engine.startswith("custom-"):
        return "It is one of RDS Custom, of which RDS brings back no complete one. Back up the machine and the databases on it."
    return ""


def see_fit(found: Instance) -> None:
    """Raises :class:`DriverError` in words where it is :func:`unfit`."""
    if why := unfit(found):
        raise DriverError(f"The instance {found.name} cannot be backed up. {why}", setting="instance")


def see_ready(found: Instance, to: str) -> None:
    """Whether RDS lets ``to`` be done with it now: "be renamed". Raises :class:`StillWorking` where it will by itself."""
    if found.status in READY and found.becomes == found.name:
        return
    if found.status == "stopped":
        raise DriverError(
            f"The instance {found.name} is stopped, and only one that runs can {to}: so it is with RDS. Start it, then try"
            " again; RDS itself starts it after seven days.",
            detail=found.arn,
        )
    if found.status in STUCK:
        raise DriverError(
            f"The instance {found.name} is {found.status}, so it cannot {to}. See to it in RDS, then try again.",
            detail=found.arn,
        )
    raise StillWorking(f"The instance {found.name} is {found.status}. It can {to} after that.", again_in=SOON)


def mark(access: Access, found: Instance, **marks: str) -> None:
    """Set tags of the portal on it."""
    access.call("rds", "add_tags_to_resource", ResourceName=found.arn, Tags=tags.written(marks))
