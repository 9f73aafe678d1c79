"""A worker killed with -9 while it takes a backup or copies one: of a machine, whose snapshots AWS keeps, and of MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.actions.providerlook import check_provider_region
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup, queue_backup
from backups.models import AccountRegion, Backup, BackupOrigin, BackupStatus, Copy, CopyState, Resource
from tests.app.world import HOME, OTHER, World, make_resource_of, stored_prefixes, taken
from tests.faults.death import killed
from tests.faults.subjects import LiveMachine, Subject
from tests.faults.subjects_there import subject_of

STORED = "done, not recorded"


@pytest.fixture
def subject(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(kind, request, tmp_path) as made:
        yield made


@pytest.fixture
def resource(world: World, subject: Subject) -> Resource:
    return make_resource_of(world, subject.kind, subject.settings, name="shop")


def swept() -> datetime:
    """The sweeper, once the heartbeat is late; when that was."""
    later = timezone.now() + timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS + 5)
    sweep_backups(later, lost_before=later - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))
    return later


def kept(region: str) -> list[str]:
    """What rows say that AWS keeps there."""
    copies = Copy.objects.present().filter(region=region)
    return sorted(name for copy in copies for name in copy.kept["parts"].values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "when"),
    [
        *[pytest.param("ec2", f"effect {number} of ec2", id=f"ec2-{number}") for number in range(1, 9)],
        *[pytest.param("mysql", f"effect {number} of mysql", id=f"mysql-{number}") for number in range(1, 6)],
        *[pytest.param(kind, STORED, id=f"{kind}-stored") for kind in ("ec2", "mysql")],
    ],
)
def test_taking_one(world: World, resource: Resource, subject: Subject, when: str) -> None:
    backup = queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None)
    killed("take", backup.pk, "all", when)
    before = Backup.objects.filter(pk=backup.pk).values()[0]
    assert (before["status"], before["wakes_at"]) == (BackupStatus.RUNNING, None)
    perform_backup(backup.pk)  # the message comes again
    assert Backup.objects.filter(pk=backup.pk).values()[0] == before

    then = swept()
    backup.refresh_from_db()
    assert backup.status == (BackupStatus.FINISHED if when == STORED else BackupStatus.FAILED)
    assert backup.worth_retrying == (when != STORED)
    newer = taken(queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None))
    assert newer.status == BackupStatus.FINISHED
    good = Backup.objects.good()
    assert stored_prefixes(resource) == {one.prefix for one in good}
    assert good.count() == 2 + (when == STORED)
    if isinstance(subject, LiveMachine):
        region = AccountRegion.objects.select_related("account").get(name=HOME)
        seen = check_provider_region(region, clock=lambda: then + timedelta(minutes=5))
        assert (seen.copies, seen.missing, seen.strays) == (good.count(), 0, 0)
        check_provider_region(region, clock=lambda: timezone.now() + timedelta(hours=25))
        assert sorted(subject.snapshots()) == kept(HOME), "each once, and none that belongs to nothing"
        assert len(kept(HOME)) == 3 * good.count()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "when"),
    [
        *[pytest.param("ec2", f"effect {number} of ec2", id=f"ec2-{number}") for number in range(1, 7)],
        pytest.param("ec2", STORED, id="ec2-stored"),
    ],
)
def test_copying_one(world: World, resource: Resource, subject: LiveMachine, when: str) -> None:
    killed("copy", resource.pk, "all", when)
    dead = Copy.objects.get(region=OTHER)
    assert (dead.state, dead.wakes_at) == (CopyState.WRITING, None)
    swept()
    for _ in range(2):  # handed over by the sweeper, and again by a message that had got lost
        copy_to_other_region(resource.pk)
        for pk in Copy.objects.filter(wakes_at__isnull=False).values_list("pk", flat=True):
            continue_copy(pk)
    copy = Copy.objects.present().get(region=OTHER)
    assert sorted(subject.snapshots(OTHER)) == kept(OTHER) == sorted(copy.kept["parts"].values())
    assert len(copy.kept["parts"]) == 3
    assert stored_prefixes(resource, OTHER) == {copy.prefix}
    dead.refresh_from_db()
    assert dead.state == CopyState.DELETED
    assert len(subject.snapshots()) == 3, "and at home nothing has changed"
