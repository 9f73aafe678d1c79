"""Holds: a backup under one is left alone by retention and by a removal, until its last day is over or it is released."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from backups.actions.holding import place_hold, release_hold
from backups.actions.retaining import apply_run, plan_retention
from backups.models import Backup, Deletion, DeletionStatus, Hold, Resource, RunStatus
from portal.days import months_later
from portal.errors import InvalidInput, NotPermitted, Refused
from portal.words import company_zone
from tests.app.world import World, backup_now, days_ago, stored_prefixes


@pytest.fixture
def today() -> date:
    return timezone.now().astimezone(company_zone()).date()


@pytest.fixture
def old(resource: Resource) -> Backup:
    """One that the policy no longer keeps: an earlier and a later one of its day are there as well."""
    noon = days_ago(2).astimezone(company_zone()).replace(hour=12)
    backup_now(resource, at=noon)
    backup = backup_now(resource, at=noon + timedelta(minutes=1))
    backup_now(resource, at=noon + timedelta(minutes=2))
    return backup


def retained(now: datetime) -> None:
    """A retention run, carried out."""
    run = plan_retention(now=now)
    if run is not None:
        assert run.status == RunStatus.APPLYING
        apply_run(run.pk, clock=lambda: now)


def is_there(backup: Backup) -> bool:
    return backup.prefix in stored_prefixes(backup.resource)


def test_what_is_held_stays_until_its_last_day_is_over(world: World, old: Backup, today: date) -> None:
    place_hold(by=world.it, backup=old, until=today + timedelta(days=1), reason="Before the migration.")
    retained(timezone.now())
    assert is_there(old)
    midnight = datetime.combine(today + timedelta(days=2), datetime.min.time(), company_zone())
    retained(midnight - timedelta(seconds=1))
    assert is_there(old)
    retained(midnight)
    assert not is_there(old)
    assert Deletion.objects.get(copy__backup=old, status=DeletionStatus.DELETED).why


def test_a_released_hold_holds_nothing_more(world: World, old: Backup, today: date) -> None:
    hold = place_hold(by=world.it, backup=old, until=today + timedelta(days=100), reason="Before the migration.")
    release_hold(by=world.it2, hold=hold, reason="The migration is done.")
    retained(timezone.now())
    assert not is_there(old)


def test_one_of_two_holds_is_enough(world: World, old: Backup, today: date) -> None:
    first, _ = (
        place_hold(by=by, backup=old, until=today + timedelta(days=9), reason="Mine.") for by in (world.it, world.it2)
    )
    release_hold(by=world.it, hold=first, reason="Done.")
    retained(timezone.now())
    assert is_there(old)


def test_a_hold_that_is_placed_after_the_plan_is_seen_before_the_deletion(
    world: World, old: Backup, today: date
) -> None:
    run = plan_retention(now=timezone.now())
    assert run is not None
    place_hold(by=world.it, backup=old, until=today, reason="Wait!")
    apply_run(run.pk)
    assert is_there(old)
    deletion = run.deletions.get(copy__backup=old)
    assert (deletion.status, bool(deletion.kept_because)) == (DeletionStatus.KEPT, True)


def test_nothing_is_held_of_what_retention_has_deleted(world: World, old: Backup, today: date) -> None:
    stale = Backup.objects.select_related("resource__application").get(pk=old.pk)
    retained(timezone.now())
    for backup in (stale, Backup.objects.get(pk=old.pk)):
        with pytest.raises(Refused, match="No copy of this backup is left, so there is nothing to hold."):
            place_hold(by=world.it, backup=backup, until=today, reason="Too late.")
    assert not Hold.objects.exists()


@pytest.mark.parametrize("name", ["owner", "colleague", "staff", "manager", "auditor", "administrator", "robot"])
def test_only_people_of_it_hold_and_release(world: World, old: Backup, today: date, name: str) -> None:
    with pytest.raises(NotPermitted):
        place_hold(by=getattr(world, name), backup=old, until=today, reason="Please.")
    hold = place_hold(by=world.it, backup=old, until=today, reason="Mine.")
    with pytest.raises(NotPermitted):
        release_hold(by=getattr(world, name), hold=hold, reason="Not mine.")


def test_from_today_to_ten_years(world: World, old: Backup, today: date) -> None:
    for until in (today, months_later(today, 120)):
        place_hold(by=world.it, backup=old, until=until, reason="x")
    for until, word in (
        (today - timedelta(days=1), "is over already"),
        (months_later(today, 121), "ten years at most"),
    ):
        with pytest.raises(InvalidInput, match=word) as raised:
            place_hold(by=world.it, backup=old, until=until, reason="x")
        assert raised.value.field == "until"
