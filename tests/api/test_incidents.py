"""Incidents over the API: the same people, rules and sentences as on the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.models import Backup, Resource
from portal.models import User
from restores.charging import Cause
from restores.models import Incident, RestoreRequest
from restores.workflow import Status
from tests.api.conftest import As, client_of
from tests.factories import Cast, make_attempt, make_backup, make_request, make_resource

LIST = "/api/incidents/"
MOVES = {
    "take-on": {},
    "extend": {}, "arrange": {"concurrency": 3}, "confirm": {"digest": "0" * 64}, "take-out": {"resource": 1, "reason": "x"},
    "restore-next": {"resource": 1, "digest": "0" * 64},
    "dismiss": {"reason": "x"}, "close": {"reason": "x"},
}  # fmt: skip


@pytest.fixture
def foreign(cast: Cast) -> Backup:
    return make_backup(make_resource(cast.news, "news-db"), timezone.now())


@pytest.fixture
def declared(as_: As, backup: Backup, foreign: Backup) -> Any:
    """Declared by IT for both clients' resources, as the API tells it."""
    sent = {"hazard": "The disk is gone.", "resources": [backup.resource_id, foreign.resource_id]}
    answer = as_("it").post(LIST, sent)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_the_whole_way(as_: As, declared: Any, backup: Backup, foreign: Backup) -> None:
    address, it = f"{LIST}{declared['id']}/", as_("it")
    assert (declared["status"], declared["affected_count"], declared["needs_typed_number"]) == ("open", 2, True)
    order = [backup.resource_id, foreign.resource_id]
    arranged = it.post(
        f"{address}arrange/", {"order": order, "modes": {str(order[1]): "beside"}, "concurrency": 1}
    ).json()
    assert [row["resource"]["id"] for row in arranged["affected"]] == order
    assert [row["mode"] for row in arranged["affected"]] == ["in_place", "beside"]
    stale = it.post(f"{address}confirm/", {"digest": declared["digest"], "typed_number": declared["number"]})
    assert (stale.status_code, "not the one you looked at" in stale.json()["detail"]) == (409, True)
    untyped = it.post(f"{address}confirm/", {"digest": arranged["digest"]})
    assert (untyped.status_code, untyped.json()["field"]) == (400, "typed_number")
    done = it.post(f"{address}confirm/", {"digest": arranged["digest"], "typed_number": declared["number"]}).json()
    assert (done["status"], done["digest"]) == ("recovering", None)
    assert {row["state"] for row in done["affected"]} == {"Waits its turn"}
    request = it.get(f"/api/restore-requests/{done['affected'][0]['request']}/").json()
    assert (request["incident"], request["status"], request["classification"]) == (declared["id"], "approved", "free")
    refused = it.post(f"{address}close/", {"reason": "Done."})
    assert (refused.status_code, refused.json()["detail"]) == (409, done["can"]["close"])
    out = it.post(f"{address}take-out/", {"resource": order[0], "reason": "It is well."}).json()
    assert (out["affected"][0]["state"], out["affected"][0]["why"]) == ("Taken out", "It is well.")


def test_each_sees_their_own_rows(as_: As, declared: Any, backup: Backup, foreign: Backup) -> None:
    for who, rows in (("client", [backup]), ("media_client", [foreign]), ("auditor", [foreign, backup])):
        found = as_(who).get(f"{LIST}{declared['id']}/").json()
        assert [row["resource"]["id"] for row in found["affected"]] == [one.resource_id for one in rows], who
        assert found["affected_count"] == len(rows)
    assert as_("client").get(f"{LIST}{declared['id']}/").json()["digest"] is None
    assert "news-db" not in str(as_("client").get(f"{LIST}{declared['id']}/").json())
    assert as_("nobody").get(LIST).json()["results"] == []
    assert as_("nobody").get(f"{LIST}{declared['id']}/").status_code == 404


@pytest.mark.parametrize("move", MOVES)
def test_moves_are_its_alone(as_: As, declared: Any, robot: User, move: str) -> None:
    address = f"{LIST}{declared['id']}/{move}/"
    for who in ("client", "staff", "account_manager", "auditor", "administrator"):
        refused = as_(who).post(address, MOVES[move])
        assert (refused.status_code, refused.json()["detail"][:4]) == (403, "Only"), who
    assert client_of(robot).post(address, MOVES[move]).status_code == 403
    assert as_("nobody").post(address, MOVES[move]).status_code == 404
    assert as_("").post(address, MOVES[move]).status_code == 401
    assert as_("it").get(address).status_code == 405
    assert Incident.objects.get().status == "open"
    assert not RestoreRequest.objects.exists()


def test_a_program_proposes_and_a_person_takes_on_or_dismisses(as_: As, robot: User, backup: Backup) -> None:
    sent = {"hazard": "Something is wrong.", "resources": [backup.resource_id]}
    assert client_of(robot).post(LIST, sent).status_code == 403
    made = client_of(robot).post(LIST, {**sent, "propose": True}).json()
    assert made["status"] == "proposed"
    assert as_("client").get(f"{LIST}{made['id']}/").status_code == 404
    assert as_("it").post(f"{LIST}{made['id']}/take-on/").json()["status"] == "open"
    second = client_of(robot).post(LIST, {**sent, "propose": True}).json()
    assert as_("it").post(f"{LIST}{second['id']}/dismiss/", {"reason": "A test."}).json()["status"] == "dismissed"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"hazard": ""}, "hazard"), ({"hazard": "x"}, "resources"), ({"hazard": "x", "region": "mars"}, "region"),
        ({"hazard": "x", "resources": [2**70]}, "resources.0"), ({"hazard": "x", "concurrency": 0}, "concurrency"),
        ({"hazard": "x", "whatever": 1}, "whatever"), ({"hazard": "x", "resources": [999999]}, "resources"),
        ({"hazard": "x", "region": "eu-central-1", "applications": [999999]}, "applications"),
    ],
)  # fmt: skip
def test_what_cannot_be_declared(as_: As, resource: Resource, sent: dict[str, Any], field: str) -> None:
    answer = as_("it").post(LIST, sent)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_one_that_does_not_stand_is_named_and_not_left_out_in_silence(
    as_: As, cast: Cast, declared: Any, resource: Resource
) -> None:
    gone = make_resource(
        cast.shop,
        "gone",
        state="removed",
        removed_at=timezone.now(),
        removed_by=cast.it,
        removal_reason="Closed.",
        removal_asked_at=timezone.now(),
    )
    for address, sent in ((LIST, {"hazard": "x"}), (f"{LIST}{declared['id']}/extend/", {})):
        answer = as_("it").post(address, {**sent, "resources": [resource.pk, gone.pk]})
        assert answer.status_code == 400
        assert f"nothing to restore of resources {gone.pk}: removed, or never there" in answer.json()["detail"]
        refused = as_("client").post(address, {**sent, "resources": [999999]})
        assert refused.status_code in (403, 404), "it names nothing to those who may not"


@pytest.mark.parametrize("sent", [{"modes": {"x": "in_place"}}, {"order": [999999]}, {"modes": {"999999": "beside"}}])
def test_what_cannot_be_arranged(as_: As, declared: Any, sent: dict[str, Any]) -> None:
    assert as_("it").post(f"{LIST}{declared['id']}/arrange/", sent).status_code == 400


@pytest.mark.parametrize("who", ["it", "client"])
def test_a_constant_number_of_queries(as_: As, cast: Cast, declared: Any, backup: Backup, who: str) -> None:
    def add(source: Backup) -> None:
        one = Incident.objects.get(pk=declared["id"])
        if not one.affected.filter(resource=source.resource).exists():
            one.affected.create(resource=source.resource, position=9, backup=source)
        make_attempt(
            make_request(source, cast.it, status=Status.RUNNING, cause=Cause.INFRASTRUCTURE, incident=one), cast.it
        )
        Incident.objects.create(
            status="open", status_changed_at=timezone.now(), source="person", hazard="x", began_at=timezone.now(),
            declared_at=timezone.now(), declared_by=cast.it,
        ).affected.create(resource=source.resource, position=1, backup=source)  # fmt: skip

    def counted(address: str) -> int:
        client = as_(who)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    addresses = [LIST, f"{LIST}{declared['id']}/"]
    add(backup)
    few = [counted(address) for address in addresses]
    for _ in range(4):
        add(make_backup(make_resource(cast.shop), timezone.now()))
    assert [counted(address) for address in addresses] == few
    assert max(few) <= 20


@pytest.fixture
def stuck(cast: Cast, declared: Any, backup: Backup, foreign: Backup) -> str:
    """Its address: recovering, the first one's backup proved damaged with an older one left, the other is back."""
    now, incident = timezone.now(), Incident.objects.get()
    make_backup(backup.resource, now - timedelta(days=3))
    Incident.objects.update(
        status="recovering", confirmed_at=now, confirmed_by=cast.it, confirmed_digest="0" * 64, began_at=now
    )
    for one, status in ((backup, Status.FAILED), (foreign, Status.COMPLETED)):
        request = make_request(one, cast.it, status=status, cause=Cause.INFRASTRUCTURE, incident=incident)
        told = {"error": "It is damaged."} if status is Status.FAILED else {"proof": "3 files"}
        make_attempt(request, cast.it, status=status.value, finished_at=now, **told)
    Backup.objects.filter(pk=backup.pk).update(damaged_at=now)
    return f"{LIST}{incident.pk}/"


def test_the_next_good_backup_is_told_and_confirmed(as_: As, stuck: str, backup: Backup, foreign: Backup) -> None:
    it = as_("second_it")
    failed = RestoreRequest.objects.get(backup=backup)
    request = it.get(f"/api/restore-requests/{failed.pk}/").json()
    assert "found damaged" in request["can"]["retry"]
    assert "restores the next good one" in request["next"]
    tried = it.post(f"/api/restore-requests/{failed.pk}/retry/", {"plan_digest": request["plan_digest"]})
    assert (tried.status_code, tried.json()["detail"]) == (409, request["can"]["retry"])
    told = it.get(stuck).json()
    assert told["can"]["restore-next"] is None
    rows = {row["resource"]["id"]: row for row in told["affected"]}
    assert rows[foreign.resource_id]["next_backup"] is None
    further = rows[backup.resource_id]["next_backup"]
    assert (further["backup"], further["why_not"]) == (backup.resource.backups.earliest("taken_at").pk, "")
    assert further["needs_typed_number"] is True
    assert further["loss_window_seconds"] >= 3 * 86400
    sent = {"resource": backup.resource_id, "digest": further["digest"]}
    untyped = it.post(f"{stuck}restore-next/", sent)
    assert (untyped.status_code, untyped.json()["field"]) == (400, "typed_number")
    sent["typed_number"] = told["number"]
    stale = it.post(f"{stuck}restore-next/", sent | {"digest": "0" * 64})
    assert (stale.status_code, "not the one you looked at" in stale.json()["detail"]) == (409, True)
    assert it.post(f"{stuck}restore-next/", {"resource": backup.resource_id}).json()["field"] == "digest"
    done = it.post(f"{stuck}restore-next/", sent)
    assert done.status_code == 200, done.content
    row = next(one for one in done.json()["affected"] if one["resource"]["id"] == backup.resource_id)
    assert (row["state"], row["backup"], row["next_backup"]) == ("Waits its turn", further["backup"], None)
    assert row["request"] != failed.pk
    assert "nothing to go on with" in done.json()["can"]["restore-next"]
    assert it.get(f"/api/restore-requests/{failed.pk}/").json()["status"] == "cancelled"


def test_only_it_is_told_with_what_to_go_on(as_: As, stuck: str) -> None:
    for who in ("client", "auditor", "administrator"):
        assert {row["next_backup"] for row in as_(who).get(stuck).json()["affected"]} == {None}, who


def test_at_rest_it_says_the_same_as_the_board(as_: As, stuck: str, backup: Backup, foreign: Backup) -> None:
    def told() -> set[tuple[str, str]]:
        whole, listed = as_("it").get(stuck).json(), as_("it").get(LIST).json()["results"][0]
        return {(one["turn"], one["next"]) for one in (whole, listed)}

    assert told() == {("IT", "Nothing of it waits or runs any more: look at what did not come back, then close it.")}
    RestoreRequest.objects.filter(backup=backup).update(status="completed")
    assert told() == {("IT", "Nothing of it waits or runs any more; it can be closed.")}
    RestoreRequest.objects.filter(backup=backup).update(status="running")
    ((turn, then),) = told()
    assert (turn, then.startswith("The restores run in their order")) == ("the portal", True)
    RestoreRequest.objects.filter(backup=backup).update(incident=None)
    ((turn, _),) = told()
    assert turn == "the portal", "one of the list is not filed yet"


def test_what_is_named_twice_is_refused(as_: As, declared: Any, backup: Backup, foreign: Backup) -> None:
    order = [backup.resource_id, backup.resource_id, foreign.resource_id]
    it, sentence = as_("it"), f"{backup.resource_id} is named more than once. Name each id once."
    for address, sent, field in (
        (f"{LIST}{declared['id']}/arrange/", {"order": order}, "order"),
        (f"{LIST}{declared['id']}/extend/", {"resources": order}, "resources"),
        (LIST, {"hazard": "Lost.", "resources": order}, "resources"),
    ):
        refused = it.post(address, sent)
        assert (refused.status_code, refused.json()["field"], refused.json()["detail"]) == (400, field, sentence)
    assert Incident.objects.count() == 1
