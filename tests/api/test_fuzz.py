"""The API against its own schema: whatever is sent, the answer is one that the schema describes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, strategies
from knox.models import AuthToken
from schemathesis.checks import CHECKS

from backups.models import Discovered, Finding, Hold, RetentionRun
from checkups.models import Trial
from portal.api.tokens import SignInThrottle
from restores.models import Charge, ChargeExport, Incident, Notice, Rate, RateCard, RestoreRequest, Why
from tests.checkup_rows import make_ready
from tests.factories import Cast
from tests.fixtures_aws import unregistered

__all__ = ["unregistered"]

EXAMPLES = 25
LEFT_OUT = {
    "positive_data_acceptance",  # what is well-formed may still be refused by a rule
    "negative_data_rejection",  # DRF reads "5" as 5
    "ignored_auth",  # test_access asks that of every endpoint
}
OPERATIONS = [
    (path, method)
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items()
    for method in methods
]


@cache
def served() -> Any:
    """The schema as it is served, read once: it is the same for everybody."""
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.fixture
def schema(db: None) -> Iterator[Any]:
    """As with Django's own test client, the connection outlives each request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield served()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def there(
    cast: Cast,
    filed: RestoreRequest,
    charge: Charge,
    hold: Hold,
    finding: Finding,
    stopped: RetentionRun,
    incident: Incident,
    unregistered: Discovered,
) -> dict[str, int]:
    """Ids of rows to be found."""
    now = timezone.now()
    card = RateCard.objects.create(
        currency="EUR", valid_from=now.date(), published_at=now, published_by=cast.administrator, reason="Yearly."
    )
    Rate.objects.create(card=card, flat=40)
    export = ChargeExport.objects.create(
        created_at=now, created_by=cast.account_manager, rows=[], totals={"EUR": "45.00"}, count=0, checksum="0" * 64
    )
    notice = Notice.objects.create(
        person=cast.account_manager,
        request=filed,
        why=Why.CHARGE,
        headline="To review",
        text="It is done.",
        created_at=now,
    )
    checkup = make_ready(cast.it, [filed.resource], failing=[filed.resource.name])
    return {
        "checkups": checkup.pk,
        "checkup-findings": checkup.findings.get().pk,
        "checkup-tasks": checkup.findings.get().task.pk,
        "trials": Trial.objects.earliest("pk").pk,
        "clients": cast.shopco.pk,
        "applications": cast.shop.pk,
        "resources": filed.resource_id,
        "backups": filed.backup_id,
        "restore-requests": filed.pk,
        "charges": charge.pk,
        "incidents": incident.pk,
        "holds": hold.pk,
        "findings": finding.pk,
        "retention-runs": stopped.pk,
        "rate-cards": card.pk,
        "charge-exports": export.pk,
        "notices": notice.pk,
        "unprotected": unregistered.pk,
    }


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("who", ["it", "account_manager"])
def test_every_answer_is_one_of_the_schemas(
    path: str, method: str, who: str, schema: Any, there: dict[str, int], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SignInThrottle, "rate", "10000/min", raising=False)
    headers = {"Authorization": f"Token {AuthToken.objects.create(user=cast.people[who])[1]}"}
    checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in LEFT_OUT]

    @hypothesis.settings(
        max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(case=schema[path][method].as_strategy(), found=strategies.booleans())
    def holds(case: Any, found: bool) -> None:
        if found and "{id}" in path:
            case.path_parameters["id"] = there[path.split("/")[2]]
        case.call_and_validate(headers=headers, checks=checks)

    holds()
