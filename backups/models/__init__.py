"""What exists: resources, their backups, and the copies of those."""

from backups.models.backup import Backup, BackupOrigin, BackupStatus
from backups.models.copy import Copy, CopyState
from backups.models.resource import Environment, Resource, ResourceState

__all__ = [
    "Backup",
    "BackupOrigin",
    "BackupStatus",
    "Copy",
    "CopyState",
    "Environment",
    "Resource",
    "ResourceState",
]
