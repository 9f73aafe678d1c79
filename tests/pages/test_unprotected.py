"""The page of what has no backups: the six questions, and taking in."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from backups.findings import Code
from backups.models import Account, AccountRegion, Discovered
from tests.drivers import aws
from tests.factories import make_finding
from tests.fixtures_aws import unregistered
from tests.pages.conftest import As

__all__ = ["unregistered"]


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
    shown = as_("auditor").get(reverse("unprotected")).content.decode()
    assert "Only IT registers resources." in shown
    assert reverse("unprotected_take_in", args=[unregistered.pk]) not in shown
    answer = as_("auditor").post(reverse("unprotected_take_in", args=[unregistered.pk]), follow=True)
    assert "was not taken in. Only IT registers resources." in answer.content.decode()


def test_what_cannot_be_taken_in_says_why(as_: As, unregistered: Discovered) -> None:
    """The machine is not in the simulated AWS."""
    aws.endpoint()
    answer = as_("it").post(reverse("unprotected_take_in", args=[unregistered.pk]), follow=True)
    assert "There is no machine i-0123456789abcdef0 in eu-central-1" in answer.content.decode()
    assert Discovered.objects.exists()


def test_where_the_tags_say_too_little_the_form_is_filled_in_as_far_as_they_do(
    as_: As, unregistered: Discovered
) -> None:
    Discovered.objects.update(tags={"client": "Shopco", "application": "Shop"})
    shown = as_("it").get(reverse("unprotected")).content.decode()
    assert "Its tags do not say what it is for" in shown
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
