"""How a resource, or one backup, stands: the word and the colour that pages show. Pure but for the models' facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from backups.findings import LATE_AFTER
from backups.models import (
    Backup,
    BackupStatus,
    Copy,
    CopyState,
    Deletion,
    DeletionStatus,
    Resource,
    ResourceState,
    RetentionRun,
    RunStatus,
)


@dataclass(frozen=True)
class Condition:
    """A word and the meaning of its colour (waiting, working, good, bad, quiet)."""

    label: str
    colour: str


BACKED_UP = Condition("Backed up", "good")
LATE = Condition("Late", "bad")
NONE_YET = Condition("No backup yet", "waiting")
VANISHED = Condition("Vanished", "bad")
REMOVING = Condition("Being removed", "working")
REMOVED = Condition("Removed", "quiet")

BY_STATE: dict[str, Condition] = {
    ResourceState.REMOVED: REMOVED,
    ResourceState.REMOVING: REMOVING,
    ResourceState.VANISHED: VANISHED,
}


def condition_of(resource: Resource, now: datetime) -> Condition:
    """How the resource stands: removed or on the way there, vanished, without a backup, late, or backed up."""
    if (found := BY_STATE.get(resource.state)) is not None:
        return found
    if resource.last_good_at is None:
        return NONE_YET if now - resource.created_at < LATE_AFTER else LATE
    return LATE if now - resource.last_good_at > LATE_AFTER else BACKED_UP


def late(now: datetime) -> Q:
    """The resources of which :func:`condition_of` says late, as a condition."""
    limit = now - LATE_AFTER
    return Q(state=ResourceState.ACTIVE) & (
        Q(last_good_at__lt=limit) | Q(last_good_at__isnull=True, created_at__lte=limit)
    )


def condition_of_backup(backup: Backup, copies: int) -> Condition:
    """How a backup stands, with so many present copies left."""
    if backup.damaged_at is not None:
        return Condition("Damaged", "bad")
    if backup.status == BackupStatus.FINISHED and not copies:
        return Condition("Deleted", "quiet")
    return {
        BackupStatus.QUEUED: Condition("Queued", "waiting"),
        BackupStatus.RUNNING: Condition("Being taken", "working"),
        BackupStatus.FINISHED: Condition("Good", "good"),
        BackupStatus.FAILED: Condition("Failed", "bad"),
    }[BackupStatus(backup.status)]


def condition_of_copy(copy: Copy) -> Condition:
    """How a copy stands."""
    return {
        CopyState.WRITING: Condition("Being written", "working"),
        CopyState.PRESENT: Condition("Present", "good"),
        CopyState.DAMAGED: Condition("Damaged", "bad"),
        CopyState.DELETING: Condition("Being deleted", "quiet"),
        CopyState.DELETED: Condition("Deleted", "quiet"),
    }[CopyState(copy.state)]


def condition_of_run(run: RetentionRun) -> Condition:
    """How a retention run stands."""
    return Condition(run.get_status_display(), RUN_COLOURS[RunStatus(run.status)])


RUN_COLOURS = {
    RunStatus.APPLYING: "working",
    RunStatus.STOPPED: "waiting",
    RunStatus.DONE: "good",
    RunStatus.REFUSED: "quiet",
}


def condition_of_deletion(deletion: Deletion) -> Condition:
    """How one planned deletion stands."""
    return Condition(deletion.get_status_display(), DELETION_COLOURS[DeletionStatus(deletion.status)])


DELETION_COLOURS = {
    DeletionStatus.PLANNED: "waiting",
    DeletionStatus.DELETED: "quiet",
    DeletionStatus.KEPT: "good",
}
