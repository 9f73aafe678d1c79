"""The same six questions for every page: owner, colleague, stranger, read-only, wrong method, signed out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from restores.models import Charge, RestoreRequest
from tests.pages.restores.conftest import As

PAGES = ["request", "request_live"]
POSTS = [
    "request_approve", "request_reject", "request_cancel", "request_retry", "request_undo", "request_stop",
    "request_schedule", "request_extend",
]  # fmt: skip
LISTS = ["requests", "kept", "request_new", "approvals", "charges"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("person", "status"),
    [("client", 200), ("colleague", 200), ("staff", 200), ("it", 200), ("auditor", 200), ("account_manager", 200),
     ("administrator", 200), ("media_client", 404), ("media_account_manager", 404), ("nobody", 404)],
)  # fmt: skip
def test_a_request_is_seen_by_its_people(
    as_: As, submitted: RestoreRequest, name: str, person: str, status: int
) -> None:
    assert as_(person).get(reverse(name, args=[submitted.pk])).status_code == status


@pytest.mark.parametrize("name", POSTS)
@pytest.mark.parametrize(
    ("person", "status"),
    [("media_client", 404), ("nobody", 404), ("auditor", 403), ("account_manager", 403), ("administrator", 403)],
)
def test_who_only_looks_changes_nothing(
    as_: As, submitted: RestoreRequest, name: str, person: str, status: int
) -> None:
    sent = {"reason": "because", "plan_digest": "x", "until": "2027-01-01"}
    answer = as_(person).post(reverse(name, args=[submitted.pk]), sent)
    assert answer.status_code == status
    submitted.refresh_from_db()
    assert submitted.status == "submitted"
    assert not submitted.events.exists()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", POSTS)
def test_a_look_at_an_address_that_changes_things_changes_nothing(
    as_: As, submitted: RestoreRequest, name: str
) -> None:
    assert as_("it").get(reverse(name, args=[submitted.pk])).status_code == 405


@pytest.mark.parametrize("name", ["request", "request_live", "request_download"])
def test_pages_of_a_request_are_only_looked_at(as_: As, submitted: RestoreRequest, name: str) -> None:
    assert as_("client").post(reverse(name, args=[submitted.pk])).status_code == 405


@pytest.mark.parametrize("name", [*PAGES, *POSTS, "request_download"])
def test_who_is_not_signed_in_is_asked_to(as_: As, submitted: RestoreRequest, name: str) -> None:
    answer = as_("").post(reverse(name, args=[submitted.pk]))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", [*LISTS, "request_new_summary", "request_new_backups"])
def test_lists_need_a_sign_in(as_: As, name: str) -> None:
    assert as_("").get(reverse(name))["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    ("name", "person", "status"),
    [
        ("requests", "client", 200), ("requests", "auditor", 200), ("requests", "nobody", 200),
        ("request_new", "client", 200), ("request_new", "staff", 200), ("request_new", "it", 200),
        ("request_new", "auditor", 403), ("request_new", "account_manager", 403), ("request_new", "nobody", 403),
        ("approvals", "it", 200), ("approvals", "client", 403), ("approvals", "auditor", 403), ("approvals", "nobody", 403),
        ("charges", "account_manager", 200), ("charges", "client", 200), ("charges", "auditor", 200),
        ("charges", "it", 403), ("charges", "staff", 403), ("charges", "nobody", 403),
    ],
)  # fmt: skip
def test_each_list_is_for_its_roles(as_: As, name: str, person: str, status: int) -> None:
    assert as_(person).get(reverse(name)).status_code == status


@pytest.mark.parametrize("name", ["requests", "approvals", "charges"])
def test_lists_are_only_looked_at(as_: As, name: str) -> None:
    assert as_("it").post(reverse(name)).status_code == 405


@pytest.mark.parametrize(
    ("person", "status"),
    [("account_manager", 200), ("client", 200), ("colleague", 200), ("auditor", 200), ("administrator", 200), ("it", 404),
     ("staff", 404), ("media_account_manager", 404), ("media_client", 404), ("nobody", 404)],
)  # fmt: skip
def test_a_charge_is_seen_by_those_who_pay_and_decide(as_: As, charge: Charge, person: str, status: int) -> None:
    assert as_(person).get(reverse("charge", args=[charge.pk])).status_code == status


@pytest.mark.parametrize("name", ["charge_confirm", "charge_waive", "charge_adjust", "charge_reopen"])
@pytest.mark.parametrize(
    ("person", "status"),
    [("client", 403), ("auditor", 403), ("it", 404), ("media_account_manager", 404), ("", 302)],
)
def test_only_the_account_manager_decides(as_: As, charge: Charge, name: str, person: str, status: int) -> None:
    assert (
        as_(person).post(reverse(name, args=[charge.pk]), {"reason": "because", "amount": "30"}).status_code == status
    )
    charge.refresh_from_db()
    assert charge.status == "to_review"
    assert as_("account_manager").get(reverse(name, args=[charge.pk])).status_code == 405
