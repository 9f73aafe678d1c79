"""Where the policy does not hold: too few and too many, in words, since when; and nothing where all is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.findings import CODES, Code, Found, Rule, applicable, audit
from backups.judging import ASKED_FOR, CopyFacts, ResourceFacts, StoredBackup, judge
from backups.retention import Hold
from tests.pure.histories import ZONES
from tests.pure.test_judging import HOME, OTHER, after, facts

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
BY_A_REMOVAL = {Code.DAILY_MISSING, Code.MONTHLY_MISSING}


def stored(number: int, taken_at: datetime, *regions: str) -> StoredBackup:
    copies = [CopyFacts(number * 10 + n, region, True, True, NOW, taken_at) for n, region in enumerate(regions)]
    return StoredBackup(number, taken_at, taken_at + timedelta(minutes=4), copies, 1000)


def well(now: datetime = NOW, zone: ZoneInfo = BERLIN, days: int = 250) -> ResourceFacts:
    """A resource that was backed up every night, kept as the policy says, its latest monthly copied."""
    nights = [now - timedelta(days=back, hours=4) for back in range(days)]
    all_of_them = facts([stored(n, at, HOME) for n, at in enumerate(nights)], created_at=nights[-1])
    kept = after(all_of_them, judge(all_of_them, now=now, zone=zone))
    wanted = judge(kept, now=now, zone=zone).elsewhere
    copied = [stored(b.id, b.taken_at, HOME, OTHER) if b.id == wanted else b for b in kept.backups]
    return replace(kept, backups=copied)


def codes(found: list[Found]) -> list[Code]:
    return [one.code for one in found]


@given(st.integers(0, 23), st.integers(0, 500), ZONES, st.integers(1, 250))
def test_where_all_is_well_nothing_is_found(hour: int, day: int, zone: ZoneInfo, days: int) -> None:
    """At any hour of any day, for a resource of any age."""
    now = datetime(2026, 1, 1, hour, 30, tzinfo=UTC) + timedelta(days=day)
    resource = well(now, zone, days)
    resource = replace(
        resource,
        backups=[replace(b, copies=[c._replace(checksum_at=now) for c in b.copies]) for b in resource.backups],
    )
    assert audit(resource, now=now, zone=zone) == []


def without(number: int) -> ResourceFacts:
    return replace(well(), backups=[b for b in well().backups if b.id != number])


def missed() -> ResourceFacts:
    """Nothing was taken since the night before the last."""
    return well(NOW - timedelta(days=1))


def with_elsewhere(*numbers: int) -> ResourceFacts:
    """Only those have a copy in the other region."""
    moved = [stored(b.id, b.taken_at, HOME, *([OTHER] if b.id in numbers else [])) for b in well().backups]
    return replace(well(), backups=moved)


def damaged() -> ResourceFacts:
    *others, first = well().backups
    return replace(well(), backups=[*others, replace(first, copies=[first.copies[0]._replace(good=False)])])


def unread() -> ResourceFacts:
    first, *others = well().backups
    long_ago = first.copies[0]._replace(checksum_at=NOW - timedelta(days=31))
    return replace(well(), backups=[replace(first, copies=[long_ago, *first.copies[1:]]), *others])


def removed(**others: object) -> ResourceFacts:
    values: dict[str, object] = {"removed_at": NOW - timedelta(days=2)}
    return replace(well(), **(values | others))  # type: ignore[arg-type]


CASES: dict[str, tuple[Callable[[], ResourceFacts], list[Code], str]] = {
    "nothing at all": (lambda: replace(well(), backups=[]), [Code.NO_GOOD], "It has no good backup at all."),
    "new": (lambda: facts([], created_at=NOW - timedelta(hours=1)), [], ""),
    "vanished": (lambda: replace(well(), vanished=True), [Code.VANISHED], "twice in a row"),
    "a night was missed": (lambda: without(2), [Code.DAILY_MISSING], "No good backup of 22 Nov."),
    "the last night was missed": (missed, [Code.LATE], "no good backup of the last 26 hours"),
    "a month is missing": (lambda: without(54), [Code.MONTHLY_MISSING], "No good backup is left of Oct."),
    "nothing elsewhere": (with_elsewhere, [Code.NONE_ELSEWHERE], "no copy of any of its backups in eu-west-1"),
    "an old one elsewhere": (lambda: with_elsewhere(54), [Code.OUTDATED_ELSEWHERE], "not of the latest monthly"),
    "two elsewhere": (lambda: with_elsewhere(23, 54), [Code.TOO_MANY_ELSEWHERE], "holds 1 copy beyond the one"),
    "too many": (
        lambda: replace(well(), backups=[*well().backups, stored(900, NOW - timedelta(days=9), HOME)]),
        [Code.TOO_MANY],
        "eu-central-1 holds 1 copy beyond what the policy keeps.",
    ),
    "damaged": (damaged, [Code.MONTHLY_MISSING, Code.DAMAGED_COPY], ""),
    "not read for long": (unread, [Code.UNVERIFIED], "1 copy not verified for more than 30 days."),
    "removed, not done": (removed, [Code.LEFT_OVER], "of it should be gone"),
    "removed, done": (lambda: removed(backups=well().backups[-1:]), [], ""),
    "removed, nothing kept": (lambda: removed(backups=[]), [Code.NOT_KEPT], "no good backup of it is kept"),
    "not production, removed": (lambda: removed(production=False, backups=[]), [], ""),
    "its six months are over": (
        lambda: removed(removed_at=datetime(2026, 5, 1, tzinfo=UTC), backups=well().backups[-1:]),
        [Code.LEFT_OVER],
        "1 copy of it should be gone",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    made, expected, words = CASES[case]
    found = audit(made(), now=NOW, zone=BERLIN)
    assert codes(found) == expected
    assert words in " ".join(one.sentence for one in found)
    assert all(one.advice and one.since <= NOW for one in found)


def test_a_damaged_copy_is_looked_after_where_it_is_kept() -> None:
    def advice(*, at_provider: bool) -> str:
        found = audit(replace(damaged(), at_provider=at_provider), now=NOW, zone=BERLIN)
        return next(one.advice for one in found if one.code is Code.DAMAGED_COPY)

    assert "disk" in advice(at_provider=False)
    assert "disk" not in advice(at_provider=True)
    assert "in AWS" in advice(at_provider=True)


def test_what_a_wrong_clock_finished_gives_no_grace() -> None:
    """Else nobody would hear for a year that there is nothing in the other region, or too much at home."""
    ahead = NOW + timedelta(days=300)
    alone = with_elsewhere()
    alone = replace(alone, backups=[replace(backup, finished_at=ahead) for backup in alone.backups])
    assert codes(audit(alone, now=NOW, zone=BERLIN)) == [Code.NONE_ELSEWHERE]
    over = CASES["too many"][0]()
    over = replace(over, backups=[replace(backup, finished_at=ahead) for backup in over.backups])
    assert codes(audit(over, now=NOW, zone=BERLIN)) == [Code.TOO_MANY]


def test_a_held_backup_that_is_damaged_is_told_once() -> None:
    """Nothing can be done about it; while it is held it is listed, and is no finding for ever."""
    hold = Hold("held until 1 Dec", date(2026, 12, 1), NOW + timedelta(days=60))
    at = [CopyFacts(9000, HOME, False, True, NOW, NOW, NOW)]
    torn = StoredBackup(900, NOW - timedelta(days=2), NOW - timedelta(days=2), at, 1000, holds=[hold])
    resource = replace(well(), backups=[*well().backups, torn])

    def found(days: float) -> list[Code]:
        now = NOW + timedelta(days=days)
        return [code for code in codes(audit(resource, now=now, zone=BERLIN)) if code == Code.DAMAGED_COPY]

    assert [found(days) for days in (0, 2, 6, 8, 30)] == [[Code.DAMAGED_COPY], [], [], [], []]
    later = judge(resource, now=NOW + timedelta(days=8), zone=BERLIN)
    assert [(one.keep, one.why) for one in later.copies if one.id == 9000] == [(True, ASKED_FOR)]


def test_the_last_failure_is_part_of_what_to_do() -> None:
    resource = replace(missed(), last_failure=(NOW, "The disk of the database server is full."))
    (late,) = audit(resource, now=NOW, zone=BERLIN)
    assert late.advice.startswith("The last try failed: The disk of the database server is full.")


def test_a_missed_night_passes_when_it_says() -> None:
    (found,) = audit(without(2), now=NOW, zone=BERLIN)
    assert "this passes 29 Nov" in found.advice
    for later, expected in ((4, [Code.DAILY_MISSING]), (5, [])):
        nights = [stored(-n, NOW + timedelta(days=n, hours=-4), HOME) for n in range(1, later + 1)]
        now = NOW + timedelta(days=later)
        found_then = audit(replace(without(2), backups=[*without(2).backups, *nights]), now=now, zone=BERLIN)
        assert [code for code in codes(found_then) if code is Code.DAILY_MISSING] == expected


def test_what_has_just_become_too_much_is_given_time() -> None:
    """Retention runs every hour: two backups of one day are no finding an hour later, whatever else was taken since."""
    resource = replace(well(), backups=[*well().backups, stored(900, NOW - timedelta(hours=1), HOME)])
    assert codes(audit(resource, now=NOW, zone=BERLIN)) == []
    assert codes(audit(resource, now=NOW + timedelta(hours=3), zone=BERLIN)) == [Code.TOO_MANY]


def test_a_new_backup_does_not_excuse_what_was_too_much_before() -> None:
    old = stored(900, NOW - timedelta(days=9), HOME)
    resource = replace(well(), backups=[*well().backups, old, stored(901, NOW - timedelta(hours=1), HOME)])
    (found,) = audit(resource, now=NOW, zone=BERLIN)
    assert found.sentence == "eu-central-1 holds 1 copy beyond what the policy keeps."


def brought_back(*left: int, elsewhere: bool = False) -> ResourceFacts:
    """It was removed on the evening of 21 Nov, which left those backups, and brought back before the next night."""
    deleted = [b for b in well().backups if b.id in left or b.id <= 2]
    copied = [stored(b.id, b.taken_at, HOME, *([OTHER] if elsewhere else [])) for b in deleted]
    return replace(well(), backups=copied, undone_removal_at=datetime(2026, 11, 21, 20, tzinfo=UTC))


def test_what_an_undone_removal_deleted_is_said_to_be_its_doing() -> None:
    """Nobody is to look for the cause of gaps that are one person's mistake."""
    days, months = [
        one for one in audit(brought_back(3, elsewhere=True), now=NOW, zone=BERLIN) if one.code in BY_A_REMOVAL
    ]
    assert days.sentence == (
        "No good backup of 18 Nov, 19 Nov and 20 Nov: the removal of 21 Nov deleted what there was."
    )
    assert days.advice == "Nothing brings back what a removal deleted; this passes 27 Nov."
    assert months.sentence == (
        "No good backup is left of Jun, Jul, Aug, Sep and Oct: the removal of 21 Nov deleted what there was."
    )
    assert months.advice == "Nothing brings back what a removal deleted; this passes 1 Apr."


def test_what_it_deleted_elsewhere_is_said_until_there_is_a_copy_again() -> None:
    (found,) = [one for one in audit(brought_back(3), now=NOW, zone=BERLIN) if one.code is Code.NONE_ELSEWHERE]
    assert found.sentence == ("There is no copy of any of its backups in eu-west-1: the removal of 21 Nov deleted it.")
    assert found.advice.startswith("The portal makes a new one. See that eu-west-1 can be written to")
    newer = replace(brought_back(), undone_removal_at=NOW - timedelta(days=40))
    (found,) = [one for one in audit(newer, now=NOW, zone=BERLIN) if one.code is Code.NONE_ELSEWHERE]
    assert "removal" not in found.sentence + found.advice


def test_a_gap_after_it_is_not_its_doing() -> None:
    resource = brought_back(3, 4, 5, 6, elsewhere=True)
    gap = replace(resource, backups=[b for b in resource.backups if b.id != 1])  # 23 Nov
    (days,) = [one for one in audit(gap, now=NOW, zone=BERLIN) if one.code is Code.DAILY_MISSING]
    assert (days.sentence, "removal" in days.advice) == ("No good backup of 23 Nov.", False)
    gap = replace(resource, backups=[b for b in resource.backups if b.id not in (1, 5)])
    (days,) = [one for one in audit(gap, now=NOW, zone=BERLIN) if one.code is Code.DAILY_MISSING]
    assert days.sentence == (
        "No good backup of 19 Nov and 23 Nov: the removal of 21 Nov deleted what there was until then."
    )


def test_the_rules_that_apply() -> None:
    assert applicable(well(), NOW, BERLIN) == (Rule.B1, Rule.B2, Rule.B3)
    assert applicable(removed(), NOW, BERLIN) == (Rule.B4,)
    assert applicable(removed(production=False, backups=[]), NOW, BERLIN) == ()


def test_every_code_has_its_rule_and_name() -> None:
    assert set(CODES) == set(Code)
    assert all(label for _, label in CODES.values())
    assert [rule.bit for rule in Rule] == [1, 2, 4, 8, 16]


def test_one_that_a_wrong_clock_dated_does_not_hide_that_backups_are_late() -> None:
    ahead = stored(9999, NOW + timedelta(days=300), HOME)
    hidden = replace(missed(), backups=[*missed().backups, ahead])
    assert Code.LATE in codes(audit(hidden, now=NOW, zone=BERLIN))
    assert Code.LATE not in codes(audit(replace(well(), backups=[*well().backups, ahead]), now=NOW, zone=BERLIN))
