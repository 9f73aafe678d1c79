"""Moments read in bulk are the very moments that were written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.instants import Instant, read_instant
from backups.models import Backup, Resource


@pytest.mark.django_db(transaction=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(0, 60 * 366 * 86_400 * 1_000_000))
def test_to_the_microsecond(resource: Resource, microseconds: int) -> None:
    moment = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    Backup.objects.update(taken_at=moment)
    (read,) = Backup.objects.values_list(Instant("taken_at"), flat=True)
    assert read_instant(read) == moment
