"""The year of checkups: its two dates, what it lacks, setting, changing and taking back a date."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backups.findings import Code
from backups.models import Finding, Resource
from checkups.models import Checkup
from checkups.workflow import Status
from tests.checkup_rows import make_checkup, make_ready, make_signed
from tests.factories import Cast
from tests.pages.checkups.conftest import As, body

SPRING = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def spring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: SPRING)


def test_a_year_without_its_dates_says_so_now(as_: As, cast: Cast) -> None:
    shown = body(as_("it").get("/checkups/"))
    assert "2026 has no date for a checkup; two are required." in shown
    assert "Its two dates are to be set from July on." in shown
    make_checkup(cast.it, on=date(2026, 5, 20), status=Status.PLANNED)
    assert "2026 has only one date for a checkup; two are required." in body(as_("auditor").get("/checkups/"))
    make_checkup(cast.it, on=date(2026, 11, 15), status=Status.PLANNED)
    shown = body(as_("it").get("/checkups/"))
    assert "Two dates are set" in shown
    assert "in 80 days" in shown
    assert 'aria-label="2026: Wed 20 May: planned; Sun 15 Nov: planned"' in shown


def test_it_sets_a_date(as_: As, cast: Cast) -> None:
    browser = as_("it")
    assert "Set this date</button>" in body(browser.get("/checkups/"))
    answer = browser.post("/checkups/set/", {"on": "2026-05-20", "share": "100"}, follow=True)
    assert "The date is set. IT is reminded 30 days, 7 days and a day before." in body(answer)
    made = Checkup.objects.get()
    assert (made.on, made.share, made.set_by, made.number) == (date(2026, 5, 20), 100, cast.it, "CU-2026-05-20")
    assert Finding.objects.open().filter(code=Code.CHECKUP_DATES).count() == 1


def test_a_third_date_is_allowed_and_said(as_: As, cast: Cast) -> None:
    for on in (date(2026, 5, 20), date(2026, 11, 15)):
        make_checkup(cast.it, on=on, status=Status.PLANNED)
    make_checkup(cast.it, on=date(2026, 8, 1), status=Status.WITHDRAWN)
    shown = body(as_("it").post("/checkups/set/", {"on": "2026-03-01", "share": "100"}, follow=True))
    assert "The date is set. It starts within minutes. 2026 has three dates now; two are required." in shown
    assert "Three dates are set" in shown


def test_each_year_with_a_date_is_listed(as_: As, cast: Cast) -> None:
    make_checkup(cast.it, on=date(2025, 5, 20), status=Status.PLANNED)
    make_checkup(cast.it, on=date(2029, 5, 20), status=Status.PLANNED)
    answer = as_("it").get("/checkups/")
    assert [year.year for year in answer.context["years"]] == [2026, 2027, 2028, 2029]
    shown = body(answer)
    assert "CU-2029-05-20" in shown
    assert "Its two dates are to be set from July 2027 on." in shown
    assert "Its second date is to be set from July 2028 on." in shown


@pytest.mark.parametrize(
    ("typed", "sentence", "status"),
    [
        ({"on": "", "share": "100"}, "Choose a day.", 400),
        ({"on": "2026-02-30", "share": "100"}, "Choose a day.", 400),
        ({"on": "2026-02-20", "share": "100"}, "This day is over. Choose today or a later one.", 400),
        ({"on": "2040-01-01", "share": "100"}, "Choose a day until the end of 2029.", 400),
        ({"on": "2026-05-20", "share": "0"}, "Choose a share from 1 to 100 per cent.", 400),
        ({"on": "2026-05-20", "share": "x"}, "Enter a whole number.", 400),
        ({"on": "2026-05-20", "share": "50"}, "Say why not all backups are restored", 400),
    ],
)
def test_what_cannot_be_set_comes_back_beside_its_field(
    as_: As, typed: dict[str, str], sentence: str, status: int
) -> None:
    shown = body(as_("it").post("/checkups/set/", typed), status)
    assert sentence in shown
    assert 'aria-labelledby="act-set-title" open' in shown
    assert not Checkup.objects.exists()


def test_a_date_is_set_once(as_: As, planned_in_may: Checkup) -> None:
    answer = as_("it").post("/checkups/set/", {"on": "2026-05-20", "share": "100"})
    assert "Wed 20 May 2026 is the date of another checkup already." in body(answer, 400)


@pytest.fixture
def planned_in_may(cast: Cast) -> Checkup:
    return make_checkup(cast.it, on=date(2026, 5, 20), status=Status.PLANNED)


def test_a_planned_one_says_what_will_be_done(as_: As, planned_in_may: Checkup, resource: Resource) -> None:
    shown = body(as_("auditor").get(planned_in_may.get_absolute_url()))
    assert "<strong>1 resource</strong> would be looked at" in shown
    assert "Change…" not in shown
    assert "Change…" in body(as_("it").get(planned_in_may.get_absolute_url()))


def test_it_changes_a_date_with_a_reason(as_: As, planned_in_may: Checkup) -> None:
    address, typed = f"{planned_in_may.get_absolute_url()}change/", {"on": "2026-05-27", "share": "100"}
    shown = body(as_("it").post(address, typed), 400)
    assert "Say why: the reason is kept with the checkup." in shown
    assert 'value="2026-05-27"' in shown
    answer = as_("it").post(address, typed | {"reason": "The week of the move."}, follow=True)
    shown = body(answer)
    assert "CU-2026-05-27" in shown
    assert "The week of the move." in shown


def test_it_takes_a_date_back_which_is_a_finding_at_once(as_: As, planned_in_may: Checkup) -> None:
    answer = as_("it").post(
        f"{planned_in_may.get_absolute_url()}withdraw/", {"reason": "The company moves."}, follow=True
    )
    shown = body(answer)
    assert "Withdrawn" in shown
    assert "The company moves." in shown
    assert "2026 has no date for a checkup; two are required." in body(as_("it").get("/checkups/"))
    again = as_("it").post(f"{planned_in_may.get_absolute_url()}withdraw/", {"reason": "The company moves."})
    assert "This checkup is withdrawn and cannot be withdrawn now." in body(again, 409)


def test_the_list_counts_what_each_found_with_a_constant_number_of_queries(
    as_: As, cast: Cast, resource: Resource, news: Resource
) -> None:
    browser, counts = as_("it"), []
    for days in (range(1, 3), range(3, 9)):
        for day in days:
            make_signed(cast.it, cast.second_it, [resource, news], on=date(2025, 3, day))
            make_ready(cast.it, [resource, news], failing={"shop-db"}, on=date(2025, 4, day))
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get("/checkups/")
        counts.append(len(queries))
        assert (answer.context["rows"][0][1].passed, answer.context["rows"][0][1].failed) == (1, 1)
    assert counts[0] == counts[1] <= 16
    assert len(answer.context["rows"]) == 10
    second = browser.get("/checkups/", {"after": answer.context["page"].next})
    assert len(second.context["rows"]) == 6
    mine = as_("client").get("/checkups/")
    assert [results.total for _, results, _ in mine.context["rows"]] == [1] * 8
