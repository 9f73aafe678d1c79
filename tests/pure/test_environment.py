"""The environment: documented, checked at start."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.environment import VARIABLES, WrongEnvironment, environment_table, read_environment


def test_the_table_in_the_docs_is_not_stale() -> None:
    page = Path(__file__).parents[2] / "docs" / "operating.md"
    assert environment_table() in page.read_text(encoding="utf-8"), "run manage.py environment_table"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLICY_TIME_ZONE", "Mars/Olympus"),
        ("KEEP_ORIGINAL_DAYS", "0"),
        ("KEEP_ORIGINAL_DAYS", "many"),
        ("STORE_REGIONS", "here=/a"),
        ("STORE_REGIONS", "here=/a,there=/a"),
        ("DEMO", "perhaps"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongEnvironment, match=name):
        read_environment({name: value})


def test_a_secret_value_is_not_shown() -> None:
    for variable in VARIABLES:
        if variable.secret:
            assert "hunter2" not in environment_table()
