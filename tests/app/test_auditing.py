"""Since when a finding has been so: never longer than an audit can tell, never of a day to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backups.actions.auditing import audit_company, audit_resource
from backups.findings import Code
from backups.models import Copy, CopyState, Finding, Resource
from portal.words import company_zone
from tests.factories import Cast, make_backup, make_resource
from tests.fixtures import cast

__all__ = ["cast"]

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
NIGHT = timedelta(days=1)
LATER = timedelta(hours=5)


@pytest.fixture
def shop(cast: Cast) -> Resource:
    """It has all that the policy asks for: seven nights, the months before, a copy elsewhere."""
    return kept_well(cast, "shop-db")


def kept_well(cast: Cast, name: str) -> Resource:
    resource = make_resource(cast.shop, name)
    Resource.objects.filter(pk=resource.pk).update(created_at=NOW - timedelta(days=300))
    for month in range(6, 11):
        make_backup(resource, datetime(2026, month, 1, 2, tzinfo=UTC))
    make_backup(resource, datetime(2026, 11, 1, 2, tzinfo=UTC), regions=("eu-central-1", "eu-west-1"))
    for nights in range(7):
        make_backup(resource, NOW - nights * NIGHT - timedelta(hours=4))
    Copy.objects.filter(backup__resource=resource).update(checksum_at=NOW)
    return resource


def lose(resource: Resource, day: datetime, *, damaged: bool = False) -> None:
    """All copies of that day's backup rot, or are gone."""
    copies = Copy.objects.filter(backup__resource=resource, backup__taken_at__date=day.date())
    state = {"state": CopyState.DAMAGED, "damaged_at": NOW, "damage": "Torn."} if damaged else {"state": "deleted"}
    assert copies.update(**(state if damaged else state | {"deleted_at": NOW}))


def since_of(resource: Resource, code: Code) -> datetime:
    return Finding.objects.open().get(resource=resource, code=code).since


@pytest.mark.parametrize("damaged", [True, False])
@pytest.mark.parametrize(
    ("day", "code"),
    [
        (datetime(2026, 7, 1), Code.MONTHLY_MISSING),
        (datetime(2026, 11, 20), Code.DAILY_MISSING),
        (datetime(2026, 11, 1), Code.NONE_ELSEWHERE),
    ],
)
def test_what_was_lost_later_is_no_older_than_the_audit_that_did_not_find_it(
    shop: Resource, day: datetime, code: Code, damaged: bool
) -> None:
    """A monthly that rotted yesterday is not missing since its month."""
    audit_company(clock=lambda: NOW)
    assert not Finding.objects.exists()
    lose(shop, day, damaged=damaged)
    audit_resource(shop.pk, now=NOW + LATER)
    assert since_of(shop, code) == NOW


def test_what_was_so_before_any_audit_is_as_old_as_can_be_told(shop: Resource) -> None:
    lose(shop, datetime(2026, 7, 1))
    audit_resource(shop.pk, now=NOW)
    assert since_of(shop, Code.MONTHLY_MISSING) == datetime(2026, 8, 1, tzinfo=company_zone())


def test_what_begins_between_two_audits_keeps_its_own_moment(shop: Resource) -> None:
    audit_resource(shop.pk, now=NOW)
    audit_resource(shop.pk, now=NOW + 2 * NIGHT)
    assert since_of(shop, Code.LATE) == NOW - timedelta(hours=4) + timedelta(hours=26)


def test_a_finding_is_no_older_for_an_older_loss_that_joins_it(shop: Resource) -> None:
    audit_resource(shop.pk, now=NOW)
    lose(shop, datetime(2026, 9, 1))
    audit_resource(shop.pk, now=NOW + LATER)
    lose(shop, datetime(2026, 7, 1))
    audit_resource(shop.pk, now=NOW + 2 * LATER)
    assert "Jul and Sep" in Finding.objects.get().sentence
    assert since_of(shop, Code.MONTHLY_MISSING) == NOW


def test_a_finding_is_no_younger_for_a_later_loss_that_joins_it(shop: Resource) -> None:
    audit_resource(shop.pk, now=NOW)
    lose(shop, datetime(2026, 9, 1), damaged=True)
    audit_resource(shop.pk, now=NOW + LATER)
    lose(shop, datetime(2026, 7, 1), damaged=True)
    audit_resource(shop.pk, now=NOW + 2 * LATER)
    assert since_of(shop, Code.DAMAGED_COPY) == NOW + LATER


def test_with_what_is_over_it_moves_on(shop: Resource) -> None:
    """Once the older of two missed days has passed, the finding is as old as the other."""
    for day in (18, 22):
        lose(shop, datetime(2026, 11, day))
    audit_resource(shop.pk, now=NOW)
    for nights in (1, 2):
        make_backup(shop, NOW + nights * NIGHT - timedelta(hours=4))
    audit_resource(shop.pk, now=NOW + 2 * NIGHT)
    assert since_of(shop, Code.DAILY_MISSING) == datetime(2026, 11, 23, tzinfo=company_zone())


def test_a_clock_that_was_ahead_dates_no_finding_after_now(shop: Resource) -> None:
    lose(shop, datetime(2026, 9, 1), damaged=True)
    audit_resource(shop.pk, now=NOW + timedelta(days=5))
    lose(shop, datetime(2026, 7, 1))
    audit_resource(shop.pk, now=NOW)
    assert since_of(shop, Code.MONTHLY_MISSING) <= NOW
    assert since_of(shop, Code.DAMAGED_COPY) == NOW
    lose(shop, datetime(2026, 11, 20))
    audit_resource(shop.pk, now=NOW + timedelta(hours=1))
    assert since_of(shop, Code.DAILY_MISSING) == NOW, "the next audit knows the right time again"


def test_many_are_audited_with_as_many_queries_as_one(cast: Cast, shop: Resource) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            audit_company(clock=lambda: NOW)
        return len(asked)

    audit_company(clock=lambda: NOW)
    of_one = queries()
    for number in range(5):
        kept_well(cast, f"other-{number}")
    assert queries() == of_one
    assert set(Resource.objects.values_list("audited_at", flat=True)) == {NOW}
