"""Facts of retention and of removals in sentences, for pages and the API."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings

from backups.models import Backup, BackupStatus, Resource, ResourceState, RetentionRun, RunStatus
from portal.days import short_day
from portal.words import company_zone, counted, relative_time


def run_sentence(run: RetentionRun) -> str:
    """What a retention run would delete, deletes or has deleted, and why it waits if it does."""
    of_all = f"{run.to_delete:,} of {counted(run.copies_before, 'copy', 'copies')}"
    match RunStatus(run.status):
        case RunStatus.STOPPED:
            lately = f", {run.deleted_before:,} deleted in the 24 hours before included" if run.deleted_before else ""
            return (
                f"It would delete {of_all}. That is {run.share_percent:.0f} % of all within a day{lately}, and more than"
                f" {run.limit_percent} % is never deleted without a person’s word. So nothing was deleted."
            )
        case RunStatus.APPLYING:
            return f"It deletes {of_all}. Each is looked at once more before it goes."
        case RunStatus.REFUSED:
            return f"It would have deleted {of_all}. It was refused, so nothing was deleted."
        case RunStatus.DONE:
            return f"It was to delete {of_all}. Each was looked at once more before it went."


def kept_words(resource: Resource, today: date) -> str:
    """Whether anything of a removed resource is kept, and until when: "kept until 1 May 2027"."""
    if resource.last_good_at is None:
        return "nothing of it is kept"
    return f"kept until {short_day(resource.kept_until, today)}" if resource.kept_until else "something of it is kept"


def removed_words(resource: Resource, today: date) -> str:
    """Of a removed one: when, by whom and why, what is kept of it, and what can be done now."""
    assert resource.removed_at is not None
    day = short_day(resource.removed_at.astimezone(company_zone()).date(), today)
    kept = kept_words(resource, today)
    if resource.backups.good().exists():
        done = f"IT can bring it back on its page: {settings.PORTAL_URL}{resource.get_absolute_url()}"
    else:
        done = "It cannot be brought back; register it as a new resource."
    return (
        f"{resource.name} was removed on {day} by {resource.removed_by}: {resource.removal_reason.rstrip('.')}."
        f" {kept[0].upper()}{kept[1:]}. {done}"
    )


def next_try(backup: Backup, resource: Resource, now: datetime) -> str:
    """Whether a failed backup that no other has followed is tried again, and when; empty where there is nothing to say."""
    if backup.status != BackupStatus.FAILED:
        return ""
    if resource.state == ResourceState.REMOVING and backup.worth_retrying:
        return "The final backup is tried three times; then the removal goes on without it."
    if resource.state not in (ResourceState.ACTIVE, ResourceState.VANISHED):
        return "It is not tried again."
    due = resource.next_backup_at
    when = "as soon as a worker is free" if due is None or due <= now else relative_time(due, now)
    if backup.worth_retrying:
        return f"It is tried again {when}."
    return f"It is not tried again before somebody sees to the cause; the next daily backup is due {when}."
