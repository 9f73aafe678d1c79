"""What is taken along of a checkup: JSON, CSV and PDF, whole or a client's own part; and the command that verifies it."""

from __future__ import annotations

import csv
import hashlib
import html
import json
import re
import subprocess
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backups.findings import Code
from backups.models import Finding, Resource
from checkups.actions.moves import note
from checkups.actions.recording import content_digest
from checkups.actions.settling import settle_finding_row
from checkups.actions.signing import sign, standing
from checkups.actions.watching import watch_records
from checkups.comparing import comparison_of
from checkups.exports import COLUMNS
from checkups.models import Check, Checkup, Trial
from checkups.outcomes import Fault
from checkups.paper import checkup_pdf, clients
from checkups.workflow import Status
from portal.models import Membership
from portal.roles import Role
from tests.checkup_rows import AT, STATEMENT, make_checkup, make_found, make_ready, make_signed
from tests.factories import Cast, make_cast, make_resource

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def resources(cast: Cast) -> list[Resource]:
    return [
        make_resource(cast.shop, "shop-db", kind="postgres"),
        make_resource(cast.shop, "=cmd()"),
        make_resource(cast.news, "news-files"),
    ]


@pytest.fixture
def signed(cast: Cast, resources: list[Resource]) -> Checkup:
    return make_signed(cast.it, cast.second_it, resources, failing=["shop-db"])


@pytest.fixture
def ready(cast: Cast, resources: list[Resource]) -> Checkup:
    return make_ready(cast.it, resources, failing=["shop-db"], on=date(2026, 5, 17))


def fetched(cast: Cast, who: str, checkup: Checkup, kind: str) -> Any:
    browser = Browser()
    browser.force_login(cast.people[who], backend=BACKEND)
    return browser.get(f"/checkups/{checkup.pk}/record.{kind}")


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def words(document: bytes) -> str:
    """What stands in a PDF, blanks and line ends as one blank."""
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True)
    return re.sub(r"\s+", " ", done.stdout.decode())


# -- JSON -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["it", "auditor", "administrator"])
def test_the_json_is_the_very_bytes_that_were_signed(cast: Cast, signed: Checkup, who: str) -> None:
    answer = fetched(cast, who, signed, "json")
    assert answer["Content-Disposition"] == 'attachment; filename="CU-2026-11-15.json"'
    assert answer["Content-Type"] == "application/json"
    assert hashlib.sha256(body(answer)).hexdigest() == signed.sha256


@pytest.mark.parametrize(("who", "own"), [("client", "Shopco"), ("staff", "Shopco"), ("media_client", "Mediaco")])
def test_a_client_gets_its_own_part(cast: Cast, signed: Checkup, who: str, own: str) -> None:
    text = body(fetched(cast, who, signed, "json")).decode()
    record = json.loads(text)
    assert record["checkup"]["part"] == {"clients": [own], "of": signed.sha256}
    assert {finding["client"] for finding in record["findings"]} == {own}
    assert record["events"] == []
    assert len(record["signatures"]) == 2
    other = {"Shopco": "news", "Mediaco": "shop"}[own]
    assert other not in text.lower().replace(STATEMENT.lower(), "")
    assert "secret-path" not in text, "paths and servers are not for clients"
    assert "Restore none of it in place" not in text, "nor is the advice to IT"
    assert "secret-path" in body(fetched(cast, "auditor", signed, "json")).decode()


def test_who_works_for_several_gets_all_their_parts(cast: Cast, signed: Checkup) -> None:
    Membership.objects.create(user=cast.account_manager, role=Role.ACCOUNT_MANAGER, client=cast.mediaco)
    record = json.loads(body(fetched(cast, "account_manager", signed, "json")))
    assert record["checkup"]["part"]["clients"] == ["Mediaco", "Shopco"]
    assert len(record["findings"]) == 3
    assert record["events"] == []


@pytest.mark.parametrize("kind", ["json", "csv", "pdf"])
def test_what_is_not_signed_is_there_for_it_and_auditors_only(cast: Cast, ready: Checkup, kind: str) -> None:
    for who in ("it", "auditor"):
        assert fetched(cast, who, ready, kind).status_code == 200
    for who in ("client", "staff", "account_manager", "nobody"):
        assert fetched(cast, who, ready, kind).status_code == 404


@pytest.mark.parametrize("kind", ["json", "csv", "pdf"])
def test_nobody_else(cast: Cast, signed: Checkup, kind: str) -> None:
    assert fetched(cast, "nobody", signed, kind).status_code == 404
    assert Browser().get(f"/checkups/{signed.pk}/record.{kind}").status_code == 302
    browser = Browser()
    browser.force_login(cast.it, backend=BACKEND)
    assert browser.post(f"/checkups/{signed.pk}/record.{kind}").status_code == 405


SERVER = "db7.internal:5432"


@pytest.fixture
def technical(cast: Cast, resources: list[Resource]) -> Checkup:
    """A signed one in which drivers said where they were: in a failure, after one that passed since, in an answer."""
    checkup = make_ready(cast.it, resources, failing=["shop-db", "news-files"])
    for trial in Trial.objects.select_related("check_row__finding"):
        said = f"{trial.sentence} It is at {SERVER}."
        steps = [{**step, "sentence": step["sentence"] if step["ok"] else said} for step in trial.steps]
        Trial.objects.filter(pk=trial.pk).update(sentence=said, steps=steps)
        Check.objects.filter(pk=trial.check_row_id).update(sentence=said)
    for finding in checkup.findings.all():
        settle_finding_row(finding, AT)
    for person in (cast.it, cast.second_it):
        checkup = sign(by=person, checkup=checkup, digest=content_digest(checkup), statement=STATEMENT, now=AT)
    assert SERVER in checkup.findings.get(name="shop-db").sentence
    return checkup


@pytest.mark.parametrize("who", ["client", "staff", "account_manager"])
def test_what_is_technical_is_told_inside_only(cast: Cast, technical: Checkup, who: str) -> None:
    finding = technical.findings.get(name="shop-db").pk
    addresses = {
        "json": f"/checkups/{technical.pk}/record.json",
        "csv": f"/checkups/{technical.pk}/record.csv",
        "pdf": f"/checkups/{technical.pk}/record.pdf",
        "page": f"/checkups/{technical.pk}/",
        "finding": reverse("checkup_finding", args=[technical.pk, finding]),
        "api": f"/api/checkups/{technical.pk}/",
        "api findings": f"/api/checkups/{technical.pk}/findings/",
    }
    for kind, address in addresses.items():
        shown = {}
        for one in (who, "auditor"):
            browser = Browser()
            browser.force_login(cast.people[one], backend=BACKEND)
            answer = browser.get(address)
            assert answer.status_code == 200, (kind, one)
            shown[one] = words(body(answer)) if kind == "pdf" else html.unescape(body(answer).decode())
        assert (SERVER in shown["auditor"]) == (kind != "api"), kind
        assert (STATEMENT in shown["auditor"]) == (kind in ("json", "pdf", "page", "api")), kind
        assert SERVER not in shown[who], kind
        assert STATEMENT not in shown[who], kind
        if kind != "api":
            assert "Not as backed up." in shown[who], kind
        if kind in ("json", "csv", "finding", "api findings"):
            assert "1,203 files are equal." in shown[who], kind


def test_a_clients_page_asks_as_often_for_many_failures_as_for_few(cast: Cast) -> None:
    def queries(number: int, on: date) -> int:
        resources = [make_resource(cast.shop) for _ in range(number)]
        checkup = make_signed(cast.it, cast.second_it, resources, failing=[one.name for one in resources], on=on)
        with CaptureQueriesContext(connection) as asked:
            fetched(cast, "client", checkup, "csv")
            browser = Browser()
            browser.force_login(cast.client, backend=BACKEND)
            assert browser.get(f"/checkups/{checkup.pk}/").status_code == 200
        return len(asked)

    queries(1, date(2026, 3, 17))
    assert queries(2, date(2026, 5, 17)) == queries(9, date(2026, 11, 15))


# -- CSV ------------------------------------------------------------------------------------------------------------


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(body(answer).decode())))


def test_the_csv_has_a_row_per_check_with_its_last_try(cast: Cast, signed: Checkup) -> None:
    answer = fetched(cast, "it", signed, "csv")
    assert answer["Content-Disposition"] == 'attachment; filename="CU-2026-11-15.csv"'
    rows = table(answer)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 6
    failed, other = (row for row in rows if row["resource"] == "shop-db")
    assert (failed["result"], failed["declared"], failed["reached"]) == ("failed", "content matched", "")
    assert failed["sentence"] == "3 files differ from the manifest of shop-db."
    assert (failed["owner"], failed["due_on"]) == ("Ivan", "2026-11-22")
    assert (failed["started_at"], failed["finished_at"]) == ("2026-11-15T05:00:00+00:00", "2026-11-15T05:12:00+00:00")
    assert (other["result"], other["reached"], other["recovery_ms"]) == ("passed", "content matched", "720000")


def test_no_cell_of_it_is_a_formula(cast: Cast, signed: Checkup) -> None:
    assert "'=cmd()" in {row["resource"] for row in table(fetched(cast, "it", signed, "csv"))}


def test_a_clients_csv_is_its_own_part_without_our_tasks(cast: Cast, signed: Checkup) -> None:
    rows = table(fetched(cast, "client", signed, "csv"))
    assert {row["client"] for row in rows} == {"Shopco"}
    assert {(row["owner"], row["due_on"]) for row in rows} == {("", "")}


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_it_streams_with_as_many_queries_for_many_as_for_few(cast: Cast, kind: str) -> None:
    def queries(number: int, on: date) -> int:
        checkup = make_ready(cast.it, [make_resource(cast.shop) for _ in range(number)], on=on)
        with CaptureQueriesContext(connection) as asked:
            body(fetched(cast, "it", checkup, kind))
        return len(asked)

    assert queries(12, date(2026, 5, 17)) == queries(2, date(2026, 11, 15))


# -- PDF ------------------------------------------------------------------------------------------------------------


def test_the_pdf_says_it_all(cast: Cast, signed: Checkup) -> None:
    said = words(checkup_pdf(cast.it, signed, AT))
    for part in (
        "Validity checkup of HaaS backups (B5)", "1 of 3 resources failed", "shop-db (Shopco, Shop; postgres, production)",
        "3 files differ from the manifest of shop-db.", "Not as backed up", "Restore none of it in place",
        "Ivan has the task, until Sun 22 Nov", "All of them are restored.", "Restores at once: 2", "Content matched",
        "news-files", "Ivan, Mon 16 Nov", "Iris, Mon 16 Nov", STATEMENT, signed.sha256, f"checkup verify {signed.number}",
        "No checkup was signed before this one",
    ):  # fmt: skip
        assert part in said, part
    assert "Draft" not in said


def test_the_pdf_tells_who_signed_when_and_what_each_digest_is_of(cast: Cast, signed: Checkup) -> None:
    said = words(checkup_pdf(cast.it, signed, AT))
    assert "Ivan signed first" in said
    assert "Iris signed second, which completes the record" in said
    both = signed.signatures.order_by("pk")[0].sha256
    assert f"What both signed: the record without its signatures {both}" in said
    assert f"The whole record: the same with both signatures {signed.sha256}" in said


def test_a_signature_that_is_void_is_told_in_a_draft(cast: Cast, ready: Checkup) -> None:
    sign(by=cast.it, checkup=ready, digest=standing(ready).digest, statement=STATEMENT)
    said = words(checkup_pdf(cast.it, ready, AT))
    assert "Ivan signed first" in said
    assert "counts no more" not in said
    note(ready, None, by=cast.it, now=AT, text="Something came of it")
    said = words(checkup_pdf(cast.it, ready, AT))
    assert "Ivan signed first; the record" in said
    assert "counts no more" in said
    assert "2 signatures of two different people of IT are lacking" in said


def test_of_a_signed_one_it_is_always_the_same(cast: Cast, signed: Checkup) -> None:
    first = checkup_pdf(cast.it, signed, AT + timedelta(days=2))
    cast.it.first_name = "Igor"
    cast.it.save()
    for resource in Resource.objects.all():
        resource.name = f"other-{resource.pk}"
        resource.save()
    assert checkup_pdf(cast.auditor, Checkup.objects.get(), AT + timedelta(days=200)) == first


def test_until_it_is_signed_every_page_says_so(cast: Cast, ready: Checkup) -> None:
    document = checkup_pdf(cast.it, ready, AT)
    done = subprocess.run(["pdftotext", "-", "-"], input=document, capture_output=True, check=True)
    pages = [page for page in done.stdout.decode().split("\f") if page.strip()]
    assert len(pages) > 1
    assert all("Draft: not signed" in page for page in pages)
    assert "2 signatures of two different people of IT are lacking" in words(document)


def test_a_clients_pdf_is_its_own_part(cast: Cast, signed: Checkup) -> None:
    said = words(checkup_pdf(cast.media_client, signed, AT))
    assert "The part of Mediaco. Nothing is said about others." in said
    assert "All passed: what was looked at of 1 resource" in said
    assert "news-files" in said
    for foreign in ("shop-db", "Shopco", "What happened", "has the task"):
        assert foreign not in said.replace(STATEMENT, ""), foreign
    own = words(checkup_pdf(cast.client, signed, AT))
    assert "Not as backed up." in own
    assert "3 files differ" not in own
    assert "Restore none of it" not in own
    assert STATEMENT not in own
    assert "Iris, Mon 16 Nov" in own


def test_a_large_one_names_only_the_exceptions(cast: Cast, ready: Checkup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MOST", 2)
    said = words(checkup_pdf(cast.it, ready, AT))
    assert "Of 3 resources only those are named here that did not pass" in said
    assert "news-files" not in said
    assert "daily and monthly" in said.lower()


def test_any_name_can_be_printed(cast: Cast) -> None:
    cast.shopco.name = "株式会社 🎉 \u202e" + "x" * 90
    cast.shopco.save()
    odd = make_checkup(cast.it)
    make_found(odd, make_resource(cast.shop, "a" * 63), fault=Fault.DAMAGED, sentence="word " * 900, name="n" * 63)
    assert checkup_pdf(cast.it, odd, AT).startswith(b"%PDF")
    for status in (Status.PLANNED, Status.CANCELLED, Status.WITHDRAWN):
        empty = make_checkup(cast.it, on=date(2026, 3, 1 + len(status)), status=status)
        assert "There was nothing in its scope." in words(checkup_pdf(cast.it, empty, AT))


# -- comparison -----------------------------------------------------------------------------------------------------


def test_it_is_compared_with_the_one_that_was_signed_before(cast: Cast, resources: list[Resource]) -> None:
    make_signed(cast.it, cast.second_it, resources, failing=["news-files"], on=date(2026, 5, 17))
    make_ready(cast.it, resources, failing=["=cmd()"], on=date(2026, 8, 1))  # not signed, so it does not count
    now = make_ready(cast.it, [*resources, make_resource(cast.shop, "new")], failing=["shop-db"])
    found = comparison_of(now)
    assert (found.before, found.newly_failed, found.passed_again) == ("CU-2026-05-17", ("shop-db",), ("news-files",))
    assert ("Resources", "3", "4") in found.rows


# -- the command ----------------------------------------------------------------------------------------------------


def run(*words: str) -> str:
    out = StringIO()
    call_command("checkup", *words, stdout=out)
    return out.getvalue()


def fails(*words: str, code: int = 1) -> str:
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("checkup", *words, stdout=out)
    assert refused.value.returncode == code
    return out.getvalue() + str(refused.value)


def spoil(signed: Checkup) -> None:
    """As somebody who may do anything with the database, and takes the triggers away first."""
    row = signed.findings.get(name="shop-db")
    with connection.cursor() as cursor:
        table, trigger = "checkups_checkupfinding", "sealed_update_checkups_checkupfinding"
        cursor.execute(f"DROP TRIGGER {trigger}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
        cursor.execute(f"UPDATE {table} SET status = 'passed', sentence = '' WHERE id = %s", [row.pk])


@pytest.fixture
def file(signed: Checkup, tmp_path: Path) -> Path:
    kept = tmp_path / "record.json"
    kept.write_text(run("record", signed.number))
    return kept


def test_verifying_what_is_as_it_was_signed(signed: Checkup, ready: Checkup, file: Path) -> None:
    content = signed.signatures.latest("pk").sha256
    assert run("verify") == (
        f"CU-2026-11-15: the rows say what was signed. SHA-256 {signed.sha256}\n"
        f"CU-2026-11-15: Ivan and Iris signed its content. SHA-256 {content}\n"
    )
    assert run("verify", signed.number) == run("verify", "2026-11-15") == run("verify")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == signed.sha256
    said = run("verify", "--file", str(file))
    assert "the file is the record that was signed" in said
    assert "the portal's rows say what was signed" in said
    file.write_text(json.dumps(json.loads(file.read_text()), indent=4))
    assert run("verify", "--file", str(file)) == said, "however it is formatted"


def test_whoever_takes_the_triggers_away_is_found_out(signed: Checkup, cast: Cast) -> None:
    assert watch_records(AT) == []
    tables = ("checkups_trial", "checkups_check")
    with connection.cursor() as cursor:
        for table in tables:
            drop = f"DROP TRIGGER sealed_update_{table}"
            cursor.execute(drop if connection.vendor == "sqlite" else f"{drop} ON {table}")
    Check.objects.filter(finding__checkup=signed).update(sentence="All is well.")
    assert watch_records(AT) == watch_records(AT) == [signed.number]
    found = Finding.objects.open().get(code=Code.CHECKUP_RECORD)
    assert found.sentence == f"The portal's rows of {signed.number} do not say any more what was signed."
    assert "What stands here is not what was signed" in words(checkup_pdf(cast.it, signed, AT))


def test_signs_that_are_none_are_refused(signed: Checkup, file: Path) -> None:
    file.write_text(file.read_text().replace("shop-db", "\\ud800"))
    with pytest.raises(CommandError, match="it holds signs that are none"):
        run("verify", "--file", str(file))


def test_who_signed_first_stands_before_who_signed_second(signed: Checkup, cast: Cast) -> None:
    """Also when both did so in the same moment."""
    shown = words(checkup_pdf(cast.it, signed, AT))
    assert 0 < shown.index("Ivan signed first") < shown.index("Iris signed second, which completes the record")


def test_of_what_passed_the_pdf_says_what_was_compared(signed: Checkup, cast: Cast) -> None:
    shown = " ".join(words(checkup_pdf(cast.it, signed, AT)).split())
    check = Check.objects.filter(finding__checkup=signed, status="passed").earliest("pk")
    assert f"1,203 files are equal. The backup’s SHA-256: {check.checksum}" in shown


@pytest.mark.parametrize("clients", [None, 5, "Shopco", {"a": 1}])
def test_a_part_of_another_form_does_not_verify(signed: Checkup, file: Path, clients: Any) -> None:
    record = json.loads(file.read_text())
    record["checkup"]["part"] = {"clients": clients, "of": signed.sha256}
    file.write_text(json.dumps(record))
    assert "THE FILE IS NOT THE PART OF NOBODY" in fails("verify", "--file", str(file))


def test_the_form_of_the_record_never_changes(signed: Checkup, file: Path) -> None:
    """Whoever adds a name breaks the hash of every record that was signed before: write a new FORMAT beside the old one."""
    record = json.loads(file.read_text())
    finding = record["findings"][0]
    check = finding["checks"][0]
    tried = check["tries"][0]
    assert [sorted(one) for one in (record, record["checkup"], record["events"][0], finding, check, tried)] == [
        ["checkup", "events", "findings", "format", "signatures"],
        [
            "declared_at", "finished_at", "limits", "number", "on", "rule", "sample_reason", "seed", "share", "started_at",
        ],
        ["at", "by", "reason", "resource", "text"],
        [
            "application", "checks", "client", "environment", "failed_at", "kind", "name", "removed", "resource", "restored",
            "result", "sentence", "why_not_restored",
        ],
        [
            "backup", "checksum", "declared", "reached", "region", "result", "sentence", "stored_bytes", "taken_at", "tries",
            "what",
        ],
        [
            "advice", "backup", "fault", "finished_at", "reached", "recovery_ms", "result", "scratch", "sentence",
            "started_at", "steps", "taken_at",
        ],
    ]  # fmt: skip
    assert sorted(record["signatures"][0]) == ["at", "name", "sha256", "statement"]


def test_a_file_that_was_changed(signed: Checkup, file: Path) -> None:
    record = json.loads(file.read_text())
    record["findings"][0]["result"] = "passed"
    record["findings"].pop()
    record["checkup"]["share"] = 50
    file.write_text(json.dumps(record))
    said = fails("verify", signed.number, "--file", str(file))
    assert "THE FILE IS NOT THE RECORD THAT WAS SIGNED" in said
    assert "the portal's rows say what was signed" in said
    assert "shop-db: result is “passed” in the file and “failed” in the rows." in said
    assert "news-files: the file lacks it." in said
    assert "Checkup: share is “50” in the file and “100” in the rows." in said


def test_rows_that_were_changed_past_the_portal(signed: Checkup, file: Path) -> None:
    spoil(signed)
    said = fails("verify")
    assert "THE ROWS DO NOT SAY WHAT WAS SIGNED" in said
    assert signed.sha256 in said
    assert "1 of 1 records do not verify." in said
    said = fails("verify", "--file", str(file))
    assert "the file is the record that was signed" in said
    assert "the file does: keep it." in said
    assert "shop-db: result is “failed” in the file and “passed” in the rows" in said


def test_a_clients_part_is_verified_as_well(cast: Cast, signed: Checkup, file: Path) -> None:
    file.write_bytes(body(fetched(cast, "client", signed, "json")))
    assert "the file is the part of Shopco of that record" in run("verify", "--file", str(file))
    file.write_text(file.read_text().replace('"result":"failed"', '"result":"passed"', 1))
    assert "THE FILE IS NOT THE PART OF SHOPCO" in fails("verify", "--file", str(file))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":"haas-checkup-record/1","checkup":{},"checkup":{}}'])
def test_files_that_are_no_record(signed: Checkup, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert "is no record of a checkup" in fails("verify", "--file", str(tmp_path / "x.json"), code=2)
    assert "cannot be read" in fails("verify", "--file", str(tmp_path / "none.json"), code=2)


def test_numbers_that_name_nothing(signed: Checkup, ready: Checkup) -> None:
    assert "no number of a checkup" in fails("verify", "CU-x", code=2)
    assert "There is no checkup CU-2020-01-01." in fails("record", "CU-2020-01-01", code=2)
    assert "only a signed record can be verified" in fails("verify", ready.number)


def test_the_list(signed: Checkup, ready: Checkup) -> None:
    lines = run("list").splitlines()
    assert lines[0].split("\t") == ["CU-2026-11-15", "signed", "3", "1", "2026-11-16T05:00:00Z", signed.sha256]
    assert lines[1].split("\t") == ["CU-2026-05-17", "ready", "3", "1", "–", "–"]
    assert [row["status"] for row in json.loads(run("list", "--json"))] == ["signed", "ready"]


def test_where_nothing_is_signed(db: None) -> None:
    assert run("verify") == "No checkup is signed yet.\n"
