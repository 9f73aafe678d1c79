"""Fixtures of the pages' tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from backups.models import Backup, Resource
from tests.factories import Cast, make_backup, make_resource
from tests.fixtures import cast, fresh_cache

__all__ = ["cast", "fresh_cache"]

As = Callable[[str], Browser]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def as_(cast: Cast) -> As:
    """A browser in which that person of the cast is signed in; "" for nobody."""

    def browser(name: str) -> Browser:
        made = Browser()
        if name:
            made.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        return made

    return browser


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-db", kind="postgres", settings={"host": "db.internal", "dbname": "shop"})


@pytest.fixture
def backup(resource: Resource, now: datetime) -> Backup:
    return make_backup(resource, now - timedelta(hours=3))
