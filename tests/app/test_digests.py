"""The daily digest: for who wants one, once a day, and only when there is something to say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from backups.drivers.base import Mode
from backups.models import Backup
from portal.models import Membership, User
from restores import tasks
from restores.actions import sending
from restores.actions.digesting import MOST, write_digests
from restores.actions.inbox import choose
from restores.models import DayMail
from restores.workflow import Status
from tests.factories import Cast, make_attempt, make_backup, make_charge, make_request, make_resource
from tests.fixtures import cast

__all__ = ["cast"]

MORNING = datetime(2026, 11, 24, 8, 0, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def backup(cast: Cast) -> Backup:
    return make_backup(make_resource(cast.shop, "shop-db"), MORNING - timedelta(days=1))


def want(*people: User) -> None:
    for person in people:
        choose(by=person, mail_turn=True, mail_followed=True, digest=True)


def morning(at: datetime = MORNING) -> dict[str, Any]:
    """The day's digests, written and sent: by person."""
    mail.outbox.clear()
    write_digests(clock=lambda: at)
    sending.send_due(clock=lambda: at)
    return {message.to[0].partition("-")[0]: message for message in mail.outbox}


def test_each_reads_what_is_theirs(cast: Cast, backup: Backup) -> None:
    want(cast.client, cast.it, cast.account_manager, cast.media_client, cast.auditor)
    ago = MORNING - timedelta(hours=3)
    waits = make_request(backup, cast.client, status_changed_at=ago)
    consent = make_request(backup, cast.staff, status=Status.AWAITING_CONSENT, status_changed_at=ago)
    ran = make_request(backup, cast.client, status=Status.COMPLETED, mode=Mode.BESIDE, status_changed_at=ago)
    old = make_request(backup, cast.client, status=Status.COMPLETED, status_changed_at=MORNING - timedelta(days=2))
    make_attempt(
        ran, cast.it, status="completed", proof="All.", finished_at=ago, kept_until=MORNING + timedelta(days=2)
    )
    make_charge(ran)
    said = morning()
    assert set(said) == {"clara", "ivan", "anna", "udo"}
    it, client, manager = (str(said[name].body) for name in ("ivan", "clara", "anna"))
    assert said["ivan"].subject == said["clara"].subject == said["anna"].subject == "Restores: 1 waiting for you"
    assert said["udo"].subject == "Restores: nothing waits for you"
    assert f"- {waits.number} shop-db of Shopco: Submitted" in it
    assert consent.number not in it
    assert f"- {consent.number} shop-db of Shopco: Awaiting consent" in client
    assert waits.number not in client
    assert f"- {ran.number} shop-db of Shopco: A charge to review" in manager
    for text in (it, client, manager):
        assert f"- {ran.number} shop-db of Shopco: Completed" in text
        assert "What was restored beside goes after Thu 26 Nov, 08:00 CET" in text
        assert old.number not in text
    html = said["ivan"].alternatives[0][0]
    assert waits.number in html
    assert f'href="http://localhost:8000{waits.get_absolute_url()}"' in html


def test_it_comes_once_a_day_to_who_wants_it(cast: Cast, backup: Backup) -> None:
    make_request(backup, cast.client)
    assert morning() == {}
    want(cast.it)
    assert set(morning()) == {"ivan"}
    assert morning(MORNING + timedelta(hours=5)) == {}
    assert set(morning(MORNING + timedelta(days=1))) == {"ivan"}
    choose(by=cast.it, mail_turn=True, mail_followed=True, digest=False)
    assert morning(MORNING + timedelta(days=2)) == {}


def test_a_quiet_day_has_none(cast: Cast) -> None:
    want(cast.it, cast.client)
    assert morning() == {}
    assert not DayMail.objects.filter(send_at__isnull=False).exists()


def test_who_left_before_it_was_sent_gets_none(cast: Cast, backup: Backup) -> None:
    make_request(backup, cast.client)
    want(cast.it, cast.second_it)
    write_digests(clock=lambda: MORNING)
    Membership.objects.filter(user=cast.it).delete()
    cast.second_it.is_active = False
    cast.second_it.save()
    sending.send_due(clock=lambda: MORNING)
    assert mail.outbox == []


def test_one_that_could_not_be_sent_that_day_is_not_sent_the_next(cast: Cast, backup: Backup) -> None:
    make_request(backup, cast.client)
    want(cast.it)
    write_digests(clock=lambda: MORNING)
    sending.send_due(clock=lambda: MORNING + timedelta(days=1))
    assert mail.outbox == []


def test_a_long_list_is_cut_and_says_so(cast: Cast, backup: Backup) -> None:
    for _ in range(MOST + 3):
        make_request(backup, cast.client)
    want(cast.it)
    text = str(morning()["ivan"].body)
    assert text.count(": Submitted") == MOST
    assert "- and 3 more" in text


def test_the_task_waits_for_its_hour_and_is_done_once_a_day(cast: Cast, backup: Backup, settings: Any) -> None:
    make_request(backup, cast.client)
    want(cast.it)
    settings.DIGEST_HOUR = 0
    for _ in range(2):
        tasks.digests()
        tasks.send()
    assert len(mail.outbox) == 1
