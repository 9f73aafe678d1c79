"""The pages of incidents: the six questions, what each person sees, and that deciding comes back in words."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backups.models import Backup, Resource
from restores.actions.incident_choosing import digest_of
from restores.actions.incident_moves import note_incident, open_record
from restores.actions.incidents import declare
from restores.charging import Cause
from restores.incident_workflow import IncidentMove
from restores.models import Incident, RestoreRequest, ZabbixEvent, ZabbixHost
from restores.workflow import Status
from tests.factories import Cast, make_attempt, make_backup, make_request, make_resource
from tests.pages.conftest import As
from tests.pages.restores.conftest import finish

PAGES = ["incident", "incident_live", "incident_record", "incident_times"]
POSTS = [
    "incident_take_on",
    "incident_arrange",
    "incident_confirm",
    "incident_take_out",
    "incident_dismiss",
    "incident_close",
]
SEERS = ["client", "colleague", "staff", "account_manager", "it", "second_it", "auditor", "administrator"]


@pytest.fixture
def incident(cast: Cast, backup: Backup, foreign: Backup) -> Incident:
    """Of both clients."""
    affected = Resource.objects.filter(pk__in=[backup.resource_id, foreign.resource_id])
    return declare(by=cast.it, hazard="The disk of host 7 is gone.", resources=affected)


def proposal(cast: Cast, resource: Resource) -> Incident:
    now = timezone.now()
    incident = Incident.objects.create(
        status="proposed",
        status_changed_at=now,
        source="zabbix",
        hazard="srv-mediaco-3 is down",
        began_at=now,
        declared_at=now,
    )
    incident.affected.create(resource=resource, position=1, backup=resource.backups.first())
    ZabbixEvent.objects.create(
        event_id="4711", trigger=incident.hazard, hosts=["srv-mediaco-3"], clock=now, seen_at=now, incident=incident
    )
    open_record(incident, IncidentMove.PROPOSE, by=None, text="Zabbix reported a problem")
    return incident


def carry(incident: Incident, backup: Backup, cast: Cast, stands: Status, **facts: Any) -> RestoreRequest:
    """One of its restores, as it stands."""
    request = make_request(backup, cast.it, status=stands, cause=Cause.INFRASTRUCTURE, incident=incident)
    make_attempt(request, cast.it, **facts)
    return request


def confirm_rows(incident: Incident, cast: Cast) -> None:
    now = timezone.now()
    Incident.objects.filter(pk=incident.pk).update(
        status="recovering", confirmed_at=now, confirmed_by=cast.it, confirmed_digest="0" * 64
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", SEERS)
def test_those_concerned_see_it(as_: As, incident: Incident, page: str, who: str) -> None:
    answer = as_(who).get(reverse(page, args=[incident.pk]))
    assert answer.status_code == 200
    if page != "incident_record":
        assert b"shop-db" in answer.getvalue()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["client", "staff", "account_manager", "media_client"])
def test_nobody_reads_of_another_clients_resources(
    as_: As, cast: Cast, incident: Incident, foreign: Backup, backup: Backup, page: str, who: str
) -> None:
    for one in (backup, foreign):
        note_incident(
            incident,
            by=cast.it,
            now=timezone.now(),
            text=f"{one.resource} taken out",
            reason="so",
            resource=one.resource,
        )
    shown = as_(who).get(reverse(page, args=[incident.pk])).getvalue()
    hidden = b"shop" if who == "media_client" else b"news"
    if page != "incident_record":
        assert hidden not in shown.lower().replace(b"shopping", b"")
        assert (b"news-db" if who == "media_client" else b"shop-db") in shown


@pytest.mark.parametrize("page", [*PAGES, *POSTS])
def test_a_stranger_finds_nothing(as_: As, cast: Cast, backup: Backup, page: str) -> None:
    ours = declare(by=cast.it, hazard="Lost.", resources=Resource.objects.filter(pk=backup.resource_id))
    for who in ("media_client", "media_account_manager", "nobody"):
        browser = as_(who)
        send = browser.post if page in POSTS else browser.get
        assert send(reverse(page, args=[ours.pk])).status_code == 404, who


@pytest.mark.parametrize("page", [*PAGES, *POSTS])
def test_signed_out_and_the_wrong_method(as_: As, incident: Incident, page: str) -> None:
    address = reverse(page, args=[incident.pk])
    assert as_("").post(address)["Location"].startswith("/sign-in/")
    assert (as_("it").get(address) if page in POSTS else as_("it").post(address)).status_code == 405


@pytest.mark.parametrize("page", POSTS)
@pytest.mark.parametrize("who", ["client", "staff", "auditor", "account_manager", "administrator"])
def test_who_only_looks_changes_nothing(
    as_: As, cast: Cast, incident: Incident, backup: Backup, page: str, who: str
) -> None:
    typed = {
        "reason": "because",
        "digest": digest_of(incident),
        "typed_number": incident.number,
        "resource": backup.resource_id,
    }
    assert as_(who).post(reverse(page, args=[incident.pk]), typed).status_code == 403
    incident.refresh_from_db()
    assert (incident.status, incident.events.count()) == ("open", 1)
    assert not RestoreRequest.objects.exists()


@pytest.mark.parametrize(
    ("name", "who", "status"),
    [
        ("incidents", "it", 200), ("incidents", "client", 200), ("incidents", "auditor", 200), ("incidents", "nobody", 403),
        ("incident_new", "it", 200), ("incident_new", "client", 403), ("incident_new", "auditor", 403), ("incident_new", "", 302),
        ("zabbix_hosts", "it", 200), ("zabbix_hosts", "auditor", 403), ("zabbix_hosts", "staff", 403), ("zabbix_hosts", "", 302),
    ],
)  # fmt: skip
def test_each_list_is_for_its_roles(as_: As, name: str, who: str, status: int) -> None:
    assert as_(who).get(reverse(name)).status_code == status


def test_it_is_found_by_its_number_where_a_backup_names_it(as_: As, incident: Incident, backup: Backup) -> None:
    address = f"{reverse('requests')}?q={incident.number}"
    assert f"?q={incident.number}" in as_("client").get(reverse("backup", args=[backup.pk])).content.decode()
    assert as_("client").get(address)["Location"] == incident.get_absolute_url()
    assert as_("nobody").get(address).status_code == 200


def test_adding_to_the_list(as_: As, cast: Cast, incident: Incident) -> None:
    more, address = make_resource(cast.shop, "shop-mail"), reverse("incident_extend", args=[incident.pk])
    assert as_("it").get(address).status_code == 200
    assert as_("it").post(address, {"resources": [more.pk]}).status_code == 302
    assert incident.affected.count() == 3
    nothing = as_("it").post(address, {})
    assert (nothing.status_code, "not in the list yet" in nothing.content.decode()) == (400, True)
    assert as_("client").post(address, {"resources": [more.pk]}).status_code == 403
    assert as_("nobody").get(address).status_code == 404
    assert as_("").get(address).status_code == 302


def test_a_proposal_stays_inside_and_its_words_even_later(as_: As, cast: Cast, backup: Backup) -> None:
    incident = proposal(cast, backup.resource)
    address = reverse("incident", args=[incident.pk])
    assert as_("client").get(address).status_code == 404
    shown = as_("it").get(address).content.decode()
    assert "srv-mediaco-3" in shown
    assert f"{reverse('zabbix_hosts')}?host=srv-mediaco-3" in shown
    assert incident.number in as_("it").get("/").content.decode()
    as_("it").post(reverse("incident_take_on", args=[incident.pk]))
    for page in (*PAGES[:2], "incident_times"):
        shown = as_("client").get(reverse(page, args=[incident.pk])).getvalue().decode()
        assert "srv-mediaco-3" not in shown
    assert "The monitoring reported a hazard." in as_("client").get(address).content.decode()
    assert "srv-mediaco-3" not in as_("client").get(reverse("incidents")).content.decode()


def test_declaring_after_a_look(as_: As, backup: Backup, resource: Resource, foreign: Backup) -> None:
    address, browser = reverse("incident_new"), as_("it")
    typed = {"hazard": "", "region": "", "resources": [resource.pk], "concurrency": "3"}
    looked = browser.post(address, {**typed, "preview": "1"})
    assert looked.status_code == 200
    assert "1 resource is affected" in looked.content.decode()
    assert "Say what happened" not in looked.content.decode()
    assert not Incident.objects.exists()
    assert "Say what happened" in browser.post(address, typed).content.decode()
    done = browser.post(address, {**typed, "hazard": "The disk is gone.", "region": "eu-central-1"})
    incident = Incident.objects.get()
    assert done["Location"] == reverse("incident", args=[incident.pk])
    assert (incident.affected.count(), incident.concurrency, incident.lost_region) == (2, 3, "eu-central-1")
    assert (
        "in the future"
        in browser.post(address, {**typed, "hazard": "x", "began_at": "2190-01-01T00:00"}).content.decode()
    )
    nothing = browser.post(address, {"hazard": "x", "concurrency": "2"})
    assert (nothing.status_code, "Nothing is affected" in nothing.content.decode()) == (400, True)


def test_confirming_on_the_board(as_: As, incident: Incident, cast: Cast, backup: Backup) -> None:
    address, browser = reverse("incident_confirm", args=[incident.pk]), as_("second_it")
    page = browser.get(incident.get_absolute_url()).content.decode()
    assert digest_of(incident) in page
    assert "Restore 2 resources now" in page
    wrong = browser.post(address, {"digest": digest_of(incident), "typed_number": "yes"})
    assert wrong.status_code == 400
    assert f"Type {incident.number} to confirm" in wrong.content.decode()
    make_backup(backup.resource, timezone.now())
    stale = browser.post(address, {"digest": digest_of(incident), "typed_number": incident.number})
    assert stale.status_code == 409
    assert "not the one you looked at" in stale.content.decode()
    incident.refresh_from_db()
    assert digest_of(incident) in stale.content.decode(), "what is confirmed next is what is shown now"
    done = browser.post(address, {"digest": digest_of(incident), "typed_number": incident.number}, follow=True)
    assert "is confirmed. Its restores start" in done.content.decode()
    again = as_("it").post(address, {"digest": digest_of(incident), "typed_number": incident.number})
    assert (again.status_code, "has confirmed" in again.content.decode()) == (409, True)
    request = incident.restore_requests.get(resource=backup.resource)
    assert incident.get_absolute_url() in as_("client").get(request.get_absolute_url()).content.decode()


def test_arranging_and_taking_out(as_: As, incident: Incident, resource: Resource, foreign: Backup) -> None:
    browser, other = as_("it"), foreign.resource
    assert [row.resource for row in incident.affected.all()] == [other, resource]
    browser.post(
        reverse("incident_arrange", args=[incident.pk]),
        {
            f"place-{resource.pk}": "1",
            f"place-{other.pk}": "1",
            f"mode-{other.pk}": "beside",
            "concurrency": "5",
            "place-x": "1",
        },
    )
    incident.refresh_from_db()
    assert [row.resource for row in incident.affected.all()] == [resource, other]
    assert (incident.affected.get(resource=other).mode, incident.concurrency) == ("beside", 5)
    refused = browser.post(reverse("incident_arrange", args=[incident.pk]), {"concurrency": "51"})
    assert (refused.status_code, "Let 1 to 50" in refused.content.decode()) == (400, True)
    address = reverse("incident_take_out", args=[incident.pk])
    missing = browser.post(address, {"resource": other.pk, "reason": ""})
    assert (missing.status_code, "Say why" in missing.content.decode()) == (400, True)
    assert browser.post(address, {"resource": other.pk, "reason": "It is well."}).status_code == 302
    assert "It is well." in browser.get(incident.get_absolute_url()).content.decode()
    assert browser.post(address, {"resource": 10**30, "reason": "x"}).status_code == 400


def test_the_board_tells_states_results_and_times(
    as_: As, cast: Cast, incident: Incident, backup: Backup, foreign: Backup
) -> None:
    confirm_rows(incident, cast)
    began = timezone.now() - timedelta(hours=3)
    Incident.objects.update(began_at=began)
    carry(incident, backup, cast, Status.COMPLETED, status="completed", proof="3 files as in the manifest",
          finished_at=began + timedelta(hours=2), went_live_at=began + timedelta(hours=2))  # fmt: skip
    carry(
        incident,
        foreign,
        cast,
        Status.FAILED,
        status="failed",
        error="The disk is full.",
        error_detail="ENOSPC at /srv",
    )
    shown = as_("it").get(incident.get_absolute_url()).content.decode()
    for words in (
        "Recovered",
        "2\N{NO-BREAK SPACE}h",
        "3 files as in the manifest",
        "The disk is full.",
        "ENOSPC",
        "1 of 2",
    ):
        assert words in shown, words
    theirs = as_("media_client").get(incident.get_absolute_url()).content.decode()
    assert "The disk is full." in theirs
    assert "ENOSPC" not in theirs
    assert "0 of 1" in theirs
    rows = list(
        csv.DictReader(io.StringIO(as_("it").get(reverse("incident_times", args=[incident.pk])).getvalue().decode()))
    )
    assert {row["resource"]: row["seconds_to_recovery"] for row in rows} == {"shop-db": "7200", "news-db": ""}
    assert as_("it").get(reverse("incident_record", args=[incident.pk])).content.startswith(b"%PDF")


def test_it_is_asked_anew_until_it_is_over(as_: As, cast: Cast, incident: Incident) -> None:
    live = reverse("incident_live", args=[incident.pk])
    assert "every 3s" not in as_("it").get(incident.get_absolute_url()).content.decode()
    confirm_rows(incident, cast)
    assert "every 3s" in as_("client").get(incident.get_absolute_url()).content.decode()
    assert as_("client").get(live).status_code == 200
    as_("it").post(reverse("incident_close", args=[incident.pk]), {"reason": "Over."})
    RestoreRequest.objects.all().delete()
    Incident.objects.update(status="closed", closed_at=timezone.now(), closed_by=cast.it, close_reason="Over.")
    assert as_("client").get(live).status_code == 286


@pytest.mark.parametrize("who", ["it", "client"])
@pytest.mark.parametrize("page", ["incidents", "incident"])
def test_a_constant_number_of_queries(
    as_: As, cast: Cast, incident: Incident, backup: Backup, page: str, who: str
) -> None:
    confirm_rows(incident, cast)
    carry(incident, backup, cast, Status.RUNNING)
    browser = as_(who)
    address = reverse(page, args=[incident.pk] if page == "incident" else [])

    def counted() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return len(queries)

    counted()
    few = counted()
    for number in range(5):
        resource = make_resource(cast.shop)
        extra = make_backup(resource, timezone.now() - timedelta(days=1), regions=("eu-central-1", "eu-west-1"))
        incident.affected.create(resource=resource, position=10 + number, backup=extra)
        carry(incident, extra, cast, Status.RUNNING)
        declare(by=cast.it, hazard="More.", resources=Resource.objects.filter(pk=resource.pk))
    assert counted() == few <= 35


def test_hosts_are_said_by_it(as_: As, cast: Cast, resource: Resource) -> None:
    ZabbixHost.objects.create(host="shop-7", seen_at=timezone.now())
    browser, address = as_("it"), reverse("zabbix_hosts")
    assert "Reported, and unknown" in browser.get(address).content.decode()
    browser.post(address, {"host": "shop-7", "resources": [resource.pk], "applications": [cast.shop.pk]})
    host = ZabbixHost.objects.get()
    assert (list(host.resources.all()), list(host.applications.all())) == ([resource], [cast.shop])
    assert host.history.first().history_user == cast.it
    shown = browser.get(f"{address}?host=shop-7").content.decode()
    assert "Reported, and unknown" not in shown
    assert f'value="{resource.pk}" selected' in shown
    browser.post(address, {"host": "shop-7"})
    assert ZabbixHost.objects.unknown().exists()
    assert browser.post(address, {"host": ""}).status_code == 400
    assert as_("client").post(address, {"host": "x"}).status_code == 403


@pytest.mark.parametrize("name", ["incident_new", "incident_extend", "zabbix_hosts"])
def test_what_is_typed_and_chosen_stays_while_the_lists_are_narrowed(
    as_: As, cast: Cast, resource: Resource, incident: Incident, name: str
) -> None:
    other = make_resource(cast.shop)
    address = reverse(name, args=[incident.pk] if name == "incident_extend" else [])
    typed = {"hazard": "The <b>roof</b>.", "began_at": "yesterday", "host": "shop-7", "resources": [resource.pk]}
    answer = as_("it").post(address, typed | {"q": other.name, "narrow": "1"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{resource.pk}" selected' in page
    assert f'<option value="{other.pk}">' in page
    assert f'name="q" value="{other.name}"' in page
    for typed_word, form in (
        ("The &lt;b&gt;roof", "incident_new"),
        ("yesterday", "incident_new"),
        ("shop-7", "zabbix_hosts"),
    ):
        assert (typed_word in page) == (form == name)
    assert 'role="alert"' not in page
    assert (Incident.objects.count(), ZabbixHost.objects.count()) == (1, 0)
    nothing = as_("it").post(address, {"q": "no such name", "narrow": "1"}).content.decode()
    assert f'<option value="{other.pk}">' not in nothing


@pytest.mark.parametrize(
    "query", ["q=%00", "host=%00", "resources=x&resources=" + "9" * 40, "after=zzz", "q=" + "ä" * 500]
)
def test_whatever_stands_in_the_address(as_: As, incident: Incident, query: str) -> None:
    for name in ("incidents", "incident_new", "zabbix_hosts"):
        assert as_("it").get(f"{reverse(name)}?{query}").status_code == 200
    assert as_("it").get(f"{incident.get_absolute_url()}?{query}").status_code == 200


def test_a_backup_from_after_the_hazard_is_marked(as_: As, cast: Cast, backup: Backup, now: datetime) -> None:
    affected = Resource.objects.filter(pk=backup.resource_id)
    declare(by=cast.it, hazard="Lost.", resources=affected, began_at=now - timedelta(days=9))
    assert "Taken after the hazard began" in as_("it").get(Incident.objects.get().get_absolute_url()).content.decode()


@pytest.fixture
def stuck(cast: Cast, incident: Incident, backup: Backup, foreign: Backup, now: datetime) -> Incident:
    """Recovering: the first one’s backup proved damaged, with one from two days before left; the second is back."""
    older = make_backup(backup.resource, now - timedelta(days=2))
    confirm_rows(incident, cast)
    carry(incident, backup, cast, Status.FAILED, status="failed", error="The stored backup is damaged.")
    carry(incident, foreign, cast, Status.COMPLETED, status="completed", proof="3 files", finished_at=now)
    Backup.objects.filter(pk=backup.pk).update(damaged_at=now)
    assert older.pk != backup.pk
    return Incident.objects.get(pk=incident.pk)


def next_page(incident: Incident, resource: Resource) -> str:
    return reverse("incident_next", args=[incident.pk, resource.pk])


def digest_on(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


def test_the_next_good_backup_is_shown_and_confirmed(as_: As, stuck: Incident, backup: Backup) -> None:
    browser, address = as_("second_it"), next_page(stuck, backup.resource)
    failed = stuck.restore_requests.get(resource=backup.resource)
    board = browser.get(stuck.get_absolute_url()).content.decode()
    assert address in board
    assert "look at what did not come back, then close it" in board
    request_page = browser.get(failed.get_absolute_url()).content.decode()
    assert f"on the page of {stuck.number}" in request_page
    assert "act-retry" not in request_page, "nothing that is refused whatever one types"
    shown = browser.get(address).content.decode()
    for words in (
        "everything saved after that",
        "2\N{NO-BREAK SPACE}d",
        "in place",
        f"Type {stuck.number}",
        failed.number,
    ):
        assert words in shown, words
    digest = digest_on(shown)
    untyped = browser.post(address, {"digest": digest, "typed_number": "yes"})
    assert (untyped.status_code, f"Type {stuck.number} to confirm" in untyped.content.decode()) == (400, True)
    stale = browser.post(address, {"digest": "0" * 64, "typed_number": stuck.number})
    assert (stale.status_code, "not the one you looked at" in stale.content.decode()) == (409, True)
    assert digest_on(stale.content.decode()) == digest, "what is confirmed next is what is shown now"
    assert RestoreRequest.objects.filter(incident=stuck).count() == 2
    done = browser.post(address, {"digest": digest, "typed_number": stuck.number}, follow=True).content.decode()
    made = stuck.restore_requests.get(resource=backup.resource, status="approved")
    assert f"{made.number} is approved" in done
    assert address not in done
    assert "goes on with the next good backup" in done
    assert made.get_absolute_url() in done
    again = browser.post(address, {"digest": digest, "typed_number": stuck.number})
    assert (again.status_code, f"{made.number} waits or runs" in again.content.decode()) == (409, True)
    failed.refresh_from_db()
    assert failed.state is Status.CANCELLED


def test_what_was_given_up_by_hand_is_not_called_done(as_: As, stuck: Incident, backup: Backup) -> None:
    """The failed one was closed on its own page: it is not back, and can still go on."""
    stuck.restore_requests.filter(resource=backup.resource).update(status="cancelled", closed_at=timezone.now())
    board = as_("it").get(stuck.get_absolute_url()).content.decode()
    assert "look at what did not come back, then close it" in board
    assert next_page(stuck, backup.resource) in board


def test_other_requests_on_its_resources_are_named(as_: As, cast: Cast, incident: Incident, backup: Backup) -> None:
    """Before the confirmation: what was approved goes back to IT by it. On what came back: what replaced it since."""
    other = make_request(backup, cast.client, status="approved")
    shown = as_("it").get(incident.get_absolute_url()).content.decode()
    assert f"{other.number} is approved to replace it" in shown
    assert f"{other.number} was approved to replace the same live data." in shown
    Incident.objects.filter(pk=incident.pk).update(source="person", declared_by=cast.it)
    confirm_rows(incident, cast)
    now = timezone.now()
    carry(
        incident, backup, cast, Status.COMPLETED, status="completed", proof="3 files", finished_at=now, went_live_at=now
    )
    assert "has replaced what it restored since" not in as_("client").get(incident.get_absolute_url()).content.decode()
    finish(other, cast, went_live_at=now)
    for who in ("it", "client"):
        board = as_(who).get(incident.get_absolute_url()).content.decode()
        assert f"{other.number} has replaced what it restored since" in board
        assert "Replaced since" in board
        assert "Recovered" not in board, "what came back is not there any more"
    lines = b"".join(as_("it").get(reverse("incident_times", args=[incident.pk]))).decode()  # type: ignore[call-overload]
    assert f"{other.number} has replaced what it restored since" in lines


@pytest.mark.parametrize("who", ["client", "staff", "auditor", "account_manager", "administrator"])
def test_who_only_looks_goes_on_with_nothing(as_: As, stuck: Incident, backup: Backup, who: str) -> None:
    address = next_page(stuck, backup.resource)
    assert address not in as_(who).get(stuck.get_absolute_url()).content.decode()
    assert as_(who).get(address).status_code == 403
    assert as_(who).post(address, {"digest": "0" * 64}).status_code == 403
    assert stuck.restore_requests.get(resource=backup.resource).state is Status.FAILED


def test_who_has_nothing_to_do_with_it_finds_no_next_backup(
    as_: As, stuck: Incident, backup: Backup, foreign: Backup
) -> None:
    address = next_page(stuck, backup.resource)
    for who in ("media_client", "nobody"):
        assert as_(who).get(address).status_code == as_(who).post(address).status_code == 404, who
    assert as_("").get(address)["Location"].startswith("/sign-in/")
    assert as_("it").delete(address).status_code == 405
    assert as_("it").get(reverse("incident_next", args=[stuck.pk, 10**15])).status_code == 404
    there = as_("it").get(next_page(stuck, foreign.resource))
    assert (there.status_code, "restored already" in there.content.decode()) == (409, True)
    assert "did not bring it back" not in as_("it").post(next_page(stuck, foreign.resource)).content.decode()
    hostile = as_("it").post(address, {"digest": "\0<b>" + "ä" * 9000, "typed_number": "<script>"})
    assert (hostile.status_code, "<script>" in hostile.content.decode().split("<form")[-1]) == (409, False)


def test_without_another_good_backup_the_board_says_so(as_: As, stuck: Incident, backup: Backup) -> None:
    Backup.objects.filter(resource=backup.resource).update(damaged_at=timezone.now())
    board = as_("it").get(stuck.get_absolute_url()).content.decode()
    assert next_page(stuck, backup.resource) not in board
    assert "There is no other good backup of it." in board
    page = as_("it").get(next_page(stuck, backup.resource)).content.decode()
    assert "There is no other good backup of it." in page
    assert 'name="digest"' not in page


def test_what_is_stuck_costs_no_more_queries_the_more_there_are(
    as_: As, cast: Cast, stuck: Incident, backup: Backup, now: datetime
) -> None:
    browser = as_("it")

    def counted() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(stuck.get_absolute_url()).status_code == 200
        return len(queries)

    counted()
    few = counted()
    for number in range(4):
        resource = make_resource(cast.shop)
        broken = make_backup(resource, now - timedelta(days=1), damaged_at=now, damage="cut short")
        make_backup(resource, now - timedelta(days=3))
        stuck.affected.create(resource=resource, position=10 + number, backup=broken)
        carry(stuck, broken, cast, Status.FAILED, status="failed", error="Damaged.")
    assert counted() == few <= 38
