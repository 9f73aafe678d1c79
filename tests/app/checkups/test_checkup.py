"""A checkup from its date to its signatures, on real directories."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.actions.removing import removal_plan, remove_resource
from backups.actions.repairing import repair
from backups.models import Copy, CopyState, Finding, Pin, Resource, ResourceState
from backups.proof import Proof
from checkups.actions.dates import set_date, withdraw
from checkups.actions.howtoask import say_how_to_ask
from checkups.actions.recording import record_of
from checkups.actions.running import cancel, check_again, pause, resume
from checkups.actions.signing import sign, standing
from checkups.actions.trying import perform_trial
from checkups.models import Check, CheckStatus, Checkup, Task, Trial, TrialStatus
from checkups.models.finding import FindingStatus
from checkups.record import digest_of
from checkups.workflow import Status
from portal.days import day_in_words
from portal.errors import InvalidInput, Refused
from tests.app.checkups.carrying import begun, carried_out, checks_of, sweep, today
from tests.app.world import OTHER, World, backup_now, days_ago, fingerprint, make_resource, make_tree


@pytest.fixture
def resource(world: World, resource: Resource) -> Resource:
    """With a monthly of an earlier month, its copy in the other region, and a newer daily."""
    backup_now(resource, at=days_ago(40))
    copy_to_other_region(resource.pk)
    return resource


def test_every_backup_is_restored_compared_and_its_scratch_removed(
    world: World, resource: Resource, tree: Path
) -> None:
    before = fingerprint(tree)
    checkup = begun(world)
    assert checkup.state is Status.RUNNING
    pinned = set(Pin.objects.filter(label=checkup.number).values_list("backup", flat=True))

    carried_out(checkup)
    assert checkup.state is Status.READY, list(Trial.objects.values_list("sentence", "detail"))
    assert fingerprint(tree) == before
    finding = checkup.findings.get()
    assert finding.status == FindingStatus.PASSED
    checks = checks_of(checkup, resource.name)
    assert {check.backup_id for check in checks.values()} == pinned
    assert set(checks) <= {"daily", "monthly", "both", "elsewhere"}
    assert checks["elsewhere"].region == OTHER
    for check in checks.values():
        assert check.status == CheckStatus.PASSED
        assert check.declared_level is check.reached_level is Proof.CONTENT_MATCHED
        trial = check.trials.get()
        assert [step["name"] for step in trial.steps] == ["preflight", "restore", "neutralise", "verify", "remove"]
        assert "SHA-256" in trial.sentence
        assert trial.recovery_ms is not None
        assert trial.copy is not None
        assert trial.copy.proof_level is Proof.CONTENT_MATCHED
    resource.refresh_from_db()
    assert resource.recovery_ms is not None
    assert resource.recovery_at is not None


def test_two_people_sign_what_the_record_says(world: World, resource: Resource) -> None:
    checkup = carried_out(begun(world))
    digest = standing(checkup).digest
    sign(by=world.it, checkup=checkup, digest=digest)
    with pytest.raises(Refused, match="another person"):
        sign(by=world.it, checkup=checkup, digest=digest)
    checkup.refresh_from_db()
    assert checkup.state is Status.READY

    sealed = sign(by=world.it2, checkup=checkup, digest=digest, statement="Looked at every one.")
    assert sealed.state is Status.SIGNED
    assert digest_of(record_of(sealed)) == sealed.sha256
    record = json.loads("".join(record_of(sealed)))
    assert [one["name"] for one in record["signatures"]] == ["it", "it2"]
    assert not Pin.objects.filter(label=checkup.number).exists()


def test_a_flipped_byte_is_found_named_and_handed_to_somebody(world: World, resource: Resource) -> None:
    backup = resource.backups.good().order_by("-taken_at").first()
    assert backup is not None
    spoil(backup.copies.get(region=resource.home_region))
    checkup = carried_out(begun(world))
    assert checkup.state is Status.READY
    finding = checkup.findings.get()
    assert finding.status == FindingStatus.FAILED
    failed = [check for check in checks_of(checkup, resource.name).values() if check.status == CheckStatus.FAILED]
    assert len(failed) == 1
    assert failed[0].backup == backup
    assert failed[0].trials.get().fault == "damaged"
    assert failed[0].reached is None
    task = finding.task
    assert task.owner == world.it
    assert f"its copy in {OTHER}" in task.advice
    with pytest.raises(InvalidInput, match="statement"):
        sign(by=world.it, checkup=checkup, digest=standing(checkup).digest)

    with pytest.raises(Refused, match="never taken for good again"):
        check_again(by=world.it, finding=finding)
    with pytest.raises(Refused, match="no newer backup"):
        check_again(by=world.it, finding=finding, newest=True)
    backup_now(resource)
    repair(resource.pk)  # what the portal does by itself: a copy from the other region in place of the damaged one
    check_again(by=world.it, finding=finding, newest=True)
    carried_out(checkup)
    finding.refresh_from_db()
    assert finding.status == FindingStatus.PASSED
    assert finding.failed_at is not None  # it stays, whatever comes after
    assert Task.objects.get(finding=finding).done_at is not None
    again = Check.objects.get(pk=failed[0].pk)
    assert [trial.status for trial in again.trials.all()] == ["failed", "passed"]


def test_the_same_backup_is_checked_again_once_its_damaged_copy_was_replaced(world: World, resource: Resource) -> None:
    backup = resource.backups.good().order_by("-taken_at").first()
    assert backup is not None
    spoil(backup.copies.get(region=resource.home_region))
    checkup = carried_out(begun(world))
    finding = checkup.findings.get()
    repair(resource.pk)
    check_again(by=world.it, finding=finding, reason="The portal has made a new copy of it.")
    carried_out(checkup)
    finding.refresh_from_db()
    assert finding.status == FindingStatus.PASSED
    told = [(event.text, event.reason) for event in finding.events.all()]
    assert [text for text, _ in told] == [
        "A check failed",
        f"{world.it} has the task, until {day_in_words(finding.task.due_on)}",
        f"{world.it} had {resource.name} checked again, with the same backups",
        "It was checked again and passed",
    ]
    assert told[2][1] == "The portal has made a new copy of it."


def test_what_fails_again_is_told_again(world: World, resource: Resource) -> None:
    checkup = begun(world)
    settings = dict(resource.settings)
    Resource.objects.filter(pk=resource.pk).update(settings={"path": settings["path"] + "-moved"})
    for hours in (0, 1, 2, 3):
        carried_out(checkup, later=timedelta(hours=hours))
    finding = checkup.findings.get()
    check_again(by=world.it, finding=finding)
    for hours in (0, 1, 2, 3):
        carried_out(checkup, later=timedelta(hours=hours))
    texts = [event.text for event in finding.events.all()]
    assert texts.count("It failed again") == 1
    assert texts[-1] in ("It failed again", "A check failed")


def test_a_copy_that_is_not_in_the_other_region_is_a_failure(world: World, resource: Resource) -> None:
    Copy.objects.filter(region=OTHER).update(state=CopyState.DELETED, deleted_at=timezone.now())
    checkup = carried_out(begun(world))
    checks = checks_of(checkup, resource.name)
    assert checks["elsewhere"].status == CheckStatus.FAILED
    assert checks["elsewhere"].sentence == f"There is no copy of it in {OTHER}."
    assert {check.status for what, check in checks.items() if what != "elsewhere"} == {CheckStatus.PASSED}


def test_one_that_cannot_be_reached_is_tried_three_times_and_called_that(world: World, resource: Resource) -> None:
    checkup = begun(world)
    Resource.objects.filter(pk=resource.pk).update(settings={"path": resource.settings["path"] + "-moved"})
    for hours in (0, 1, 2, 3):
        carried_out(checkup, later=timedelta(hours=hours))
    assert checkup.findings.get().status == FindingStatus.FAILED


def test_pausing_begins_nothing_more_and_resuming_forgets_nothing(world: World, resource: Resource) -> None:
    make_resource(world, make_tree(name="second-tree"))
    checkup = begun(world)
    first = set(Trial.objects.values_list("pk", flat=True))
    pause(by=world.it, checkup=checkup, reason="The disk is needed.")
    carried_out(checkup)
    assert set(Trial.objects.values_list("pk", flat=True)) == first
    assert not Trial.objects.open().exists()
    resume(by=world.it2, checkup=checkup)
    carried_out(checkup)
    assert checkup.state is Status.READY
    assert Trial.objects.count() == sum(finding.checks.count() for finding in checkup.findings.all())


def test_cancelling_leaves_no_check_open_and_lets_go_of_the_backups(world: World, resource: Resource) -> None:
    checkup = begun(world)
    cancelled = cancel(by=world.it, checkup=checkup, reason="The wrong day was set.")
    carried_out(cancelled)
    assert cancelled.state is Status.CANCELLED
    assert {check.status for check in checks_of(checkup, resource.name).values()} == {CheckStatus.LEFT}
    assert not Pin.objects.filter(label=checkup.number).exists()
    assert not Trial.objects.open().exists()
    assert Finding.objects.open().filter(code="checkup_dates").exists()


def test_what_is_removed_or_added_meanwhile_is_said(world: World, resource: Resource) -> None:
    checkup = begun(world)
    carried = list(Trial.objects.filter(status=TrialStatus.QUEUED))
    Resource.objects.filter(pk=resource.pk).update(
        state=ResourceState.REMOVED, removed_at=timezone.now(), removal_asked_at=timezone.now(),
        removed_by=world.it, removal_reason="The client left.",
    )  # fmt: skip
    make_resource(world, make_tree(name="late-tree"))
    carried_out(checkup)
    assert carried
    assert checkup.state is Status.READY
    left = [check for check in checks_of(checkup, resource.name).values() if check.status == CheckStatus.LEFT]
    assert left
    assert "removed on" in left[0].sentence
    said = checkup.events.get(move="finish").reason
    assert "late-tree was added after it started" in said
    assert f"{resource.name} was removed meanwhile" in said


def test_a_resource_can_be_removed_while_a_checkup_looks_at_it(world: World, resource: Resource) -> None:
    """It keeps what the checkup refers to until that leaves it, and the record says so."""
    make_resource(world, make_tree())
    checkup = begun(world)
    assert Pin.objects.filter(label=checkup.number, backup__resource=resource).exists()
    plan = removal_plan(resource, timezone.now())
    assert any(checkup.number in str(verdict) for _, verdict in plan.staying)
    remove_resource(
        by=world.it, resource=resource, reason="The client has left.", typed_name=resource.name, digest=plan.digest
    )
    carried_out(checkup)
    assert checkup.state is Status.READY
    assert checkup.findings.get(name=resource.name).status == FindingStatus.LEFT
    assert not Pin.objects.filter(backup__resource=resource).exists()
    assert f"{resource.name} was removed meanwhile." in checkup.events.get(move="finish").reason


def test_a_question_that_changes_meanwhile_is_told(
    world: World, resource: Resource, settings: Any, tmp_path: Path
) -> None:
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    for name, code in (("strict", 1), ("mild", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    how = {"way": "command", "seconds": 30, "reason": "The strict one was too strict."}
    say_how_to_ask(by=world.it, resource=resource, text="strict", **how)  # type: ignore[arg-type]
    checkup = carried_out(begun(world))
    finding = checkup.findings.get()
    say_how_to_ask(by=world.it, resource=resource, text="mild", **how)  # type: ignore[arg-type]
    told = finding.events.latest("pk")
    assert (told.text, told.reason) == (f"{world.it} changed how a restored copy is asked", how["reason"])


def test_cancelling_ends_the_program_that_asks(world: World, resource: Resource, settings: Any, tmp_path: Path) -> None:
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    begins = tmp_path / "begins"
    os.mkfifo(begins)
    (tmp_path / "asks").write_text(f"#!/bin/sh\necho yes > {begins}\nexec sleep 600\n")
    (tmp_path / "asks").chmod(0o755)
    how = {"way": "command", "seconds": 900, "reason": "It has to work."}
    say_how_to_ask(by=world.it, resource=resource, text="asks", **how)  # type: ignore[arg-type]
    checkup = begun(world)
    trial = Trial.objects.get(check_row__region=resource.home_region)

    def work() -> None:
        perform_trial(trial.pk)
        connection.close()

    worker = Thread(target=work)
    worker.start()
    assert begins.read_text() == "yes\n"  # waits for it
    cancel(by=world.it, checkup=checkup, reason="The power goes off.")
    worker.join(60)
    trial.refresh_from_db()
    assert (trial.status, trial.reached) == (TrialStatus.STOPPED, None)
    assert trial.tidied_at is not None
    sweep()


def test_a_seed_is_drawn_once_for_a_date(world: World) -> None:
    first = set_date(by=world.it, on=today() + timedelta(days=9), share=30, sample_reason="The disk is small.")
    withdraw(by=world.it, checkup=first, reason="The seed does not please me.")
    again = set_date(by=world.it, on=first.on, share=30, sample_reason="The disk is small.")
    assert again.seed == first.seed


def test_only_the_newest_daily_at_home_says_how_long_the_next_restore_takes(world: World, resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    begun(world)
    for trial in Trial.objects.filter(check_row__what="elsewhere"):
        perform_trial(trial.pk)
    resource.refresh_from_db()
    assert resource.recovery_at is None
    carried_out(Checkup.objects.get())
    resource.refresh_from_db()
    assert resource.recovery_at is not None


def test_a_sample_is_declared_and_the_others_are_read_not_restored(world: World, resource: Resource) -> None:
    for number in range(3):
        make_resource(world, make_tree(name=f"other-{number}"))
    checkup = carried_out(begun(world, share=50, reason="The scratch disk is small this time."))
    assert checkup.state is Status.READY
    restored = checkup.findings.filter(sampled=True)
    assert restored.count() == 2
    assert str(checkup.seed) in checkup.rule
    for finding in checkup.findings.filter(sampled=False):
        assert finding.why_not_restored
        for check in finding.checks.exclude(status=CheckStatus.FAILED):
            assert check.declared_level is check.reached_level is Proof.CHECKSUM
            assert not check.trials.get().place
    for finding in restored:
        assert all(check.reached_level in (Proof.CONTENT_MATCHED, None) for check in finding.checks.all())


def test_a_date_that_was_missed_starts_late_and_only_once(world: World, resource: Resource) -> None:
    checkup = begun(world)
    sweep()
    sweep()
    assert checkup.events.filter(move="start").count() == 1
    assert checkup.findings.count() == 1
    carried_out(checkup)


def spoil(copy: Copy) -> None:
    """Flip one byte of what is stored."""
    from django.conf import settings

    data = Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under / "data.zst"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)


def test_what_the_comparison_proved_stays_so_when_the_application_is_silent(
    world: World, resource: Resource, settings: Any, tmp_path: Path
) -> None:
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    (tmp_path / "asks").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "asks").chmod(0o755)
    say_how_to_ask(by=world.it, resource=resource, way="command", text="asks", seconds=30, reason="It has to work.")
    checkup = carried_out(begun(world))
    checks = checks_of(checkup, resource.name).values()
    failed = [check for check in checks if check.status == CheckStatus.FAILED and check.trials.exists()]
    assert failed
    for check in failed:
        assert (check.declared, check.reached) == (Proof.APPLICATION_ANSWERED, Proof.CONTENT_MATCHED)
        trial = check.trials.get()
        assert trial.fault == "silent"
        assert trial.copy is not None
        assert trial.copy.proof == Proof.CONTENT_MATCHED
