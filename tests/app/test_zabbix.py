"""Zabbix's webhook: it proposes, people confirm. Replayed, doubled, late, forged, unreadable: nothing that should not be."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backups.models import Pin, Resource
from portal.errors import NotPermitted
from restores.actions import zabbix
from restores.actions.incident_choosing import digest_of
from restores.actions.incidents import add_affected, confirm, take_on
from restores.actions.sweeping import sweep_restores
from restores.actions.zabbix import map_host, unknown_hosts
from restores.models import Incident, RestoreRequest, ZabbixEvent, ZabbixHost
from restores.zabbix_message import LARGEST, UnreadableMessage, read_message
from tests.app.world import World

SECRET = "a-secret-for-the-tests-of-zabbix"
DOCS = Path(portal_settings.BASE_DIR) / "docs"


@pytest.fixture(autouse=True)
def webhook(settings: Any) -> None:
    settings.ZABBIX_WEBHOOK_SECRET = SECRET
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def host(world: World, resource: Resource) -> ZabbixHost:
    return map_host(by=world.it, host="shop-7", resources=[resource])


def payload(**facts: Any) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    return {
        "event_id": "4711", "value": "PROBLEM", "severity": "High", "hosts": ["shop-7", "news-3"],
        "trigger": "Host has been unreachable for 5 minutes", "clock": now - 60, "sent": now, **facts,
    }  # fmt: skip


def post(body: Any, secret: str | None = SECRET, **more: Any) -> Any:
    headers = {"X-Zabbix-Secret": secret} if secret is not None else {}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Browser(enforce_csrf_checks=True).post(
        "/api/hooks/zabbix/", sent, content_type="application/json", headers=headers, **more
    )


def test_what_nobody_sees_does_not_turn_the_text_around(world: World) -> None:
    post(payload(trigger="up\u202e nwod\n  for\u200b ever"))
    assert Incident.objects.get().hazard == "up nwod for ever"


def test_what_a_log_says_is_kept_without_its_control_characters(world: World) -> None:
    post(payload(trigger="Log says: \x07\x1b[31mred\x9b\r\n\tas the \x7fsun 🔥"))
    assert Incident.objects.get().hazard == "Log says: [31mred as the sun 🔥"


def test_a_problem_proposes_what_people_said_and_guesses_nothing(host: ZabbixHost, resource: Resource) -> None:
    Resource.objects.filter(pk=resource.pk).update(name="news-3")  # the other host's very name
    answer = post(payload())
    incident = Incident.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {"detail": f"{incident.number} is proposed. A person of IT looks at it."},
    )
    assert (incident.status, incident.declared_by, incident.hazard) == ("proposed", None, payload()["trigger"])
    assert [row.resource for row in incident.affected.all()] == [resource]
    assert unknown_hosts(incident) == ["news-3"]
    assert Pin.objects.get(label=incident.number).backup == resource.backups.get()
    assert not RestoreRequest.objects.exists()
    assert list(ZabbixHost.objects.unknown()) == [ZabbixHost.objects.get(host="news-3")]


@pytest.mark.usefixtures("host")
def test_the_same_said_again_changes_nothing() -> None:
    assert post(payload()).status_code == 200
    before = list(Incident.objects.values()), list(ZabbixEvent.objects.values())
    answer = post(payload(trigger="Something else", hosts=["elsewhere"]))
    assert (answer.status_code, "nothing was changed" in answer.json()["detail"]) == (200, True)
    assert (list(Incident.objects.values()), list(ZabbixEvent.objects.values())) == before


@pytest.mark.usefixtures("host")
def test_a_recovery_closes_the_proposal_once() -> None:
    post(payload())
    assert "recovered by itself" in post(payload(value="RECOVERY")).json()["detail"]
    incident = Incident.objects.get()
    assert (incident.status, incident.closed_by) == ("dismissed", None)
    assert not Pin.objects.filter(label=incident.number).exists()
    events = incident.events.count()
    assert "known already" in post(payload(value="0")).json()["detail"]
    assert "nothing was changed" in post(payload()).json()["detail"], "the problem, replayed afterwards, opens nothing"
    assert (Incident.objects.count(), incident.events.count()) == (1, events)


def test_a_recovery_before_its_problem_leaves_nothing_to_open(transactional_db: None) -> None:
    assert "nothing to close" in post(payload(value="RECOVERY")).json()["detail"]
    assert post(payload()).json()["detail"] == "This event is over already."
    assert not Incident.objects.exists()


@pytest.mark.parametrize("status", ["open", "recovering"])
def test_what_a_person_took_on_only_a_person_closes(world: World, host: ZabbixHost, status: str) -> None:
    post(payload())
    incident = Incident.objects.get()
    if status == "open":
        take_on(by=world.it, incident=incident)
    else:
        confirm(by=world.it, incident=incident, digest=digest_of(incident), typed_number=incident.number)
    post(payload(value="RECOVERY"))
    incident.refresh_from_db()
    assert incident.status == status
    last = incident.events.last()
    assert last is not None
    assert last.text == "Zabbix reported that the problem is over"


def test_a_host_that_is_named_later_extends_the_proposal(world: World, resource: Resource) -> None:
    post(payload())
    incident = Incident.objects.get()
    assert unknown_hosts(incident) == ["shop-7", "news-3"]
    assert not incident.affected.exists()
    map_host(by=world.it, host="news-3", applications=[world.application])
    assert [row.resource for row in incident.affected.all()] == [resource]
    assert Pin.objects.filter(label=incident.number).exists()
    map_host(by=world.it, host="shop-7", resources=[resource])
    assert (incident.affected.count(), unknown_hosts(incident)) == (1, [])
    for who in (world.owner, world.auditor, world.robot, world.administrator):
        with pytest.raises(NotPermitted):
            map_host(by=who, host="shop-7")


def listed(incident: Incident) -> list[Resource]:
    return [row.resource for row in incident.affected.all()]


def proposals(number: int) -> list[Incident]:
    """So many problems of the same hosts, none of which is known yet."""
    for event in range(number):
        post(payload(event_id=str(event)))
    return list(Incident.objects.order_by("-pk"))


def test_of_many_proposals_the_latest_grow_at_once_and_the_others_in_turns(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zabbix, "A_TURN", 2)
    latest = proposals(5)
    map_host(by=world.it, host="news-3", resources=[resource])
    assert [listed(one) for one in latest] == [[resource]] * 2 + [[]] * 3
    now = timezone.now()
    sweep_restores(now, lost_before=now)
    assert [listed(one) for one in latest] == [[resource]] * 4 + [[]]
    sweep_restores(now, lost_before=now)
    assert [listed(one) for one in latest] == [[resource]] * 5
    assert [one.events.count() for one in latest] == [2] * 5, "told once each"
    assert Pin.objects.filter(label__in=[one.number for one in latest]).count() == 5
    told = [one.events.last().text for one in (latest[0], latest[-1])]  # type: ignore[union-attr]
    assert told == ["it said what its hosts are; the list has grown", "What its hosts are was said; the list has grown"]


def test_each_proposal_grows_in_a_transaction_of_its_own_after_what_the_host_is_was_kept(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web server dies, or fails, on the way: what was said is kept, and the sweeper does the rest."""
    latest, depths = proposals(3), []

    class Killed(BaseException):
        pass

    def dies(incident: Incident, resources: Any) -> int:
        depths.append(len(connection.savepoint_ids))
        if incident == latest[1]:
            raise Killed
        return add_affected(incident, resources)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(zabbix, "add_affected", dies)
        map_host(by=world.it, host="news-3", resources=[resource])
    assert ZabbixHost.objects.get(host="news-3").resources.get() == resource
    assert [listed(one) for one in latest] == [[resource], [], []]
    assert set(depths) == {1}, "a savepoint in its transaction, and nothing around that"
    now = timezone.now()
    sweep_restores(now, lost_before=now)
    assert [listed(one) for one in latest] == [[resource]] * 3


def test_one_that_cannot_grow_says_so_once_and_holds_up_no_other(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restores.actions.incidents.MOST_RESOURCES", 0)
    monkeypatch.setattr(zabbix, "A_TURN", 1)
    latest, now = proposals(2), timezone.now()
    map_host(by=world.it, host="news-3", resources=[resource])
    for _ in range(3):
        sweep_restores(now, lost_before=now)
    assert [one.events.filter(text=zabbix.TOO_MANY).count() for one in latest] == [1, 1]
    monkeypatch.undo()
    map_host(by=world.it, host="news-3", resources=[resource])
    assert [listed(one) for one in latest] == [[resource]] * 2, "said once more"


def test_the_sweeper_asks_as_often_however_many_proposals_have_all_they_need(world: World, resource: Resource) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            zabbix.extend_proposals(timezone.now())
        return len(queries)

    map_host(by=world.it, host="news-3", resources=[resource])
    proposals(1)
    zabbix.extend_proposals(timezone.now())
    few = asked()
    for event in range(1, 7):
        post(payload(event_id=str(event), hosts=[f"other-{event}", "news-3"]))
    zabbix.extend_proposals(timezone.now())
    assert (Incident.objects.count(), asked(), few <= 4) == (7, few, True)


def test_who_says_what_a_host_is_is_named_for_that_host_alone(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zabbix, "A_TURN", 1)
    latest = proposals(2)
    map_host(by=world.it, host="news-3", resources=[resource])
    assert [listed(one) for one in latest] == [[resource], []]
    map_host(by=world.it2, host="unrelated", resources=[resource])
    assert listed(latest[1]) == []
    sweep_restores(timezone.now(), lost_before=timezone.now())
    assert latest[1].events.last().text == "What its hosts are was said; the list has grown"  # type: ignore[union-attr]


def test_what_was_said_while_a_proposal_was_made_reaches_it_all_the_same(world: World, resource: Resource) -> None:
    """Both were committed without seeing the other."""
    (latest,) = proposals(1)
    found = ZabbixHost.objects.get(host="news-3")
    found.resources.set([resource])
    sweep_restores(timezone.now(), lost_before=timezone.now())
    assert listed(latest) == [resource]


@pytest.mark.parametrize(
    ("sent", "secret", "status"),
    [
        (payload(), None, 403), (payload(), "", 403), (payload(), "wrong", 403), (payload(), "ö" * 30, 403),
        (b"{", SECRET, 400), (b"[]", SECRET, 400), (b"\xff\xfe", SECRET, 400), (b"[" * 9000, SECRET, 400),
        (payload(more=1), SECRET, 400), (b" " * (LARGEST + 1), SECRET, 413),
    ],
)  # fmt: skip
def test_what_is_not_zabbixs_is_answered_shortly_and_nothing_is_stored(
    transactional_db: None, sent: Any, secret: str | None, status: int
) -> None:
    answer = post(sent, secret)
    assert answer.status_code == status
    assert len(answer.content) < 300
    assert not ZabbixEvent.objects.exists()
    assert not ZabbixHost.objects.exists()


def test_without_a_secret_of_ours_there_is_no_door(transactional_db: None, settings: Any) -> None:
    settings.ZABBIX_WEBHOOK_SECRET = ""
    for secret in ("", SECRET, None):
        assert post(payload(), secret).status_code == 404
    assert not ZabbixEvent.objects.exists()


def test_it_is_only_posted_to(client: Any, transactional_db: None) -> None:
    assert client.get("/api/hooks/zabbix/").status_code == 405


def test_noise_from_outside_keeps_no_report_out(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restores.views.zabbix_hook.HookThrottle.rate", "3/min", raising=False)
    assert [post(payload(), "wrong").status_code for _ in range(5)] == [403, 403, 403, 429, 429]
    assert post(payload()).status_code == 200


@pytest.mark.parametrize(
    "facts",
    [
        {"event_id": ""}, {"event_id": None}, {"event_id": "1" * 21}, {"event_id": "x"}, {"event_id": True},
        {"value": "2"}, {"value": None}, {"hosts": []}, {"hosts": "shop-7"}, {"hosts": [""]}, {"hosts": ["x" * 129]},
        {"hosts": [7]}, {"hosts": ["a\0b"]}, {"hosts": ["h"] * 201}, {"trigger": ""}, {"trigger": None}, {"trigger": "\ud800"},
        {"severity": 4}, {"clock": "soon"}, {"clock": -1}, {"clock": 10**12}, {"clock": None}, {"sent": None},
    ],
)  # fmt: skip
def test_each_field_is_read_strictly(facts: dict[str, Any]) -> None:
    with pytest.raises(UnreadableMessage) as raised:
        read_message(json.dumps(payload(**facts)).encode(), timezone.now())
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(("ago", "taken"), [(0, True), (14, True), (16, False), (-4, True), (-6, False)])
def test_what_was_sent_long_ago_is_worth_nothing(ago: int, taken: bool) -> None:
    now = timezone.now()
    body = json.dumps(payload(sent=int((now - timedelta(minutes=ago)).timestamp()))).encode()
    if taken:
        assert read_message(body, now).is_problem
    else:
        with pytest.raises(UnreadableMessage, match="sent too long ago"):
            read_message(body, now)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*payload(), "x"]), inner),
)


@given(ANYTHING)
def test_whatever_is_sent_is_read_in_a_sentence(body: Any) -> None:
    with contextlib.suppress(UnreadableMessage):
        read_message(json.dumps(body).encode(), timezone.now())


def test_the_documented_example_is_accepted(transactional_db: None) -> None:
    text = (DOCS / "incidents.md").read_text()
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    example["sent"] = int(timezone.now().timestamp())
    assert post(example).status_code == 200
    assert Incident.objects.get().hazard == example["trigger"]
