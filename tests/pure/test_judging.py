"""Verdicts about copies: the other region, damaged ones, and never the last of a backup that is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from backups.judging import (
    ITS_ONLY,
    LAST_DAMAGED,
    OTHERS_UNREAD,
    CopyFacts,
    Judgement,
    ResourceFacts,
    StoredBackup,
    judge,
)
from backups.retention import Pin
from tests.pure.histories import MOMENTS, ZONES

HOME, OTHER = "eu-central-1", "eu-west-1"
ZONE = ZoneInfo("UTC")


def facts(backups: list[StoredBackup], **others: object) -> ResourceFacts:
    values: dict[str, object] = {"id": 1, "name": "shop-db", "production": True}
    values |= {"home_region": HOME, "other_region": OTHER, "created_at": datetime(2020, 1, 1, tzinfo=UTC)}
    return ResourceFacts(backups=backups, **(values | others))


def backup(number: int, taken_at: datetime, *where: tuple[str, bool], pins: list[Pin] | None = None) -> StoredBackup:
    copies = [
        CopyFacts(number * 10 + place, region, good, good and region == OTHER, None, taken_at)
        for place, (region, good) in enumerate(where)
    ]
    return StoredBackup(number, taken_at, taken_at, copies, 1000, (), pins or ())


@st.composite
def inventories(draw: st.DrawFn) -> ResourceFacts:
    backups = []
    for number, moment in enumerate(draw(st.lists(MOMENTS, max_size=40))):
        where = [(HOME, draw(st.integers(0, 9)) > 0)] if draw(st.integers(0, 9)) > 0 else []
        where += [(OTHER, draw(st.integers(0, 9)) > 0)] if draw(st.integers(0, 3)) == 0 or not where else []
        where += [(HOME, False)] if draw(st.integers(0, 19)) == 0 else []
        pins = [Pin("RR-1")] if draw(st.integers(0, 9)) == 0 else []
        backups.append(backup(number, moment, *where, pins=pins))
    removed = draw(st.none() | MOMENTS)
    return facts(backups, removed_at=removed, production=draw(st.booleans()))


@st.composite
def spotted(draw: st.DrawFn) -> ResourceFacts:
    """The same, on disks with bad spots."""
    inventory = draw(inventories())
    backups = [
        replace(one, copies=[copy._replace(readable=draw(st.integers(0, 3)) > 0) for copy in one.copies])
        for one in inventory.backups
    ]
    return replace(inventory, backups=backups)


def after(inventory: ResourceFacts, made: Judgement) -> ResourceFacts:
    """What is left once the verdicts were carried out."""
    going = {verdict.id for verdict in made.to_delete}
    left = [replace(one, copies=[copy for copy in one.copies if copy.id not in going]) for one in inventory.backups]
    return replace(inventory, backups=[one for one in left if one.copies])


@given(inventories() | spotted(), MOMENTS, ZONES)
def test_a_backup_that_is_kept_keeps_a_good_copy(inventory: ResourceFacts, now: datetime, zone: ZoneInfo) -> None:
    made = judge(inventory, now=now, zone=zone)
    left = {one.id: one for one in after(inventory, made).backups}
    for one, verdict in zip(inventory.backups, made.plan.verdicts, strict=True):
        if verdict.keep:
            assert left[one.id].good == one.good
        elif one.good:
            assert one.id not in left or not left[one.id].good


@given(inventories() | spotted(), MOMENTS, ZONES)
def test_carrying_it_out_leaves_nothing_to_do(inventory: ResourceFacts, now: datetime, zone: ZoneInfo) -> None:
    left = after(inventory, judge(inventory, now=now, zone=zone))
    assert judge(left, now=now, zone=zone).to_delete == []


@given(spotted(), MOMENTS, ZONES)
def test_nor_is_it_where_disks_have_bad_spots(inventory: ResourceFacts, now: datetime, zone: ZoneInfo) -> None:
    """What stays there can be read, if anything there could; and nothing goes there while the wanted one cannot be read."""

    def there(of: ResourceFacts, *, readable: bool) -> list[int]:
        copies = [copy for one in of.backups for copy in one.copies if copy.region == OTHER and copy.good]
        return [copy.id for copy in copies if copy.readable or not readable]

    if inventory.removed_at is None:
        left = after(inventory, judge(inventory, now=now, zone=zone))
        for readable in (True, False):
            assert bool(there(left, readable=readable)) == bool(there(inventory, readable=readable))


@given(inventories(), MOMENTS, ZONES)
def test_the_other_region_is_never_emptied(inventory: ResourceFacts, now: datetime, zone: ZoneInfo) -> None:
    """Two for a while are right, none is the worst violation."""
    if inventory.removed_at is not None:
        return
    made = judge(inventory, now=now, zone=zone)

    def there(of: ResourceFacts) -> set[int]:
        return {one.id for one in of.backups for copy in one.copies if copy.region == OTHER and copy.good}

    before, left = there(inventory), there(after(inventory, made))
    assert bool(left) == bool(before)
    if made.elsewhere in before:
        spare = [
            one.id
            for one in after(inventory, made).backups
            if one.id in left and len([c for c in one.copies if c.good]) > 1
        ]
        assert spare in ([made.elsewhere], []), "the latest monthly, and what has no other good copy"


def test_a_damaged_copy_goes_when_a_good_one_stands_in_its_place() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    copied_back = backup(1, now, (HOME, False), (OTHER, True), (HOME, True))
    verdicts = judge(facts([copied_back]), now=now, zone=ZONE).copies
    assert [(v.region, v.keep) for v in verdicts] == [(HOME, False), (OTHER, True), (HOME, True)]


def test_a_damaged_copy_of_an_older_monthly_does_not_stay_in_the_other_region() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    october = backup(1, datetime(2026, 10, 1, 4, tzinfo=UTC), (HOME, True), (OTHER, False))
    november = backup(2, now, (HOME, True), (OTHER, True))
    made = judge(facts([october, november]), now=now, zone=ZONE)
    assert [(v.backup, v.region) for v in made.to_delete] == [(1, OTHER)]


def test_only_what_is_the_only_copy_is_called_so() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    both = backup(1, now, (HOME, True), (OTHER, True))
    unread = replace(both, copies=[copy._replace(readable=False) for copy in both.copies])
    whys = [
        v.why for one in (unread, backup(2, now, (HOME, True))) for v in judge(facts([one]), now=now, zone=ZONE).copies
    ]
    assert whys == [OTHERS_UNREAD, OTHERS_UNREAD, ITS_ONLY]


def test_what_is_damaged_is_called_held_only_where_somebody_holds_it() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    damaged = backup(1, now - timedelta(days=20), (HOME, False))
    removed = facts([damaged], removed_at=now - timedelta(days=1), production=True)
    assert [(v.keep, v.why) for v in judge(removed, now=now, zone=ZONE).copies] == [(True, LAST_DAMAGED)]


@given(spotted(), MOMENTS, ZONES)
def test_what_cannot_be_read_takes_nobodys_place(inventory: ResourceFacts, now: datetime, zone: ZoneInfo) -> None:
    """Whatever goes would go without it too; and of what stays one copy can be read, if one could before."""
    made = judge(inventory, now=now, zone=zone)
    without = replace(inventory, backups=[one for one in inventory.backups if one.readable or not one.good])
    readable = {one.id for one in inventory.backups if one.readable}
    needed = {verdict.id for verdict in judge(without, now=now, zone=zone).plan.kept}
    assert needed & readable <= {verdict.id for verdict in made.plan.kept}
    staying = {verdict.id for verdict in made.copies if verdict.keep}
    for verdict, one in zip(made.plan.verdicts, inventory.backups, strict=True):
        if verdict.keep and one.readable:
            assert any(copy.good and copy.readable and copy.id in staying for copy in one.copies)


def test_what_is_damaged_stays_while_there_is_nothing_better() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    damaged = backup(1, now - timedelta(days=1), (HOME, False))
    assert not judge(facts([damaged]), now=now, zone=ZONE).to_delete
    with_good = facts([damaged, backup(2, now, (HOME, True))])
    assert [v.backup for v in judge(with_good, now=now, zone=ZONE).to_delete] == [1]
    removed = facts([damaged], removed_at=now, production=False)
    assert [v.backup for v in judge(removed, now=now, zone=ZONE).to_delete] == [1], (
        "not production: everything, at once"
    )
