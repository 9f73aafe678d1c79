"""Every endpoint runs a constant number of queries, however much there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.models import Finding, RetentionRun
from restores.models import Event, RestoreRequest, Step
from restores.workflow import Status
from tests.api.conftest import As
from tests.factories import Cast, make_attempt, make_backup, make_charge, make_hold, make_request, make_resource

OTHER_REGION = ("eu-central-1", "eu-west-1")


@pytest.fixture
def more(cast: Cast) -> Callable[[], RestoreRequest]:
    """One more of everything; the request it returns."""

    def add() -> RestoreRequest:
        resource, now = make_resource(cast.shop), timezone.now()
        for days in range(3):
            backup = make_backup(resource, now - timedelta(days=days), regions=OTHER_REGION, requested_by=cast.staff)
        request = make_request(backup, cast.client, status=Status.FAILED, decided_at=now, decided_by=cast.it)
        add_run(request, cast)
        make_charge(request)
        make_hold(backup, cast.it, until=now.date() + timedelta(days=9), released_by=None)
        Finding.objects.create(resource=resource, rule="B2", code="late", sentence="Late.", since=now, opened_at=now)
        RetentionRun.objects.create(
            resource=resource, status="done", planned_at=now, copies_before=9, to_delete=1, limit_percent=20, decided_at=now,
            decided_by=cast.it, reason="The shop was closed.", finished_at=now,
        )  # fmt: skip
        return request

    return add


def add_run(request: RestoreRequest, cast: Cast) -> None:
    """One more attempt with two steps, and an event."""
    now = timezone.now()
    attempt = make_attempt(request, cast.it, number=request.attempts.count() + 1, status="failed", error="No.")
    for position, name in enumerate(("preflight", "pin")):
        Step.objects.create(attempt=attempt, position=position, name=name, status="done", started_at=now)
    Event.objects.create(request=request, at=now, by=cast.it, move="fail", to_status="failed", text="It failed")


def counted(as_: As, who: str, address: str) -> int:
    client = as_(who)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("who", ["client", "it", "auditor"])
@pytest.mark.parametrize(
    "name",
    [
        "clients",
        "applications",
        "resources",
        "backups",
        "holds",
        "findings",
        "retention-runs",
        "restore-requests",
        "charges",
        "me",
    ],
)
def test_lists(as_: As, more: Callable[[], RestoreRequest], who: str, name: str) -> None:
    more()
    few = counted(as_, who, f"/api/{name}/")
    for _ in range(4):
        more()
    assert counted(as_, who, f"/api/{name}/") == few <= (13 if name == "backups" else 8)  # each says why it is kept


@pytest.mark.parametrize("who", ["client", "it"])
def test_one_request_with_many_attempts(as_: As, cast: Cast, more: Callable[[], RestoreRequest], who: str) -> None:
    request = more()
    address = f"/api/restore-requests/{request.pk}/"
    few = counted(as_, who, address)
    for _ in range(4):
        add_run(request, cast)
    assert counted(as_, who, address) == few <= 20
