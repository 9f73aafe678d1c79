"""Whether the policy holds: shares, findings by age, 90 days, evidence; for those who may see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backups.actions.auditing import audit_company
from backups.findings import Code
from backups.models import Audit, Copy, Finding, RegionCheck, Resource, ResourceState
from portal.words import company_zone
from tests.factories import (
    Cast,
    make_audit,
    make_backup,
    make_finding,
    make_removed,
    make_resource,
    make_stopped_run,
)
from tests.pages.conftest import As

SEERS = ("it", "auditor", "administrator")
OTHERS = ("client", "colleague", "staff", "account_manager", "media_client", "nobody")
PAGES = ("/compliance/", "/compliance/findings.csv", "/compliance/report.pdf", "/what-if/")


def codes(answer: Any) -> list[str]:
    return [finding.code for finding in answer.context["page"].rows]


def shares(answer: Any) -> dict[str, tuple[int, int]]:
    return {share.rule.value: (share.holding, share.applies) for share, _ in answer.context["rules"]}


@pytest.mark.parametrize("page", PAGES)
def test_it_is_for_it_auditors_and_administrators(as_: As, resource: Resource, page: str) -> None:
    make_finding(resource)
    for who in SEERS:
        assert as_(who).get(page).status_code == 200, who
    for who in OTHERS:
        answer = as_(who).get(page)
        assert answer.status_code == 403, who
        assert "is for IT and auditors" in answer.content.decode()
        assert b"shop-db" not in answer.content
    assert as_("it").post(page).status_code == 405
    assert as_("").get(page)["Location"] == f"/sign-in/?next={page}"


def test_the_shares_are_those_that_the_audit_counts(as_: As, cast: Cast, now: datetime) -> None:
    """The page counts columns, the audit judges every resource: both say the same."""
    fine = make_resource(cast.shop, "fine")
    make_backup(fine, now - timedelta(hours=3), regions=("eu-central-1", "eu-west-1"))
    for name in ("late", "vanished"):
        made = make_resource(cast.shop, name, state=ResourceState.VANISHED if name == "vanished" else "active")
        make_backup(made, now - timedelta(days=2))
    make_removed(cast.shop, "kept-nothing", at=now, kept_until=now.date() + timedelta(days=180))
    kept = make_removed(cast.shop, "kept-one", at=now - timedelta(days=3), kept_until=now.date() + timedelta(days=177))
    make_backup(kept, now - timedelta(days=3))
    make_backup(make_removed(cast.shop, "left-over", at=now - timedelta(days=2), environment="staging"), now)
    over = now - timedelta(days=300)
    make_removed(cast.shop, "gone", at=over, kept_until=over.date() + timedelta(days=180))
    Resource.objects.update(created_at=now - timedelta(days=40))
    Copy.objects.update(checksum_at=now)
    audited = audit_company(clock=lambda: now)
    answer = as_("it").get("/compliance/")
    assert shares(answer) == {rule: tuple(counts) for rule, counts in audited.rules.items()}
    assert shares(answer)["B4"] == (1, 3)
    shown = answer.content.decode()
    assert "1 of 3 removed resources holds it" in shown
    assert "2 do not" in shown


def test_a_constant_number_of_queries(as_: As, cast: Cast, now: datetime) -> None:
    browser, counts = as_("it"), []
    make_audit(now)
    for number in (2, 30):
        for index in range(number):
            made = make_resource(cast.shop, f"more-{number}-{index}")
            make_backup(made, now)
            make_finding(made, Code.LATE)
            make_finding(made, Code.NONE_ELSEWHERE)
            make_audit(now - timedelta(days=index + number), company_zone())
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get("/compliance/")
        assert len(answer.context["page"].rows) == min(number * 2 + (4 if number == 30 else 0), 25)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 23


def test_findings_oldest_first_with_what_to_do_and_where(
    as_: As, cast: Cast, now: datetime, resource: Resource
) -> None:
    make_finding(resource, Code.LATE, since=now - timedelta(hours=30))
    make_finding(resource, Code.NONE_ELSEWHERE, since=now - timedelta(days=5))
    make_finding(None, Code.STRAY, subject="eu-west-1", since=now - timedelta(days=2))
    make_finding(make_resource(cast.news), Code.LATE, closed_at=now)
    answer = as_("auditor").get("/compliance/")
    assert codes(answer) == ["none_elsewhere", "stray", "late"]
    assert codes(as_("auditor").get("/compliance/?sort=-since")) == ["late", "stray", "none_elsewhere"]
    shown = answer.content.decode()
    assert f'<a href="{resource.get_absolute_url()}" data-row>shop-db</a>' in shown
    for words in (
        "Nothing in the other region.",
        "See to the cause, then back it up now.",
        "5\N{NO-BREAK SPACE}d ago",
        "Shopco",
    ):
        assert words in shown


def test_filters_and_search(as_: As, cast: Cast, resource: Resource) -> None:
    make_finding(resource, Code.LATE)
    make_finding(resource, Code.NO_GOOD)
    make_finding(make_resource(cast.news, "news-db"), Code.LATE)
    make_finding(None, Code.STRAY, subject="eu-west-1")
    browser = as_("it")
    for query, number in {
        "": 4, "rule=B1": 1, "rule=B2": 3, "code=late": 2, f"client={cast.mediaco.pk}": 1, "q=shop": 2, "q=mediaco+db": 1,
        "q=eu-west": 1, "q=nothing": 0, "rule=B9&code=x&client=x&sort=x": 4, "rule=B2&code=late&q=shopco": 1,
    }.items():  # fmt: skip
        answer = browser.get(f"/compliance/?{query}")
        assert len(answer.context["page"].rows) == number, query
    assert browser.get("/compliance/?rule=B1&q=shop&sort=-since").context["filters"].chips == [
        ("“shop”", "?rule=B1&sort=-since"),
        ("B1: Every resource has a backup", "?q=shop&sort=-since"),
    ]
    assert "Nothing matches" in browser.get("/compliance/?q=nothing").content.decode()


def test_pages_follow_one_another_and_keep_the_filters(as_: As, cast: Cast, now: datetime) -> None:
    for number in range(60):
        make_finding(make_resource(cast.shop), since=now - timedelta(days=number % 3))
    seen, address = [], "/compliance/?rule=B2"
    while address:
        answer = as_("it").get(address)
        seen += [finding.pk for finding in answer.context["page"].rows]
        following = answer.context["page"].next
        assert not following or f"?rule=B2&amp;after={following}" in answer.content.decode()
        address = f"/compliance/?rule=B2&after={following}" if following else ""
    assert len(seen) == len(set(seen)) == 60


def test_the_first_day_claims_nothing(as_: As, resource: Resource) -> None:
    shown = as_("it").get("/compliance/").content.decode()
    assert "No audit of the whole company was done yet" in shown
    assert "after 6:00" in shown
    assert "Nothing was found yet" in shown
    assert "The policy holds for every resource" not in shown
    assert '<svg class="chart' not in shown


def test_all_is_well_since_when(as_: As, resource: Resource, now: datetime) -> None:
    make_audit(now - timedelta(days=9), company_zone())
    make_audit(now, company_zone())
    shown = as_("it").get("/compliance/").content.decode()
    assert "The policy holds for every resource, since" in shown
    assert 'title="9\N{NO-BREAK SPACE}d ago"' in shown
    make_finding(resource, closed_at=now - timedelta(days=4))
    assert 'title="4\N{NO-BREAK SPACE}d ago"' in as_("it").get("/compliance/").content.decode()


def test_ninety_days_from_the_last_audit_of_each(as_: As, now: datetime) -> None:
    def audited(ago: int, holding: int, hours: int = 0) -> Audit:
        rules = {"B1": [holding, 10], "B2": [10, 10], "B3": [10, 10], "B4": [0, 0]}
        at = now.astimezone(company_zone()).replace(hour=3) - timedelta(days=ago, hours=-hours)
        return make_audit(at, company_zone(), rules=rules)

    audited(120, 1)
    audited(6, 7, hours=9)
    audited(6, 3)
    audited(4, 10)
    audited(3, 9)
    answer = as_("it").get("/compliance/")
    trend = answer.context["rules"][0][1]
    assert [dot.share for dot in trend.dots] == [0.7, 1.0, 0.9]
    assert [len(run) for run in trend.runs] == [1, 2]
    shown = answer.content.decode()
    assert "no audit</title>" in shown
    assert "3 of 90 days have an audit" in shown


def test_evidence(as_: As, now: datetime, resource: Resource) -> None:
    make_audit(now - timedelta(hours=5), company_zone(), opened=3, resources=1234)
    RegionCheck.objects.create(region="eu-west-1", started_at=now, finished_at=now, copies=140_001, missing=2, strays=1)
    backup = make_backup(resource, now - timedelta(days=40))
    Copy.objects.filter(backup=backup).update(checksum_at=now - timedelta(days=33))
    answer = as_("auditor").get("/compliance/")
    shown = answer.content.decode()
    for words in ("1,234", "140,001", "longest since a copy was verified", "33\N{NO-BREAK SPACE}d ago"):
        assert words in shown
    assert answer.context["verified_late"]


def test_a_stopped_run_stands_on_top(as_: As, now: datetime) -> None:
    assert "Retention is stopped" not in as_("it").get("/compliance/").content.decode()
    make_stopped_run(now - timedelta(hours=2))
    shown = as_("it").get("/compliance/").content.decode()
    assert "Retention is stopped and waits for a decision." in shown
    assert "210 copies of 560" in shown


def test_an_audit_that_was_not_done_says_so(as_: As, resource: Resource, now: datetime) -> None:
    make_backup(resource, now)
    make_audit(now - timedelta(hours=25), company_zone())
    assert "All is well" in as_("it").get("/").content.decode()
    assert "was not audited for more than a day" not in as_("it").get("/compliance/").content.decode()
    Audit.objects.all().delete()
    make_audit(now - timedelta(hours=27), company_zone())
    assert "The audit is overdue" in as_("auditor").get("/").content.decode()
    assert "All is well" in as_("client").get("/").content.decode()
    shown = as_("it").get("/compliance/").content.decode()
    assert "was not audited for more than a day" in shown
    assert "At the last audit the policy held for every resource" in shown


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("B1", ["none"]), ("B2", ["late"]), ("B3", ["none"]), ("B4", ["gone"])],
)
def test_the_resources_that_break_a_rule(as_: As, cast: Cast, now: datetime, rule: str, expected: list[str]) -> None:
    make_resource(cast.shop, "fine")
    for name, found in {"late": [Code.LATE], "none": [Code.NO_GOOD, Code.NONE_ELSEWHERE]}.items():
        made = make_resource(cast.shop, name)
        for code in found:
            make_finding(made, code)
    make_finding(make_removed(cast.shop, "gone"), Code.LEFT_OVER)
    answer = as_("it").get(f"/resources/?breaks={rule}")
    assert [row["resource"].name for row in answer.context["rows"]] == expected
    assert (f"Breaks {rule}", "?") in answer.context["filters"].chips
    removed = as_("it").get("/resources/?state=removed")
    assert [row["resource"].name for row in removed.context["rows"]] == ["gone"]


def test_only_who_sees_findings_filters_by_them(as_: As, cast: Cast) -> None:
    make_finding(make_resource(cast.shop, "late"))
    make_resource(cast.shop, "fine")
    answer = as_("client").get("/resources/?breaks=B2")
    assert len(answer.context["rows"]) == 2
    assert "Breaks" not in answer.content.decode()


def test_start_says_whether_the_policy_holds(as_: As, cast: Cast, now: datetime) -> None:
    resource = make_resource(cast.shop)
    make_backup(resource, now)
    for who in SEERS:
        assert "All is well" in as_(who).get("/").content.decode()
    make_finding(resource, Code.OUTDATED_ELSEWHERE)
    make_stopped_run(now)
    for who in SEERS:
        shown = as_(who).get("/").content.decode()
        assert "Retention is stopped, 1 finding is open" in shown, who
        assert '<a href="/compliance/?rule=B3#findings">1 open finding</a>' in shown
    for who in ("client", "staff", "account_manager"):
        shown = as_(who).get("/").content.decode()
        assert "finding" not in shown, who
        assert "etention" not in shown
    assert "not as" not in as_("media_client").get("/").content.decode()


@pytest.mark.parametrize("who", ["client", "staff", "account_manager"])
def test_start_tells_whose_it_is_what_is_missing_and_that_it_sees_to_it(
    as_: As, cast: Cast, now: datetime, who: str
) -> None:
    fine, broken = make_resource(cast.shop, "fine"), make_resource(cast.shop, "shop-db")
    for one in (fine, broken):
        make_backup(one, now)
    assert "All is well" in as_(who).get("/").content.decode()
    make_finding(
        broken, Code.DAILY_MISSING, sentence="No good backup of 22 Nov.",
        advice="A day that is over cannot be backed up any more; this passes 29 Nov.",
    )  # fmt: skip
    make_finding(broken, Code.NONE_ELSEWHERE, sentence="There is no copy in eu-west-1.", advice="See to its disk.")
    make_finding(make_resource(cast.news, "theirs"), sentence="It is another's.")
    shown = as_(who).get("/").content.decode()
    assert "All is well" not in shown
    assert "1 resource is not as it should be" in shown
    card = between(shown, 'id="broken-title"', "</section>")
    assert f'<a href="{broken.get_absolute_url()}">shop-db</a>' in card
    assert "No good backup of 22 Nov." in card
    assert "this passes 29 Nov." in card
    assert "There is no copy in eu-west-1." in card
    assert "IT is seeing to it." in card
    assert "See to its disk." not in card, "what IT is to do is no client's"
    assert "another" not in card
    assert fine.get_absolute_url() not in card


def test_what_is_late_is_counted_once_on_a_clients_start(as_: As, cast: Cast, now: datetime) -> None:
    late = make_resource(cast.shop, "shop-db")
    make_backup(late, now - timedelta(days=2))
    make_finding(late, Code.LATE, sentence="There is no good backup of the last 26 hours.")
    shown = as_("client").get("/").content.decode()
    assert "1 resource is late</h1>" in shown
    assert "There is no good backup of the last 26 hours." in between(shown, 'id="broken-title"', "</section>")


def test_a_removed_one_of_which_nothing_is_kept_is_told_to_its_client(as_: As, cast: Cast) -> None:
    make_finding(make_removed(cast.shop, "gone"), Code.NOT_KEPT, sentence="No good backup of it is kept.")
    shown = as_("client").get("/").content.decode()
    assert "No good backup of it is kept." in between(shown, 'id="broken-title"', "</section>")


def between(shown: str, start: str, end: str) -> str:
    return shown.partition(start)[2].partition(end)[0]


def test_start_asks_no_more_for_more_findings(as_: As, cast: Cast, now: datetime) -> None:
    counts = []
    for number in (1, 20):
        for _ in range(number):
            make_finding(make_resource(cast.shop))
        with CaptureQueriesContext(connection) as queries:
            as_("it").get("/")
            shown = as_("client").get("/").content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "the first 8 by name" in shown


def test_the_policy_has_figures_for_those_who_may_see_them(as_: As, resource: Resource) -> None:
    make_finding(resource, Code.NO_GOOD)
    shown = as_("auditor").get("/policy/").content.decode()
    assert "0 of 1" in shown
    for who in ("client", "auditor"):
        shown = as_(who).get("/policy/").content.decode()
        for words in ("between 01:00 and 05:00", "at least every 30 days", "What is never deleted", "20&nbsp;%"):
            assert words in shown, who
        assert "In this version" not in shown
    assert "How many resources hold each rule" not in as_("client").get("/policy/").content.decode()


def test_a_finding_that_nobody_knows_the_code_of_is_still_shown(as_: As, resource: Resource) -> None:
    finding = make_finding(resource)
    Finding.objects.filter(pk=finding.pk).update(code="of_a_later_version")
    assert "of_a_later_version" in as_("it").get("/compliance/").content.decode()
    assert "of_a_later_version" in as_("it").get("/compliance/findings.csv").getvalue().decode()
