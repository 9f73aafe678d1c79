"""What replaces the same live data, in which order: an emergency first, then by the order of approvals; rows decide."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from backups.drivers.base import DriverError, Mode
from backups.models import Resource
from portal.errors import Refused
from restores.actions import claiming, cleaning, deciding, incidents
from restores.actions.claiming import claim_restore
from restores.actions.cleaning import clean_up
from restores.actions.deciding import approve, cancel, check_retriable, reject, retry
from restores.actions.performing import perform_restore
from restores.actions.sweeping import sweep_restores
from restores.actions.undoing import perform_undo, request_undo
from restores.incident_board import Row, rows_of
from restores.models import Approval, Attempt, AttemptStatus, Charge, Event, Incident, Notice, RestoreRequest, Why
from restores.permissions import check_can_cancel
from restores.succession import all_replaced_since, earlier_approved, recovering_it, replaced_since
from restores.wording import charge_sentence, next_in_full
from restores.workflow import Status
from tests.app.hazard import confirmed, declared, page, states, work
from tests.app.world import World, approved, backup_now, filed, fill_tree, restored


def clean_up_after(attempt: Attempt) -> None:
    """Its worker died: the sweeper finds that, and puts things right."""
    Attempt.objects.filter(pk=attempt.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    sweep_restores(timezone.now(), lost_before=timezone.now() - timedelta(minutes=1))


def fresh(request: RestoreRequest) -> RestoreRequest:
    return RestoreRequest.objects.select_related("resource", "backup", "incident").get(pk=request.pk)


def row_of(world: World, incident: Incident, resource: Resource) -> Row:
    (row,) = rows_of(world.it, incident, incident.affected.filter(resource=resource), timezone.now())
    return row


def again(world: World, request: RestoreRequest) -> RestoreRequest:
    return approve(
        by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name, reason=""
    )


class TestAnEmergencyComesFirst:
    """Somebody's old request, approved for tonight, must not replace what the incident has just brought back."""

    def test_what_was_approved_before_goes_back_to_it(
        self, world: World, five: list[Resource], sent: list[int]
    ) -> None:
        first = five[0]
        before = approved(world, filed(world, first.backups.get()))
        tonight = approved(world, filed(world, backup_now(first)))
        RestoreRequest.objects.filter(pk=tonight.pk).update(start_at=timezone.now() + timedelta(hours=8))
        incident = declared(world, five)
        assert row_of(world, incident, first).marks[-2:] == [
            f"{one.number} is approved to replace it" for one in (before, tonight)
        ]
        sent.clear()
        confirmed(world, incident)
        perform_restore(before.pk)
        assert fresh(before).state is Status.APPROVED, "it does not overtake the emergency"
        assert f"{incident.number} brings {first.name} back first" in next_in_full(fresh(before), timezone.now())
        work(sent)
        assert page(first) == "spoilt\n", "the latest one was taken since"
        for one in (fresh(before), fresh(tonight)):
            assert (one.state, one.decided_at, one.decided_by, one.start_at) == (Status.SUBMITTED, None, None, None)
            assert (one.expires_at is not None, one.resend_at) == (True, None)
            recalled = one.events.latest("pk")
            assert (recalled.move, recalled.by) == ("recall", None)
            assert f"of {incident.number} brings {first.name} back. IT decides anew" in recalled.reason
            assert Notice.objects.filter(request=one, why=Why.TURN, person=world.it2, text=recalled.text).exists()
        perform_restore(before.pk)
        assert fresh(before).state is Status.SUBMITTED
        assert row_of(world, incident, first).marks == [], "nothing replaces it now"

    def test_what_is_approved_anew_says_on_the_board_that_it_replaced_it(
        self, world: World, five: list[Resource], sent: list[int]
    ) -> None:
        first = five[0]
        before = approved(world, filed(world, first.backups.get()))
        incident = confirmed(world, declared(world, five))
        work(sent)
        anew = again(world, fresh(before))
        QuerySet(Approval).filter(pk=Approval.objects.filter(request=anew).earliest("pk").pk).update(
            approved_at=timezone.now() + timedelta(days=1)  # by a clock that was wrong
        )
        assert row_of(world, incident, first).marks == [f"{before.number} is approved to replace it"]
        perform_restore(anew.pk)
        assert fresh(anew).state is Status.COMPLETED
        used = Attempt.objects.get(request=anew).approval
        assert used == Approval.objects.filter(request=anew).latest("pk"), "the recalled approval starts nothing"
        row = row_of(world, incident, first)
        assert (row.replaced_by, row.since) == (anew, f"{anew.number} has replaced what it restored since.")
        assert row.recovered_at is not None, "it had come back all the same"
        assert all(row_of(world, incident, other).replaced_by is None for other in five[1:])

    def test_nobody_approves_meanwhile(self, world: World, five: list[Resource], sent: list[int]) -> None:
        first = five[0]
        asked = filed(world, first.backups.get())
        incident = declared(world, five)
        assert recovering_it(asked) is None, "nothing is confirmed yet"
        confirmed(world, incident)
        with pytest.raises(Refused, match=f"{incident.number} brings {first.name} back first. Decide about this"):
            again(world, asked)
        assert f"{incident.number} brings {first.name} back first" in next_in_full(fresh(asked), timezone.now())
        work(sent)
        assert again(world, asked).state is Status.APPROVED
        failed = approved(world, filed(world, five[2].backups.get()))
        RestoreRequest.objects.filter(pk=failed.pk).update(status="failed")
        RestoreRequest.objects.filter(incident=incident, resource=five[2]).update(status="running")
        later = declared(world, five[2:3])
        Incident.objects.filter(pk=later.pk).update(
            status="recovering", confirmed_at=timezone.now(), confirmed_by=world.it, confirmed_digest="0" * 64
        )
        with pytest.raises(Refused, match=f"{incident.number} brings"):
            retry(by=world.it2, request=fresh(failed), plan_digest=failed.plan_digest)
        other = filed(world, five[1].backups.get())
        assert reject(by=world.it2, request=other, reason="Not needed any more.").state is Status.REJECTED

    def test_before_its_request_is_filed_it_counts_too(
        self, world: World, five: list[Resource], sent: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The web server died between the confirmation and the filing."""
        first = five[0]
        before = approved(world, filed(world, first.backups.get()))
        monkeypatch.setattr(incidents, "file_turn", lambda *_: None)
        incident = confirmed(world, declared(world, five))
        assert recovering_it(before) == incident
        perform_restore(before.pk)
        assert fresh(before).state is Status.APPROVED

    def test_what_is_taken_out_or_restored_beside_leaves_approvals_alone(
        self, world: World, five: list[Resource], sent: list[int]
    ) -> None:
        out, beside = five[0], five[1]
        requests = [approved(world, filed(world, one.backups.get())) for one in (out, beside)]
        sent.clear()
        incident = declared(world, five, concurrency=1)
        incidents.arrange(by=world.it, incident=incident, modes={beside.pk: "beside"}, order={out.pk: 5})
        confirmed(world, incident)
        incidents.take_out(by=world.it, incident=incident, resource=out.pk, reason="It answers again.")
        assert requests[0].pk in sent, "what was taken out is free for it at once"
        work(sent)
        assert [fresh(one).state for one in requests] == [Status.COMPLETED] * 2
        assert not Event.objects.filter(move="recall").exists()

    def test_one_that_runs_already_is_not_torn_away(self, world: World, five: list[Resource], sent: list[int]) -> None:
        first = five[0]
        running = restored(world, first.backups.get())
        Attempt.objects.filter(request=running).update(status=AttemptStatus.RUNNING, heartbeat_at=timezone.now())
        RestoreRequest.objects.filter(pk=running.pk).update(status="running")
        incident = confirmed(world, declared(world, five))
        assert row_of(world, incident, first).marks[-1] == f"{running.number} is replacing it now"
        work(sent)
        assert fresh(running).state is Status.RUNNING
        assert incident.restore_requests.get(resource=first).state is Status.APPROVED


class TestRowsDecide:
    """Clocks are set back; the order of what happened stays."""

    def test_who_is_live(self, world: World, resource: Resource) -> None:
        first, second = (restored(world, resource.backups.get()) for _ in range(2))
        Attempt.objects.filter(request=first).update(went_live_at=timezone.now() + timedelta(days=1))
        assert (replaced_since(fresh(first)), replaced_since(fresh(second))) == (second, None)

    def test_who_was_approved_first(self, world: World, resource: Resource) -> None:
        first = approved(world, filed(world, resource.backups.get()))
        second = approved(world, filed(world, backup_now(resource)))
        RestoreRequest.objects.filter(pk=first.pk).update(decided_at=timezone.now() + timedelta(days=1))
        assert earlier_approved(fresh(second), timezone.now()) == first
        assert earlier_approved(fresh(first), timezone.now()) is None
        said = next_in_full(fresh(second), timezone.now())
        assert said.startswith(f"{first.number} was approved before it to replace {resource.name} too.")
        assert "starts by itself" in next_in_full(fresh(first), timezone.now())
        cancel(by=world.it, request=first, reason="Never mind.")
        assert "starts by itself" in next_in_full(fresh(second), timezone.now())

    def test_who_waits_for_the_same_target_is_told_and_woken(
        self, world: World, resource: Resource, sent: list[int]
    ) -> None:
        first = approved(world, filed(world, resource.backups.get()))
        second = approved(world, filed(world, resource.backups.get(), mode=Mode.EXPORT))
        attempt = claim_restore(first.pk, timezone.now())
        assert attempt is not None
        perform_restore(second.pk)
        said = next_in_full(fresh(second), timezone.now())
        assert said == f"{first.number} is at work on {resource.name} now. This one starts once that is done."
        sent.clear()
        clean_up_after(attempt)
        sent.clear()
        clean_up(attempt.pk)
        assert sent == [second.pk], "it does not wait for the sweeper"
        work(sent)
        assert fresh(second).state is Status.COMPLETED

    def test_an_attempt_that_left_something_uses_up_no_other_approval(
        self, world: World, resource: Resource, sent: list[int]
    ) -> None:
        """Another worker is putting things right when those behind are woken."""
        first = approved(world, filed(world, resource.backups.get()))
        behind = [approved(world, filed(world, backup_now(resource))) for _ in range(3)]
        attempt = claim_restore(first.pk, timezone.now())
        assert attempt is not None
        clean_up_after(attempt)
        Attempt.objects.filter(pk=attempt.pk).update(resend_at=timezone.now() + timedelta(minutes=5))
        work(sent)
        assert [fresh(one).state for one in behind] == [Status.APPROVED] * 3
        said = next_in_full(fresh(behind[0]), timezone.now())
        assert said.startswith(f"The portal puts things right after {first.number} first.")
        sent.clear()
        Attempt.objects.filter(pk=attempt.pk).update(resend_at=timezone.now())
        clean_up(attempt.pk)
        assert sent == [one.pk for one in behind], "in the order of their approvals"
        work(sent)
        assert fresh(behind[0]).state is Status.COMPLETED

    def test_one_that_is_unsettled_takes_no_place_in_an_incident(
        self, world: World, five: list[Resource], sent: list[int]
    ) -> None:
        """The host died in the middle of a restore; the incident is about that host and about others."""
        first = approved(world, filed(world, five[0].backups.get()))
        attempt = claim_restore(first.pk, timezone.now())
        assert attempt is not None
        clean_up_after(attempt)
        Attempt.objects.filter(pk=attempt.pk).update(resend_at=timezone.now() + timedelta(minutes=5))
        sent.clear()
        incident = confirmed(world, declared(world, five, concurrency=1))
        work(sent)
        assert states(incident) == ["approved", *["completed"] * 4]
        assert row_of(world, incident, five[0]).why == f"The portal puts things right after {first.number} first."
        clean_up(attempt.pk)
        Attempt.objects.filter(pk=attempt.pk).update(resend_at=timezone.now())
        clean_up(attempt.pk)
        work(sent)
        assert states(incident) == ["completed"] * 5

    def test_what_a_clock_that_was_ahead_put_off_is_put_right(
        self, world: World, resource: Resource, sent: list[int]
    ) -> None:
        first = approved(world, filed(world, resource.backups.get()))
        attempt = claim_restore(first.pk, timezone.now())
        assert attempt is not None
        clean_up_after(attempt)
        Attempt.objects.filter(pk=attempt.pk).update(resend_at=timezone.now() + timedelta(days=180))
        clean_up(attempt.pk)
        assert Attempt.objects.get(pk=attempt.pk).resend_at is None

    def test_it_is_told_once_when_putting_right_goes_on_and_exports_do_not_wait(
        self, world: World, resource: Resource, sent: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = approved(world, filed(world, resource.backups.get()))
        other = approved(world, filed(world, resource.backups.get(), mode=Mode.EXPORT))
        attempt = claim_restore(first.pk, timezone.now())
        assert attempt is not None
        Attempt.objects.filter(pk=attempt.pk).update(place={"live": "x"})
        clean_up_after(attempt)

        def away(*_: object) -> None:
            raise DriverError("The server does not answer.")

        monkeypatch.setattr(cleaning, "driver_of", away)
        for minutes in (1, 20, 30):
            Attempt.objects.filter(pk=attempt.pk).update(
                finished_at=timezone.now() - timedelta(minutes=minutes), resend_at=timezone.now()
            )
            clean_up(attempt.pk)
        assert first.events.filter(text=cleaning.NOT_YET).count() == 1
        assert Notice.objects.filter(headline="Not put right yet", person=world.it2, why=Why.TURN).count() == 1
        assert "The server does not answer." in Attempt.objects.get(pk=attempt.pk).error_detail
        perform_restore(other.pk)
        assert fresh(other).state is Status.COMPLETED

    def test_of_many_in_one_query(self, world: World, five: list[Resource], django_assert_num_queries: object) -> None:
        pairs = [[restored(world, one.backups.get()) for _ in range(2)] for one in five]
        every = RestoreRequest.objects.prefetch_related("attempts").order_by("pk")
        requests = list(every)
        with django_assert_num_queries(1):  # type: ignore[operator]
            found = all_replaced_since(requests)
        assert found == {first.pk: second for first, second in pairs}


class TestInTheSameMoment:
    """Two who do not see each other's rows yet: whoever is second waits for the first, and sees them."""

    def test_an_approval_does_not_slip_past_the_emergency(
        self, world: World, five: list[Resource], sent: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = filed(world, five[0].backups.get())
        checked, record = threading.Event(), deciding.record_approval

        def slowly(locked: RestoreRequest, **facts: Any) -> None:
            if locked.pk == asked.pk:
                checked.set()
                never.wait(A_MOMENT)
            record(locked, **facts)

        monkeypatch.setattr(deciding, "record_approval", slowly)
        approving = Apart(lambda: approved(world, asked))
        assert checked.wait(20)
        incident = confirmed(world, declared(world, five, concurrency=1))
        perform_restore(incident.restore_requests.get(resource=five[0]).pk)
        approving.end()
        perform_restore(asked.pk)
        assert fresh(asked).state is Status.SUBMITTED
        assert [event.move for event in asked.events.order_by("pk")] == ["file", "approve", "recall"]

    def test_two_claims_of_the_same_target_never_wait_for_each_other(
        self, world: World, five: list[Resource], sent: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ordinary = approved(world, filed(world, five[0].backups.get()))
        begun, make = threading.Event(), claiming._new_attempt

        def slowly(request: RestoreRequest, now: datetime) -> Attempt:
            if request.pk == ordinary.pk:
                begun.set()
                never.wait(A_MOMENT)
            return make(request, now)

        monkeypatch.setattr(claiming, "_new_attempt", slowly)
        first = Apart(lambda: claim_restore(ordinary.pk, timezone.now()))
        assert begun.wait(20)
        incident = confirmed(world, declared(world, five, concurrency=1))
        emergency = incident.restore_requests.get(resource=five[0])
        assert claim_restore(emergency.pk, timezone.now()) is None, "the target is busy"
        assert first.end() is not None
        assert (fresh(ordinary).state, fresh(emergency).state) == (Status.RUNNING, Status.APPROVED)


never = threading.Event()
A_MOMENT = 1.5
"""Seconds in which the other comes as far as it can."""


class Apart:
    """Something done in a thread and a connection of its own."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.came: list[Any] = []

        def run() -> None:
            try:
                self.came.append(act())
            finally:
                connections.close_all()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def end(self) -> Any:
        """What came of it."""
        self.thread.join(30)
        return self.came[0]


class TestTheWayBack:
    """What is offered leads somewhere."""

    def test_behind_two_restores_of_which_the_later_original_is_gone(
        self, world: World, resource: Resource, tree: Path
    ) -> None:
        first = restored(world, resource.backups.get())
        fill_tree(tree, "second")
        later = restored(world, backup_now(resource))
        with pytest.raises(Refused, match="Undo that one first"):
            request_undo(by=world.it, request=fresh(first), reason="The wrong day.")
        Attempt.objects.filter(request=later).update(kept_until=timezone.now() - timedelta(hours=1))
        with pytest.raises(Refused, match="no longer kept. File a request for a backup from before instead"):
            request_undo(by=world.it, request=fresh(first), reason="The wrong day.")

    def test_one_that_failed_after_its_data_went_live_is_closed_once_the_original_is_gone(
        self, world: World, resource: Resource
    ) -> None:
        request = restored(world, resource.backups.get())
        Charge.objects.all().delete()
        attempts = Attempt.objects.filter(request=request)
        attempts.update(status=AttemptStatus.FAILED, error="The health check did not answer.")
        RestoreRequest.objects.filter(pk=request.pk).update(status="failed")
        resource.backups.update(damaged_at=timezone.now())
        assert "is live. IT brings the original back by Undo." in next_in_full(fresh(request), timezone.now())
        with pytest.raises(Refused, match="Undo brings the original back"):
            check_can_cancel(world.it, fresh(request))
        attempts.update(kept_until=timezone.now() - timedelta(hours=1))
        assert "is live. IT closes this request." in next_in_full(fresh(request), timezone.now())
        closed = cancel(by=world.it, request=fresh(request), reason="It stays as it is.")
        assert next_in_full(fresh(closed), timezone.now()) == "What was restored stayed live."
        assert charge_sentence(fresh(closed)) == "It was not completed, so it is not charged."

    def test_a_retry_that_would_be_refused_is_not_offered(self, world: World, resource: Resource) -> None:
        request = approved(world, filed(world, resource.backups.get()))
        RestoreRequest.objects.filter(pk=request.pk).update(status="failed")
        Resource.objects.filter(pk=resource.pk).update(locator="/srv/elsewhere")
        with pytest.raises(Refused, match="no longer what was asked for"):
            check_retriable(world.it2, fresh(request))
        with pytest.raises(Refused, match="no longer what was asked for"):
            retry(by=world.it2, request=fresh(request), plan_digest=request.plan_digest)

    def test_nothing_is_undone_under_an_emergency(self, world: World, five: list[Resource], sent: list[int]) -> None:
        earlier = restored(world, five[0].backups.get())
        incident = confirmed(world, declared(world, five))
        with pytest.raises(Refused, match=f"{incident.number} brings {five[0].name} back first"):
            request_undo(by=world.it, request=fresh(earlier), reason="The wrong day.")

    def test_undone_brings_the_one_before_back(self, world: World, resource: Resource) -> None:
        first, second = (restored(world, resource.backups.get()) for _ in range(2))
        perform_undo(request_undo(by=world.it, request=fresh(second), reason="The wrong day.").pk)
        assert replaced_since(fresh(first)) is None
