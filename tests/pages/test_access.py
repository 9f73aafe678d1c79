"""The six questions of every page: owner, colleague, stranger, read-only, wrong method, signed out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from backups.models import Backup, Resource
from tests.pages.conftest import As

PAGES = ("start", "resources", "resources_export", "policy", "resource", "backup", "backup_live")
OF_ONE = {"resource", "backup", "backup_live"}


@pytest.fixture
def address(resource: Resource, backup: Backup):
    def made(page: str) -> str:
        pk = {"resource": resource.pk, "resource_back_up": resource.pk, "backup": backup.pk, "backup_live": backup.pk}
        return reverse(page, args=[pk[page]] if page in pk else [])

    return made


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["client", "colleague", "staff", "it", "account_manager", "auditor", "administrator"])
def test_those_who_may_see_it_do(as_: As, address, page: str, who: str) -> None:
    assert as_(who).get(address(page)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["media_client", "media_account_manager", "nobody"])
def test_a_stranger_finds_nothing(as_: As, address, page: str, who: str) -> None:
    answer = as_(who).get(address(page))
    assert answer.status_code == (404 if page in OF_ONE else 200)
    shown = answer.getvalue()
    assert b"shop-db" not in shown


@pytest.mark.parametrize("page", [*PAGES, "resource_new", "resource_back_up"])
def test_signed_out_goes_to_the_sign_in_and_back(as_: As, address, page: str) -> None:
    answer = as_("").get(address(page))
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_login')}?next={address(page)}"


def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(as_: As, address) -> None:
    answer = as_("").get(address("backup_live"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == reverse("account_login")


@pytest.mark.parametrize(
    ("shown", "back"),
    [
        ("http://testserver/requests/7/?x=1#steps", "?next=/requests/7/%3Fx%3D1"),
        ("https://elsewhere.example/requests/7/", ""),
        ("http://testserver//elsewhere.example/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_and_back_to_the_page_that_it_was_a_part_of(as_: As, address, shown: str, back: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": shown}
    answer = as_("").get(address("backup_live"), headers=headers)
    assert answer["HX-Redirect"].partition("%23")[0].partition("#")[0] == f"{reverse('account_login')}{back}"


@pytest.mark.parametrize("page", PAGES)
def test_pages_that_show_are_not_posted_to(as_: As, address, page: str) -> None:
    assert as_("it").post(address(page)).status_code == 405


def test_backing_up_is_not_a_link(as_: As, address) -> None:
    assert as_("it").get(address("resource_back_up")).status_code == 405


@pytest.mark.parametrize("who", ["client", "account_manager", "auditor", "administrator"])
def test_backing_up_is_for_it_and_staff(as_: As, address, resource: Resource, who: str) -> None:
    answer = as_(who).post(address("resource_back_up"), {"reason": "before the release"})
    assert answer.status_code == 403
    assert "Only IT and staff of this client take backups on request" in answer.content.decode()
    assert resource.backups.count() == 1


def test_a_stranger_cannot_back_up(as_: As, address, resource: Resource) -> None:
    assert as_("media_client").post(address("resource_back_up"), {"reason": "why not"}).status_code == 404
    assert resource.backups.count() == 1


@pytest.mark.parametrize("who", ["client", "staff", "account_manager", "auditor", "administrator", "nobody"])
def test_registering_is_for_it(as_: As, who: str) -> None:
    answer = as_(who).get(reverse("resource_new"))
    assert answer.status_code == 403
    assert "Only IT registers resources. Ask IT to do it." in answer.content.decode()


def test_switched_off_people_are_out(as_: As, cast) -> None:
    browser = as_("it")
    assert browser.get("/resources/").status_code == 200
    cast.it.is_active = False
    cast.it.save()
    assert browser.get("/resources/").status_code == 302
