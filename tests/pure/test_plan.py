"""Plans, causes and windows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups.drivers.base import Mode
from restores.charging import Cause, Classification, classification_sentence, classify
from restores.plan import PLACES, Tense, loss_window, make_plan, mode_parts, mode_sentence, plan_digest

PLAN: dict[str, Any] = {
    "resource_id": 1,
    "kind": "files",
    "locator": "/srv/shop",
    "backup_id": 7,
    "checksum": "ab" * 32,
    "mode": Mode.IN_PLACE,
    "classification": "free",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resource_id", 2),
        ("kind", "postgres"),
        ("locator", "/srv/shop2"),
        ("backup_id", 8),
        ("checksum", "cd" * 32),
        ("mode", Mode.BESIDE),
        ("classification", "billable"),
    ],
)
def test_any_change_of_the_plan_changes_its_digest(name: str, value: Any) -> None:
    assert plan_digest(make_plan(**PLAN)) != plan_digest(make_plan(**{**PLAN, name: value}))


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    plan = make_plan(**PLAN)
    assert plan_digest(plan) == plan_digest(dict(reversed(plan.items())))


@pytest.mark.parametrize("cause", Cause)
def test_only_infrastructure_problems_are_free(cause: Cause) -> None:
    free = classify(cause) is Classification.FREE
    assert free == (cause is Cause.INFRASTRUCTURE)
    assert ("Free of charge" in classification_sentence(cause)) == free


def test_a_clock_set_back_gives_no_negative_window() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert loss_window(now + timedelta(hours=1), now) == timedelta(0)


def test_the_sentence_says_what_is_replaced() -> None:
    said = mode_sentence(Mode.IN_PLACE, "shop-db", "Tue 18 Nov 03:12 CET", "2 d 6 h")
    assert "shop-db" in said
    assert "Tue 18 Nov 03:12 CET" in said
    assert "2 d 6 h" in said
    assert "is replaced" in said
    assert "replaced" not in mode_sentence(Mode.BESIDE, "shop-db", "x", "0 s")


@pytest.mark.parametrize("tense", [Tense.DONE, Tense.UNDONE])
@pytest.mark.parametrize("mode", Mode)
def test_what_is_over_is_not_told_as_if_it_were_to_come(mode: Mode, tense: Tense) -> None:
    said = mode_sentence(mode, "shop-db", "Tue 18 Nov 03:12 CET", "6 h", tense)
    assert "shop-db" in said
    assert "Tue 18 Nov 03:12 CET" in said
    assert not re.search(r"\b(is replaced|stays|Restore|Make)\b", said)
    assert ("6 h" in said) is (mode is Mode.IN_PLACE)


@pytest.mark.parametrize("name", ["store", "place", "as", "a", "{when}", "download"])
@pytest.mark.parametrize("tense", Tense)
@pytest.mark.parametrize("mode", Mode)
def test_what_must_not_be_missed_is_strong_wherever_else_its_letters_occur(name: str, mode: Mode, tense: Tense) -> None:
    parts = mode_parts(mode, name, "Tue 18 Nov 03:12 CET", "6 h", tense)
    assert [part.text for part in parts if part.strong] == [name, "Tue 18 Nov 03:12 CET", PLACES[mode]]
    assert "".join(part.text for part in parts) == mode_sentence(mode, name, "Tue 18 Nov 03:12 CET", "6 h", tense)
