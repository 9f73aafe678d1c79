"""Fixtures of the pages' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from backups.models import Backup, Resource
from tests.factories import Cast, make_backup, make_cast, make_resource

As = Callable[[str], Browser]


@pytest.fixture(autouse=True)
def fresh_cache(settings: Any) -> Iterator[None]:
    """Counts of sign-ins belong to one test."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


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
