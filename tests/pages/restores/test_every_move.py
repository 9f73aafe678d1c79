"""Every status × every move × every role, on the page and over the API: allowed where it should be, and refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from rest_framework.test import APIClient

from restores.models import RestoreRequest
from restores.workflow import STATUSES, Status
from tests.factories import Cast
from tests.pages.restores.conftest import As

WHERE: dict[str, set[Status]] = {
    "accept": {Status.AWAITING_CONSENT},
    "decline": {Status.AWAITING_CONSENT},
    "approve": {Status.SUBMITTED},
    "reject": {Status.SUBMITTED, Status.AWAITING_CONSENT},
    "cancel": {Status.SUBMITTED, Status.AWAITING_CONSENT, Status.APPROVED, Status.FAILED},
    "correct": {Status.SUBMITTED, Status.AWAITING_CONSENT, Status.FAILED, Status.COMPLETED},
    "retry": {Status.FAILED},
    "stop": {Status.RUNNING},
    "undo": {Status.COMPLETED, Status.FAILED},
    "schedule": {Status.APPROVED},
    "extend": {Status.COMPLETED, Status.UNDONE},
}
"""What each move is for, said here anew."""

BY_THE_CLIENT = dict.fromkeys(("accept", "decline"), frozenset({"client", "colleague"}))
BY_WHO_ASKED = dict.fromkeys(("cancel", "stop"), frozenset({"client", "it"}))  # that is the client of the cast
WHO: dict[str, frozenset[str]] = {**dict.fromkeys(WHERE, frozenset({"it"})), **BY_THE_CLIENT, **BY_WHO_ASKED}
SPENDS = {("colleague", "cancel"): {Status.SUBMITTED, Status.APPROVED}}
"""Where whoever answers for the price may too: it can be spent, and is not yet."""
ROLES = ["client", "colleague", "staff", "it", "account_manager", "auditor", "administrator"]
STRANGERS = ["media_client", "media_account_manager", "nobody"]
SENT = {
    "reason": "Because.", "typed_name": "shop-db", "cause": "infrastructure", "until": "2027-01-15", "start_at": "",
}  # fmt: skip
WRONG_PLACE = ("cannot be", "there is nothing", "Nothing is kept", "while it is approved", "is live already")


def sent_to(move: str, request: RestoreRequest) -> dict[str, Any]:
    fields: dict[str, tuple[str, ...]] = {
        "accept": ("plan_digest",),
        "approve": ("plan_digest", "typed_name", "reason"),
        "retry": ("plan_digest", "typed_name", "reason"),
        "correct": ("cause", "reason"),
        "schedule": ("start_at", "reason"),
        "extend": ("until", "reason"),
    }
    whole = {**SENT, "plan_digest": request.plan_digest}
    return {name: whole[name] for name in fields.get(move, ("reason",))}


class _Undo(Exception):
    """What was tried is taken back."""


def answered(address: str, browser: Any, sent: dict[str, Any], **how: Any) -> tuple[int, str]:
    """The answer's status and text; whatever it changed is taken back."""
    found: list[tuple[int, str]] = []
    try:
        with transaction.atomic():
            answer = browser.post(address, sent, **how)
            found.append((answer.status_code, answer.content.decode()))
            raise _Undo
    except _Undo:
        return found[0]


@pytest.mark.parametrize("move", WHERE)
@pytest.mark.parametrize("who", [*ROLES, *STRANGERS])
def test_a_move_is_made_where_and_by_whom_it_should_be(
    as_: As, cast: Cast, submitted: RestoreRequest, move: str, who: str
) -> None:
    api = APIClient()
    api.force_authenticate(getattr(cast, who))
    page = as_(who)
    estimate = {"card": 1, "currency": "EUR", "total": "45.00", "lines": []}
    RestoreRequest.objects.filter(pk=submitted.pk).update(plan={**submitted.plan, "estimate": estimate})
    # Whoever may not is told so wherever the request is: two of the places stand for all.
    spends = SPENDS.get((who, move), set())
    places = list(Status) if who in WHO[move] or spends else [next(iter(WHERE[move])), Status.REJECTED]
    for status in places:
        RestoreRequest.objects.filter(pk=submitted.pk).update(status=status.value)
        submitted.refresh_from_db()
        sent = sent_to(move, submitted)
        on_page = answered(reverse(f"request_{move}", args=[submitted.pk]), page, sent)
        body = {**sent, "start_at": None} if move == "schedule" else sent
        over_api = answered(f"/api/restore-requests/{submitted.pk}/{move}/", api, body, format="json")
        for code, text in (on_page, over_api):
            where = (who, move, status, code)
            if who in STRANGERS:
                assert code == 404, where
            elif (who, move) in SPENDS and status not in spends:
                assert code == 409, where
                assert any(words in text for words in (*WRONG_PLACE, "Decline the estimate", "Nothing of its price")), (
                    where
                )
            elif who not in WHO[move] and status not in spends:
                assert code == 403, where
            elif status not in WHERE[move]:
                assert code == 409, where
                assert any(words in text for words in WRONG_PLACE), where
            else:
                assert code in (200, 202, 302, 409), where
                assert code != 409 or "cannot be" not in text, where
        submitted.refresh_from_db()
        assert submitted.state is status


def test_a_final_status_is_left_by_no_move() -> None:
    final = {status for status, facts in STATUSES.items() if facts.final}
    for move, allowed in WHERE.items():
        assert not allowed & final or move == "extend", move
