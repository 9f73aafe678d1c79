"""Retention on real copies: the plan is written first, each copy is looked at again, and too much stops the run."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.actions.holding import place_hold
from backups.actions.retaining import apply_run, decide_run, hand_over_open_runs, plan_hourly, plan_retention
from backups.actions.tidying import tidy_regions
from backups.models import (
    Backup,
    Copy,
    CopyState,
    Deletion,
    DeletionStatus,
    Resource,
    RetentionRun,
    RunStatus,
)
from backups.stores.directory import DirectoryStore
from portal.errors import InvalidInput, NotPermitted, Refused
from restores.actions.filing import file_request
from tests.app.world import HOME, OTHER, World, approved, backup_now, days_ago, filed, stored_prefixes


@pytest.fixture
def old(resource: Resource) -> list[Backup]:
    """Backups of the last twelve nights, the oldest first; the first one was the resource's first."""
    first = resource.backups.get()
    Backup.objects.filter(pk=first.pk).update(taken_at=days_ago(12))
    made = [first, *(backup_now(resource, at=days_ago(back)) for back in range(11, 0, -1))]
    copy_to_other_region(resource.pk)
    return [Backup.objects.get(pk=backup.pk) for backup in made]


@pytest.fixture
def unlimited(settings: object) -> None:
    settings.RETENTION_LIMIT_PERCENT = 100  # type: ignore[attr-defined]


def months_firsts(backups: list[Backup]) -> set[int]:
    """The monthlies among them, oldest first, worked out without the portal's own code."""
    seen: dict[str, int] = {}
    for backup in backups:
        assert backup.taken_at is not None
        seen.setdefault(f"{backup.taken_at.astimezone(ZoneInfo(settings.POLICY_TIME_ZONE)):%Y-%m}", backup.pk)
    return set(seen.values())


def run_retention() -> RetentionRun | None:
    run = plan_retention(now=timezone.now())
    if run is not None:
        apply_run(run.pk)
        run.refresh_from_db()
    return run


@pytest.mark.usefixtures("unlimited")
def test_the_store_holds_what_the_policy_says(resource: Resource, old: list[Backup]) -> None:
    run = run_retention()
    assert run is not None
    assert run.status == RunStatus.DONE
    kept = {backup.pk for backup in old[-7:]} | months_firsts(old)
    assert stored_prefixes(resource) == {backup.prefix for backup in old if backup.pk in kept}
    for backup in old:
        backup.refresh_from_db()
        assert (backup.deleted_at is None) == (backup.pk in kept)
        assert backup.is_good == (backup.pk in kept)
    assert run.deletions.count() == run.to_delete == 12 - len(kept)
    assert run_retention() is None, "a second run has nothing to do"
    assert resource.history.count() == 1, "derived columns leave no history"


@pytest.mark.usefixtures("unlimited")
def test_what_is_asked_for_or_held_meanwhile_stays(world: World, resource: Resource, old: list[Backup]) -> None:
    """Between the plan and the deleting: the plan shows it, and says why it was kept after all."""
    run = plan_retention(now=timezone.now())
    assert run is not None
    going = [Backup.objects.get(pk=pk) for pk in run.deletions.values_list("copy__backup", flat=True)]
    request = filed(world, going[0])
    today = timezone.localdate()
    place_hold(by=world.it, backup=going[1], until=today + timedelta(days=9), reason="before the migration")
    apply_run(run.pk)
    left = stored_prefixes(resource)
    assert {going[0].prefix, going[1].prefix} <= left
    assert all(backup.prefix not in left for backup in going[2:])
    kept = {d.copy.backup_id: d for d in run.deletions.filter(status=DeletionStatus.KEPT)}
    assert set(kept) == {going[0].pk, going[1].pk}
    assert f"pinned by {request.number}" in str(kept) or kept[going[0].pk].kept_because


@pytest.mark.usefixtures("unlimited")
def test_nobody_can_ask_for_what_is_gone(world: World, resource: Resource, old: list[Backup]) -> None:
    run_retention()
    gone = Backup.objects.filter(deleted_at__isnull=False).first()
    assert gone is not None
    with pytest.raises(InvalidInput, match="No copy of this backup is left"):
        file_request(by=world.owner, backup=gone, mode="beside", reason="Too late.", cause="bad_change")  # type: ignore[arg-type]


@pytest.mark.usefixtures("unlimited")
def test_the_backup_that_is_being_restored_outlives_every_run(
    world: World, resource: Resource, old: list[Backup]
) -> None:
    request = approved(world, filed(world, old[1]))
    for night in range(3):
        backup_now(resource, at=timezone.now() - timedelta(seconds=3 - night))
        run_retention()
    assert Copy.objects.present().filter(backup=request.backup).exists()


def test_too_much_stops_before_the_first_copy_and_waits_for_it(
    world: World, resource: Resource, old: list[Backup]
) -> None:
    before = stored_prefixes(resource)
    run = run_retention()
    assert run is not None
    assert (run.status, round(run.share_percent)) == (RunStatus.STOPPED, round(100 * run.to_delete / 13))
    assert stored_prefixes(resource) == before
    assert plan_retention(now=timezone.now()) is None, "and no other run goes round it"
    for name in ("owner", "staff", "auditor", "administrator", "manager", "robot"):
        with pytest.raises(NotPermitted):
            decide_run(by=getattr(world, name), run=run, carry_on=True, reason="Go.")
    with pytest.raises(InvalidInput):
        decide_run(by=world.it, run=run, carry_on=True, reason=" ")
    decide_run(by=world.it, run=run, carry_on=True, reason="Right: the first run of all.")
    with pytest.raises(Refused, match="nothing to decide"):
        decide_run(by=world.it2, run=run, carry_on=False, reason="No.")
    apply_run(run.pk)
    assert len(stored_prefixes(resource)) == len(before) - run.to_delete
    assert run.history.first().history_user is not None


def test_a_refused_run_deletes_nothing(world: World, resource: Resource, old: list[Backup]) -> None:
    before = stored_prefixes(resource)
    run = run_retention()
    assert run is not None
    decide_run(by=world.it, run=run, carry_on=False, reason="The clock was wrong.")
    apply_run(run.pk)
    assert stored_prefixes(resource) == before
    assert plan_hourly(now=timezone.now()) is None, "and it is not asked for again within the hour"
    again = plan_hourly(now=timezone.now() + timedelta(days=1, minutes=1))
    assert again is not None
    assert again.status == RunStatus.STOPPED


def test_the_limit_cannot_be_got_round_in_slices(resource: Resource, old: list[Backup], settings: object) -> None:
    """What was deleted within the last day counts against the limit as well."""
    settings.RETENTION_LIMIT_PERCENT = 100  # type: ignore[attr-defined]
    run_retention()
    settings.RETENTION_LIMIT_PERCENT = 30  # type: ignore[attr-defined]
    for seconds in (2, 1):
        backup_now(resource, at=timezone.now() - timedelta(seconds=seconds))
    run = plan_retention(now=timezone.now() + timedelta(hours=1))
    assert run is not None
    assert run.to_delete / run.copies_before < 0.3
    assert run.status == RunStatus.STOPPED


@pytest.mark.usefixtures("unlimited")
def test_a_run_whose_worker_died_is_carried_on(resource: Resource, old: list[Backup]) -> None:
    run = plan_retention(now=timezone.now())
    assert run is not None
    first = run.deletions.earliest("id")
    Copy.objects.filter(pk=first.copy_id).update(state=CopyState.DELETING)  # it died between the row and the bytes
    Deletion.objects.filter(pk=first.pk).update(status=DeletionStatus.DELETED, done_at=timezone.now())
    hand_over_open_runs()
    apply_run(run.pk)
    tidy_regions()
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert len(stored_prefixes(resource)) == 12 - run.to_delete


@pytest.mark.usefixtures("unlimited")
def test_what_a_dead_worker_had_only_marked_is_gone_when_the_run_is_done(
    resource: Resource, old: list[Backup], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = plan_retention(now=timezone.now())
    assert run is not None

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr("backups.actions.retaining.remove_copy", killed)
        apply_run(run.pk)
    assert Copy.objects.filter(state=CopyState.DELETING).exists()
    apply_run(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert not Copy.objects.filter(state=CopyState.DELETING).exists()
    kept = {backup.pk for backup in old[-7:]} | months_firsts(old)
    assert stored_prefixes(resource) == {backup.prefix for backup in old if backup.pk in kept}


@pytest.mark.usefixtures("unlimited")
def test_two_workers_at_once_delete_no_more_than_one(resource: Resource, old: list[Backup]) -> None:
    run = plan_retention(now=timezone.now())
    assert run is not None

    def work() -> None:
        from django.db import connection

        apply_run(run.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored_prefixes(resource)) == 12 - run.to_delete


@pytest.mark.usefixtures("unlimited")
def test_a_region_that_is_away_keeps_no_run_from_ending(resource: Resource, old: list[Backup]) -> None:
    run = plan_retention(now=timezone.now())
    assert run is not None
    region = Path(settings.STORE_REGIONS[HOME])
    away = region.rename(region.with_name("unmounted"))
    try:
        apply_run(run.pk)
    finally:
        away.rename(region)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert len(stored_prefixes(resource)) == 12, "the bytes wait for their disk"
    tidy_regions()
    assert len(stored_prefixes(resource)) == 12 - run.to_delete


def test_few_deletions_stop_nothing(resource: Resource) -> None:
    """In a company of one resource three backups on its first day are no reason to call IT."""
    Backup.objects.update(taken_at=timezone.now() - timedelta(seconds=4))
    for seconds in (3, 2, 1):
        backup_now(resource, at=timezone.now() - timedelta(seconds=seconds))
    run = run_retention()
    assert run is not None
    assert (run.to_delete, run.status) == (2, RunStatus.DONE)


@pytest.mark.usefixtures("unlimited")
def test_the_other_region_keeps_its_copy_until_the_next_one_is_there(resource: Resource, old: list[Backup]) -> None:
    Backup.objects.filter(resource=resource).update(taken_at=days_ago(400))
    backup_now(resource)  # its copy is not made yet
    run_retention()
    assert Copy.objects.present().filter(backup__resource=resource, region=OTHER).count() == 1
    copy_to_other_region(resource.pk)
    run_retention()
    (there,) = Copy.objects.present().filter(backup__resource=resource, region=OTHER)
    assert there.backup == resource.backups.good().latest("taken_at")
    assert stored_prefixes(resource, OTHER) == {there.stored_under}
    assert DirectoryStore(OTHER, Path(settings.STORE_REGIONS[OTHER])).stat(f"{there.stored_under}/index.json")
