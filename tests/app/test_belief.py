"""A clock that leaps ahead deletes nothing that is kept for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.actions.belief import LEAP, STEP, follow_clock, policy_moment
from backups.actions.copying import copy_to_other_region
from backups.actions.holding import place_hold
from backups.actions.removing import removal_plan, remove_resource
from backups.actions.retaining import apply_run, plan_hourly, planned_deletions
from backups.findings import Code
from backups.keeping import keepings_of
from backups.models import Copy, Finding, Resource, RetentionClock
from tests.app.world import OTHER, World, backup_now, days_ago, stored_prefixes

HOUR = timedelta(hours=1)


@pytest.fixture
def kept(world: World, resource: Resource) -> Resource:
    """Removed production, of which one backup is kept for six months; retention has run since."""
    Resource.objects.filter(pk=resource.pk).update(environment="production")
    resource.refresh_from_db()
    digest = removal_plan(resource, timezone.now()).digest
    remove_resource(by=world.it, resource=resource, reason="Closed.", typed_name=resource.name, digest=digest)
    follow_clock(timezone.now())
    return resource


def retained(now: object) -> None:
    run = plan_hourly(now=now)  # type: ignore[arg-type]
    if run is not None:
        apply_run(run.pk, clock=lambda: now)  # type: ignore[arg-type, return-value]


def test_a_leap_of_half_a_year_deletes_nothing_and_is_told_and_a_true_clock_ends_it(kept: Resource) -> None:
    before = stored_prefixes(kept)
    assert before
    ahead = timezone.now() + timedelta(days=200)
    assert not list(planned_deletions(ahead)), "what is shown is what a run would do"
    for hours in range(3):
        retained(ahead + hours * HOUR)
    assert stored_prefixes(kept) == before
    finding = Finding.objects.open().get(code=Code.CLOCK_LEAPT)
    assert "ahead of where retention last was" in finding.sentence
    retained(timezone.now())
    assert RetentionClock.objects.get().reached_at <= timezone.now()
    assert not Finding.objects.open().filter(code=Code.CLOCK_LEAPT).exists()


def test_a_hold_that_only_a_wrong_clock_calls_over_stands(world: World, resource: Resource) -> None:
    old = backup_now(resource, at=days_ago(300))
    place_hold(
        by=world.it, backup=old, until=(timezone.now() + timedelta(days=30)).date(), reason="Audit.", now=timezone.now()
    )
    for days in range(9):
        backup_now(resource, at=days_ago(days))
    follow_clock(timezone.now())
    ahead = timezone.now() + timedelta(days=60)
    retained(ahead)
    assert old.prefix in stored_prefixes(resource)
    assert keepings_of([old], ahead)[old.pk].keep, "and no page says that it goes"


def test_after_a_true_outage_retention_comes_after_by_itself(kept: Resource) -> None:
    outage_over = timezone.now() + timedelta(days=200)
    runs = 0
    while policy_moment(now := outage_over + runs * HOUR) < now:
        follow_clock(now)
        runs += 1
    assert stored_prefixes(kept)
    retained(now)
    assert not stored_prefixes(kept)
    assert 30 * 24 < runs < 40 * 24, "five weeks in which somebody can set the clock"


@pytest.mark.django_db
def test_up_to_a_day_without_the_portal_is_no_leap() -> None:
    now = timezone.now()
    assert policy_moment(now) == now, "the first run ever believes its clock"
    follow_clock(now)
    assert policy_moment(now + LEAP) == now + LEAP
    assert policy_moment(now + LEAP + HOUR) == now
    follow_clock(now + LEAP + HOUR)
    assert policy_moment(now + timedelta(days=100)) == now + STEP


@pytest.mark.django_db(transaction=True)
def test_after_an_outage_the_newest_copy_elsewhere_is_not_deleted_again(resource: Resource) -> None:
    """By the moment that is still believed it is a copy of days to come."""
    resource.backups.update(taken_at=days_ago(40), finished_at=days_ago(40))
    copy_to_other_region(resource.pk)
    follow_clock(days_ago(35))
    newest = backup_now(resource)
    copy_to_other_region(resource.pk)
    retained(timezone.now())
    kept = {copy.backup_id for copy in Copy.objects.present().filter(region=OTHER)}
    assert newest.pk in kept
    for _ in range(200):
        follow_clock(timezone.now())
    copy_to_other_region(resource.pk)
    assert {copy.backup_id for copy in Copy.objects.present().filter(region=OTHER)} == {newest.pk}
