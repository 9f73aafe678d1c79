"""The page of a checkup: how far it is, what was found, filters, deciding about it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.models import Resource
from checkups.models import Check, Checkup
from checkups.workflow import Status
from portal.words import company_zone
from tests.checkup_rows import make_checkup, make_found, make_ready
from tests.factories import Cast, make_resource
from tests.pages.checkups.conftest import As, body


def test_while_it_runs_it_says_how_far_it_is_in_real_numbers(as_: As, running: Checkup) -> None:
    answer = as_("auditor").get(running.get_absolute_url())
    shown = body(answer)
    assert "1 of 2 backups checked" in shown
    assert "Restore into scratch" in shown
    assert "250 bytes of 1.0 kB, 25 %" in shown.replace("\N{NO-BREAK SPACE}", " ")
    assert "more, if it goes on" not in shown, "one check is no basis for an estimate"
    assert f'hx-get="{running.get_absolute_url()}live/?seen=running"' in shown
    assert "Pause…" not in shown
    assert "Pause…" in body(as_("it").get(running.get_absolute_url()))


def test_the_live_part_goes_on_until_the_status_changes(as_: As, running: Checkup) -> None:
    browser, live = as_("it"), f"{running.get_absolute_url()}live/"
    assert "1 of 2 backups checked" in body(browser.get(f"{live}?seen=running"))
    assert browser.get(f"{live}?seen=paused")["HX-Refresh"] == "true"
    Checkup.objects.filter(pk=running.pk).update(status="ready", finished_at=timezone.now())
    assert browser.get(f"{live}?seen=running")["HX-Refresh"] == "true"


def test_the_rest_is_estimated_where_there_is_a_basis(as_: As, cast: Cast, running: Checkup) -> None:
    for _ in range(3):
        make_found(running, make_resource(cast.shop))
    Checkup.objects.filter(pk=running.pk).update(started_at=timezone.now() - timedelta(minutes=70))
    progress = as_("it").get(running.get_absolute_url()).context["progress"]
    assert progress.words == "7 of 8 backups checked"
    assert progress.rest_words.replace("\N{NO-BREAK SPACE}", " ") == "about 10 min more"


def test_what_failed_comes_first_with_what_to_do(as_: As, ready: Checkup) -> None:
    shown = body(as_("auditor").get(ready.get_absolute_url()))
    assert shown.index("What failed and stayed so") < shown.index("All resources")
    assert "Not as backed up" in shown
    assert "3 files differ from the manifest of shop-db." in shown
    assert "Restore none of it in place before somebody has looked." in shown
    assert "Ivan sees to it until" in shown
    answer = as_("it").get(ready.get_absolute_url())
    assert (answer.context["results"].passed, answer.context["results"].failed) == (1, 1)
    assert [(level.declared, level.reached) for level in answer.context["levels"]] == [(4, 3)]


def test_resources_come_before_what_has_changed(as_: As, signed: Checkup, ready: Checkup) -> None:
    shown = body(as_("it").get(ready.get_absolute_url()))
    assert shown.index("What failed and stayed so") < shown.index("All resources") < shown.index("Beside the last")


def test_while_its_scope_is_written_down_it_says_so_and_turns_by_itself(as_: As, cast: Cast) -> None:
    checkup = make_checkup(cast.it, status=Status.RUNNING, declared_at=None)
    browser, live = as_("it"), f"{checkup.get_absolute_url()}live/?seen=declaring"
    shown = body(browser.get(checkup.get_absolute_url()))
    assert "Its scope is being written down" in shown
    assert "Nothing in its scope" not in shown
    assert f'hx-get="{live}"' in shown
    assert f'hx-get="{live}"' in body(browser.get(live))
    Checkup.objects.update(declared_at=timezone.now())
    assert browser.get(live)["HX-Refresh"] == "true"
    assert "Nothing in its scope" in body(browser.get(checkup.get_absolute_url()))


def test_one_whose_day_has_begun_turns_by_itself(as_: As, cast: Cast) -> None:
    today = timezone.now().astimezone(company_zone()).date()
    due = make_checkup(cast.it, on=today, status=Status.PLANNED)
    browser, live = as_("auditor"), f"{due.get_absolute_url()}live/?seen=planned"
    shown = body(browser.get(due.get_absolute_url()))
    assert "Its day has begun: it starts by itself within minutes." in shown
    assert f'hx-get="{live}"' in shown
    answer = browser.get(live)
    assert (answer.status_code, answer.content) == (204, b""), "nothing is new"
    running = make_checkup(cast.it, on=date(2026, 2, 1), status=Status.RUNNING)
    shown = body(browser.get(due.get_absolute_url()))
    assert f'It starts by itself once <a href="{running.get_absolute_url()}">CU-2026-02-01</a> is done.' in shown
    Checkup.objects.filter(pk=running.pk).update(status="paused")
    Checkup.objects.filter(pk=due.pk).update(status="running", started_at=timezone.now())
    assert browser.get(live)["HX-Refresh"] == "true"


def test_one_whose_day_is_to_come_asks_for_nothing(as_: As, planned: Checkup) -> None:
    shown = body(as_("it").get(planned.get_absolute_url()))
    assert "It starts by itself on its date." in shown
    assert "hx-trigger" not in shown.partition("<main")[2]
    assert as_("it").get(f"{planned.get_absolute_url()}live/?seen=planned")["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        (True, "Everything was checked, but it was given up before two people had signed."),
        (False, "It was given up before everything was checked."),
    ],
)
def test_a_cancelled_one_says_how_far_it_was(as_: As, cast: Cast, finished: bool, words: str) -> None:
    finished_at = timezone.now() if finished else None
    on = timezone.now().astimezone(company_zone()).date()
    checkup = make_checkup(cast.it, on=on, status=Status.CANCELLED, finished_at=finished_at)
    withdrawn = make_checkup(cast.it, on=on, status=Status.WITHDRAWN)
    assert words in body(as_("auditor").get(checkup.get_absolute_url()))
    assert "It was given up" not in body(as_("auditor").get(withdrawn.get_absolute_url()))
    shown = body(as_("auditor").get("/checkups/"))
    assert shown.count(words) == 1
    assert shown.count("given up") == 1


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("", ["news-db", "shop-db"]),
        ("?state=failed", ["shop-db"]),
        ("?state=passed", ["news-db"]),
        ("?state=mended", []),
        ("?kind=postgres", ["shop-db"]),
        ("?environment=staging", []),
        ("?environment=nowhere", ["news-db", "shop-db"]),
        ("?q=shop", ["shop-db"]),
        ("?q=mediaco", ["news-db"]),
        ("?client=999999", ["news-db", "shop-db"]),
        ("?state=\0&after=x", ["news-db", "shop-db"]),
    ],
)
def test_filters(as_: As, ready: Checkup, address: str, names: list[str]) -> None:
    answer = as_("it").get(f"{ready.get_absolute_url()}{address}")
    assert [finding.name for finding in answer.context["page"].rows] == names
    if not names:
        assert "Nothing matches" in body(answer)


def test_a_client_is_a_filter(as_: As, cast: Cast, ready: Checkup) -> None:
    answer = as_("it").get(ready.get_absolute_url(), {"client": cast.mediaco.pk})
    assert [finding.name for finding in answer.context["page"].rows] == ["news-db"]
    assert "Mediaco" in body(answer).partition('class="chips"')[2]


def test_pages_by_key_with_a_constant_number_of_queries(as_: As, cast: Cast, resource: Resource) -> None:
    browser, counts = as_("it"), []
    checkup = make_ready(cast.it, [resource], failing={"shop-db"})
    for number in (3, 60):
        for index in range(number):
            make_found(checkup, make_resource(cast.shop, f"more-{number}-{index}"))
        Checkup.objects.update(content_version="")  # it is worked out each time
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(checkup.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40
    seen = [finding.name for finding in answer.context["page"].rows]
    rest = browser.get(checkup.get_absolute_url(), {"after": answer.context["page"].next})
    seen += [finding.name for finding in rest.context["page"].rows]
    assert seen == sorted(seen)
    assert len(seen) == 64


def test_it_pauses_resumes_and_cancels(as_: As, running: Checkup) -> None:
    browser, here = as_("it"), running.get_absolute_url()
    shown = body(browser.post(f"{here}pause/", {"reason": " "}), 400)
    assert "Say why: the reason is kept with the checkup." in shown
    assert 'aria-labelledby="act-pause-title" open' in shown
    assert "is paused." in body(browser.post(f"{here}pause/", {"reason": "The night's backups."}, follow=True))
    assert "This checkup is paused and cannot be paused now." in body(
        browser.post(f"{here}pause/", {"reason": "The night's backups."}), 409
    )
    shown = body(browser.get(here))
    assert shown.index("Cancel…") < shown.index("Resume…"), "the main one last"
    assert "goes on." in body(browser.post(f"{here}resume/", follow=True))
    shown = body(browser.post(f"{here}cancel/", {"reason": "A disk of the scratch broke."}, follow=True))
    assert "A disk of the scratch broke." in shown
    running.refresh_from_db()
    assert running.state is Status.CANCELLED
    assert "Pause…" not in shown


def test_what_was_not_in_the_sample_says_so(as_: As, cast: Cast, resource: Resource) -> None:
    checkup = make_ready(cast.it, [], share=50, sample_reason="It would take a week.")
    make_found(checkup, resource, sampled=False, why_not_restored="It was not drawn into the sample.")
    shown = body(as_("auditor").get(checkup.get_absolute_url()))
    assert "Not restored. It was not drawn into the sample." in shown
    assert "50 % of the resources are restored, drawn with the seed 9f2c4e5b7a1d3c60" in shown
    assert "It would take a week." in shown


def test_the_record_of_a_signed_one(as_: As, signed: Checkup) -> None:
    shown = body(as_("auditor").get(signed.get_absolute_url()))
    assert signed.sha256 in shown
    assert "Shop-db is backed up anew and was checked by hand." in shown
    both, whole = signed.signatures.values_list("sha256", flat=True)[0], signed.sha256
    assert shown.count(both) == shown.count(whole) == 1
    assert shown.index(both) < shown.index("SHA-256 of the record without its signatures.") < shown.index(whole)
    assert shown.index(whole) < shown.index("SHA-256 of the same with both signatures: that of the JSON file.")
    assert f"manage.py checkup verify {signed.number}</code> works out both anew" in shown
    for name in ("pdf", "json", "csv"):
        assert f'href="{signed.get_absolute_url()}record.{name}"' in shown
    assert "Sign…" not in body(as_("it").get(signed.get_absolute_url()))


def test_no_page_of_these_has_inline_style_or_script(
    as_: As, ready: Checkup, running: Checkup, signed: Checkup
) -> None:
    paths = ["/checkups/", *(one.get_absolute_url() for one in (ready, running, signed))]
    paths += [f"{ready.get_absolute_url()}findings/{ready.findings.all()[0].pk}/"]
    for path in paths:
        shown = body(as_("it").get(path))
        assert " style=" not in shown
        assert "<style" not in shown
        assert "<script>" not in shown


def test_a_check_without_a_backup_is_named_not_there(as_: As, ready: Checkup) -> None:
    check = Check.objects.get(finding__checkup=ready, status="failed")
    check.trials.all().delete()
    Check.objects.filter(pk=check.pk).update(backup=None, sentence="There is no good backup to check.")
    shown = body(as_("it").get(ready.get_absolute_url()))
    assert "Not there" in shown
    assert ready.on == date(2026, 11, 15)
