"""Restoring a part, from filing to tidying, through the actions, on real directories."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions import contents
from backups.actions.contents import BeingListed, contents_of, forget_contents
from backups.contents import NotInBackup
from backups.drivers.base import Mode
from backups.models import Backup, CopyState, Resource
from backups.proof import Proof
from backups.tasks import list_contents
from portal.errors import InvalidInput, Refused
from restores.actions.correcting import correct_cause
from restores.actions.deciding import approve
from restores.actions.filing import file_request
from restores.actions.performing import perform_restore
from restores.charging import Cause
from restores.models import RestoreRequest
from restores.wording import request_sentence
from restores.workflow import Status
from tests.app.world import World, approved, filed, fill_tree, fingerprint


def file_part(world: World, backup: Backup, *part: str, mode: Mode = Mode.BESIDE) -> RestoreRequest:
    return file_request(
        by=world.owner, backup=backup, mode=mode, reason="One page is lost.", cause=Cause.OTHER, part=part
    )


@pytest.fixture
def backup(resource: Resource) -> Backup:
    return resource.backups.get()


def test_only_what_was_picked_stands_beside(world: World, resource: Resource, tree: Path, backup: Backup) -> None:
    fill_tree(tree, "second")
    today = fingerprint(tree)
    request = file_part(world, backup, "sub", "sub/page.txt")
    assert request.plan["part"] == ["sub"]  # the page comes with it
    assert request.plan["part_holds"] == {"kinds": {"directory": 1}, "entries": 2, "bytes": len("page of first\n")}
    assert "1 directory</strong> of <strong>" in request_sentence(request, timezone.now())
    approved(world, request)
    perform_restore(request.pk)
    request.refresh_from_db()
    assert request.state is Status.COMPLETED
    attempt = request.attempts.get()
    beside = Path(attempt.place["beside"])
    assert sorted(os.listdir(beside)) == ["sub"]
    assert (beside / "sub" / "page.txt").read_text() == "page of first\n"
    assert fingerprint(tree) == today
    told = {step.name: step.sentence for step in attempt.steps.all()}
    assert told["restore"] == "What was picked stands beside the live data, which is untouched."
    assert "3 entries" in attempt.proof  # with the directory itself
    assert backup.copies.get(region=resource.home_region).proof_level is Proof.CHECKSUM  # not all of it was restored


def test_an_approval_is_bound_to_the_part(world: World, backup: Backup) -> None:
    request = file_part(world, backup, "sub/page.txt")
    seen = request.plan_digest
    RestoreRequest.objects.filter(pk=request.pk).update(plan={**request.plan, "part": ["first.bin"]})
    with pytest.raises(Refused):
        approve(by=world.it, request=request, plan_digest=seen)
    whole = filed(world, backup, Mode.BESIDE)
    assert "part" not in whole.plan
    assert whole.plan_digest != seen


def test_a_corrected_cause_leaves_the_part(world: World, backup: Backup) -> None:
    request = file_part(world, backup, "sub/page.txt")
    correct_cause(by=world.it, request=request, cause=Cause.BAD_DATA, reason="An import did it.")
    request.refresh_from_db()
    assert request.plan["part"] == ["sub/page.txt"]
    approved(world, request)


@pytest.mark.parametrize(
    ("part", "mode", "field", "sentence"),
    [
        (["sub"], Mode.IN_PLACE, "mode", "beside the live one only"),
        (["sub"], Mode.EXPORT, "mode", "beside the live one only"),
        ([], Mode.BESIDE, "part", "Nothing is picked"),
        ([""], Mode.BESIDE, "part", "Nothing is picked"),
        (["sub", "sub/none"], Mode.BESIDE, "part", "sub/none is not in this backup."),
        (["../../etc"], Mode.BESIDE, "part", "is not in this backup."),
        ([f"file {number}" for number in range(501)], Mode.BESIDE, "part", "at most 500"),
    ],
)
def test_what_cannot_be_restored_is_refused_at_filing(
    world: World, backup: Backup, part: list[str], mode: Mode, field: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refused:
        file_part(world, backup, *part, mode=mode)
    assert refused.value.field == field
    assert not RestoreRequest.objects.exists()


def test_the_same_part_is_asked_for_once_and_another_is_another(world: World, backup: Backup) -> None:
    file_part(world, backup, "sub")
    with pytest.raises(Refused, match="exactly this already"):
        file_part(world, backup, "sub/page.txt", "sub")
    file_part(world, backup, "first.bin")
    filed(world, backup, Mode.BESIDE)


def test_a_large_backup_is_listed_by_a_worker(
    backup: Backup, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    monkeypatch.setattr(contents, "AT_ONCE", 3)
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(contents, "hand_over", lambda *what: sent.append(what))
    for _ in range(3):  # a page that looks again asks no second worker
        with pytest.raises(BeingListed), contents_of(backup):
            pass
    assert sent == [("backups.list_contents", backup.pk)]
    for _ in range(2):
        list_contents(backup.pk)
    with contents_of(backup) as found:
        assert found.number("sub/page.txt")


def test_a_damaged_manifest_is_recorded_and_the_other_region_asked(
    world: World, resource: Resource, backup: Backup
) -> None:
    copy = backup.copies.get()
    path = Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under / "manifest.jsonl.zst"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Refused, match="No sound copy"), contents_of(backup):
        pass
    copy.refresh_from_db()
    assert copy.state == CopyState.DAMAGED


def test_indexes_are_forgotten_when_nobody_uses_them_or_the_backup_is_gone(resource: Resource, backup: Backup) -> None:
    """They hold the names of a client's files."""
    with contents_of(backup) as found, pytest.raises(NotInBackup):
        found.number("nothing")
    path = Path(settings.SCRATCH_DIR) / "contents" / f"{backup.uid}.sqlite3"
    forget_contents()
    assert path.exists()
    forget_contents(clock=lambda: timezone.now() + timedelta(days=8))
    assert not path.exists()
    with contents_of(backup):
        assert path.exists()
    Backup.objects.filter(pk=backup.pk).update(deleted_at=timezone.now())
    forget_contents()
    assert not path.exists()
