"""Two checkups beside each other, and two records of one."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backups.proof import Proof
from checkups.comparison import Numbers, compare
from checkups.verifying import differences

NAMES = st.dictionaries(st.integers(1, 40), st.text("abc", min_size=1, max_size=3), max_size=8)
NUMBERS = st.builds(
    Numbers,
    number=st.just("CU-2026-11-15"),
    checks=st.integers(0, 200),
    failed=NAMES,
    passed=st.frozensets(st.integers(1, 40), max_size=12),
    left=st.integers(0, 5),
    levels=st.dictionaries(st.sampled_from(Proof), st.integers(1, 99), max_size=3),
    median_ms=st.none() | st.integers(0, 10**8),
    total_ms=st.integers(0, 10**9),
)


def test_the_first_has_nothing_to_be_compared_with() -> None:
    found = compare(Numbers("CU-2026-11-15"), None)
    assert found.sentences == ("No checkup was signed before this one: there is nothing to compare with.",)
    assert found.rows == ()


def test_in_sentences_and_rows() -> None:
    before = Numbers(
        "CU-2026-05-17", 8, {1: "b", 2: "c"}, {3, 4}, levels={Proof.CHECKSUM: 6}, median_ms=720_000, total_ms=4_320_000
    )
    now = Numbers(
        "CU-2026-11-15",
        10,
        {2: "c", 5: "a"},
        {1, 3, 4},
        left=1,
        levels={Proof.RESTORED: 9},
        median_ms=840_000,
        total_ms=7_560_000,
    )
    found = compare(now, before)
    assert found.sentences == (
        "CU-2026-05-17 looked at 4 resources, of which 2 failed; this one at 6, of which 2 failed.",
        "Newly failed: a.",
        "Passed again: b.",
        "1 resource failed in both.",
        "Getting one back took 14\xa0min (median); before, 12\xa0min.",
    )
    rows = [(label, then.replace("\xa0", " "), today.replace("\xa0", " ")) for label, then, today in found.rows]
    assert rows == [
        ("Resources", "4", "6"),
        ("Passed", "2", "3"),
        ("Failed", "2", "2"),
        ("Not checked", "0", "1"),
        ("Backups looked at", "8", "10"),
        ("Proven to “restored”", "0", "9"),
        ("Proven to “checksum”", "6", "0"),
        ("Time to get one back, median", "12 min", "14 min"),
        ("Time of all restores together", "1 h 12 min", "2 h 6 min"),
    ]


def test_many_names_are_not_all_said() -> None:
    many = Numbers("CU-2026-11-15", failed={number: f"r{number:02}" for number in range(25)})
    said = compare(many, Numbers("CU-2026-05-17")).sentences[1]
    assert said.endswith("r18, r19 and 5 more.")


@given(NUMBERS, NUMBERS)
def test_who_failed_anew_and_who_passes_again(now: Numbers, before: Numbers) -> None:
    found = compare(now, before)
    assert sorted(found.newly_failed) == sorted(name for pk, name in now.failed.items() if pk not in before.failed)
    assert len(found.passed_again) == len(set(before.failed) & set(now.passed))
    assert all(sentence.endswith(".") for sentence in found.sentences)
    assert compare(now, now).newly_failed == ()


RECORD: dict[str, Any] = {
    "checkup": {"number": "CU-2026-11-15", "share": 100},
    "events": [{"text": "a"}],
    "findings": [{"resource": "u1", "name": "shop-db", "result": "failed", "checks": []}],
    "signatures": [],
}


def test_equal_records_differ_in_nothing() -> None:
    assert differences(copy.deepcopy(RECORD), RECORD) == []


def test_what_differs_is_named() -> None:
    kept = copy.deepcopy(RECORD)
    kept["checkup"]["share"] = 50
    kept["findings"][0] |= {"result": "passed", "checks": [1]}
    kept["findings"].append({"resource": "u2", "name": "other"})
    kept["events"] = []
    assert differences(kept, RECORD) == [
        "Checkup: share is “50” in the file and “100” in the rows.",
        "shop-db: checks differs; result is “passed” in the file and “failed” in the rows.",
        "other: only the file has it.",
        "The events differ: 0 in the file, 1 in the rows.",
    ]


NAMES_OF_PARTS = st.sampled_from(["checkup", "findings", "events", "resource", "name"])
ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(NAMES_OF_PARTS, one, max_size=4),
)


@given(st.dictionaries(NAMES_OF_PARTS, ANYTHING, max_size=4))
def test_no_file_is_a_fault(kept: dict[str, Any]) -> None:
    assert all(isinstance(sentence, str) for sentence in differences(kept, RECORD))
