"""Checkups over the API: the six questions, the pages' rules and sentences, a signed one that nothing changes."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.models import Backup, Resource
from checkups.actions.moves import note
from checkups.actions.recording import record_of
from checkups.models import Checkup, CheckupFinding, Trial
from checkups.outcomes import Fault
from checkups.record import digest_of
from checkups.workflow import Status
from portal.models import User
from portal.words import company_zone
from tests.api.conftest import As, client_of
from tests.checkup_rows import STATEMENT, make_checkup, make_ready, make_signed
from tests.factories import Cast, make_resource

NOT_THERE = {"detail": "There is nothing here that you can see."}
ONLY_IT = "Only IT sees to checkups. Ask IT to do it."
CLIENTS = ("client", "colleague", "staff", "account_manager")
MAY = date(2026, 5, 17)


@pytest.fixture
def resources(cast: Cast) -> list[Resource]:
    return [make_resource(cast.shop, "shop-db", kind="postgres"), make_resource(cast.news, "news-files")]


@pytest.fixture
def ready(cast: Cast, resources: list[Resource]) -> Checkup:
    return make_ready(cast.it, resources, failing=["shop-db"])


@pytest.fixture
def signed(cast: Cast, resources: list[Resource]) -> Checkup:
    return make_signed(cast.it, cast.second_it, resources, failing=["shop-db"], on=MAY)


@pytest.fixture
def trial(ready: Checkup) -> Trial:
    return Trial.objects.earliest("pk")


@pytest.fixture
def today() -> date:
    return timezone.now().astimezone(company_zone()).date()


# -- who sees what --------------------------------------------------------------------------------------------------


def ids(as_: As, who: str, address: str = "/api/checkups/") -> list[int]:
    return [row["id"] for row in as_(who).get(address).json()["results"]]


def test_it_and_auditors_see_all_clients_only_signed_ones(as_: As, ready: Checkup, signed: Checkup) -> None:
    for who in ("it", "auditor", "administrator"):
        assert ids(as_, who) == [signed.pk, ready.pk]
    for who in (*CLIENTS, "media_client"):
        assert ids(as_, who) == [signed.pk]
        assert as_(who).get(f"/api/checkups/{ready.pk}/").json() == NOT_THERE
        for further in ("findings", "record"):
            assert as_(who).get(f"/api/checkups/{ready.pk}/{further}/").status_code == 404
    assert ids(as_, "nobody") == []
    assert as_("nobody").get(f"/api/checkups/{signed.pk}/").status_code == 404
    assert as_("").get("/api/checkups/").status_code == 401


def test_of_a_signed_one_clients_see_their_own_part(as_: As, cast: Cast, signed: Checkup) -> None:
    for who, name, client in (("client", "shop-db", cast.shopco), ("media_client", "news-files", cast.mediaco)):
        rows = as_(who).get(f"/api/checkups/{signed.pk}/findings/").json()["results"]
        assert [(row["name"], row["client"]) for row in rows] == [(name, client.pk)]
        assert as_(who).get(f"/api/checkup-findings/{rows[0]['id']}/").json() == rows[0]
        whole = as_(who).get(f"/api/checkups/{signed.pk}/").json()
        assert (whole["numbers"]["resources"], whole["events"], whole["digest"]) == (1, [], None)
    other = signed.findings.get(name="news-files")
    assert as_("client").get(f"/api/checkup-findings/{other.pk}/").json() == NOT_THERE
    assert as_("client").get(f"/api/checkups/{signed.pk}/findings/?client={cast.mediaco.pk}").json()["results"] == []


def test_advice_and_tasks_are_its(as_: As, signed: Checkup) -> None:
    finding = signed.findings.get(name="shop-db")
    told = as_("auditor").get(f"/api/checkup-findings/{finding.pk}/").json()
    assert told["task"]["owner"] == "Ivan"
    assert told["checks"][0]["tries"][0]["advice"].startswith("Restore none of it in place")
    told = as_("client").get(f"/api/checkup-findings/{finding.pk}/").json()
    assert told["task"] is None
    assert told["checks"][0]["tries"][0]["advice"] is None
    assert (told["result"], told["checks"][0]["declared"], told["checks"][0]["reached"]) == (
        "failed",
        "content matched",
        None,
    )


def test_who_takes_over_an_application_does_not_read_what_was_found_before(
    as_: As, cast: Cast, signed: Checkup
) -> None:
    cast.shop.client = cast.mediaco
    cast.shop.save()
    address = f"/api/checkups/{signed.pk}/findings/"
    assert [row["name"] for row in as_("media_client").get(address).json()["results"]] == ["news-files"]
    assert [row["name"] for row in as_("client").get(address).json()["results"]] == ["shop-db"]


def test_trials_are_for_it_and_auditors(as_: As, trial: Trial) -> None:
    for who in ("it", "auditor", "administrator"):
        told = as_(who).get(f"/api/trials/{trial.pk}/").json()
        assert (told["id"], told["wanted"], told["asked_by"]) == (trial.pk, "content matched", None)
    for who in (*CLIENTS, "media_client", "nobody"):
        assert as_(who).get(f"/api/trials/{trial.pk}/").status_code == 404
    assert as_("").get(f"/api/trials/{trial.pk}/").status_code == 401


@pytest.mark.parametrize("address", ["checkups/{checkup}/", "checkup-findings/{finding}/", "trials/{trial}/"])
def test_wrong_method_names_the_right_ones(as_: As, ready: Checkup, trial: Trial, address: str) -> None:
    finding = ready.findings.earliest("pk")
    whole = "/api/" + address.format(checkup=ready.pk, finding=finding.pk, trial=trial.pk)
    answer = as_("it").delete(whole)
    assert (answer.status_code, answer.json()) == (405, {"detail": "DELETE is not possible here. Use GET or HEAD."})


MOVES: list[tuple[str, dict[str, Any]]] = [
    ("change", {"on": "2026-12-12", "reason": "The power is off."}),
    *((move, {"reason": "The power is off."}) for move in ("withdraw", "pause", "cancel")),
    ("resume", {}),
    ("sign", {"digest": "0" * 64}),
]


@pytest.mark.parametrize(("move", "body"), MOVES)
def test_moves_are_its(as_: As, robot: User, ready: Checkup, signed: Checkup, move: str, body: dict[str, Any]) -> None:
    address = f"/api/checkups/{ready.pk}/{move}/"
    sentence = "Only IT signs checkups." if move == "sign" else ONLY_IT
    for who in ("auditor", "administrator"):
        refused = as_(who).post(address, body)
        assert (refused.status_code, refused.json()["detail"]) == (403, sentence)
    refused = client_of(robot).post(address, body)
    assert (refused.status_code, "A person has to" in refused.json()["detail"]) == (403, True)
    assert as_("client").post(address, body).status_code == 404
    assert as_("client").post(f"/api/checkups/{signed.pk}/{move}/", body).status_code == 403
    assert as_("").post(address, body).status_code == 401
    assert as_("it").get(address).status_code == 405
    assert Checkup.objects.get(pk=ready.pk).status == "ready"


def test_checking_again_and_testing_are_its(as_: As, robot: User, ready: Checkup, signed: Checkup) -> None:
    finding = ready.findings.get(name="shop-db")
    backup = finding.resource.backups.earliest("pk")
    again, test = f"/api/checkup-findings/{finding.pk}/check-again/", f"/api/backups/{backup.pk}/test/"
    assert as_("auditor").post(again, {}).json() == {"detail": ONLY_IT}
    assert client_of(robot).post(again, {}).status_code == 403
    assert as_("client").post(again, {}).status_code == 404
    for who in ("auditor", "client", "staff"):
        refused = as_(who).post(test, {"reason": "To be sure."})
        assert (refused.status_code, refused.json()["detail"]) == (403, "Only IT tests backups. Ask IT to do it.")
    assert as_("media_client").post(test, {"reason": "To be sure."}).status_code == 404
    for address in (again, test):
        assert as_("").post(address, {}).status_code == 401
        assert as_("it").get(address).status_code == 405


# -- dates ----------------------------------------------------------------------------------------------------------


def test_setting_changing_and_taking_back_a_date(as_: As, today: date) -> None:
    it, on = as_("it"), today + timedelta(days=40)
    answer = it.post("/api/checkups/", {"on": on.isoformat()})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["number"], made["status"], made["rule"]) == (f"CU-{on}", "planned", "All of them are restored.")
    assert {name for name, why in made["can"].items() if why is None} == {"change", "withdraw"}
    assert made["can"]["pause"] == "This checkup is planned and cannot be paused now."
    refused = it.post("/api/checkups/", {"on": on.isoformat()}).json()
    assert (refused["field"], refused["detail"].endswith("is the date of another checkup already.")) == ("on", True)
    address, later = f"/api/checkups/{made['id']}/", on + timedelta(days=1)
    sample = {"on": later.isoformat(), "share": 25, "sample_reason": "The provider is dear.", "reason": "A holiday."}
    changed = it.post(f"{address}change/", sample).json()
    assert (changed["on"], changed["share"]) == (later.isoformat(), 25)
    assert it.post(f"{address}withdraw/", {"reason": ""}).json()["field"] == "reason"
    taken = it.post(f"{address}withdraw/", {"reason": "Another day is better."}).json()
    assert (taken["status"], taken["closed_reason"]) == ("withdrawn", "Another day is better.")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "on"),
        ({"on": "tomorrow"}, "on"),
        ({"on": "2020-01-01"}, "on"),
        ({"on": "2026-12-30", "share": 0}, "share"),
        ({"on": "2026-12-30", "share": "most"}, "share"),
        ({"on": "2026-12-30", "share": 50}, "sample_reason"),
        ({"on": "2026-12-30", "day": 1}, "day"),
    ],
)
def test_what_cannot_be_set(as_: As, today: date, body: dict[str, Any], field: str) -> None:
    if body.get("on") == "2026-12-30":
        body["on"] = (today + timedelta(days=30)).isoformat()
    refused = as_("it").post("/api/checkups/", body)
    assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert not Checkup.objects.exists()


def test_what_is_left_out_of_a_change_stays_as_it_was(as_: As, today: date) -> None:
    on = today + timedelta(days=40)
    made = as_("it").post("/api/checkups/", {"on": on, "share": 50, "sample_reason": "The disk is small."}).json()
    address = f"/api/checkups/{made['id']}/change/"
    moved = as_("it").post(address, {"on": on + timedelta(days=1), "reason": "A holiday."}).json()
    assert (moved["share"], moved["sample_reason"]) == (50, "The disk is small.")
    told = (
        as_("it").post(address, {"on": moved["on"], "reason": "Said better.", "sample_reason": "Half a disk."}).json()
    )
    assert (told["share"], told["sample_reason"]) == (50, "Half a disk.")
    whole = as_("it").post(address, {"on": moved["on"], "reason": "A new disk.", "share": 100}).json()
    assert (whole["share"], whole["sample_reason"]) == (100, "")


def test_pausing_resuming_and_cancelling(as_: As, cast: Cast) -> None:
    running = make_checkup(cast.it, status=Status.RUNNING)
    address = f"/api/checkups/{running.pk}/"
    it = as_("it")
    assert it.post(f"{address}pause/", {"reason": "Backups are late."}).json()["status"] == "paused"
    assert it.post(f"{address}pause/", {"reason": "Backups are late."}).json() == {
        "detail": "This checkup is paused and cannot be paused now."
    }
    assert it.get(address).json()["can"]["resume"] is None
    assert it.post(f"{address}resume/", {}).json()["status"] == "running"
    cancelled = it.post(f"{address}cancel/", {"reason": "The power is off."}).json()
    assert (cancelled["status"], cancelled["events"][-1]["reason"]) == ("cancelled", "The power is off.")


# -- findings -------------------------------------------------------------------------------------------------------


def test_findings_are_filtered_and_paged(as_: As, cast: Cast, ready: Checkup) -> None:
    address = f"/api/checkups/{ready.pk}/findings/"
    names = {
        "": {"shop-db", "news-files"}, "result=failed": {"shop-db"}, "result=passed": {"news-files"},
        f"client={cast.mediaco.pk}": {"news-files"}, "kind=postgres": {"shop-db"}, "kind=postgres&result=passed": set(),
    }  # fmt: skip
    for query, expected in names.items():
        assert {row["name"] for row in as_("it").get(f"{address}?{query}").json()["results"]} == expected, query
    refused = as_("it").get(f"{address}?reslut=failed").json()
    assert refused["detail"].startswith("There is no filter “reslut” here. Use: result, client, kind")
    assert as_("it").get(f"{address}?result=perfect").status_code == 400
    first = as_("it").get(f"{address}?page_size=1").json()
    assert len(first["results"]) == 1
    assert len(as_("it").get(first["next"]).json()["results"]) == 1
    assert as_("it").get("/api/checkups/999999/findings/").status_code == 404


def test_checking_again(as_: As, ready: Checkup) -> None:
    finding = ready.findings.get(name="shop-db")
    address = f"/api/checkup-findings/{finding.pk}/"
    assert as_("it").get(address).json()["can"] == {"check-again": None}
    newer = as_("it").post(f"{address}check-again/", {"newest": True, "reason": "It was taken anew."})
    assert (newer.status_code, newer.json()["detail"].startswith("There is no newer backup")) == (409, True)
    answer = as_("it").post(f"{address}check-again/", {"reason": "It was taken anew."}).json()
    assert (answer["result"], answer["failed_at"] is not None) == ("waiting", True)
    assert answer["can"] == {"check-again": "Only what failed is checked again."}
    assert Checkup.objects.get().status == "running"


# -- signing --------------------------------------------------------------------------------------------------------


def test_all_that_could_not_be_tried_is_tried_again(
    as_: As, cast: Cast, ready: Checkup, resources: list[Resource]
) -> None:
    refused = as_("it").post(f"/api/checkups/{ready.pk}/check-again/")
    assert refused.status_code == 409
    assert refused.json() == {"detail": as_("it").get(f"/api/checkups/{ready.pk}/").json()["can"]["check-again"]}
    away = make_ready(cast.it, resources, failing=["shop-db", "news-files"], fault=Fault.AWAY, on=MAY)
    assert as_("auditor").post(f"/api/checkups/{away.pk}/check-again/").status_code == 403
    assert as_("it").get(f"/api/checkups/{away.pk}/").json()["can"]["check-again"] is None
    told = as_("it").post(f"/api/checkups/{away.pk}/check-again/").json()
    assert (told["status"], told["numbers"]["waiting"]) == ("running", 2)
    assert told["events"][-1]["text"] == "Ivan had 2 resources checked again that could not be tried"


def test_two_people_sign_what_they_read(as_: As, ready: Checkup) -> None:
    address = f"/api/checkups/{ready.pk}/"
    ivan, iris = as_("it"), as_("second_it")
    read = ivan.get(address).json()
    assert (read["can"]["sign"], read["numbers"]["failed"]) == (None, 1)
    body = {"digest": read["digest"], "statement": STATEMENT}
    refused = ivan.post(f"{address}sign/", {"digest": read["digest"]}).json()
    assert (refused["field"], refused["detail"]) == (
        "statement",
        "Something failed: say in a statement what becomes of it.",
    )
    assert ivan.post(f"{address}sign/", {}).json()["field"] == "digest"
    assert ivan.post(f"{address}sign/", {**body, "digest": "0" * 64}).status_code == 409
    once = ivan.post(f"{address}sign/", body).json()
    assert [(one["name"], one["counts"]) for one in once["signatures"]] == [("Ivan", True)]
    assert once["can"]["sign"] == ivan.post(f"{address}sign/", body).json()["detail"]
    assert "another person's" in once["can"]["sign"]
    done = iris.post(f"{address}sign/", body).json()
    assert (done["status"], done["digest"], len(done["signatures"])) == ("signed", None, 2)
    record = b"".join(iris.get(f"{address}record/").streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(record).hexdigest() == done["sha256"]


def test_a_signature_from_before_a_change_counts_no_more(as_: As, ready: Checkup) -> None:
    address = f"/api/checkups/{ready.pk}/"
    digest = as_("it").get(address).json()["digest"]
    as_("it").post(f"{address}sign/", {"digest": digest, "statement": STATEMENT})
    note(ready, None, by=None, now=timezone.now(), text="Something has happened")
    read = as_("it").get(address).json()
    assert read["digest"] != digest
    assert [one["counts"] for one in read["signatures"]] == [False]
    assert read["can"]["sign"] is None


def test_the_record_is_json_for_who_sees_it(as_: As, cast: Cast, signed: Checkup) -> None:
    answer = as_("client").get(f"/api/checkups/{signed.pk}/record/")
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == f'attachment; filename="{signed.number}.json"'
    record = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert [finding["client"] for finding in record["findings"]] == ["Shopco"]


def test_nothing_changes_a_signed_one(as_: As, robot: User, signed: Checkup, today: date) -> None:
    finding = signed.findings.get(name="shop-db")
    later = (today + timedelta(days=30)).isoformat()
    calls = [(f"checkups/{signed.pk}/{move}", body | ({"on": later} if "on" in body else {})) for move, body in MOVES]
    calls.append((f"checkup-findings/{finding.pk}/check-again", {}))
    for who in (as_("it"), client_of(robot), as_("administrator"), as_("client")):
        for address, body in calls:
            assert who.post(f"/api/{address}/", body).status_code in (403, 409), address
        for method in ("put", "patch", "delete"):
            for address in (f"checkups/{signed.pk}", f"checkup-findings/{finding.pk}", f"checkups/{signed.pk}/record"):
                assert getattr(who, method)(f"/api/{address}/", {}).status_code == 405
    row = Checkup.objects.get()
    assert digest_of(record_of(row)) == row.sha256 == signed.sha256


# -- testing a backup -----------------------------------------------------------------------------------------------


def test_testing_a_backup(as_: As, backup: Backup) -> None:
    address = f"/api/backups/{backup.pk}/test/"
    assert as_("it").post(address, {}).json()["field"] == "reason"
    assert as_("it").post(address, {"reason": "To be sure.", "region": "mars"}).json()["field"] == "region"
    answer = as_("it").post(address, {"reason": "To be sure."})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["backup"], told["region"], told["status"], told["asked_by"]) == (
        backup.pk,
        "eu-central-1",
        "queued",
        "Ivan",
    )
    assert as_("it").get(f"/api/trials/{told['id']}/").json() == told
    again = as_("second_it").post(address, {"reason": "To be sure."})
    assert (again.status_code, "is being tested just now" in again.json()["detail"]) == (409, True)


@pytest.mark.parametrize("name", ["checkups", "checkup-findings", "trials"])
@pytest.mark.parametrize("number", [0, 2**63, 10**40])
def test_numbers_that_no_row_has(as_: As, name: str, number: int) -> None:
    assert as_("it").get(f"/api/{name}/{number}/").status_code == 404
    assert as_("it").get(f"/api/checkups/{number}/findings/").status_code == 404


# -- queries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["it", "client"])
def test_as_many_queries_for_many_as_for_few(as_: As, cast: Cast, who: str) -> None:
    def asked(number: int, on: date) -> list[int]:
        resources = [make_resource(cast.shop) for _ in range(number)]
        checkup = make_signed(cast.it, cast.second_it, resources, failing=[resources[0].name], on=on)
        finding = CheckupFinding.objects.filter(checkup=checkup).earliest("pk")
        client, counts = as_(who), []
        for address in (
            "checkups/",
            f"checkups/{checkup.pk}/",
            f"checkups/{checkup.pk}/findings/",
            f"checkup-findings/{finding.pk}/",
        ):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"/api/{address}").status_code == 200
            counts.append(len(queries))
        return counts

    asked(1, MAY)
    few, many = asked(2, date(2026, 8, 1)), asked(12, date(2026, 11, 15))
    assert few == many
    assert max(few) <= 24
