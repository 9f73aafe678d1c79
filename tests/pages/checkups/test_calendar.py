"""The calendar feed: for programs that cannot sign in."""

from __future__ import annotations

from datetime import date

from django.test import Client as Browser

from checkups.models import Checkup
from checkups.views.calendar import feed_address
from checkups.workflow import Status
from portal.models import Membership
from tests.checkup_rows import make_checkup
from tests.factories import Cast
from tests.pages.checkups.conftest import As, body


def test_it_is_read_without_a_sign_in(as_: As, cast: Cast, ready: Checkup) -> None:
    make_checkup(cast.it, on=date(2027, 3, 3), status=Status.WITHDRAWN)
    shown = body(as_("auditor").get("/checkups/"))
    address = feed_address(cast.auditor)
    assert f'value="http://testserver{address}"' in shown
    answer = Browser().get(address)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = body(answer)
    assert text.count("BEGIN:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20261115\r\n" in text
    assert "STATUS:CANCELLED" in text
    assert "shop-db" not in text
    assert Browser().post(address).status_code == 405


def test_it_works_for_as_long_as_they_may_see_checkups(cast: Cast) -> None:
    address = feed_address(cast.auditor)
    assert Browser().get(address).status_code == 200
    Membership.objects.filter(user=cast.auditor).delete()
    assert Browser().get(address).status_code == 404
    off = feed_address(cast.it)
    cast.it.is_active = False
    cast.it.save()
    assert Browser().get(off).status_code == 404
    for who in (cast.client, cast.account_manager, cast.nobody):
        assert Browser().get(feed_address(who)).status_code == 404


def test_nobody_makes_up_an_address(cast: Cast) -> None:
    address = feed_address(cast.it)
    for wrong in (
        address.replace(f"/{cast.it.pk}:", f"/{cast.auditor.pk}:"),
        "/checkups/calendar/7.ics",
        "/checkups/calendar/x:y.ics",
    ):
        assert Browser().get(wrong).status_code == 404
