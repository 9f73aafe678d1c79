"""Fixtures of the tests of checkups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from checkups.models import Trial


@pytest.fixture(autouse=True)
def no_scratch(transactional_db: None) -> Iterator[None]:
    """Whatever a test does: at its end nothing that a trial built is left, here or beside the live things."""
    yield
    assert not Trial.objects.untidied().exists(), "a trial's scratch was not removed"
    assert not list(Path(settings.SCRATCH_DIR).glob("trial-*")), "scratch was left behind"
    for root in settings.FILES_ROOTS:
        assert not list(Path(root).glob("*cu-*")), "a restored copy was left behind"
