"""Signing a checkup on its page: the digest that was shown, the statement, two people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from checkups.actions.moves import note
from checkups.actions.signing import standing
from checkups.models import Checkup, CheckupFinding
from checkups.workflow import Move, Status
from tests.factories import Cast
from tests.pages.checkups.conftest import As, body

STATEMENT = "A fresh backup was taken and looked at."


def digest_on(shown: str) -> str:
    """What the page would have signed."""
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', shown)
    assert found
    return found[1]


def sign(browser: Any, checkup: Checkup, **typed: str) -> Any:
    digest = digest_on(body(browser.get(checkup.get_absolute_url())))
    return browser.post(
        reverse("checkup_sign", args=[checkup.pk]), {"digest": digest, "statement": STATEMENT, **typed}, follow=True
    )


def test_two_people_sign_and_it_is_sealed(as_: As, cast: Cast, ready: Checkup) -> None:
    browser = as_("it")
    shown = body(browser.get(ready.get_absolute_url()))
    assert digest_on(shown) == standing(ready).digest
    assert "<strong>Your turn.</strong>" in shown
    assert '<span class="count">1<span class="visually-hidden"> to sign' in shown
    shown = body(sign(browser, ready))
    assert "carries your signature." in shown
    assert "You have signed already. The second signature is another person’s." in shown.replace("&#x27;", "’")
    assert "to sign" not in shown.partition("<main")[0]
    assert "to sign" in body(as_("second_it").get("/")).partition("<main")[0]
    shown = body(sign(as_("second_it"), ready))
    ready.refresh_from_db()
    assert ready.state is Status.SIGNED
    assert ready.sha256 in shown
    assert [one.by for one in ready.signatures.order_by("pk")] == [cast.it, cast.second_it]


def test_with_a_failure_a_statement_is_required(as_: As, ready: Checkup) -> None:
    shown = body(sign(as_("it"), ready, statement=" "), 400)
    assert "Something failed: say in a statement what becomes of it." in shown
    assert 'aria-labelledby="act-seal-title" open' in shown
    assert re.search(r"<textarea[^>]* autofocus", shown)
    assert "autofocus" not in body(as_("it").get(ready.get_absolute_url()))
    assert not ready.signatures.exists()


def test_nobody_signs_twice(as_: As, ready: Checkup) -> None:
    browser = as_("it")
    sign(browser, ready)
    typed = {"digest": standing(ready).digest, "statement": STATEMENT}
    shown = body(browser.post(reverse("checkup_sign", args=[ready.pk]), typed), 409)
    assert "You have signed already." in shown
    assert ready.signatures.count() == 1


def test_what_changed_meanwhile_is_not_signed(as_: As, cast: Cast, ready: Checkup, failed: CheckupFinding) -> None:
    browser = as_("it")
    old = digest_on(body(browser.get(ready.get_absolute_url())))
    note(ready, None, by=None, now=timezone.now(), text="Scratch of it was removed", finding=failed)
    shown = body(browser.post(reverse("checkup_sign", args=[ready.pk]), {"digest": old, "statement": STATEMENT}), 409)
    assert "The record has changed since you looked. Look at it again, then sign." in shown
    assert digest_on(shown) == standing(ready).digest != old
    assert STATEMENT in shown, "what was typed stays"
    assert not ready.signatures.exists()


def test_a_signature_under_an_earlier_state_counts_no_more(
    as_: As, cast: Cast, ready: Checkup, failed: CheckupFinding
) -> None:
    sign(as_("it"), ready)
    note(ready, None, by=None, now=timezone.now(), text="Scratch of it was removed", finding=failed)
    shown = body(as_("it").get(ready.get_absolute_url()))
    assert "Under an earlier state of the record" in shown
    assert "<strong>Your turn.</strong>" in shown
    assert "Ivan signed first; the record changed after that, so it counts no more" in shown
    for who in ("it", "second_it"):
        sign(as_(who), ready)
    shown = body(as_("auditor").get(ready.get_absolute_url()))
    happened = re.findall(r"<li><div[^>]*><strong>([^<]*)</strong>", shown.partition("What happened")[2])
    assert happened[-3:] == [
        "Ivan signed first; the record changed after that, so it counts no more",
        "Ivan signed first",
        "Iris signed second, which completes the record",
    ]


def test_a_first_signature_is_among_what_happened(as_: As, ready: Checkup) -> None:
    sign(as_("it"), ready)
    for who in ("it", "auditor"):
        happened = body(as_(who).get(ready.get_absolute_url())).partition("What happened")[2]
        assert "<strong>Ivan signed first</strong>" in happened
        assert STATEMENT not in happened, "it stands with the signature"


def test_what_was_checked_again_is_among_what_happened_also_where_it_is_of_a_finding(
    as_: As, cast: Cast, ready: Checkup, failed: CheckupFinding
) -> None:
    note(ready, Move.CHECK_AGAIN, by=cast.it, now=timezone.now(), text="Ivan had shop-db checked again", finding=failed)
    note(ready, None, by=cast.it, now=timezone.now(), text="The task is done", finding=failed)
    shown = body(as_("it").get(ready.get_absolute_url()))
    assert "Ivan had shop-db checked again" in shown
    assert "The task is done" not in shown


@pytest.mark.parametrize("who", ["auditor", "administrator"])
def test_signing_is_for_it_and_nobody_else_waits_for_the_digest(
    as_: As, ready: Checkup, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkups.views.checkup.standing", lambda checkup: 1 / 0)
    shown = body(as_(who).get(ready.get_absolute_url()))
    assert "Sign…" not in shown
    assert "<strong>IT’s turn.</strong>" in shown
    answer = as_(who).post(reverse("checkup_sign", args=[ready.pk]), {"digest": "x"})
    assert "Only IT signs checkups." in body(answer, 403)


def test_one_that_is_not_ready_is_not_signed(as_: As, running: Checkup, signed: Checkup) -> None:
    for checkup, words in ((running, "is running. It is signed once"), (signed, "carries its two signatures already")):
        answer = as_("it").post(reverse("checkup_sign", args=[checkup.pk]), {"digest": "x"})
        assert words in body(answer, 409)
    assert as_("it").get(reverse("checkup_sign", args=[running.pk])).status_code == 405
    assert as_("client").post(reverse("checkup_sign", args=[running.pk])).status_code == 404
