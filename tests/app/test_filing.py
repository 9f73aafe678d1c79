"""Filing a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup, BackupStatus, CopyState, Pin, Resource
from portal.errors import InvalidInput, NotPermitted, Refused
from restores.actions.deciding import cancel, reject
from restores.actions.filing import file_request
from restores.actions.sweeping import sweep_restores
from restores.charging import Cause, Classification
from restores.models import RestoreRequest
from restores.workflow import Status
from tests.app.world import World, filed


def file(world: World, backup: Backup, by: str = "owner", reason: str = "It broke.") -> RestoreRequest:
    return file_request(
        by=getattr(world, by), backup=backup, mode=Mode.IN_PLACE, reason=reason, cause=Cause.INFRASTRUCTURE
    )


@pytest.mark.parametrize("name", ["owner", "colleague", "staff", "it", "robot"])
def test_the_clients_people_and_it_file(world: World, resource: Resource, name: str) -> None:
    request = file(world, resource.backups.get(), name)
    assert request.state is Status.SUBMITTED
    assert request.classification == Classification.FREE
    assert request.events.get().by == getattr(world, name)
    assert request.plan["checksum"] == request.backup.checksum


@pytest.mark.parametrize("name", ["manager", "auditor", "administrator", "stranger", "nobody"])
def test_others_do_not(world: World, resource: Resource, name: str) -> None:
    with pytest.raises(NotPermitted):
        file(world, resource.backups.get(), name)
    assert not RestoreRequest.objects.exists()


@pytest.mark.parametrize("reason", ["", "   \n ", "\u200b\u200b", "x" * 10_001])
def test_the_reason_is_required_and_has_a_limit(world: World, resource: Resource, reason: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        file(world, resource.backups.get(), reason=reason)
    assert raised.value.field == "reason"


def test_the_same_person_asks_for_the_same_once(world: World, resource: Resource) -> None:
    backup = resource.backups.get()
    first = file(world, backup)
    with pytest.raises(Refused, match=first.number):
        file(world, backup)
    file(world, backup, "colleague")
    reject(by=world.it, request=first, reason="Not today.")
    file(world, backup)


def fail(backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(status=BackupStatus.FAILED, error="It failed.")


def damage(backup: Backup) -> None:
    Backup.objects.filter(pk=backup.pk).update(damaged_at=timezone.now())


def forget(backup: Backup) -> None:
    backup.copies.update(state=CopyState.DELETED, deleted_at=timezone.now())


@pytest.mark.parametrize(
    ("harm", "word"),
    [(fail, "not complete"), (damage, "damaged"), (forget, "No copy")],
    ids=["failed", "damaged", "without copies"],
)
def test_only_a_good_backup_with_a_copy_can_be_asked_for(
    world: World, resource: Resource, harm: Callable[[Backup], None], word: str
) -> None:
    backup = resource.backups.get()
    harm(backup)
    with pytest.raises(InvalidInput, match=word):
        file(world, backup)


def test_a_request_that_an_older_portal_filed_is_pinned_by_the_sweeper(world: World, resource: Resource) -> None:
    """While the portal is updated the old one still takes requests, and knows of no pins."""
    request = filed(world, resource.backups.get())
    Pin.objects.all().delete()
    now = timezone.now()
    sweep_restores(now, lost_before=now - timedelta(minutes=1))
    pin = Pin.objects.get()
    assert (pin.label, pin.backup, pin.until) == (request.number, request.backup, None)
    cancel(by=world.owner, request=request, reason="No longer needed.")
    sweep_restores(now, lost_before=now - timedelta(minutes=1))
    assert not Pin.objects.exists(), "what is closed is not pinned again"
