"""Fixtures of the tests of the pages about restores."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Backup, Resource
from restores.models import Attempt, AttemptStatus, Charge, RestoreRequest
from restores.workflow import Status
from tests.factories import Cast, make_attempt, make_backup, make_charge, make_request, make_resource
from tests.pages.conftest import As

__all__ = ["As"]


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-db")


@pytest.fixture
def backup(resource: Resource, now: datetime) -> Backup:
    return make_backup(resource, now - timedelta(hours=54))


@pytest.fixture
def foreign(cast: Cast, now: datetime) -> Backup:
    """A backup of another client."""
    return make_backup(make_resource(cast.news, "news-db"), now - timedelta(hours=5))


@pytest.fixture
def submitted(backup: Backup, cast: Cast) -> RestoreRequest:
    return make_request(backup, cast.client)


def finish(request: RestoreRequest, cast: Cast, ends: Status = Status.COMPLETED, **facts: Any) -> Attempt:
    """Give the request a restore that ended: done and proven, unless the facts say otherwise."""
    now = timezone.now()
    values: dict[str, Any] = {
        "status": AttemptStatus.COMPLETED,
        "finished_at": now,
        "proof": "1,203 files: every SHA-256 as in the manifest",
        "kept_until": now + timedelta(days=7),
        "went_live_at": now if request.restore_mode is Mode.IN_PLACE else None,
        "place": {"live": "/srv/live", "beside": "/srv/beside", "kept": "/srv/kept"},
    }
    attempt = make_attempt(request, cast.it, **(values | facts))
    RestoreRequest.objects.filter(pk=request.pk).update(
        status=ends, decided_at=now, decided_by=cast.it, status_changed_at=now
    )
    request.refresh_from_db()
    return attempt


@pytest.fixture
def completed(submitted: RestoreRequest, cast: Cast) -> RestoreRequest:
    finish(submitted, cast)
    return submitted


@pytest.fixture
def charge(completed: RestoreRequest) -> Charge:
    return make_charge(completed)
