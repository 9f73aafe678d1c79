"""What exists: resources, their backups, and the copies of those; what keeps them, and where the policy does not hold."""

from backups.models.account import Account, AccountRegion
from backups.models.audit import Audit, DailyJob, RegionCheck
from backups.models.backup import Backup, BackupOrigin, BackupStatus
from backups.models.copy import Copy, CopyState
from backups.models.discovered import Discovered
from backups.models.finding import Finding
from backups.models.hold import Hold
from backups.models.pin import Pin
from backups.models.resource import Environment, Resource, ResourceState
from backups.models.retention import Deletion, DeletionStatus, RetentionClock, RetentionRun, RunStatus

__all__ = [
    "Account",
    "AccountRegion",
    "Audit",
    "Backup",
    "BackupOrigin",
    "BackupStatus",
    "Copy",
    "CopyState",
    "DailyJob",
    "Deletion",
    "DeletionStatus",
    "Discovered",
    "Environment",
    "Finding",
    "Hold",
    "Pin",
    "RegionCheck",
    "Resource",
    "ResourceState",
    "RetentionClock",
    "RetentionRun",
    "RunStatus",
]
