"""What a checkup writes down, and whom it draws: the same record makes the same bytes, the same seed the same sample."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backups.judging import CopyFacts, ResourceFacts, StoredBackup
from backups.proof import Proof
from checkups.record import FORMAT, canonical, digest_of, pieces, read_record
from checkups.scope import What, draw, level_of, sample_in_words, wanted_of
from checkups.year import lacking_in_words, overdue_in_words, reminder_due, set_in_words, years_lacking

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))
RECORDS = st.dictionaries(TEXT, VALUES, max_size=6)
BERLIN = ZoneInfo("Europe/Berlin")


def shuffled(value: Any, shuffler: random.Random) -> Any:
    """Equal, with the keys of every object in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        shuffler.shuffle(items)
        return {key: shuffled(inner, shuffler) for key, inner in items}
    return [shuffled(inner, shuffler) for inner in value] if isinstance(value, list) else value


# -- canonical JSON -------------------------------------------------------------------------------------------------


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(record: dict[str, Any], shuffler: random.Random) -> None:
    assert canonical(shuffled(record, shuffler)) == canonical(record)


@given(RECORDS)
def test_it_is_json_and_comes_back_the_same(record: dict[str, Any]) -> None:
    text = canonical(record)
    assert json.loads(text) == record
    assert canonical(json.loads(text)) == text
    assert canonical(json.loads(json.dumps(record, indent=2))) == text


def different(one: Any, other: Any) -> bool:
    """As JSON: True is not 1."""
    return json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)


@given(VALUES, VALUES)
def test_what_differs_is_written_differently(one: Any, other: Any) -> None:
    assume(different(one, other))
    assert canonical(one) != canonical(other)
    assert digest_of([canonical({"a": [one]})]) != digest_of([canonical({"a": [other]})])


@given(RECORDS, st.data())
def test_any_single_change_shows(record: dict[str, Any], data: st.DataObject) -> None:
    assume(record)
    key = data.draw(st.sampled_from(sorted(record)))
    changed = data.draw(VALUES)
    assume(different(changed, record[key]))
    assert canonical(record | {key: changed}) != canonical(record)
    assert canonical({name: value for name, value in record.items() if name != key}) != canonical(record)


@given(RECORDS, st.lists(RECORDS, max_size=4), st.lists(RECORDS, max_size=4), st.lists(RECORDS, max_size=2))
def test_piece_by_piece_it_is_the_canonical_whole(
    checkup: dict[str, Any], events: list[Any], findings: list[Any], signatures: list[Any]
) -> None:
    whole = {"checkup": checkup, "events": events, "findings": findings, "signatures": signatures, "format": FORMAT}
    text = "".join(pieces(checkup, events, findings, signatures))
    assert text == canonical(whole)
    assert digest_of(pieces(checkup, events, findings, signatures)) == digest_of([text])
    assert read_record(json.dumps(whole, indent=1)) == whole


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"])
)
def test_moments_are_utc(naive: datetime, zone: str) -> None:
    moment = naive.replace(tzinfo=UTC)
    assert canonical(moment.astimezone(ZoneInfo(zone))) == canonical(moment)
    assert datetime.fromisoformat(json.loads(canonical(moment))) == moment


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", {1}, object(), {"a": [0.1]}])
def test_what_has_no_one_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="has no canonical form"):
        canonical(value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[]", "no record of a checkup"),
        ("{}", "no record of a checkup"),
        ('{"format":"haas-checkup-record/1"}', "no record of a checkup"),
        (
            '{"format":"haas-checkup-record/1","checkup":{},"findings":[{"result":"passed","result":"failed"}]}',
            "stands twice",
        ),
        ('{"format":"haas-checkup-record/1","checkup":{"share":99.5}}', "no whole number"),
        ('{"format":"haas-checkup-record/1","checkup":{"share":NaN}}', "no whole number"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_record(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_record(text)


# -- the sample -----------------------------------------------------------------------------------------------------

SIZES = st.dictionaries(st.integers(1, 10**9), st.integers(0, 10**13), max_size=60)
SHARES = st.integers(1, 100)
SEEDS = st.text("0123456789abcdef", min_size=8, max_size=16)


@given(SIZES, SHARES, SEEDS, st.randoms(use_true_random=False))
def test_the_same_seed_draws_the_same_whatever_the_order(
    sizes: dict[int, int], share: int, seed: str, shuffler: random.Random
) -> None:
    rows = list(sizes.items())
    drawn = list(draw(rows, share, seed))
    shuffler.shuffle(rows)
    assert list(draw(rows, share, seed)) == drawn
    assert len(drawn) == len(set(drawn)) == -(-len(rows) * share // 100)
    assert set(drawn) <= set(sizes)


@given(SIZES, SEEDS)
def test_a_larger_share_holds_the_smaller_one(sizes: dict[int, int], seed: str) -> None:
    assert set(draw(sizes.items(), 20, seed)) <= set(draw(sizes.items(), 60, seed))
    assert set(draw(sizes.items(), 100, seed)) == set(sizes)


def test_another_seed_draws_others() -> None:
    rows = [(number, 10**9) for number in range(200)]
    assert set(draw(rows, 20, "1")) != set(draw(rows, 20, "2"))


def test_large_ones_are_drawn_more_often_and_small_ones_too() -> None:
    rows = [(number, 10**12 if number % 2 else 1000) for number in range(100)]
    times = [0, 0]
    for seed in range(200):
        for number in draw(rows, 20, str(seed)):
            times[number % 2] += 1
    small, large = times
    assert small + large == 200 * 20
    assert large > 2 * small > 0
    everyone = {number for seed in range(200) for number in draw(rows, 20, str(seed))}
    assert everyone == set(range(100)), "nothing is left out for ever"


def test_the_rule_is_said_with_its_seed() -> None:
    assert sample_in_words(100, "ab12") == "All of them are restored."
    assert "30 % of the resources are restored, drawn with the seed ab12" in sample_in_words(30, "ab12")


# -- what of a resource is checked ----------------------------------------------------------------------------------

NOW = datetime(2026, 11, 15, 6, tzinfo=UTC)


def stored(pk: int, days: float, *, damaged: bool = False) -> StoredBackup:
    at = NOW - timedelta(days=days)
    copy = CopyFacts(pk * 10, "eu-central-1", good=not damaged, verified=True, checksum_at=at, created_at=at)
    return StoredBackup(id=pk, taken_at=at, finished_at=at, copies=[copy], stored_bytes=pk * 100)


def facts(*backups: StoredBackup, removed: bool = False) -> ResourceFacts:
    return ResourceFacts(
        1, "shop-db", True, "eu-central-1", "eu-west-1", NOW - timedelta(days=400), backups,
        removed_at=NOW - timedelta(days=3) if removed else None,
    )  # fmt: skip


def chosen(told: ResourceFacts) -> list[tuple[What, str, int | None]]:
    return [(one.what, one.region, one.backup) for one in wanted_of(told, now=NOW, zone=BERLIN)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (facts(), [("daily", "eu-central-1", None), ("monthly", "eu-central-1", None), ("elsewhere", "eu-west-1", None)]),
        (facts(stored(1, 0.1)), [("both", "eu-central-1", 1), ("elsewhere", "eu-west-1", 1)]),
        (
            facts(stored(1, 14), stored(2, 1), stored(3, 0.1)),
            [("daily", "eu-central-1", 3), ("monthly", "eu-central-1", 1), ("elsewhere", "eu-west-1", 1)],
        ),
        (
            facts(stored(1, 14), stored(2, 1), stored(3, 0.1, damaged=True)),
            [("daily", "eu-central-1", 2), ("monthly", "eu-central-1", 1), ("elsewhere", "eu-west-1", 1)],
        ),
        (
            facts(stored(1, 14), stored(2, 1), stored(3, -30)),
            [("daily", "eu-central-1", 2), ("monthly", "eu-central-1", 1), ("elsewhere", "eu-west-1", 1)],
        ),
        (facts(stored(3, -30)), [("both", "eu-central-1", 3), ("elsewhere", "eu-west-1", 3)]),
        (facts(removed=True), []),
        (
                facts(stored(1, 5), stored(2, 4), removed=True),
                [("kept", "eu-central-1", 1), ("kept", "eu-central-1", 2)],
            ),
        (facts(stored(1, 5, damaged=True), removed=True), [("kept", "eu-central-1", None)]),
    ],
    ids=["nothing", "one", "usual", "newest damaged", "one of tomorrow", "only of tomorrow", "gone", "kept", "kept, damaged"],
)  # fmt: skip
def test_what_of_a_resource_is_checked(told: ResourceFacts, expected: list[tuple[str, str, int | None]]) -> None:
    assert chosen(told) == [(What(what), region, pk) for what, region, pk in expected]


@given(st.lists(st.tuples(st.floats(0, 300), st.booleans()), max_size=20))
def test_only_good_ones_are_checked_and_their_size_is_known(rows: list[tuple[float, bool]]) -> None:
    backups = [stored(number, days, damaged=bad) for number, (days, bad) in enumerate(rows, 1)]
    good = {one.id: one.stored_bytes for one in backups if one.good}
    wanted = wanted_of(facts(*backups), now=NOW, zone=BERLIN)
    assert {one.region for one in wanted} == {"eu-central-1", "eu-west-1"}
    for one in wanted:
        assert (one.backup is None) == (not good)
        assert one.size == (good[one.backup] if one.backup is not None else 0)


@pytest.mark.parametrize(
    ("restored", "answers", "level"),
    [
        (True, False, Proof.CONTENT_MATCHED),
        (True, True, Proof.APPLICATION_ANSWERED),
        (False, True, Proof.CHECKSUM),
        (False, False, Proof.CHECKSUM),
    ],
)
def test_the_level_is_what_will_be_done(restored: bool, answers: bool, level: Proof) -> None:
    assert level_of(Proof.CONTENT_MATCHED, restored=restored, answers=answers) is level


# -- the year -------------------------------------------------------------------------------------------------------

MAY, NOVEMBER = date(2026, 5, 17), date(2026, 11, 15)


@pytest.mark.parametrize(
    ("dates", "today", "lacking"),
    [
        ([], date(2026, 1, 1), [(2026, 0)]),
        ([], date(2026, 6, 30), [(2026, 0)]),
        ([], date(2026, 7, 1), [(2026, 0), (2027, 0)]),
        ([MAY, NOVEMBER], date(2026, 3, 1), []),
        ([MAY], date(2026, 3, 1), [(2026, 1)]),
        ([MAY, NOVEMBER], date(2026, 12, 1), [(2027, 0)]),
        ([MAY, NOVEMBER, date(2027, 5, 16)], date(2026, 12, 1), [(2027, 1)]),
        ([MAY, NOVEMBER, date(2027, 5, 16), date(2027, 11, 14)], date(2026, 12, 31), []),
        ([date(2025, 5, 1), date(2025, 11, 1)], date(2026, 1, 1), [(2026, 0)]),
        ([MAY, date(2026, 8, 1), NOVEMBER], date(2026, 3, 1), []),
    ],
)
def test_years_that_lack_dates(dates: list[date], today: date, lacking: list[tuple[int, int]]) -> None:
    assert years_lacking(dates, today) == lacking


def test_what_a_year_lacks_is_said() -> None:
    assert lacking_in_words(2026, 0) == "2026 has no date for a checkup; two are required."
    assert lacking_in_words(2026, 1) == "2026 has only one date for a checkup; two are required."


@pytest.mark.parametrize(
    ("days_before", "reminded", "due"),
    [
        (31, None, None),
        (30, None, 30),
        (29, None, 30),
        (29, 30, None),
        (8, 30, None),
        (7, 30, 7),
        (6, 7, None),
        (5, None, 7),
        (5, 30, 7),
        (1, 7, 1),
        (1, 1, None),
        (0, 7, 1),
        (0, 1, None),
        (-1, None, None),
    ],
)
def test_reminders(days_before: int, reminded: int | None, due: int | None) -> None:
    assert reminder_due(NOVEMBER, NOVEMBER - timedelta(days=days_before), reminded) == due


@pytest.mark.parametrize(
    ("days_before", "words"),
    [
        (31, "IT is reminded 30 days, 7 days and a day before."),
        (30, "IT is reminded now, 7 days and a day before."),
        (8, "IT is reminded now, 7 days and a day before."),
        (7, "IT is reminded now and a day before."),
        (2, "IT is reminded now and a day before."),
        (1, "IT is reminded now."),
        (0, "It starts within minutes."),
    ],
)
def test_a_date_that_was_set_says_which_reminders_are_to_come(days_before: int, words: str) -> None:
    assert set_in_words(NOVEMBER, NOVEMBER - timedelta(days=days_before), 2) == f"The date is set. {words}"


@pytest.mark.parametrize(
    ("had", "words"),
    [
        (1, ""),
        (2, ""),
        (3, " 2026 has three dates now; two are required."),
        (14, " 2026 has 14 dates now; two are required."),
    ],
)
def test_more_dates_than_two_are_said(had: int, words: str) -> None:
    assert set_in_words(NOVEMBER, NOVEMBER, had) == f"The date is set. It starts within minutes.{words}"


@given(st.lists(st.booleans(), min_size=60, max_size=60))
def test_each_reminder_goes_out_once_whatever_days_the_portal_was_down(up: list[bool]) -> None:
    reminded, sent = None, []
    for before, is_up in zip(range(50, -10, -1), up, strict=True):
        days = reminder_due(NOVEMBER, NOVEMBER - timedelta(days=before), reminded) if is_up else None
        if days is not None:
            reminded = days
            sent.append(days)
    assert sent == sorted(set(sent), reverse=True)
    assert set(sent) <= {30, 7, 1}
    if all(up):
        assert sent == [30, 7, 1]


@pytest.mark.parametrize(
    ("days", "begun", "words"),
    [
        (0, False, ""),
        (1, False, "has not begun"),
        (1, True, ""),
        (14, True, ""),
        (15, True, "not signed after 15 days"),
    ],
)
def test_what_is_overdue(days: int, begun: bool, words: str) -> None:
    said = overdue_in_words(NOVEMBER, NOVEMBER + timedelta(days=days), begun=begun)
    assert bool(said) == bool(words)
    assert words in said


def test_words_of_the_code_that_signed_records_hold_never_change() -> None:
    """Whoever changes one of these breaks the hash of every record signed before: write a new FORMAT beside the old one."""
    assert FORMAT == "haas-checkup-record/1"
    assert [level.label for level in sorted(Proof)] == [
        "recorded", "present", "checksum", "restored", "content matched", "application answered",
    ]  # fmt: skip
    assert sample_in_words(100, "9f2c") == "All of them are restored."
    assert sample_in_words(25, "9f2c") == (
        "25 % of the resources are restored, drawn with the seed 9f2c, large ones more often. Of the others every stored byte"
        " is read and compared with its checksum."
    )
    assert [what.value for what in What] == ["daily", "monthly", "both", "elsewhere", "kept"]
