"""The night's work: once a day however often it is asked for, and two misses before a resource is called vanished."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backups.actions.auditing import audit_resource
from backups.actions.daily import once_a_day
from backups.actions.looking import look_for
from backups.findings import Code
from backups.models import DailyJob, Finding, Resource, ResourceState
from backups.tasks import nightly
from tests.app.world import backup_now, days_ago, make_tree, remove_tree

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 11, 24, 6, 0, tzinfo=BERLIN)


def test_a_job_is_done_once_a_day_from_its_hour_on(transactional_db: None) -> None:
    done: list[datetime] = []

    def at(moment: datetime) -> bool:
        return once_a_day("work", 6, lambda: done.append(moment), clock=lambda: moment)

    asked = [NIGHT + timedelta(minutes=10 * n) for n in range(-12, 432)]
    assert [moment for moment in asked if at(moment)] == [NIGHT, NIGHT + timedelta(days=1), NIGHT + timedelta(days=2)]
    assert len(done) == 3
    assert not at(NIGHT), "nor late for a day that is over and done"


def test_a_job_that_failed_is_tried_again(transactional_db: None) -> None:
    def fails() -> None:
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError):
        once_a_day("work", 6, fails, clock=lambda: NIGHT)
    assert once_a_day("work", 6, lambda: None, clock=lambda: NIGHT + timedelta(minutes=10))


def test_a_job_whose_worker_died_is_done_by_another(transactional_db: None) -> None:
    DailyJob.objects.create(name="work", day=NIGHT.date(), started_at=NIGHT)
    assert not once_a_day("work", 6, lambda: None, clock=lambda: NIGHT + timedelta(hours=2)), "it may still be at it"
    assert once_a_day("work", 6, lambda: None, clock=lambda: NIGHT + timedelta(hours=4))


def test_the_night_leaves_its_evidence_once(resource: Resource, settings: Any) -> None:
    from backups.models import Audit, RegionCheck

    settings.NIGHTLY_HOUR = 0
    for _ in range(3):
        nightly()
    assert (Audit.objects.count(), RegionCheck.objects.count()) == (1, 2)
    assert set(DailyJob.objects.values_list("name", flat=True)) == {"audit", "look", "presence"}


def test_two_misses_in_a_row_flag_a_resource_and_one_sighting_takes_it_back(resource: Resource, tree: Path) -> None:
    def state() -> str:
        look_for(resource.pk)
        resource.refresh_from_db()
        return resource.state

    remove_tree(tree)
    assert state() == ResourceState.ACTIVE, "once can be a slip"
    assert state() == ResourceState.VANISHED
    assert resource.history.first().history_change_reason.startswith("There is no directory")
    audit_resource(resource.pk, now=days_ago(0))
    assert Finding.objects.open().filter(resource=resource, code=Code.VANISHED).exists()
    assert resource.backups.good().count() == 1, "nothing of it is deleted"
    make_tree(name=tree.name)
    assert state() == ResourceState.ACTIVE
    audit_resource(resource.pk, now=days_ago(0))
    assert not Finding.objects.open().filter(resource=resource, code=Code.VANISHED).exists()


def test_a_miss_and_a_sighting_and_a_miss_are_not_two_in_a_row(resource: Resource, tree: Path) -> None:
    away = tree.with_name(f"{tree.name}-away")
    for _ in range(3):
        tree.rename(away)
        look_for(resource.pk)
        away.rename(tree)
        backup_now(resource)  # a backup sees it, too
    resource.refresh_from_db()
    assert (resource.state, resource.missed_sightings) == (ResourceState.ACTIVE, 0)


def test_a_place_that_does_not_answer_says_nothing(resource: Resource, tree: Path) -> None:
    """Its disk is not mounted: even the directory above is gone."""
    parent = tree.parent
    away = parent.rename(parent.with_name("files-unmounted"))
    try:
        for _ in range(3):
            look_for(resource.pk)
    finally:
        away.rename(parent)
    resource.refresh_from_db()
    assert (resource.state, resource.missed_sightings) == (ResourceState.ACTIVE, 0)


def test_the_policy_is_audited_also_when_the_regions_cannot_be_looked_at(resource: Resource, settings: Any) -> None:
    settings.NIGHTLY_HOUR = 0
    resource.backups.update(artefact={})  # nobody knows what should be there
    with pytest.raises(ExceptionGroup, match="Not every check"):
        nightly()
    assert set(DailyJob.objects.values_list("name", flat=True)) == {"audit", "look"}, "the third is due again"
