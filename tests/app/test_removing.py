"""B4 on real data: what a removal deletes is really gone from both regions, and what it keeps is really there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backups import artefacts
from backups.actions import copying
from backups.actions.auditing import audit_resource
from backups.actions.copying import copy_to_other_region, make_copy
from backups.actions.givingup import give_up_lost_backups
from backups.actions.holding import place_hold
from backups.actions.removing import FINAL_TRIES, bring_back, finish_removal, removal_plan, remove_resource
from backups.actions.retaining import apply_run, plan_retention
from backups.actions.scheduling import schedule_backups
from backups.actions.taking import perform_backup, queue_backup
from backups.actions.tidying import tidy_regions
from backups.artefacts import read_index
from backups.findings import Code
from backups.heartbeats import Lost
from backups.kinds import store_of
from backups.models import (
    Backup,
    BackupOrigin,
    BackupStatus,
    Copy,
    Finding,
    Resource,
    ResourceState,
    RetentionRun,
    RunStatus,
)
from backups.removal import removal_in_words
from backups.retention import kept_until
from portal.days import short_day
from portal.errors import InvalidInput, NotPermitted, Refused
from portal.words import company_zone
from restores.actions.deciding import cancel
from tests.app.world import (
    HOME,
    OTHER,
    World,
    backup_now,
    days_ago,
    filed,
    make_resource,
    remove_tree,
    restored,
    stored_prefixes,
)


@pytest.fixture
def shop(world: World, tree: Path) -> Resource:
    """A production resource with backups of four days, the newest an hour old, and a copy in the other region."""
    resource = make_resource(world, tree, environment="production")
    resource.backups.update(taken_at=days_ago(3), finished_at=days_ago(3))
    for days in (2, 1, 1 / 24):
        backup_now(resource, at=days_ago(days))
    copy_to_other_region(resource.pk)
    resource.refresh_from_db()
    assert len(stored_prefixes(resource)) == 4
    assert len(stored_prefixes(resource, OTHER)) == 1
    return resource


def removed(world: World, resource: Resource, **changes: Any) -> Resource:
    digest = removal_plan(resource, timezone.now()).digest
    given = {"typed_name": resource.name, "reason": "The shop was closed.", "digest": digest, **changes}
    return remove_resource(by=world.it, resource=resource, **given)


def carried_out(resource: Resource, now: datetime | None = None) -> None:
    """What the worker does after the removal."""
    for run in RetentionRun.objects.filter(resource=resource, status=RunStatus.APPLYING):
        apply_run(run.pk, clock=lambda: now or timezone.now())


def newest(resource: Resource) -> Backup:
    return resource.backups.good().latest("taken_at")


def findings(resource: Resource) -> set[str]:
    audit_resource(resource.pk, now=timezone.now())
    return set(Finding.objects.open().filter(resource=resource).values_list("code", flat=True))


def test_all_but_the_latest_daily_is_really_gone_from_both_regions(world: World, shop: Resource) -> None:
    kept = newest(shop)
    done = removed(world, shop)
    assert done.state == ResourceState.REMOVED
    carried_out(shop)
    assert stored_prefixes(shop) == {kept.prefix}
    assert stored_prefixes(shop, OTHER) == set()
    read_index(store_of(HOME), kept.prefix)  # raises unless it is complete
    shop.refresh_from_db()
    assert (shop.last_good_at, shop.next_backup_at) == (kept.taken_at, None)
    assert shop.kept_until == kept_until(shop.removed_at, company_zone())
    assert shop.backups.filter(deleted_at__isnull=True).get() == kept
    assert findings(shop) == set()


def test_the_kept_one_goes_on_its_day_and_not_before(world: World, shop: Resource) -> None:
    kept = newest(shop)
    carried_out(removed(world, shop))
    shop.refresh_from_db()
    day = datetime.combine(shop.kept_until, datetime.min.time(), company_zone())
    assert plan_retention(now=day - timedelta(seconds=1)) is None
    run = plan_retention(now=day)
    assert run is not None
    apply_run(run.pk, clock=lambda: day)
    assert stored_prefixes(shop) == set()
    shop.refresh_from_db()
    assert shop.last_good_at is None
    kept.refresh_from_db()
    assert kept.deleted_at == day
    with pytest.raises(Refused, match="nothing to bring back"):
        bring_back(by=world.it, resource=shop, reason="Too late.")


def test_of_staging_everything_goes_but_what_is_held(world: World, resource: Resource) -> None:
    held = backup_now(resource)
    copy_to_other_region(resource.pk)
    today = timezone.now().astimezone(company_zone()).date()
    place_hold(by=world.it, backup=held, until=today + timedelta(days=9), reason="Evidence.")
    carried_out(removed(world, resource))
    assert stored_prefixes(resource) == {held.prefix}
    assert stored_prefixes(resource, OTHER) == set()


def test_a_wrongly_removed_one_is_brought_back_and_backed_up_at_once(world: World, shop: Resource, tree: Path) -> None:
    kept = newest(shop)
    carried_out(removed(world, shop))
    Backup.objects.filter(pk=kept.pk).update(taken_at=days_ago(3))
    Resource.objects.filter(pk=shop.pk).update(last_good_at=days_ago(3))
    now = timezone.now()
    back = bring_back(by=world.it2, resource=Resource.objects.get(pk=shop.pk), reason="It was the wrong one.", now=now)
    assert (back.state, back.next_backup_at, back.kept_until) == (ResourceState.ACTIVE, now, None)
    assert schedule_backups(now) == 1
    perform_backup(shop.backups.open().get().pk)
    assert len(stored_prefixes(shop)) == 2
    remove_tree(tree)
    restored(world, Backup.objects.get(pk=kept.pk))  # as any backup of a resource that stands
    assert (tree / "sub" / "page.txt").exists()


def test_what_is_brought_back_has_its_copy_elsewhere_made_at_once(
    world: World, shop: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried_out(removed(world, shop))
    assert stored_prefixes(shop, OTHER) == set()
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr("backups.actions.removing.hand_over", lambda *words: sent.append(words))
    bring_back(by=world.it, resource=Resource.objects.get(pk=shop.pk), reason="It was the wrong one.")
    assert sent == [("backups.copy", shop.pk), ("backups.audit_resource", shop.pk)]


def test_what_is_brought_back_says_what_its_removal_deleted(world: World, shop: Resource) -> None:
    carried_out(removed(world, shop))
    day = short_day(timezone.now().astimezone(company_zone()).date())
    back = bring_back(by=world.it, resource=Resource.objects.get(pk=shop.pk), reason="It was the wrong one.")
    assert back.history.latest().undone_removal_at == back.undone_removal_at is not None
    Resource.objects.filter(pk=shop.pk).update(created_at=days_ago(9))
    audit_resource(shop.pk, now=timezone.now() + timedelta(hours=7))
    said = {one.code: one.sentence for one in Finding.objects.open().filter(resource=shop)}
    assert f"the removal of {day} deleted what there was" in said[Code.DAILY_MISSING]
    assert f"the removal of {day} deleted it" in said[Code.NONE_ELSEWHERE]


def test_of_an_old_newest_one_a_final_backup_is_taken_and_kept_instead(world: World, shop: Resource) -> None:
    Backup.objects.filter(pk=newest(shop).pk).update(taken_at=days_ago(1.5))
    old = newest(shop)
    assert removal_plan(shop, timezone.now()).final_backup
    done = removed(world, shop)
    assert done.state == ResourceState.REMOVING
    assert not RetentionRun.objects.exists()
    assert len(stored_prefixes(shop)) == 4, "nothing goes before the final one is there"
    final = shop.backups.open().get()
    assert (final.origin, final.requested_by, final.reason) == (BackupOrigin.FINAL, world.it, "The shop was closed.")
    finish_removal(shop.pk)
    assert Resource.objects.get(pk=shop.pk).state == ResourceState.REMOVING, "it waits for it"
    perform_backup(final.pk)
    finish_removal(shop.pk)
    finish_removal(shop.pk)
    carried_out(shop)
    shop.refresh_from_db()
    assert shop.state == ResourceState.REMOVED
    assert stored_prefixes(shop) == {final.prefix}
    assert not Copy.objects.standing().filter(backup=old).exists()
    assert RetentionRun.objects.get().decided_by == world.it


def test_a_resource_that_does_not_answer_is_removed_all_the_same(world: World, shop: Resource, tree: Path) -> None:
    Backup.objects.filter(pk=newest(shop).pk).update(taken_at=days_ago(1.5))
    kept = newest(shop)
    remove_tree(tree)
    removed(world, shop)
    final = shop.backups.open().get()
    perform_backup(final.pk)
    final.refresh_from_db()
    assert final.status == BackupStatus.FAILED
    finish_removal(shop.pk)
    carried_out(shop)
    shop.refresh_from_db()
    assert shop.state == ResourceState.REMOVED
    assert stored_prefixes(shop) == {kept.prefix}
    assert findings(shop) == set(), "the promise is kept with what there is"


@pytest.fixture
def torn(shop: Resource) -> Resource:
    """The shop, of which not one backup is good any more."""
    now = timezone.now()
    Copy.objects.filter(backup__resource=shop).update(state="damaged", damaged_at=now, damage="Torn.")
    shop.backups.update(damaged_at=now, damage="Torn.")
    return shop


def test_without_a_good_backup_a_final_one_is_taken_and_kept(world: World, torn: Resource) -> None:
    assert removed(world, torn).state == ResourceState.REMOVING
    final = torn.backups.open().get()
    perform_backup(final.pk)
    finish_removal(torn.pk)
    carried_out(torn)
    assert (stored_prefixes(torn), stored_prefixes(torn, OTHER)) == ({final.prefix}, set())
    assert findings(torn) == set()


def test_without_a_good_backup_nothing_is_deleted_and_it_is_told(world: World, torn: Resource, tree: Path) -> None:
    shop = torn
    before = stored_prefixes(shop), stored_prefixes(shop, OTHER)
    remove_tree(tree)
    removed(world, shop)
    perform_backup(shop.backups.open().get().pk)
    finish_removal(shop.pk)
    assert Resource.objects.get(pk=shop.pk).state == ResourceState.REMOVED
    carried_out(shop)
    assert plan_retention(now=timezone.now()) is None
    assert (stored_prefixes(shop), stored_prefixes(shop, OTHER)) == before
    assert Code.NOT_KEPT.value in findings(shop)


def test_a_removal_while_a_request_is_open_is_refused_by_its_name(world: World, shop: Resource) -> None:
    request = filed(world, newest(shop))
    with pytest.raises(Refused, match=f"{request.number} refers to a backup of {shop.name} and is not closed"):
        removed(world, shop)
    cancel(by=world.owner, request=request, reason="No longer needed.")
    assert removed(world, shop).state == ResourceState.REMOVED


def test_a_request_that_is_filed_after_somebody_looked_is_seen(world: World, shop: Resource) -> None:
    digest = removal_plan(shop, timezone.now()).digest
    filed(world, newest(shop))
    with pytest.raises(Refused, match="is not closed"):
        removed(world, shop, digest=digest)
    assert len(stored_prefixes(shop)) == 4


def test_a_list_that_has_changed_is_not_confirmed(world: World, shop: Resource) -> None:
    digest = removal_plan(shop, timezone.now()).digest
    backup_now(shop)
    with pytest.raises(Refused, match="have changed since you looked"):
        removed(world, shop, digest=digest)
    assert Resource.objects.get(pk=shop.pk).state == ResourceState.ACTIVE


def test_the_name_is_typed_and_the_reason_is_given(world: World, shop: Resource) -> None:
    for changes, field in (({"typed_name": "shop"}, "typed_name"), ({"reason": "  "}, "reason")):
        with pytest.raises(InvalidInput) as raised:
            removed(world, shop, **changes)
        assert raised.value.field == field
    removed(world, shop)
    with pytest.raises(Refused, match="was removed already"):
        removed(world, shop)


@pytest.mark.parametrize("name", ["owner", "staff", "manager", "auditor", "administrator", "stranger", "robot"])
def test_only_a_person_of_it_removes_and_brings_back(world: World, shop: Resource, name: str) -> None:
    who = getattr(world, name)
    with pytest.raises(NotPermitted):
        digest = removal_plan(shop, timezone.now()).digest
        remove_resource(by=who, resource=shop, reason="x", typed_name=shop.name, digest=digest)
    done = removed(world, shop)
    with pytest.raises(NotPermitted):
        bring_back(by=who, resource=done, reason="x")


def test_one_that_a_wrong_clock_dated_is_not_kept_in_place_of_the_true_latest(world: World, shop: Resource) -> None:
    """Nor is it taken for a fresh one: the final backup is taken all the same."""
    dated = newest(shop)
    shop.backups.update(taken_at=days_ago(3))
    Backup.objects.filter(pk=dated.pk).update(taken_at=days_ago(-200))
    assert removal_plan(shop, timezone.now()).final_backup
    removed(world, shop)
    final = shop.backups.open().get()
    perform_backup(final.pk)
    finish_removal(shop.pk)
    carried_out(shop)
    assert stored_prefixes(shop) == {dated.prefix, final.prefix}


def at(moment: datetime) -> Callable[[], datetime]:
    """A clock that shows that moment."""
    return lambda: moment


def test_a_final_backup_whose_worker_dies_is_tried_again_before_anything_goes(world: World, shop: Resource) -> None:
    shop.backups.update(taken_at=days_ago(3), finished_at=days_ago(3))
    removed(world, shop)
    now = timezone.now()
    for _ in range(2):
        died = shop.backups.open().get()
        Backup.objects.filter(pk=died.pk).update(status="running", started_at=now, taken_at=now, heartbeat_at=now)
        now += timedelta(minutes=10)
        assert give_up_lost_backups(Lost(now - timedelta(minutes=5), now)) == 1
        finish_removal(shop.pk, clock=at(now))
        assert not shop.backups.open().exists(), "not at once"
        now += timedelta(minutes=11)
        finish_removal(shop.pk, clock=at(now))
        assert shop.backups.open().get().origin == BackupOrigin.FINAL
    assert not RetentionRun.objects.exists(), "nothing goes meanwhile"
    final = shop.backups.open().get()
    perform_backup(final.pk)
    finish_removal(shop.pk, clock=at(now))
    carried_out(shop)
    assert stored_prefixes(shop) == {final.prefix}


def test_a_sound_copy_is_kept_where_the_one_at_home_cannot_be_read(world: World, shop: Resource) -> None:
    kept = newest(shop)
    make_copy(kept, OTHER)
    kept.copies.filter(region=HOME).update(unread_at=timezone.now(), unread="The disk has a bad spot.")
    removed(world, shop)
    carried_out(shop)
    assert {copy.region for copy in Copy.objects.present().filter(backup=kept)} == {HOME, OTHER}


def test_of_a_newest_one_that_cannot_be_read_a_final_one_is_taken_and_an_older_is_kept(
    world: World, shop: Resource, tree: Path
) -> None:
    unread = newest(shop)
    older = shop.backups.exclude(pk=unread.pk).order_by("-taken_at").first()
    unread.copies.update(unread_at=timezone.now(), unread="The disk has a bad spot.")
    assert removal_plan(shop, timezone.now()).final_backup
    remove_tree(tree)
    removed(world, shop)
    perform_backup(shop.backups.open().get().pk)
    finish_removal(shop.pk)
    carried_out(shop)
    assert older is not None
    assert stored_prefixes(shop) == {unread.prefix, older.prefix}


def test_what_goes_once_the_final_one_is_there_is_said_before(world: World, shop: Resource) -> None:
    """Of two that are kept in case: the newest cannot be read, and so an older one is kept as well."""
    unread = newest(shop)
    unread.copies.update(unread_at=timezone.now(), unread="The disk has a bad spot.")
    words = removal_in_words(shop, plan := removal_plan(shop, timezone.now()), timezone.now())
    assert [backup.id for backup in words.in_case][-1] == unread.pk
    assert len(words.in_case) == 2
    assert words.staying == []
    assert "the newest good one that can be read is 1 d" in words.final_sentence.replace("\xa0", " ")
    removed(world, shop)
    final = shop.backups.open().get()
    perform_backup(final.pk)
    finish_removal(shop.pk)
    carried_out(shop)
    assert stored_prefixes(shop) == {final.prefix}
    assert f"up to {len(plan.going) + 2} backups" in words.verb


def test_where_nothing_can_be_read_nothing_is_deleted(world: World, shop: Resource, tree: Path) -> None:
    Copy.objects.update(unread_at=timezone.now(), unread="The disk has a bad spot.")
    words = removal_in_words(shop, removal_plan(shop, timezone.now()), timezone.now())
    assert "because no good one can be read now" in words.final_sentence
    before = stored_prefixes(shop)
    remove_tree(tree)
    removed(world, shop)
    perform_backup(shop.backups.open().get().pk)
    finish_removal(shop.pk)
    carried_out(shop)
    assert stored_prefixes(shop) == before


def test_asked_while_the_clock_was_ahead_one_final_backup_is_enough(world: World, shop: Resource) -> None:
    shop.backups.update(taken_at=days_ago(4), finished_at=days_ago(4))
    long = queue_backup(shop, origin=BackupOrigin.SCHEDULED, by=None, now=days_ago(2.5))
    removed(world, shop)
    perform_backup(long.pk, clock=lambda: days_ago(2.5))
    Backup.objects.filter(pk=long.pk).update(finished_at=timezone.now())
    right, finals = timezone.now() - timedelta(hours=1), 0
    for turn in range(5):
        finish_removal(shop.pk, clock=at(right + timedelta(minutes=2 * turn)))
        if (final := shop.backups.open().first()) is None:
            break
        finals += 1
        perform_backup(final.pk, clock=at(right + timedelta(minutes=2 * turn + 1)))
    assert finals == 1
    assert Resource.objects.get(pk=shop.pk).state == ResourceState.REMOVED


@pytest.mark.parametrize("ends", ["its worker dies", "it is finished, with what was there days ago"])
def test_one_that_has_run_for_days_is_not_the_final_one(world: World, shop: Resource, ends: str) -> None:
    shop.backups.update(taken_at=days_ago(4), finished_at=days_ago(4))
    now = timezone.now()
    long = queue_backup(shop, origin=BackupOrigin.SCHEDULED, by=None, now=days_ago(2.5))
    if ends == "its worker dies":
        Backup.objects.filter(pk=long.pk).update(
            status="running", started_at=days_ago(2.5), taken_at=days_ago(2.5), heartbeat_at=now
        )
    removed(world, shop)
    if ends == "its worker dies":
        give_up_lost_backups(Lost(now + timedelta(minutes=5), now + timedelta(minutes=10)))
    else:
        perform_backup(long.pk, clock=lambda: days_ago(2.5))
        Backup.objects.filter(pk=long.pk).update(finished_at=timezone.now())
    finish_removal(shop.pk, clock=at(now + timedelta(hours=1)))
    assert not RetentionRun.objects.exists(), "nothing goes"
    final = shop.backups.open().get()
    assert final.origin == BackupOrigin.FINAL
    perform_backup(final.pk, clock=at(now + timedelta(hours=2)))
    finish_removal(shop.pk, clock=at(now + timedelta(hours=3)))
    carried_out(shop)
    assert stored_prefixes(shop) == {final.prefix}


def test_an_old_one_that_was_found_whole_meanwhile_is_not_the_final_one(world: World, shop: Resource) -> None:
    shop.backups.update(taken_at=days_ago(3), finished_at=days_ago(3))
    removed(world, shop)
    now = timezone.now()
    died = shop.backups.open().get()
    Backup.objects.filter(pk=died.pk).update(status="running", started_at=now, taken_at=now, heartbeat_at=now)
    now += timedelta(minutes=10)
    give_up_lost_backups(Lost(now - timedelta(minutes=5), now))
    shop.backups.filter(pk=newest(shop).pk).update(finished_at=now + timedelta(minutes=1))
    finish_removal(shop.pk, clock=at(now + timedelta(hours=1)))
    assert shop.backups.open().get().origin == BackupOrigin.FINAL, "it is tried again"
    assert not RetentionRun.objects.exists()


def test_a_final_backup_is_not_tried_for_ever(world: World, shop: Resource) -> None:
    shop.backups.update(taken_at=days_ago(3), finished_at=days_ago(3))
    removed(world, shop)
    now, tries = timezone.now(), 0
    while (died := shop.backups.open().first()) is not None:
        tries += 1
        Backup.objects.filter(pk=died.pk).update(status="running", started_at=now, taken_at=now, heartbeat_at=now)
        now += timedelta(hours=1)
        give_up_lost_backups(Lost(now - timedelta(minutes=5), now))
        now += timedelta(hours=1)
        finish_removal(shop.pk, clock=at(now))
    assert tries == FINAL_TRIES
    assert Resource.objects.get(pk=shop.pk).state == ResourceState.REMOVED


@pytest.mark.parametrize("when", ["before it reads", "while it reads", "dead"])
def test_what_is_removed_while_it_is_copied_is_called_neither_good_nor_damaged(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    backup = resource.backups.get()

    def remove() -> None:
        removed(world, resource)
        carried_out(resource)

    def claim(*args: Any) -> Copy | None:
        copy = real_claim(*args)
        remove()
        return copy

    def copy_artefact(*args: Any) -> None:
        remove()
        real_copy(*args)

    real_claim, real_copy = copying._claim, artefacts.copy_artefact
    if when == "dead":
        Copy.objects.create(
            backup=backup,
            region=OTHER,
            prefix=f"{backup.prefix}-dead",
            state="writing",
            created_at=days_ago(1),
            heartbeat_at=days_ago(1),
        )
        remove()
        copying.give_up_lost_copies(Lost(days_ago(0.5), timezone.now()))
    elif when == "before it reads":
        monkeypatch.setattr(copying, "_claim", claim)
        with pytest.raises(Refused, match="left to be copied"):
            copying.make_copy(backup, OTHER)
    else:
        monkeypatch.setattr("backups.actions.copying.copy_artefact", copy_artefact)
        assert not copying.make_copy(backup, OTHER)
    tidy_regions()
    if (run := plan_retention(now=timezone.now())) is not None:
        apply_run(run.pk)
    backup.refresh_from_db()
    assert stored_prefixes(resource) == stored_prefixes(resource, OTHER) == set()
    assert backup.deleted_at is not None
    assert backup.damaged_at is None
    assert Resource.objects.get(pk=resource.pk).last_good_at is None
    with pytest.raises(Refused, match="nothing to bring back"):
        bring_back(by=world.it, resource=Resource.objects.get(pk=resource.pk), reason="It was a mistake.")
