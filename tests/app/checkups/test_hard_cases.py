"""What goes wrong around a checkup: dates set twice, months that turn, workers taken for dead, clocks that disagree."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.drivers.base import DamagedBackup
from backups.models import Backup, Copy, CopyState, Pin, Resource, ResourceState
from checkups.actions import following
from checkups.actions.howtoask import say_how_to_ask, stop_asking
from checkups.actions.moves import locked_checkup
from checkups.actions.recording import record_of
from checkups.actions.running import cancel, check_again
from checkups.actions.scratch import remove_scratch
from checkups.actions.signing import seal, sign, standing
from checkups.actions.sweeping import sweep_checkups
from checkups.actions.trying import perform_trial
from checkups.models import Check, CheckStatus, Checkup, Task, Trial, TrialStatus
from checkups.record import digest_of
from checkups.scope import What
from checkups.workflow import Status
from portal.errors import Refused
from tests.app.checkups.carrying import begun, carried_out, checks_of, sweep
from tests.app.checkups.test_checkup import spoil
from tests.app.world import OTHER, World, backup_now, days_ago

SEEN_TO = "It is known, and seen to."


def test_the_same_date_set_again_has_a_number_and_pins_of_its_own(world: World, resource: Resource) -> None:
    one = begun(world)
    cancel(by=world.it, checkup=one, reason="The wrong disk was in.")
    carried_out(one)
    two = begun(world)
    assert two.number == f"{one.number}-2"
    pins = set(Pin.objects.filter(label=two.number).values_list("backup", flat=True))
    assert pins
    sweep()
    assert set(Pin.objects.filter(label=two.number).values_list("backup", flat=True)) == pins
    carried_out(two)
    assert two.state is Status.READY


def test_when_the_month_turns_the_copy_that_stands_there_is_checked(world: World, resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    checkup = begun(world)
    declared = checks_of(checkup, resource.name)["elsewhere"].backup_id
    older = backup_now(resource, at=days_ago(40))  # the earliest of a month, of which the other region has none yet
    Copy.objects.filter(backup=declared).update(state="deleted", deleted_at=timezone.now())
    Backup.objects.filter(pk=declared).update(deleted_at=timezone.now())  # so that one is the latest monthly
    copy_to_other_region(resource.pk)
    carried_out(checkup)
    elsewhere = checks_of(checkup, resource.name)["elsewhere"]
    assert (elsewhere.status, elsewhere.backup_id) == (CheckStatus.PASSED, older.pk)
    assert checkup.events.filter(finding=elsewhere.finding, text__contains="was replaced by that of").exists()
    assert Pin.objects.filter(label=checkup.number, backup=older).exists()


def test_everything_that_is_kept_of_a_removed_resource_is_checked(world: World, resource: Resource) -> None:
    kept = {backup_now(resource, at=days_ago(40)).pk, *resource.backups.values_list("pk", flat=True)}
    _removed(resource, world)
    checkup = carried_out(begun(world))
    checks = Check.objects.filter(finding__checkup=checkup)
    assert {(check.what, check.backup_id, check.status) for check in checks} == {("kept", pk, "passed") for pk in kept}


def test_a_worker_taken_for_dead_leaves_nothing_behind(world: World, resource: Resource) -> None:
    checkup = begun(world)
    trial = Trial.objects.open().get()

    def give_it_up() -> None:
        later = timezone.now() + timedelta(minutes=10)
        sweep_checkups(later, lost_before=later - timedelta(seconds=60))
        assert remove_scratch(trial.pk)  # before anything was built

    perform_trial(trial.pk, clock=_once_begun(trial, "restore", give_it_up))
    trial.refresh_from_db()
    assert trial.status == TrialStatus.INTERRUPTED
    assert trial.tidied_at is not None
    assert not Path(trial.place["beside"]).exists()
    carried_out(checkup, later=timedelta(hours=1))
    assert checkup.state is Status.READY


def test_a_newer_backup_does_not_hide_that_the_monthly_failed(world: World, resource: Resource) -> None:
    bad = resource.backups.get()
    checkup = carried_out(begun(world))
    both = checks_of(checkup, resource.name)["both"]
    Check.objects.filter(pk=both.pk).update(status=CheckStatus.FAILED, reached=None, sentence="A file differs.")
    finding = both.finding
    finding.status, finding.failed_at = "failed", timezone.now()
    finding.save()
    newer = backup_now(resource)
    check_again(by=world.it, finding=finding, newest=True)
    carried_out(checkup)
    assert {
        check.what: check.backup_id for check in checks_of(checkup, resource.name).values() if check.what != "elsewhere"
    } == {What.DAILY: newer.pk, What.MONTHLY: bad.pk}


def test_what_a_wrong_clock_put_off_is_tried_all_the_same(world: World, resource: Resource) -> None:
    checkup = begun(world)
    Check.objects.update(not_before=timezone.now() + timedelta(days=365))
    carried_out(checkup)
    assert checkup.state is Status.READY


def test_the_hash_holds_whatever_the_clocks_of_two_machines_say(world: World, resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    checkup = carried_out(begun(world))
    digest, now = standing(checkup).digest, timezone.now()
    sign(by=world.it, checkup=checkup, digest=digest, now=now)
    sealed = sign(by=world.it2, checkup=checkup, digest=digest, now=now - timedelta(milliseconds=5))
    assert sealed.state is Status.SIGNED
    assert digest_of(record_of(sealed)) == sealed.sha256


def test_a_void_signature_of_a_clock_ahead_does_not_count(world: World, resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    spoil(Copy.objects.get(region=OTHER))
    checkup = carried_out(begun(world))
    now = timezone.now()
    digest = standing(checkup).digest
    sign(by=world.it, checkup=checkup, digest=digest, statement=SEEN_TO, now=now + timedelta(hours=1))
    copy_to_other_region(resource.pk)
    check_again(by=world.it, finding=checkup.findings.get())
    carried_out(checkup)
    digest = standing(checkup).digest
    for person in (world.it, world.it2):
        sign(by=person, checkup=checkup, digest=digest, statement=SEEN_TO, now=now)
    checkup.refresh_from_db()
    assert checkup.state is Status.SIGNED
    assert digest_of(record_of(checkup)) == checkup.sha256


def test_a_large_record_is_read_and_sealed_by_workers(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkups.actions.signing.SMALL", 0)
    copy_to_other_region(resource.pk)
    checkup = carried_out(begun(world))
    assert standing(checkup).digest == ""
    from checkups.actions.signing import work_out

    digest = work_out(checkup)
    for person in (world.it, world.it2):
        sign(by=person, checkup=checkup, digest=digest)
    checkup.refresh_from_db()
    assert checkup.state is Status.READY
    for _ in range(2):  # the message comes twice
        seal(Checkup.objects.get(pk=checkup.pk), timezone.now())
    checkup.refresh_from_db()
    assert checkup.state is Status.SIGNED
    assert checkup.events.filter(move="seal").count() == 1


def test_a_task_is_closed_while_a_worker_settles_it(world: World, resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    spoil(resource.backups.get().copies.get(region=resource.home_region))
    checkup = carried_out(begun(world))
    task, errors = Task.objects.get(finding__checkup=checkup), list[str]()
    holds = threading.Event()

    def settle() -> None:
        try:
            with transaction.atomic():
                locked_checkup(checkup.pk)
                holds.set()
                Task.objects.select_for_update().get(pk=task.pk)
        except Exception as error:
            errors.append(repr(error))
        finally:
            connection.close()

    worker = threading.Thread(target=settle)
    worker.start()
    assert holds.wait(20)
    following.close_task(by=world.it, task=task, outcome="Seen to by hand; all is well.")
    worker.join()
    assert not errors
    task.refresh_from_db()
    assert task.done_by == world.it


def test_what_cannot_be_read_a_second_time_is_not_called_damaged(world: World, resource: Resource) -> None:
    """It was read wrongly, and then its store was away: nothing is known of it, and nothing may go because of that."""
    copy = resource.backups.get().copies.get(region=resource.home_region)
    data = Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under / "data.zst"
    sound = data.read_bytes()
    spoil(copy)
    begun(world)
    trial = Trial.objects.get(copy__isnull=True, check_row__region=copy.region)

    def away() -> None:
        data.unlink()
        data.mkdir()  # which cannot be read, and is not missing either

    def clock() -> datetime:
        if isinstance(sys.exc_info()[1], DamagedBackup) and data.is_file():  # the first reading is over
            away()
        return timezone.now()

    perform_trial(trial.pk, clock=clock)
    data.rmdir()
    data.write_bytes(sound)
    trial.refresh_from_db()
    copy.refresh_from_db()
    assert "damaged" in next(step["sentence"] for step in trial.steps if step["name"] == "restore")
    assert trial.fault == "refused"
    assert (copy.state, copy.damaged_at) == (CopyState.PRESENT, None)
    checkup = carried_out(Checkup.objects.get())
    check_again(by=world.it, finding=checkup.findings.get())
    carried_out(checkup)
    assert checks_of(checkup, resource.name)["both"].status == CheckStatus.PASSED


@pytest.mark.parametrize("way", ["removed", "cancelled"])
def test_what_failed_and_was_then_left_has_not_passed(world: World, resource: Resource, way: str) -> None:
    copy_to_other_region(resource.pk)
    spoil(Copy.objects.get(region=OTHER))
    checkup = carried_out(begun(world))
    finding = checkup.findings.get()
    copy_to_other_region(resource.pk)
    check_again(by=world.it, finding=finding)
    if way == "removed":
        _removed(resource, world)
    else:
        cancel(by=world.it, checkup=checkup, reason="The power goes off.")
    carried_out(checkup)
    finding.refresh_from_db()
    assert {check.status for check in finding.checks.all()} == {CheckStatus.PASSED, CheckStatus.LEFT}
    assert finding.status == "left"
    assert Task.objects.get(finding=finding).done_at is None
    assert not finding.events.filter(text__contains="passed").exists()


def test_what_is_kept_of_a_removed_resource_is_never_hidden_by_another(world: World, resource: Resource) -> None:
    older = backup_now(resource, at=days_ago(40))
    spoil(older.copies.get(region=resource.home_region))
    _removed(resource, world)
    checkup = carried_out(begun(world))
    finding = checkup.findings.get()
    failed = finding.checks.get(status=CheckStatus.FAILED)
    assert failed.backup == older
    with pytest.raises(Refused, match="All that is kept of it is in the scope already"):
        check_again(by=world.it, finding=finding, newest=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Check.objects.create(finding=finding, what=failed.what, backup=older, region="x", declared=failed.declared)
    with pytest.raises(IntegrityError), transaction.atomic():
        for _ in range(2):
            Check.objects.create(finding=finding, what="monthly", region="x", declared=failed.declared)


def test_a_task_that_was_done_is_open_again_when_something_fails_anew(world: World, resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    spoil(Copy.objects.get(region=OTHER))
    checkup = carried_out(begun(world))
    finding = checkup.findings.get()
    following.close_task(by=world.it, task=finding.task, outcome="The disk was replaced.")
    copy_to_other_region(resource.pk)
    spoil(Copy.objects.filter(region=OTHER).latest("pk"))
    check_again(by=world.it, finding=finding)
    carried_out(checkup)
    task = Task.objects.get(finding=finding)
    assert (task.done_at, task.done_by, task.outcome, task.told_at) == (None, None, "", None)
    assert task.history.filter(outcome="The disk was replaced.").exists()
    assert finding.events.filter(text__contains=f"{task.owner} has the task again").exists()


def test_an_application_check_that_was_taken_away_is_asked_for_first(
    world: World, resource: Resource, settings: Any, tmp_path: Path
) -> None:
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    (tmp_path / "asks").write_text("#!/bin/sh\n")
    (tmp_path / "asks").chmod(0o755)
    how = {"way": "command", "text": "asks", "seconds": 30, "reason": "It has to work."}
    say_how_to_ask(by=world.it, resource=resource, **how)
    copy_to_other_region(resource.pk)
    checkup = begun(world)
    stop_asking(by=world.it, resource=resource, reason="It asks nothing.")
    carried_out(checkup)
    finding = checkup.findings.get()
    assert "Say again how it is asked" in finding.sentence
    with pytest.raises(Refused, match="Say again how"):
        check_again(by=world.it, finding=finding)
    say_how_to_ask(by=world.it, resource=resource, **how)
    check_again(by=world.it, finding=finding)
    carried_out(checkup)
    finding.refresh_from_db()
    assert finding.status == "passed"


def _removed(resource: Resource, world: World) -> None:
    now = timezone.now()
    Resource.objects.filter(pk=resource.pk).update(
        state=ResourceState.REMOVED, removed_at=now, removal_asked_at=now, removed_by=world.it, removal_reason="Left.",
    )  # fmt: skip


def _once_begun(trial: Trial, step: str, act: Callable[[], None]) -> Callable[[], datetime]:
    """The worker's clock, which lets something happen to the world once that step is recorded as begun."""
    happened: list[bool] = []

    def clock() -> datetime:
        if not happened and threading.current_thread() is threading.main_thread():
            steps = Trial.objects.values_list("steps", flat=True).get(pk=trial.pk)
            if any(one["name"] == step for one in steps):
                happened.append(True)
                act()
        return timezone.now()

    return clock
