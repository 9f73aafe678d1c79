"""Fixtures of the tests of the pages about checkups."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Backup, Resource
from checkups.models import Check, CheckStatus, Checkup, CheckupFinding, Trial, TrialStatus
from checkups.workflow import Status
from tests.checkup_rows import make_checkup, make_found, make_ready, make_signed
from tests.factories import Cast, make_backup, make_resource
from tests.pages.conftest import As

__all__ = ["As"]

HOME, OTHER = "eu-central-1", "eu-west-1"
EVERYTHING = ("it", "second_it", "auditor", "administrator")
THEIR_PART = ("client", "colleague", "staff", "account_manager")


def body(answer: Any, status: int = 200) -> str:
    """What the page says; it must have that status."""
    assert answer.status_code == status, answer.content.decode()[:2000]
    shown: str = answer.content.decode()
    return shown


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-db", kind="postgres", settings={"host": "db.internal", "dbname": "shop"})


@pytest.fixture
def backup(resource: Resource, now: datetime) -> Backup:
    return make_backup(resource, now - timedelta(hours=3), regions=(HOME, OTHER))


@pytest.fixture
def news(cast: Cast) -> Resource:
    """A resource of another client."""
    return make_resource(cast.news, "news-db")


@pytest.fixture
def ready(cast: Cast, resource: Resource, news: Resource) -> Checkup:
    """One that waits for signatures; shop-db failed in it."""
    return make_ready(cast.it, [resource, news], failing={"shop-db"}, on=date(2026, 11, 15))


@pytest.fixture
def failed(ready: Checkup) -> CheckupFinding:
    return ready.findings.get(name="shop-db")


@pytest.fixture
def signed(cast: Cast, resource: Resource, news: Resource) -> Checkup:
    return make_signed(cast.it, cast.second_it, [resource, news], on=date(2026, 5, 20))


@pytest.fixture
def planned(cast: Cast) -> Checkup:
    return make_checkup(cast.it, on=timezone.now().date() + timedelta(days=40), status=Status.PLANNED)


@pytest.fixture
def running(cast: Cast, resource: Resource) -> Checkup:
    """One of which shop-db is tried just now."""
    checkup = make_checkup(cast.it, on=date(2026, 11, 20), status=Status.RUNNING)
    finding = make_found(checkup, resource)
    check = finding.checks.get(what="elsewhere")
    check.trials.all().delete()
    Check.objects.filter(pk=check.pk).update(status=CheckStatus.RUNNING, reached=None, sentence="")
    CheckupFinding.objects.filter(pk=finding.pk).update(status="waiting")
    make_trial(check.backup, check_row=check, status=TrialStatus.RUNNING, finished_at=None, sentence="", reached=None)
    return checkup


def make_trial(backup: Backup | None, **facts: Any) -> Trial:
    """A trial of the backup's copy at home, that passed."""
    assert backup is not None
    at = datetime.now(UTC) - timedelta(minutes=9)
    steps = [
        {"name": "restore", "started_at": at.isoformat(), "finished_at": "", "ok": False, "sentence": ""},
    ]
    values: dict[str, Any] = {
        "status": TrialStatus.PASSED, "wanted": 4, "reached": 4, "queued_at": at, "started_at": at,
        "finished_at": at + timedelta(minutes=3), "sentence": "1,203 files are equal.", "steps": steps,
        "bytes_done": 250, "bytes_expected": 1000, "recovery_ms": 150_000,
    }  # fmt: skip
    return Trial.objects.create(resource=backup.resource, copy=backup.copies.order_by("pk").first(), **(values | facts))


@pytest.fixture
def trial(backup: Backup, cast: Cast) -> Trial:
    return make_trial(backup, asked_by=cast.it, reason="Before the migration.")
