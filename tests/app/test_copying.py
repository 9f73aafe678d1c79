"""B3: the copy in the other region. Never none when there was one, never claimed without its bytes."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.actions.sweeping import sweep_backups
from backups.actions.tidying import tidy_regions
from backups.artefacts import read_index
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState, Resource
from backups.proof import Proof
from tests.app.world import HOME, OTHER, backup_now, days_ago, fill_tree, stored_prefixes


def there(resource: Resource) -> Copy:
    """The one copy in the other region, complete in its store, with nothing else of the resource beside it."""
    copy = Copy.objects.present().get(backup__resource=resource, region=OTHER)
    assert stored_prefixes(resource, OTHER) == {copy.stored_under}
    read_index(store_of(OTHER), copy.stored_under)  # raises unless it is complete
    return copy


@pytest.fixture
def old(resource: Resource) -> Backup:
    """A monthly of two months ago, copied."""
    Backup.objects.update(taken_at=days_ago(70))
    copy_to_other_region(resource.pk)
    return resource.backups.get()


def test_the_other_region_has_exactly_the_latest_monthly(resource: Resource, tree: Path, old: Backup) -> None:
    assert there(resource).backup == old
    fill_tree(tree, "next month")
    monthly = backup_now(resource, at=days_ago(32))
    backup_now(resource, at=days_ago(32) + timedelta(minutes=1))
    copy_to_other_region(resource.pk)
    copy_to_other_region(resource.pk)
    assert there(resource).backup == monthly
    assert there(resource).proof_level is Proof.CHECKSUM
    assert stored_prefixes(resource) == {b.prefix for b in resource.backups.all()}, "home keeps all of its copies"


def test_the_older_copy_stays_when_the_new_one_cannot_be_made(resource: Resource, old: Backup) -> None:
    newer = backup_now(resource, at=days_ago(32))
    artefact = Path(settings.STORE_REGIONS[HOME]) / newer.prefix / "data.zst"
    artefact.write_bytes(b"x" + artefact.read_bytes()[1:])
    copy_to_other_region(resource.pk)
    assert there(resource).backup == old
    newer.refresh_from_db()
    assert newer.damaged_at is not None, "what cannot be copied is no good backup"
    assert newer.copies.get(region=HOME).state == CopyState.DAMAGED


def test_the_next_backup_of_the_month_takes_the_place_of_a_damaged_one(resource: Resource, old: Backup) -> None:
    day = days_ago(32)
    newer, next_one = backup_now(resource, at=day), backup_now(resource, at=day + timedelta(minutes=1))
    (Path(settings.STORE_REGIONS[HOME]) / newer.prefix / "data.zst").unlink()
    copy_to_other_region(resource.pk)
    assert there(resource).backup == next_one


def test_a_backups_last_copy_is_not_deleted_for_a_newer_one(resource: Resource, old: Backup) -> None:
    Copy.objects.filter(backup=old, region=HOME).update(state=CopyState.DAMAGED)
    backup_now(resource, at=days_ago(32))
    copy_to_other_region(resource.pk)
    assert Copy.objects.present().filter(region=OTHER).count() == 2
    assert len(stored_prefixes(resource, OTHER)) == 2


def test_a_copy_whose_writer_died_is_made_anew_and_its_leftovers_go(resource: Resource) -> None:
    backup, now = resource.backups.get(), timezone.now()
    dead = Copy.objects.create(
        backup=backup, region=OTHER, prefix=f"{backup.prefix}-dead", state=CopyState.WRITING, created_at=now,
        heartbeat_at=now - timedelta(minutes=5),
    )  # fmt: skip
    half = Path(settings.STORE_REGIONS[OTHER]) / dead.prefix
    half.mkdir(parents=True)
    (half / "data.zst").write_bytes(b"torn")
    sweep_backups(now, lost_before=now - timedelta(minutes=1))
    copy_to_other_region(resource.pk)
    assert there(resource).backup == backup
    dead.refresh_from_db()
    assert dead.state == CopyState.DELETED


def test_tidying_finishes_deletions_and_removes_what_dead_writers_left(resource: Resource, old: Backup) -> None:
    Copy.objects.filter(backup=old, region=OTHER).update(state=CopyState.DELETING)
    partial = Path(settings.STORE_REGIONS[HOME]) / ".partial" / "of-a-dead-writer"
    partial.touch()
    os.utime(partial, (1_000, 1_000))
    tidy_regions()
    assert not partial.exists()
    assert stored_prefixes(resource, OTHER) == set()
    copy_to_other_region(resource.pk)
    assert there(resource).backup == old


def test_a_worker_taken_for_dead_leaves_the_copy_that_another_made(resource: Resource) -> None:
    """It slept through its lease: the sweeper gave it up, another worker made the copy, and then it wakes up."""
    asked: list[datetime] = []

    def clock() -> datetime:
        asked.append(timezone.now())
        if len(asked) == 3:  # the first worker has claimed, written and checked; now it would call its copy present
            Copy.objects.filter(state=CopyState.WRITING).update(heartbeat_at=days_ago(1))
            copy_to_other_region(resource.pk)
        return asked[-1]

    with pytest.raises(Exception, match="given up"):
        copy_to_other_region(resource.pk, clock=clock)
    assert there(resource).backup == resource.backups.get()
