"""Copies are proven again and again; what is damaged loses its slot at once and is replaced where that is possible."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.actions.auditing import audit_resource
from backups.actions.companyfindings import note_finding
from backups.actions.copying import copy_to_other_region
from backups.actions.damage import note_damaged_copy, note_sound_again
from backups.actions.presence import check_presence, check_region
from backups.actions.repairing import repair
from backups.actions.retaining import apply_run, plan_retention
from backups.actions.verifying import due, verify_copy, verify_due
from backups.drivers.base import DriverError
from backups.findings import Code
from backups.models import Backup, BackupOrigin, BackupStatus, Copy, CopyState, Finding, RegionCheck, Resource
from backups.proof import Proof
from backups.stores.base import NotThere
from restores.workflow import Status
from tests.app.world import HOME, OTHER, World, backup_now, days_ago, restored, stored_prefixes


@pytest.fixture(autouse=True)
def clean_regions() -> None:
    """What other tests have left in the regions is nothing that this one's database knows."""
    for place in settings.STORE_REGIONS.values():
        for left in Path(place).glob("[0-9a-f]*"):
            shutil.rmtree(left)


@pytest.fixture
def copied(resource: Resource) -> Backup:
    """Its one backup, in both regions."""
    copy_to_other_region(resource.pk)
    return resource.backups.get()


def place(copy: Copy) -> Path:
    return Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under


def flip(copy: Copy) -> None:
    data = place(copy) / "data.zst"
    data.write_bytes(b"x" + data.read_bytes()[1:])


def copy_in(backup: Backup, region: str) -> Copy:
    return backup.copies.exclude(state=CopyState.DELETED).get(region=region)


def test_what_is_due_is_read_and_what_was_read_is_not_due(copied: Backup) -> None:
    now = timezone.now()
    assert list(due(now)) == [], "both are young"
    Copy.objects.filter(region=HOME).update(created_at=days_ago(3))
    Copy.objects.filter(region=OTHER).update(checksum_at=days_ago(29))
    assert [copy.region for copy in due(now)] == [HOME, OTHER]
    assert verify_due()[0] == 2
    assert list(due(now)) == []
    home = copy_in(copied, HOME)
    assert (home.proof_level, home.checksum_at is not None) == (Proof.CHECKSUM, True)
    for passed in range(20, 28):
        dues = list(due(now + timedelta(days=passed)))
    assert len(dues) == 2, "well before their thirty days are over"


def test_a_further_proof_is_not_taken_back(copied: Backup) -> None:
    Copy.objects.filter(region=HOME).update(proof=Proof.CONTENT_MATCHED)
    assert verify_copy(copy_in(copied, HOME))
    assert copy_in(copied, HOME).proof_level is Proof.CONTENT_MATCHED


def test_a_damaged_home_copy_is_copied_back_from_the_other_region(resource: Resource, copied: Backup) -> None:
    damaged = copy_in(copied, HOME)
    flip(damaged)
    assert not verify_copy(damaged)
    damaged.refresh_from_db()
    assert (damaged.state, bool(damaged.damage)) == (CopyState.DAMAGED, True)
    copied.refresh_from_db()
    assert copied.is_good, "the other region's copy is left"
    repair(resource.pk)
    fresh = copied.copies.present().get(region=HOME)
    assert verify_copy(fresh)
    assert stored_prefixes(resource) == {fresh.stored_under}, "the damaged bytes are gone"
    repair(resource.pk)
    assert stored_prefixes(resource) == {fresh.stored_under}


def test_a_damaged_copy_in_the_other_region_is_made_anew(resource: Resource, copied: Backup) -> None:
    damaged = copy_in(copied, OTHER)
    flip(damaged)
    assert not verify_copy(damaged)
    repair(resource.pk)
    copy_to_other_region(resource.pk)
    repair(resource.pk)
    fresh = copied.copies.present().get(region=OTHER)
    assert verify_copy(fresh)
    assert stored_prefixes(resource, OTHER) == {fresh.stored_under}


def test_a_damaged_backup_without_another_copy_loses_its_slot_and_a_fresh_one_is_taken(resource: Resource) -> None:
    only = resource.backups.get()
    flip(copy_in(only, HOME))
    assert not verify_copy(copy_in(only, HOME))
    only.refresh_from_db()
    resource.refresh_from_db()
    assert (only.is_good, resource.last_good_at) == (False, None)
    repair(resource.pk)
    repair(resource.pk)
    assert resource.backups.open().get().origin == BackupOrigin.REPLACING
    audit_resource(resource.pk, now=timezone.now())
    assert Code.DAMAGED_COPY in set(resource.findings.open().values_list("code", flat=True))


def test_what_reads_wrongly_once_and_rightly_again_is_not_called_damaged(resource: Resource) -> None:
    copy = copy_in(resource.backups.get(), HOME)
    data = place(copy) / "data.zst"
    sound = data.read_bytes()
    flip(copy)

    def mend_at_the_end(bytes_done: int, bytes_expected: int | None = None) -> None:
        if bytes_done == bytes_expected:
            data.write_bytes(sound)

    with pytest.raises(DriverError, match="read wrongly once, and rightly the second time"):
        verify_copy(copy, watched=mend_at_the_end)
    assert copy_in(copy.backup, HOME).state == CopyState.PRESENT
    assert verify_copy(copy)


def test_the_last_bytes_of_a_damaged_backup_stay_a_week_and_then_go(resource: Resource) -> None:
    only = resource.backups.get()
    flip(copy_in(only, HOME))
    assert not verify_copy(copy_in(only, HOME))
    fresh = backup_now(resource)
    for days, stays in ((0.1, True), (6.9, True), (7.1, False)):
        now = timezone.now() + timedelta(days=days)
        run = plan_retention(now=now)
        if run is not None:
            apply_run(run.pk, clock=lambda: now)  # noqa: B023
        assert (only.prefix in stored_prefixes(resource)) is stays
        audit_resource(resource.pk, now=now)
        told = resource.findings.open().filter(code=Code.DAMAGED_COPY).exists()
        assert told is (days < 1), "nobody can do anything about it any more"
    assert fresh.prefix in stored_prefixes(resource)


def test_a_backup_found_damaged_while_it_is_copied_is_good_again_once_the_copy_stands(resource: Resource) -> None:
    backup = resource.backups.get()
    home = copy_in(backup, HOME)
    copy_to_other_region(resource.pk)
    Copy.objects.filter(backup=backup, region=OTHER).update(state=CopyState.WRITING)  # not there yet, when
    note_damaged_copy(home, "Torn.", timezone.now())
    backup.refresh_from_db()
    assert not backup.is_good
    Copy.objects.filter(backup=backup, region=OTHER).update(state=CopyState.PRESENT)
    note_sound_again(copy_in(backup, OTHER), timezone.now())
    backup.refresh_from_db()
    resource.refresh_from_db()
    assert (backup.is_good, resource.last_good_at) == (True, backup.taken_at)


def test_a_restore_takes_the_other_regions_copy_by_itself_and_says_so(
    world: World, resource: Resource, copied: Backup
) -> None:
    shutil.rmtree(place(copy_in(copied, HOME)))
    check_region(HOME)
    request = restored(world, copied)
    assert request.state is Status.COMPLETED
    assert any(f"The copy in {OTHER} is used" in step.sentence for step in request.attempts.get().steps.all())


def test_a_copy_that_is_missing_is_found_and_one_that_is_there_is_not_touched(
    resource: Resource, copied: Backup
) -> None:
    second = backup_now(resource)
    (place(copy_in(second, HOME)) / "manifest.jsonl.zst").unlink()
    check_presence()
    assert copy_in(second, HOME).state == CopyState.DAMAGED
    assert "missing" in copy_in(second, HOME).damage
    assert copy_in(copied, HOME).state == CopyState.PRESENT
    home, other = RegionCheck.objects.order_by("region")
    assert (home.copies, home.missing, home.strays) == (Copy.objects.present().filter(region=HOME).count(), 1, 0)
    assert (other.copies, other.missing) == (1, 0)


def test_everything_of_a_resource_is_gone(resource: Resource, copied: Backup) -> None:
    shutil.rmtree(Path(settings.STORE_REGIONS[HOME]) / str(resource.uid))
    assert check_region(HOME).missing == 1
    assert copy_in(copied, HOME).state == CopyState.DAMAGED


def test_an_unmounted_region_says_nothing_about_its_copies(copied: Backup) -> None:
    region = Path(settings.STORE_REGIONS[HOME])
    away = region.rename(region.with_name("unmounted"))
    try:
        check_presence()
        Copy.objects.update(created_at=days_ago(3))
        assert verify_due()[0] == 0
        with pytest.raises((NotThere, DriverError)):
            verify_copy(copy_in(copied, HOME))
    finally:
        away.rename(region)
    assert set(Copy.objects.values_list("state", flat=True)) == {CopyState.PRESENT}
    assert Finding.objects.open().get().subject == HOME
    check_presence()
    assert not Finding.objects.open().exists()


def test_one_that_cannot_be_read_is_in_no_others_way(resource: Resource, copied: Backup) -> None:
    """Its region is there: the disk has a bad spot. Nothing is known of it, and the others are verified all the same."""
    backup_now(resource)
    Copy.objects.update(created_at=days_ago(3), checksum_at=None)
    data = place(copy_in(copied, HOME)) / "data.zst"
    data.unlink()
    data.mkdir()  # reading it is an error of the system's, not other bytes
    assert verify_due()[0] == 2
    unread = Copy.objects.get(checksum_at__isnull=True)
    assert (unread.pk, unread.state) == (copy_in(copied, HOME).pk, CopyState.PRESENT)
    finding = Finding.objects.open().get()
    assert (finding.code, finding.subject) == (Code.UNREADABLE, HOME)
    assert f"A copy in {HOME} does not read well. {resource} of " in finding.sentence
    assert list(due(timezone.now())) == [], "for some hours it is left alone"
    assert verify_due() == (0, [finding.sentence]), "and said all the same"
    data.rmdir()
    data.write_bytes(b"something else")
    verify_due(clock=lambda: timezone.now() + timedelta(hours=7))
    assert not Finding.objects.open().filter(code=Code.UNREADABLE).exists(), "it can be read: it is damaged"
    assert copy_in(copied, HOME).state == CopyState.DAMAGED


def test_more_that_cannot_be_read_than_are_asked_at_once_are_in_no_others_way(
    resource: Resource, copied: Backup
) -> None:
    backup_now(resource)
    Copy.objects.update(created_at=days_ago(3), checksum_at=None)
    last = Copy.objects.get(region=OTHER)
    bad = Copy.objects.exclude(pk=last.pk)
    bad.update(created_at=days_ago(4), unread_at=timezone.now(), unread="The disk has a bad spot.")
    assert list(due(timezone.now())) == [last]
    assert len(list(due(timezone.now() + timedelta(hours=7)))) == 3, "they are tried again"
    assert len(list(due(timezone.now() - timedelta(days=1.5)))) == 2, (
        "a clock that was ahead keeps none from being tried"
    )
    verify_due()
    finding = Finding.objects.open().get(code=Code.UNREADABLE)
    assert finding.sentence.startswith(f"A copy in {HOME} does not read well, and 1 more. {resource} of ")
    assert finding.sentence.endswith("The disk has a bad spot.")
    one, other = bad
    note_damaged_copy(one, "It is not what was stored.", timezone.now())
    verify_copy(other)
    verify_due()
    assert not Finding.objects.open().filter(code=Code.UNREADABLE).exists()


def make_unreadable(copy: Copy) -> None:
    """The disk has a bad spot: reading it is an error of the system's, not other bytes."""
    data = place(copy) / "data.zst"
    data.unlink()
    data.mkdir()
    with pytest.raises(DriverError):
        verify_copy(copy)


def test_a_sound_copy_does_not_go_for_one_that_cannot_be_read(resource: Resource, copied: Backup) -> None:
    """The next month's is in the other region by now, and of this one only the copy there can be read."""
    Backup.objects.filter(pk=copied.pk).update(taken_at=days_ago(40), finished_at=days_ago(40))
    make_unreadable(copy_in(copied, HOME))
    backup_now(resource)
    copy_to_other_region(resource.pk)
    assert copy_in(copied, OTHER).state == CopyState.PRESENT


@pytest.mark.parametrize("readable", [True, False])
def test_the_one_copy_elsewhere_stays_until_its_successor_is_there(
    resource: Resource, copied: Backup, readable: bool
) -> None:
    Backup.objects.filter(pk=copied.pk).update(taken_at=days_ago(40), finished_at=days_ago(40))
    if not readable:
        copied.copies.filter(region=OTHER).update(unread_at=timezone.now(), unread="The disk has a bad spot.")
    backup_now(resource)  # of a new month, and not copied yet
    for run in filter(None, [plan_retention(now=timezone.now())]):
        apply_run(run.pk)
    assert copy_in(copied, OTHER).state == CopyState.PRESENT


def test_one_that_could_not_be_read_by_hand_is_tried_again_though_it_was_read_lately(copied: Backup) -> None:
    Copy.objects.update(checksum_at=days_ago(1))
    make_unreadable(bad := copy_in(copied, HOME))
    assert list(due(timezone.now())) == []
    assert list(due(timezone.now() + timedelta(hours=7))) == [bad]


def test_a_copy_that_was_written_while_a_clock_was_ahead_is_read_and_missed(resource: Resource) -> None:
    ahead = backup_now(resource, at=timezone.now() + timedelta(days=300))
    copy = copy_in(ahead, HOME)
    assert copy in due(timezone.now())
    later = timezone.now() + timedelta(days=31)
    Copy.objects.exclude(pk=copy.pk).update(checksum_at=later)
    audit_resource(resource.pk, now=later)
    assert Finding.objects.open().filter(code=Code.UNVERIFIED).exists()
    shutil.rmtree(place(copy))
    check_presence()
    assert copy_in(ahead, HOME).state == CopyState.DAMAGED


def test_a_region_that_is_no_longer_configured_is_told_as_long_as_copies_lie_there(
    copied: Backup,
) -> None:
    Copy.objects.filter(region=OTHER).update(region="eu-gone")
    check_presence()
    finding = Finding.objects.open().get(code=Code.REGION_AWAY)
    assert finding.subject == "eu-gone"
    assert "STORE_REGIONS" in finding.sentence
    note_finding(Code.STRAY, "eu-gone", "It holds what nobody knows.", "Look.", timezone.now())
    Copy.objects.filter(region="eu-gone").update(region=OTHER)
    check_presence()
    assert not Finding.objects.open().exists()


def test_a_checksum_read_by_a_clock_that_was_ahead_is_read_again(copied: Backup) -> None:
    Copy.objects.update(checksum_at=timezone.now() + timedelta(days=200))
    assert len(list(due(timezone.now()))) == 2


def test_many_in_a_region_that_is_away_are_in_no_others_way(resource: Resource, copied: Backup) -> None:
    for _ in range(2):
        backup_now(resource)
    Copy.objects.filter(region=HOME).update(created_at=days_ago(4))
    Copy.objects.filter(region=OTHER).update(created_at=days_ago(3), checksum_at=None)
    region = Path(settings.STORE_REGIONS[HOME])
    away = region.rename(region.with_name("unmounted"))
    try:
        assert [copy.region for copy in due(timezone.now(), away={HOME})] == [OTHER]
        assert verify_due()[0] == 1
    finally:
        away.rename(region)


def test_what_the_portal_does_not_know_is_told_and_never_deleted(copied: Backup) -> None:
    known = place(copy_in(copied, HOME))
    stranger = known.parents[1] / "0b1e4a52-0000-4000-8000-000000000001" / "0b1e4a52-0000-4000-8000-000000000002"
    beside = known.parent / "0b1e4a52-0000-4000-8000-000000000003"
    for path in (stranger, beside):
        shutil.copytree(known, path)
    try:
        assert check_region(HOME).strays == 2
        assert stranger.exists()
        assert beside.exists()
        finding = Finding.objects.open().get()
        assert (finding.code, finding.subject, finding.resource) == (Code.STRAY, HOME, None)
        assert stranger.name in finding.sentence
    finally:
        shutil.rmtree(stranger.parent)
        shutil.rmtree(beside)
    check_region(HOME)
    assert not Finding.objects.open().exists()


def test_what_a_failed_backup_left_while_its_region_was_away_is_removed(resource: Resource, copied: Backup) -> None:
    now = timezone.now()
    failed = Backup.objects.create(
        resource=resource,
        status="failed",
        origin="scheduled",
        queued_at=now,
        resend_at=now,
        finished_at=now,
        error="It died.",
    )
    left = Path(settings.STORE_REGIONS[HOME]) / failed.prefix
    left.mkdir(parents=True)
    (left / "data.zst").write_bytes(b"torn")
    assert check_region(HOME).strays == 0
    assert not left.exists()


def test_a_whole_backup_that_was_given_up_while_its_region_was_away_is_recorded_in_the_end(
    world: World, resource: Resource
) -> None:
    """Its worker died after the last byte, and nobody could look. For a day it may still wake up."""
    backup = resource.backups.get()
    Copy.objects.all().delete()
    nothing: dict[str, object] = {"stored_bytes": None, "checksum": "", "artefact": {}, "taken_at": None}
    resource.backups.update(status="failed", error="It was interrupted.", finished_at=timezone.now(), **nothing)
    assert check_region(HOME).strays == 0
    backup.refresh_from_db()
    assert (backup.status, stored_prefixes(resource)) == (BackupStatus.FAILED, {backup.prefix})
    later = timezone.now() + timedelta(days=1.5)
    check_region(HOME, clock=lambda: later)
    backup.refresh_from_db()
    assert (backup.is_good, backup.error) == (True, "")
    assert verify_copy(backup.copies.get())
    assert restored(world, backup).state is Status.COMPLETED


def test_what_is_being_written_is_left_alone(resource: Resource, copied: Backup) -> None:
    now = timezone.now()
    running = Backup.objects.create(
        resource=resource, status="running", origin="scheduled", queued_at=now, resend_at=now, started_at=now,
        heartbeat_at=now, progress_at=now,
    )  # fmt: skip
    half = Path(settings.STORE_REGIONS[HOME]) / running.prefix
    half.mkdir(parents=True)
    (half / "data.zst").write_bytes(b"half")
    assert check_region(HOME).strays == 0
    assert half.exists()


def test_a_whole_copy_that_no_row_knows_is_never_deleted(copied: Backup) -> None:
    """The home disk was lost, and the database was set back to before the backup was finished."""
    elsewhere = place(copy_in(copied, OTHER))
    shutil.rmtree(place(copy_in(copied, HOME)))
    Copy.objects.all().delete()
    nothing: dict[str, object] = {"stored_bytes": None, "checksum": "", "artefact": {}, "taken_at": None}
    Backup.objects.filter(pk=copied.pk).update(status="failed", error="Lost.", finished_at=days_ago(3), **nothing)
    assert check_region(OTHER).strays == 1
    assert (elsewhere / "data.zst").exists()
    (elsewhere / "index.json").unlink()
    assert check_region(OTHER).strays == 0
    assert not elsewhere.exists(), "torn, it is what a dead writer left"
