"""What other pages say of checkups: Start, the policy, compliance, its PDF and the morning's mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from backups.actions.auditing import audit_company
from backups.actions.telling import digest
from backups.compliance import shares_now
from backups.findings import Code, Rule
from backups.models import Resource
from checkups.models import Checkup
from tests.factories import Cast, make_finding
from tests.pages.checkups.conftest import As, body


def test_start_says_what_is_ones_turn(as_: As, cast: Cast, ready: Checkup, running: Checkup, planned: Checkup) -> None:
    shown = body(as_("it").get("/"))
    assert f"{ready.number}</a> waits for your signature" in shown
    assert f"{running.number}</a> 1 of 2 backups checked" in shown
    assert "yours until" in shown
    assert f'Next: <a href="{planned.get_absolute_url()}">' in shown
    shown = body(as_("auditor").get("/"))
    assert "waits for your signature" not in shown
    assert "yours until" not in shown
    assert planned.number in shown
    for who in ("client", "account_manager", "staff", "nobody"):
        assert planned.number not in body(as_(who).get("/"))


def test_start_leads_auditors_to_the_last_record(as_: As, signed: Checkup) -> None:
    shown = body(as_("auditor").get("/"))
    assert f'Last: <a href="{signed.get_absolute_url()}">{signed.number}</a>, 2 passed' in shown
    assert f'href="{signed.get_absolute_url()}record.pdf"' in shown


def test_the_policy_has_todays_figures(as_: As, signed: Checkup, planned: Checkup, running: Checkup) -> None:
    shown = body(as_("it").get("/policy/"))
    assert f"{planned.on:%B} {planned.on.year}</a>" in shown
    assert f"{signed.number}</a>: 2 passed." in shown
    shown = body(as_("client").get("/policy/"))
    assert f"{planned.on:%B} {planned.on.year}" in shown
    assert "of your resources 1 passed." in shown
    assert running.number not in shown
    assert signed.number not in body(as_("nobody").get("/policy/"))


def test_without_any_it_says_so(as_: As, resource: Resource) -> None:
    assert "No next date is set." in body(as_("client").get("/policy/"))
    assert "None was signed yet." in body(as_("client").get("/policy/"))
    assert "No checkup was signed yet" in body(as_("client").get("/checkups/"))


def test_b5_is_about_the_company(as_: As, cast: Cast, resource: Resource, signed: Checkup) -> None:
    share = {share.rule: share for share in shares_now(timezone.now())}[Rule.B5]
    assert (share.words, share.holding, share.applies) == ("It holds", 1, 1)
    shown = body(as_("it").get("/compliance/"))
    assert "<strong>It holds</strong>" in shown
    assert "Both dates are set, and no checkup or task is overdue." in shown
    assert signed.number in shown
    make_finding(None, Code.CHECKUP_DATES, subject="2026", sentence="2026 has no date for a checkup; two are required.")
    answer = as_("it").get("/compliance/")
    shown = body(answer)
    assert "<strong>It does not hold</strong>" in shown
    assert "the company</span>" in shown
    assert "a region</span>" not in shown
    assert [trend is None for _, trend in answer.context["rules"]] == [False] * 4 + [True]
    assert "It does not hold</a>" in body(as_("it").get("/policy/"))


def test_no_resource_breaks_b5(as_: As, resource: Resource) -> None:
    shown = body(as_("it").get("/resources/"))
    assert "Breaks B4" in shown
    assert "Breaks B5" not in shown
    assert as_("it").get("/resources/?breaks=B5").context["page"].rows == [resource]


@pytest.mark.parametrize("open_finding", [False, True])
def test_audit_pdf_and_mail_know_b5(as_: As, cast: Cast, resource: Resource, settings: Any, open_finding: bool) -> None:
    settings.ALERT_EMAIL = ["it@example.com"]
    if open_finding:
        make_finding(None, Code.CHECKUP_DATES, subject="2026", sentence="2026 has no date for a checkup.")
    assert audit_company().rules["B5"] == [int(not open_finding), 1]
    answer = as_("auditor").get("/compliance/report.pdf")
    assert answer.status_code == 200
    assert answer.getvalue().startswith(b"%PDF")
    digest()
    if mail.outbox:
        said = "B5  does not hold" if open_finding else "B5  holds"
        assert said in str(mail.outbox[-1].body)
