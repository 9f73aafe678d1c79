"""The inbox, preferences and following over the API."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import User
from restores.actions.telling import tell
from restores.audience import Audience
from restores.models import Notice, RestoreRequest
from tests.api.conftest import As, client_of
from tests.factories import Cast, make_backup, make_request, make_resource


@pytest.fixture
def told(completed: RestoreRequest, cast: Cast) -> Notice:
    tell(completed, by=None, now=timezone.now(), headline="Failed", text="It failed", audience={Audience.IT})
    return Notice.objects.get(person=cast.it)


def test_the_inbox_is_ones_own(as_: As, told: Notice) -> None:
    [row] = as_("it").get("/api/notices/").json()["results"]
    assert row["text"] == "It failed"
    assert row["request"]["number"] == told.request.number
    assert row["read_at"] is None
    assert as_("it").get(f"/api/notices/{told.pk}/").json() == row
    for who in ("second_it", "client", "auditor", "media_client", "nobody"):
        assert told.pk not in [one["id"] for one in as_(who).get("/api/notices/").json()["results"]]
        assert as_(who).get(f"/api/notices/{told.pk}/").status_code == 404
        assert as_(who).post(f"/api/notices/{told.pk}/read/").status_code == 404
        as_(who).post("/api/notices/read/")
    told.refresh_from_db()
    assert told.read_at is None


def test_reading_one_and_all(as_: As, told: Notice, cast: Cast) -> None:
    tell(told.request, by=None, now=timezone.now(), headline="x", text="y", audience={Audience.IT})
    api = as_("it")
    assert api.post(f"/api/notices/{told.pk}/read/").json()["read_at"] is not None
    assert [row["text"] for row in api.get("/api/notices/?unread=true").json()["results"]] == ["y"]
    assert [row["text"] for row in api.get("/api/notices/?unread=false").json()["results"]] == ["It failed"]
    assert api.get("/api/notices/?unread=maybe").status_code == 400
    assert api.post("/api/notices/read/").json() == {"read": 1}
    assert api.post("/api/notices/read/").json() == {"read": 0}
    assert api.post("/api/notices/read/", {"all": True}).status_code == 400


def test_methods_and_signing_in(as_: As, told: Notice) -> None:
    assert as_("it").delete(f"/api/notices/{told.pk}/").status_code == 405
    assert as_("it").get(f"/api/notices/{told.pk}/read/").status_code == 405
    for address in ("/api/notices/", f"/api/notices/{told.pk}/", "/api/preferences/"):
        assert as_("").get(address).status_code == 401


def test_preferences(as_: As, robot: User) -> None:
    api = as_("client")
    assert api.get("/api/preferences/").json() == {"mail_turn": True, "mail_followed": True, "digest": False}
    chosen = {"mail_turn": False, "mail_followed": True, "digest": True}
    assert api.post("/api/preferences/", chosen).json() == chosen
    assert api.get("/api/preferences/").json() == chosen
    assert as_("colleague").get("/api/preferences/").json()["mail_turn"] is True
    assert set(api.post("/api/preferences/", {"digest": True, "sms": True}).json()) == {"detail", "errors", "field"}
    refused = client_of(robot).post("/api/preferences/", chosen)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "A service account is told of nothing. It asks the API.",
    )


def test_following(as_: As, completed: RestoreRequest, robot: User) -> None:
    address = f"/api/restore-requests/{completed.pk}/"
    assert as_("client").get(address).json()["following"] is True
    api = as_("colleague")
    assert api.get(address).json()["following"] is False
    assert api.post(f"{address}follow/").json()["following"] is True
    assert api.post(f"{address}unfollow/").json()["following"] is False
    assert as_("media_client").post(f"{address}follow/").status_code == 404
    assert client_of(robot).post(f"{address}follow/").status_code == 403
    assert as_("").post(f"{address}follow/").status_code == 401


def test_the_list_asks_as_often_however_long_it_is(as_: As, told: Notice, cast: Cast) -> None:
    api = as_("it")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/api/notices/").status_code == 200
        return len(queries)

    few = asked()
    for n in range(6):
        request = make_request(make_backup(make_resource(cast.shop, f"db-{n}"), timezone.now()), cast.client)
        tell(request, by=None, now=timezone.now(), headline="x", text="y", audience={Audience.IT})
    assert asked() == few
