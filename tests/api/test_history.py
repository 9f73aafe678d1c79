"""What is done over the API is recorded with the person whose token it was."""

from __future__ import annotations

import pytest

from portal.api.views import Recorded
from portal.history import _acting
from portal.models import Client
from restores.models import Charge, RestoreRequest
from tests.api.conftest import As, client_of
from tests.factories import Cast


def test_moves_are_recorded_with_who_and_why(as_: As, filed: RestoreRequest, cast: Cast) -> None:
    as_("it").post(f"/api/restore-requests/{filed.pk}/reject/", {"reason": "A newer one is better."})
    row = filed.history.first()
    assert (row.history_user, row.history_change_reason) == (cast.it, "A newer one is better.")
    event = filed.events.last()
    assert event is not None
    assert (event.by, event.reason) == (cast.it, "A newer one is better.")


def test_a_long_reason_is_kept_whole_on_the_timeline_and_fits_the_history(as_: As, filed: RestoreRequest) -> None:
    reason = "A newer one is better. " * 40
    answer = as_("it").post(f"/api/restore-requests/{filed.pk}/reject/", {"reason": reason})
    assert answer.json()["decision_reason"] == reason.strip()
    row = filed.history.first()
    held = row._meta.get_field("history_change_reason").max_length
    assert row.history_change_reason == reason.strip()[:held]  # SQLite would take more, PostgreSQL refuses it


def test_decisions_about_money_are_recorded_too(as_: As, charge: Charge, cast: Cast) -> None:
    as_("account_manager").post(f"/api/charges/{charge.pk}/waive/", {"reason": "A good customer."})
    row = charge.history.first()
    assert (row.history_user, row.history_change_reason) == (cast.account_manager, "A good customer.")


def test_any_row_saved_in_a_view_carries_the_tokens_person(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no action names who acts: the base view does."""
    made: list[Client] = []
    usual = Recorded.initial

    def initial(self: Recorded, request: object, *args: object, **kwargs: object) -> None:
        usual(self, request, *args, **kwargs)  # type: ignore[arg-type]
        made.append(Client.objects.create(name="Newco"))

    monkeypatch.setattr(Recorded, "initial", initial)
    client_of(cast.staff).get("/api/me/")
    assert made[0].history.get().history_user == cast.staff
    assert _acting.get() == (None, "")
