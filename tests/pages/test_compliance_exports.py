"""What an auditor takes along: findings as CSV, open or of a period, and the PDF."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups import compliance_pdf
from backups.findings import Code
from backups.models import Copy, RegionCheck, Resource
from portal.models import Client
from portal.words import company_zone
from tests.factories import Cast, make_audit, make_backup, make_finding, make_resource, make_stopped_run
from tests.pages.conftest import As

FINDINGS, REPORT = "/compliance/findings.csv", "/compliance/report.pdf"


def lines(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(answer.getvalue().decode().splitlines()))


def test_all_open_findings_as_the_page_has_them(as_: As, cast: Cast, resource: Resource, now: datetime) -> None:
    cast.shopco.name = "=cmd()"
    cast.shopco.save()
    made = make_finding(resource, Code.LATE, since=now - timedelta(days=2), sentence='No "good" one,\nat all')
    make_finding(make_resource(cast.news, "news-db"), Code.NO_GOOD)
    make_finding(None, Code.STRAY, subject="eu-west-1", since=now - timedelta(days=3))
    make_finding(resource, Code.NO_GOOD, closed_at=now)
    answer = as_("auditor").get(FINDINGS)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'attachment; filename="findings-open-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"])
    stray, late, _ = rows = list(csv.DictReader(line for line in answer.getvalue().decode().split("\r\n") if line))
    assert (stray["resource"], stray["region"]) == ("", "eu-west-1")
    assert (late["rule"], late["code"], late["what"], late["client"]) == ("B2", "late", "Late", "'=cmd()")
    assert late["since"] == made.since.astimezone(UTC).isoformat()
    assert all(row["closed_at"] == "" for row in rows)
    assert [row["resource"] for row in lines(as_("it").get(f"{FINDINGS}?rule=B1&sort=-since"))] == ["news-db"]


def test_all_that_was_open_in_a_period(as_: As, resource: Resource) -> None:
    def finding(code: Code, opened: str, closed: str = "") -> None:
        at, until = (
            datetime.fromisoformat(day).replace(tzinfo=company_zone()) if day else None for day in (opened, closed)
        )
        make_finding(resource, code, since=at, opened_at=at, closed_at=until)

    finding(Code.LATE, "2026-10-01T03:00", "2026-10-09T23:59")  # closed the day before
    finding(Code.NO_GOOD, "2026-10-02T03:00", "2026-10-10T00:00")
    finding(Code.VANISHED, "2026-10-20T23:59")
    finding(Code.UNVERIFIED, "2026-10-21T00:00")  # opened the day after
    answer = as_("it").get(f"{FINDINGS}?from=2026-10-10&until=2026-10-20")
    assert 'filename="findings-2026-10-10-to-2026-10-20.csv"' in answer["Content-Disposition"]
    rows = lines(answer)
    assert [row["code"] for row in rows] == ["no_good", "vanished"]
    assert rows[0]["closed_at"] == "2026-10-09T22:00:00+00:00"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("from=2026-10-20&until=2026-10-10", "Exchange the two days."),
        ("from=2026-02-30", "Enter each day as year, month and day"),
        ("until=yesterday", "Enter each day as year, month and day"),
        ("from=0001-01-01", "Enter each day as year, month and day"),
        ("until=9999-12-31", "Enter each day as year, month and day"),
        ("from=%00", "Enter each day as year, month and day"),
    ],
)
def test_a_period_that_is_none_is_refused_in_words(as_: As, asked: str, said: str) -> None:
    answer = as_("it").get(f"{FINDINGS}?{asked}")
    assert answer.status_code == 400
    assert said in answer.content.decode()


def text_of(pdf: bytes) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    return subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()


@pytest.fixture
def company(cast: Cast, now: datetime) -> Cast:
    """Something in every part of the document."""
    strange = Client.objects.create(name="株式会社 \u202eŤ–🎉 " + "x" * 80)
    cast.shop.client = strange
    cast.shop.save()
    resource = make_resource(cast.shop, "shop-db")
    backup = make_backup(resource, now - timedelta(days=12))
    Copy.objects.filter(backup=backup).update(checksum_at=now - timedelta(days=12))
    make_finding(resource, Code.LATE, since=now - timedelta(days=2), sentence="It says: " + "ja " * 900)
    make_finding(None, Code.STRAY, subject="eu-west-1")
    for ago in (0, 1, 5):
        make_audit(now - timedelta(days=ago), company_zone(), rules={"B1": [9 - ago, 10], "B2": [10, 10]})
    RegionCheck.objects.create(region="eu-west-1", started_at=now, finished_at=now, copies=77, missing=0, strays=3)
    make_stopped_run(now)
    return cast


def test_the_pdf(as_: As, company: Cast) -> None:
    answer = as_("auditor").get(REPORT)
    assert answer["Content-Type"] == "application/pdf"
    assert re.search(r'attachment; filename="compliance-\d{4}-\d\d-\d\d\.pdf"', answer["Content-Disposition"])
    assert answer.content.startswith(b"%PDF-")


def test_what_the_pdf_says(company: Cast, now: datetime) -> None:
    shown = text_of(compliance_pdf.compliance_pdf(company.auditor, now))
    for words in (
        "Compliance with the backup policy", "2 findings are open.", "Europe/Berlin", "Retention was stopped", "shop-db",
        "ZhuShiHuiShe", "eu-west-1", "Page 1 of ", "0 of 1", "The last 90 days", "8 to 30 days ago", "no exception", "77",
        "3 of 90 days have an audit",
    ):  # fmt: skip
        assert words.lower() in shown.lower(), words


def test_the_same_moment_makes_the_same_document(company: Cast, now: datetime) -> None:
    made = [compliance_pdf.compliance_pdf(company.auditor, now) for _ in range(2)]
    assert made[0] == made[1]


def test_a_company_on_its_first_day_has_a_pdf_too(cast: Cast) -> None:
    shown = text_of(compliance_pdf.compliance_pdf(cast.auditor, timezone.now()))
    assert "No audit of the whole company was done yet" in shown
    assert "applies to none" in shown
    assert "None is open." in shown


def test_many_findings_are_named_up_to_a_number_that_is_said(
    cast: Cast, resource: Resource, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compliance_pdf, "MOST", 2)
    for code in (Code.LATE, Code.NO_GOOD, Code.VANISHED):
        make_finding(resource, code)
    assert "The oldest 2 of 3" in text_of(compliance_pdf.compliance_pdf(cast.auditor, now))
