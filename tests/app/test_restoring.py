"""Restores end to end, through the actions, on real directories."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.drivers.base import ATTEMPT_NAME, Mode, Verified
from backups.models import CopyState, Resource
from backups.proof import Proof
from portal.errors import Refused
from restores.actions.downloads import open_export
from restores.actions.extent import OnlyPart, Whole
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.charging import Cause
from restores.models import Attempt, AttemptStatus, Charge, RestoreRequest
from restores.stepnames import STEPS
from restores.succession import replaced_since
from restores.workflow import Status
from tests.app.world import World, approved, backup_now, filed, fill_tree, fingerprint, restored

pytestmark = pytest.mark.usefixtures("scratch_is_empty")


def test_in_place_brings_the_backups_content_and_undo_brings_todays_back(
    world: World, resource: Resource, tree: Path
) -> None:
    then, backup = fingerprint(tree), resource.backups.get()
    fill_tree(tree, "second")
    today = fingerprint(tree)

    request = restored(world, backup)
    assert request.state is Status.COMPLETED
    assert fingerprint(tree) == then
    attempt = request.attempts.get()
    assert re.search(rf"-{ATTEMPT_NAME}\Z", attempt.place["kept"])  # else the portal's own leavings could be registered
    assert [step.name for step in attempt.steps.all()] == list(STEPS[Mode.IN_PLACE])
    assert "SHA-256" in attempt.proof
    copy = backup.copies.get(region=resource.home_region)
    assert copy.proof_level is Proof.CONTENT_MATCHED

    undo = request_undo(by=world.it, request=request, reason="The client wants today's back.")
    perform_undo(undo.pk)
    request.refresh_from_db()
    assert request.state is Status.UNDONE
    assert fingerprint(tree) == today
    assert [event.text for event in request.events.all()] == [
        "owner asked for a restore",
        "it approved the plan",
        "The restore started",
        "The restore is done and proven",
        "it asked for the original back",
        "The original is back in place",
    ]


def test_a_directory_that_is_gone_comes_back_in_place(world: World, resource: Resource, tree: Path) -> None:
    then = fingerprint(tree)
    tree.rename(tree.with_name(f"lost-{tree.name}"))
    request = restored(world, resource.backups.get())
    assert request.state is Status.COMPLETED
    assert fingerprint(tree) == then


def test_beside_leaves_the_live_directory_alone(world: World, resource: Resource, tree: Path) -> None:
    then, backup = fingerprint(tree), resource.backups.get()
    fill_tree(tree, "second")
    today = fingerprint(tree)
    request = restored(world, backup, Mode.BESIDE)
    assert request.state is Status.COMPLETED
    assert fingerprint(tree) == today
    assert fingerprint(Path(request.attempts.get().place["beside"])) == then


@pytest.mark.parametrize("most", [Proof.CONTENT_MATCHED, OnlyPart.proves])
def test_a_comparison_that_reached_less_proves_less(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch, most: Proof
) -> None:
    """Never more than its extent proves, either."""
    monkeypatch.setattr(Whole, "proves", most)
    compare = Whole.verify

    def verify(*arguments: Any) -> Verified:
        return replace(compare(*arguments), proof=Proof.RESTORED)

    monkeypatch.setattr(Whole, "verify", verify)
    backup = resource.backups.get()
    restored(world, backup, Mode.BESIDE)
    proven = backup.copies.get(region=resource.home_region).proof_level
    assert proven is min(most, Proof.RESTORED)


def test_an_export_is_the_stored_artefact_with_its_checksum(world: World, resource: Resource) -> None:
    import hashlib

    request = restored(world, resource.backups.get(), Mode.EXPORT)
    assert request.state is Status.COMPLETED
    download = open_export(by=world.owner, request=request)
    with download.file as file:
        content = file.read()
    assert hashlib.sha256(content).hexdigest() == download.checksum
    assert len(content) == download.size
    assert download.name.endswith(".tar.zst")
    assert request.events.filter(text="owner downloaded the export").exists()


def test_an_export_that_is_lost_when_it_is_fetched_is_said_and_recorded(world: World, resource: Resource) -> None:
    request = restored(world, resource.backups.get(), Mode.EXPORT)
    _artefact(resource).unlink()
    with pytest.raises(Refused, match="found damaged"):
        open_export(by=world.owner, request=request)
    assert resource.backups.get().damaged_at is not None


def test_a_billable_restore_waits_for_the_account_manager_and_a_free_one_does_not(
    world: World, resource: Resource
) -> None:
    backup = resource.backups.get()
    billable = restored(world, backup, cause=Cause.DELETED_BY_MISTAKE)
    free = restored(world, backup, cause=Cause.INFRASTRUCTURE)
    assert Charge.objects.get().request == billable
    assert not hasattr(free, "charge")


def test_the_same_message_twice_restores_once(world: World, resource: Resource) -> None:
    request = approved(world, filed(world, resource.backups.get()))
    perform_restore(request.pk)
    perform_restore(request.pk)
    assert request.attempts.count() == 1


def test_a_second_restore_of_the_same_target_waits_for_the_first(world: World, resource: Resource) -> None:
    first = restored(world, resource.backups.get())
    Attempt.objects.filter(request=first).update(status=AttemptStatus.RUNNING, heartbeat_at=timezone.now())
    second = approved(world, filed(world, resource.backups.get()))
    perform_restore(second.pk)
    second.refresh_from_db()
    assert second.state is Status.APPROVED
    Attempt.objects.filter(request=first).update(status=AttemptStatus.COMPLETED)
    perform_restore(second.pk)
    second.refresh_from_db()
    assert second.state is Status.COMPLETED


def test_those_who_were_approved_first_come_first_and_what_was_replaced_since_says_so(
    world: World, resource: Resource, tree: Path
) -> None:
    """Two approve at once: whoever is last on the timeline is live, and no page says otherwise."""
    older = resource.backups.get()
    fill_tree(tree, "second")
    newer, today = backup_now(resource), fingerprint(tree)
    first, second = (approved(world, filed(world, backup)) for backup in (older, newer))
    for start_at in (None, timezone.now() - timedelta(minutes=1)):
        RestoreRequest.objects.filter(pk=first.pk).update(start_at=start_at)
        perform_restore(second.pk)
        second.refresh_from_db()
        assert second.state is Status.APPROVED, "it waits for the one before"
    perform_restore(first.pk)
    perform_restore(second.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (Status.COMPLETED, Status.COMPLETED)
    assert (replaced_since(first), replaced_since(second)) == (second, None)
    with pytest.raises(Refused, match=f"{second.number} has replaced what it restored since. Undo that one first."):
        request_undo(by=world.it, request=first, reason="The wrong day.")
    perform_undo(request_undo(by=world.it, request=second, reason="The wrong day.").pk)
    first.refresh_from_db()
    assert replaced_since(first) is None
    perform_undo(request_undo(by=world.it, request=first, reason="The wrong day too.").pk)
    assert fingerprint(tree) == today


def _artefact(resource: Resource, region: str | None = None) -> Path:
    from django.conf import settings

    root = Path(settings.STORE_REGIONS[region or resource.home_region])
    return root / resource.backups.get().prefix / "data.zst"


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("harm", [_flip, _truncate, Path.unlink], ids=["damaged", "truncated", "missing"])
@pytest.mark.parametrize("mode", Mode)
def test_a_bad_artefact_restores_nothing_and_says_so(
    world: World, resource: Resource, tree: Path, harm: object, mode: Mode
) -> None:
    fill_tree(tree, "second")
    today = fingerprint(tree)
    harm(_artefact(resource))  # type: ignore[operator]
    request = restored(world, resource.backups.get(), mode)
    assert request.state is Status.FAILED
    attempt = request.attempts.get()
    assert "The live data is as it was." in attempt.error
    assert fingerprint(tree) == today
    assert not list(tree.parent.glob(f".{tree.name}.restore*"))
    backup = resource.backups.get()
    assert backup.damaged_at is not None, "a damaged backup fills no slot any more"
    assert backup.copies.get().state == CopyState.DAMAGED
    resource.refresh_from_db()
    assert resource.last_good_at is None


@pytest.mark.parametrize("harm", [_flip, _truncate, Path.unlink], ids=["damaged", "truncated", "missing"])
@pytest.mark.parametrize("mode", Mode)
def test_the_other_regions_copy_is_used_by_itself_when_the_home_copy_is_damaged(
    world: World, resource: Resource, tree: Path, harm: object, mode: Mode
) -> None:
    copy_to_other_region(resource.pk)
    then = fingerprint(tree)
    fill_tree(tree, "second")
    harm(_artefact(resource))  # type: ignore[operator]
    request = restored(world, resource.backups.get(), mode)
    assert request.state is Status.COMPLETED
    if mode is Mode.IN_PLACE:
        assert fingerprint(tree) == then
    attempt = request.attempts.get()
    told = " ".join(attempt.steps.values_list("sentence", flat=True))
    assert "The copy in eu-central-1 was found damaged; the one in eu-west-1 is used instead." in told
    assert attempt.copy is not None
    assert (attempt.copy.region, attempt.copy.proof_level >= Proof.CHECKSUM) == ("eu-west-1", True)
    assert resource.backups.get().copies.get(region="eu-central-1").state == CopyState.DAMAGED
    assert resource.backups.get().is_good


def test_a_plan_that_changed_after_approval_is_not_carried_out(world: World, resource: Resource, tree: Path) -> None:
    request = approved(world, filed(world, resource.backups.get()))
    today = fingerprint(tree)
    Resource.objects.filter(pk=resource.pk).update(locator=f"{tree}-moved")
    perform_restore(request.pk)
    request.refresh_from_db()
    assert request.state is Status.FAILED
    assert "no longer what was approved" in request.attempts.get().error
    assert fingerprint(tree) == today


def test_an_older_backup_can_be_asked_for(world: World, resource: Resource, tree: Path) -> None:
    first, then = resource.backups.get(), fingerprint(tree)
    for text in ("second", "third"):
        fill_tree(tree, text)
        backup_now(resource)
    request = restored(world, first)
    assert request.state is Status.COMPLETED
    assert fingerprint(tree) == then
