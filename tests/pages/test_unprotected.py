"""The page of what has no backups: the six questions, and taking in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backups.compliance_pdf import compliance_pdf
from backups.findings import Code
from backups.models import Account, AccountRegion, Discovered
from portal.errors import InvalidInput
from tests.drivers import aws
from tests.factories import Cast, make_finding, make_resource
from tests.fixtures_aws import unregistered
from tests.pages.conftest import As
from tests.pages.test_compliance_exports import text_of

__all__ = ["unregistered"]


def more_like(found: Discovered, *, name: str, **facts: Any) -> Discovered:
    """Another one, of the same region and tags."""
    values: dict[str, Any] = {
        "region": found.region, "kind": found.kind, "settings": found.settings, "sentence": found.sentence,
        "tags": found.tags, "first_seen_at": found.first_seen_at, "seen_at": found.seen_at,
        "locator": f"{found.locator}{name}", "name": name,
    }  # fmt: skip
    return Discovered.objects.create(**(values | facts))


@pytest.mark.parametrize("who", ["it", "auditor", "administrator"])
def test_who_sees_compliance_sees_it(as_: As, unregistered: Discovered, who: str) -> None:
    answer = as_(who).get(reverse("unprotected"))
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "&lt;b&gt;web-1&lt;/b&gt;" in shown
    assert "<b>web-1" not in shown
    assert "Shopco · Shop" in shown
    assert "has no backups" in as_(who).get(reverse("resources")).content.decode()


@pytest.mark.parametrize("who", ["client", "colleague", "staff", "account_manager", "media_client", "nobody"])
def test_others_do_not(as_: As, unregistered: Discovered, who: str) -> None:
    assert as_(who).get(reverse("unprotected")).status_code == 403
    assert as_(who).post(reverse("unprotected_take_in", args=[unregistered.pk])).status_code == 404
    assert "has no backups" not in as_(who).get(reverse("resources")).content.decode()
    assert (
        f"hosting/{aws.HOME}"
        not in as_(who).get(reverse("resource_new") + f"?kind=ec2&found={unregistered.pk}").content.decode()
    )


def test_signed_out_and_wrong_methods(as_: As, unregistered: Discovered) -> None:
    assert as_("").get(reverse("unprotected"))["Location"].startswith(reverse("account_login"))
    assert as_("").post(reverse("unprotected_take_in", args=[unregistered.pk])).status_code == 302
    assert as_("it").post(reverse("unprotected")).status_code == 405
    assert as_("it").get(reverse("unprotected_take_in", args=[unregistered.pk])).status_code == 405
    assert Discovered.objects.exists()


def test_who_only_reads_is_told_who_takes_in(as_: As, unregistered: Discovered) -> None:
    Discovered.objects.update(tags={})
    more_like(unregistered, name="web-2", tags=unregistered.tags)
    shown = as_("auditor").get(reverse("unprotected")).content.decode()
    assert shown.count("Only IT registers resources.") == 1
    for button in ("Take in", "Fill in and register"):
        assert button not in shown
        assert button in as_("it").get(reverse("unprotected")).content.decode()
    assert reverse("unprotected_take_in", args=[unregistered.pk]) not in shown
    answer = as_("auditor").post(reverse("unprotected_take_in", args=[unregistered.pk]), follow=True)
    assert "was not taken in. Only IT registers resources." in answer.content.decode()


def test_what_cannot_be_taken_in_says_why(as_: As, unregistered: Discovered) -> None:
    """The machine is not in the simulated AWS."""
    aws.endpoint()
    answer = as_("it").post(reverse("unprotected_take_in", args=[unregistered.pk]), follow=True)
    assert answer.content.decode().count("There is no machine i-0123456789abcdef0 in eu-central-1") == 1
    assert answer.request["PATH_INFO"] == reverse("unprotected"), "another name does not help"
    assert Discovered.objects.exists()


def test_a_name_that_is_taken_is_known_before_and_another_can_be_given(
    as_: As, cast: Cast, unregistered: Discovered
) -> None:
    browser, take_in = as_("it"), reverse("unprotected_take_in", args=[unregistered.pk])
    assert take_in in browser.get(reverse("unprotected")).content.decode()
    make_resource(cast.news, "b-web-1-b")
    assert take_in in browser.get(reverse("unprotected")).content.decode(), "another application has a name of its own"
    taken = make_resource(cast.shop, "b-web-1-b")
    shown = browser.get(reverse("unprotected")).content.decode()
    assert "Shop has a resource named b-web-1-b already. Choose another name." in shown
    assert take_in not in shown
    form = f"{reverse('resource_new')}?kind=ec2&found={unregistered.pk}"
    assert f'href="{form.replace("&", "&amp;")}"' in shown
    assert browser.get(form).context["form"].initial["application"] == cast.shop.pk
    taken.delete()
    Discovered.objects.update(name="???")
    assert (
        "It has no name that could be its name here. Choose one."
        in browser.get(reverse("unprotected")).content.decode()
    )


def test_a_name_that_was_taken_meanwhile_leads_to_the_form(
    as_: As, unregistered: Discovered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise InvalidInput("A resource with this name was registered just now.", field="name")

    monkeypatch.setattr("backups.actions.taking_in.register_resource", refuse)
    answer = as_("it").post(reverse("unprotected_take_in", args=[unregistered.pk]), follow=True)
    assert answer.request["PATH_INFO"] == reverse("resource_new")
    assert answer.context["form"].initial["setting-machine"] == "i-0123456789abcdef0"
    shown = answer.content.decode()
    assert shown.count("was not taken in. A resource with this name was registered just now.") == 1


def test_the_list_asks_as_often_however_much_there_is(as_: As, unregistered: Discovered) -> None:
    browser = as_("it")
    browser.get(reverse("unprotected"))  # what is read once only

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            browser.get(reverse("unprotected"))
        return len(asked)

    with_one = queries()
    for number in range(1, 8):
        more_like(unregistered, name=f"more-{number}")
    assert queries() == with_one


def test_where_the_tags_say_too_little_the_form_is_filled_in_as_far_as_they_do(
    as_: As, unregistered: Discovered
) -> None:
    Discovered.objects.update(tags={"client": "Shopco", "application": "Shop"})
    shown = as_("it").get(reverse("unprotected")).content.decode()
    assert (
        "Its tags do not say what it is for: give it a tag environment (production, staging or development)." in shown
    )
    address = reverse("resource_new") + f"?kind=ec2&found={unregistered.pk}"
    assert address.replace("&", "&amp;") in shown
    form = as_("it").get(address).context["form"]
    assert form.initial == {
        "name": "b-web-1-b", "application": form.initial["application"], "home_region": aws.HOME, "other_region": aws.AWAY,
        "setting-account": "hosting", "setting-region": aws.HOME, "setting-machine": "i-0123456789abcdef0",
    }  # fmt: skip
    assert as_("it").get(reverse("resource_new") + "?kind=ec2&found=999999").status_code == 200


def test_empty_states(as_: As, cast: Any) -> None:
    assert "No AWS account is set up" in as_("it").get(reverse("unprotected")).content.decode()
    account = Account.objects.create(name="hosting", number=aws.NUMBER)
    region = AccountRegion.objects.create(account=account, name=aws.HOME)
    assert "Not looked through yet" in as_("it").get(reverse("unprotected")).content.decode()
    region.listed_at = timezone.now()
    region.save()
    assert "Everything found is backed up" in as_("it").get(reverse("unprotected")).content.decode()


def test_a_list_that_is_not_whole_says_so(as_: As, cast: Any) -> None:
    account = Account.objects.create(name="hosting", number=aws.NUMBER)
    AccountRegion.objects.create(account=account, name=aws.HOME)
    make_finding(None, Code.UNLISTED, subject="AWS 1 eu", sentence="Not all could be <listed>.")
    shown = as_("it").get(reverse("unprotected")).content.decode()
    assert "This list is not whole.</strong> Not all could be &lt;listed&gt;." in shown
    assert "Everything found is backed up" not in shown


def test_what_is_simulated_says_so(as_: As, unregistered: Discovered, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = as_("it").get(reverse("unprotected")).content.decode()
    assert f"<strong>These accounts are simulated.</strong> What is asked of AWS goes to {aws.endpoint()}" in shown
    assert "AWS is simulated here." in as_("client").get(reverse("resources")).content.decode()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert "simulated" not in as_("it").get(reverse("unprotected")).content.decode()


@pytest.mark.parametrize("who", ["it", "auditor", "administrator"])
def test_it_is_the_first_thing_on_the_start_page(as_: As, unregistered: Discovered, who: str) -> None:
    shown = as_(who).get(reverse("start")).content.decode()
    assert re.search(r"<h1>1 thing at AWS has no backups", shown)
    _, _, content = shown.partition('id="content"')
    first, _, _ = content.partition("</section>")
    assert "1 thing at AWS without backups</h2>" in first
    assert "&lt;b&gt;web-1&lt;/b&gt;" in first
    assert f'href="{reverse("unprotected")}"' in first


def test_the_start_page_names_a_few_whatever_there_is(as_: As, unregistered: Discovered) -> None:
    browser = as_("it")
    browser.get(reverse("start"))  # what is read once only

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            browser.get(reverse("start"))
        return len(asked)

    with_one = queries()
    for number in range(1, 8):
        more_like(unregistered, name=f"more-{number}")
    assert queries() == with_one
    shown = browser.get(reverse("start")).content.decode()
    assert "8 things at AWS have no backups" in shown
    assert "more-3" in shown
    assert "more-4" not in shown
    assert f'<a href="{reverse("unprotected")}">All 8</a>' in shown


@pytest.mark.parametrize("who", ["client", "staff", "account_manager", "nobody"])
def test_the_start_page_of_others_has_nothing_of_it(as_: As, unregistered: Discovered, who: str) -> None:
    shown = as_(who).get(reverse("start")).content.decode()
    assert "at AWS" not in shown
    assert "web-1" not in shown


def test_nothing_stands_on_the_start_page_when_all_is_backed_up(as_: As, cast: Any) -> None:
    assert "at AWS" not in as_("it").get(reverse("start")).content.decode()


def test_the_finding_leads_to_the_list(as_: As, unregistered: Discovered) -> None:
    make_finding(None, Code.UNPROTECTED, subject="AWS 1 eu", sentence="1 machine has no backups: web-1")
    shown = as_("it").get(reverse("compliance") + "?code=unprotected").content.decode()
    [row] = re.findall(r"<tr>(?:(?!</tr>).)*Not registered.*?</tr>", shown, re.DOTALL)
    assert f'href="{reverse("unprotected")}"' in row
    make_finding(None, Code.UNLISTED, subject="AWS 2 eu", sentence="Not all could be listed.")
    other = as_("it").get(reverse("compliance") + "?code=unlisted").content.decode()
    [row] = re.findall(r"<tr>(?:(?!</tr>).)*Account not looked.*?</tr>", other, re.DOTALL)
    assert reverse("unprotected") not in row


def test_the_share_says_what_it_does_not_count(as_: As, cast: Cast, unregistered: Discovered) -> None:
    make_resource(cast.shop, "shop-db")
    tiles = re.findall(
        r'<section class="card" aria-labelledby="rule-.*?</section>',
        as_("auditor").get(reverse("compliance")).content.decode(),
        re.DOTALL,
    )
    of_all, *others = tiles
    assert "1 of 1 resource holds it" in of_all
    assert re.search(
        rf'<a [^>]*href="{reverse("unprotected")}">1 thing at AWS</a> is not counted here: nobody has registered it\.',
        of_all,
    )
    assert not any("not counted" in tile for tile in others)
    unregistered.delete()
    assert "not counted" not in as_("auditor").get(reverse("compliance")).content.decode()


def test_the_paper_for_an_auditor_says_so_too(cast: Cast, unregistered: Discovered) -> None:
    paper = text_of(compliance_pdf(cast.auditor, timezone.now()))
    assert "1 thing at AWS is not counted in B1: nobody has registered it." in paper


def test_over_the_api(as_: As, unregistered: Discovered) -> None:
    from rest_framework.test import APIClient

    def api(who: str) -> APIClient:
        made = APIClient()
        made.force_authenticate(found_person(who))
        return made

    def found_person(who: str) -> Any:
        from portal.models import User

        return User.objects.get(username=who)

    [row] = api("ivan-of-it").get("/api/unprotected/").json()["results"]
    assert (row["account"], row["kind"], row["tags"]["client"]) == ("hosting", "ec2", "Shopco")
    assert api("clara-of-shopco").get("/api/unprotected/").json()["results"] == []
    assert api("clara-of-shopco").post(f"/api/unprotected/{unregistered.pk}/take-in/").status_code == 404
    assert api("udo-auditor").post(f"/api/unprotected/{unregistered.pk}/take-in/").status_code == 403
