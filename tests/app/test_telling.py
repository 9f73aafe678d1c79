"""What IT is told by mail: of each finding once, every morning how things stand, and nobody but IT."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from backups.actions import telling
from backups.actions.auditing import audit_company
from backups.findings import Code
from backups.models import Finding, RegionCheck, Resource
from portal.models import Membership, User
from portal.roles import Role
from tests.factories import Cast, make_audit, make_backup, make_finding, make_resource, make_user
from tests.fixtures import cast

__all__ = ["cast"]

IT = {"ivan-of-it@example.com", "iris-of-it@example.com"}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, "shop-db")


def receivers() -> list[str]:
    return [one for message in mail.outbox for one in message.to]


@pytest.mark.django_db
def test_of_a_finding_it_is_told_once(resource: Resource, settings: Any) -> None:
    settings.PORTAL_URL = "https://portal.example"
    make_finding(resource, Code.NO_GOOD, sentence="It has no good backup at all & <none>.")
    assert telling.alert() == 1
    assert set(receivers()) == IT
    message = mail.outbox[0]
    assert message.subject == "Backups: 1 new finding"
    assert "- B1 shop-db of Shopco: It has no good backup at all & <none>." in str(message.body)
    assert "See to the cause, then back it up now." in str(message.body)
    assert f"https://portal.example{resource.get_absolute_url()}" in str(message.body)
    assert "https://portal.example/compliance/" in str(message.body)
    assert telling.alert() == 0
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_what_opens_and_closes_and_opens_again_is_told_again(resource: Resource, now: datetime) -> None:
    make_finding(resource, closed_at=now, told_at=now)
    assert telling.alert() == 0
    make_finding(resource)
    assert telling.alert() == 1


@pytest.mark.django_db
def test_a_region_has_its_finding_told_too(cast: Cast) -> None:
    make_finding(None, Code.REGION_AWAY, subject="eu-west-1", sentence="eu-west-1 cannot be read.")
    telling.alert()
    assert "- B1 eu-west-1: eu-west-1 cannot be read." in str(mail.outbox[0].body)


@pytest.mark.django_db
def test_when_the_mail_server_fails_it_is_told_the_next_time(resource: Resource, settings: Any) -> None:
    make_finding(resource)
    caught, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    with pytest.raises(OSError):
        telling.alert()
    settings.EMAIL_BACKEND = caught
    assert Finding.objects.get().told_at is None
    assert mail.outbox == []
    assert telling.alert() == 1
    assert set(receivers()) == IT


@pytest.mark.django_db
def test_only_it_is_told_and_of_it_only_who_is_there(cast: Cast, resource: Resource) -> None:
    cast.second_it.is_active = False
    cast.second_it.save()
    make_user("robot-of-it", Role.IT, is_service_account=True)
    nameless = make_user("without-mail", Role.IT)
    User.objects.filter(pk=nameless.pk).update(email="")
    Membership.objects.create(user=cast.it, role=Role.AUDITOR)  # two roles, one mail
    make_finding(resource)
    telling.alert()
    telling.digest()
    assert receivers() == ["ivan-of-it@example.com"] * 2


@pytest.mark.django_db
def test_many_findings_make_one_mail_that_names_some(cast: Cast) -> None:
    for _ in range(telling.MOST + 7):
        make_finding(make_resource(cast.shop))
    assert telling.alert() == telling.MOST + 7
    assert len(mail.outbox) == len(IT)
    message = mail.outbox[0]
    assert message.subject == f"Backups: {telling.MOST + 7} new findings"
    assert str(message.body).count("\n- B2 ") == telling.MOST
    assert "And 7 more." in str(message.body)


@pytest.mark.django_db
def test_the_morning_says_that_all_is_well(cast: Cast, resource: Resource, now: datetime) -> None:
    make_backup(resource, now - timedelta(hours=3), regions=("eu-central-1", "eu-west-1"))
    audit_company()
    RegionCheck.objects.create(region="eu-west-1", started_at=now, finished_at=now, copies=1204, missing=0, strays=0)
    telling.digest()
    assert set(receivers()) == IT
    subject, body = mail.outbox[0].subject, str(mail.outbox[0].body)
    assert subject.endswith(": all is well")
    for words in (
        "The policy holds for every resource.", "B1  1 of 1 hold it", "B3  1 of 1 hold it", "1 backup taken, 0 failed",
        "eu-west-1: 1,204 copies there in full size, 0 missing, 0 unknown.", "Last audit of the whole company, 1 resource:",
    ):  # fmt: skip
        assert words in body, words
    assert "Open, the oldest first" not in body


@pytest.mark.django_db
def test_the_morning_names_what_is_not_well_the_oldest_first(cast: Cast, resource: Resource, now: datetime) -> None:
    make_audit(now, rules={"B1": [1233, 1234], "B2": [1234, 1234], "B3": [1234, 1234], "B4": [0, 0]}, resources=1234)
    make_finding(resource, Code.LATE, since=now - timedelta(hours=5), told_at=now)
    make_finding(None, Code.STRAY, subject="eu-west-1", since=now - timedelta(days=9), sentence="Unknown objects.")
    make_finding(make_resource(cast.news), Code.NO_GOOD, closed_at=now)
    telling.digest()
    subject, body = mail.outbox[0].subject, str(mail.outbox[0].body)
    assert subject.endswith(": 2 findings open")
    assert "B1  1,233 of 1,234 hold it" in body
    assert "B2  1,234 of 1,234 hold it, 2 findings open" in body
    assert body.index("B2 eu-west-1, since") < body.index("B2 shop-db of Shopco, since")
    assert "1 finding opened, 1 closed" in body


@pytest.mark.django_db
def test_before_the_first_audit_the_morning_claims_nothing_of_one(cast: Cast) -> None:
    telling.digest()
    assert mail.outbox[0].subject.endswith(": no audit")
    assert "No audit of the whole company was done yet." in str(mail.outbox[0].body)
    assert "The policy holds" not in str(mail.outbox[0].body)


@pytest.mark.django_db
def test_the_morning_does_not_call_it_well_when_nobody_looked_or_retention_stands_still(
    cast: Cast, now: datetime
) -> None:
    make_audit(now - timedelta(hours=30))
    telling.digest()
    assert mail.outbox[0].subject.endswith(": no audit")
    assert "was not audited for more than a day" in str(mail.outbox[0].body)
    assert "The policy holds" not in str(mail.outbox[0].body)


@pytest.mark.django_db
def test_the_times_of_the_morning_are_the_companys(cast: Cast) -> None:
    telling.digest(clock=lambda: make_audit(datetime(2026, 11, 24, 2, 30, tzinfo=UTC)).finished_at)
    assert "10 resources: 24 Nov 2026, 03:30 CET." in str(mail.outbox[0].body)
