"""Fixtures of the API's tests: the cast with a token each, one resource with a backup, a request, a charge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from backups.drivers.base import Mode
from backups.models import Backup, Environment, Finding, Hold, Resource, RetentionRun
from portal.models import User
from portal.roles import Role
from restores.actions.filing import file_request
from restores.actions.incidents import declare
from restores.charging import Cause
from restores.models import Charge, Incident, RestoreRequest
from restores.workflow import Status
from tests.app.conftest import tree, world
from tests.factories import (
    Cast,
    make_attempt,
    make_backup,
    make_charge,
    make_hold,
    make_request,
    make_resource,
    make_user,
)
from tests.fixtures import cast, fresh_cache

__all__ = ["cast", "fresh_cache", "tree", "world"]

As = Callable[[str], APIClient]


@pytest.fixture
def robot(cast: Cast) -> User:
    """A service account with IT's permissions."""
    return make_user("robot-of-it", Role.IT, is_service_account=True)


def client_of(user: User | None) -> APIClient:
    """The API with a token of that person, or without any."""
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=user)[1]}")
    return client


@pytest.fixture
def as_(cast: Cast) -> As:
    """The API as one of the cast sees it, by their name there; "" is nobody."""
    return lambda name: client_of(cast.people[name] if name else None)


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-db")


@pytest.fixture
def backup(resource: Resource) -> Backup:
    return make_backup(resource, timezone.now() - timedelta(days=1))


@pytest.fixture
def staging(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-files", environment=Environment.STAGING)


@pytest.fixture
def filed(cast: Cast, backup: Backup) -> RestoreRequest:
    """Filed by the client, in place, on production."""
    return file_request(
        by=cast.client, backup=backup, mode=Mode.IN_PLACE, reason="A release broke it.", cause=Cause.BAD_CHANGE
    )


@pytest.fixture
def failed(cast: Cast, backup: Backup) -> RestoreRequest:
    request = make_request(backup, cast.client, status=Status.FAILED)
    make_attempt(request, cast.it, status="failed", error="The disk is full.", error_detail="ENOSPC at /srv/nowhere")
    return request


@pytest.fixture
def completed(cast: Cast, backup: Backup) -> RestoreRequest:
    """In place, with its original kept for some days more."""
    request = make_request(backup, cast.client, status=Status.COMPLETED)
    now = timezone.now()
    make_attempt(
        request,
        cast.it,
        status="completed",
        proof="3 files as in the manifest",
        finished_at=now,
        went_live_at=now,
        kept_until=now + timedelta(days=7),
    )
    return request


@pytest.fixture
def hold(cast: Cast, backup: Backup) -> Hold:
    return make_hold(backup, cast.it, until=timezone.now().date() + timedelta(days=30))


@pytest.fixture
def finding(resource: Resource) -> Finding:
    now = timezone.now()
    return Finding.objects.create(
        resource=resource, rule="B2", code="late", sentence="There is no good backup of the last 26 hours.",
        advice="See to the cause, then back it up now.", since=now - timedelta(hours=2), opened_at=now,
    )  # fmt: skip


@pytest.fixture
def stopped(cast: Cast) -> RetentionRun:
    """A run that would delete too much."""
    return RetentionRun.objects.create(
        status="stopped", planned_at=timezone.now(), copies_before=100, to_delete=31, limit_percent=20
    )


@pytest.fixture
def incident(cast: Cast, staging: Resource) -> Incident:
    """Open, with one resource."""
    make_backup(staging, timezone.now() - timedelta(days=1))
    affected = Resource.objects.filter(pk=staging.pk)
    return declare(by=cast.it, hazard="The disk is gone.", resources=affected)


@pytest.fixture
def charge(completed: RestoreRequest) -> Charge:
    return make_charge(completed)
