"""Who may decide what, in every status: the rule, its question and its sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backups.actions.damage import note_damaged_copy
from backups.drivers.base import Mode
from backups.models import Resource
from portal.errors import InvalidInput, NotPermitted, PortalError, Refused
from portal.rules import allowed, refusal
from restores import permissions
from restores.actions.charges import confirm_charge, waive_charge
from restores.actions.deciding import approve, cancel, reject, retry
from restores.actions.filing import file_request
from restores.charging import Cause
from restores.models import Approval, Charge, Event, RestoreRequest
from restores.workflow import TABLE, Move, Status, transition
from tests.app.world import HOME, World, approved, filed, make_resource, restored

EVERYBODY = (
    "owner", "colleague", "staff", "it", "it2", "manager", "auditor", "administrator", "stranger", "robot", "nobody",
)  # fmt: skip

MAY: dict[Move, set[str]] = {
    Move.APPROVE: {"it", "it2"},
    Move.RETRY: {"it", "it2"},
    Move.REJECT: {"it", "it2"},
    Move.CANCEL: {"owner", "it", "it2"},
}

ACTIONS: dict[Move, Callable[..., RestoreRequest]] = {
    Move.APPROVE: lambda by, request: approve(
        by=by, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name
    ),
    Move.RETRY: lambda by, request: retry(
        by=by, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name
    ),
    Move.REJECT: lambda by, request: reject(by=by, request=request, reason="No."),
    Move.CANCEL: lambda by, request: cancel(by=by, request=request, reason="Not needed."),
}


@pytest.fixture
def request_(world: World, resource: Resource) -> RestoreRequest:
    return filed(world, resource.backups.get())


@pytest.mark.parametrize("move", ACTIONS)
def test_every_person_in_every_status(world: World, request_: RestoreRequest, move: Move) -> None:
    check = getattr(permissions, f"check_can_{move.value}")
    for status in Status:
        for name in EVERYBODY:
            RestoreRequest.objects.filter(pk=request_.pk).update(status=status.value)
            current = RestoreRequest.objects.get(pk=request_.pk)
            user = getattr(world, name)
            expected = name in MAY[move] and transition(status, move) is not None
            assert allowed(check, user, current) == expected, (status, name)
            sentence = refusal(check, user, current)
            if expected:
                assert ACTIONS[move](user, current).state is TABLE[status, move].to
            else:
                with pytest.raises(PortalError) as raised:
                    ACTIONS[move](user, current)
                assert raised.value.sentence == sentence
                assert isinstance(raised.value, Refused if name in MAY[move] else NotPermitted)


def test_nobody_approves_what_they_filed(world: World, resource: Resource) -> None:
    from backups.drivers.base import Mode
    from restores.actions.filing import file_request
    from restores.charging import Cause

    own = file_request(
        by=world.it, backup=resource.backups.get(), mode=Mode.BESIDE, reason="To look.", cause=Cause.COPY_WANTED
    )
    with pytest.raises(NotPermitted, match="You filed this request"):
        approve(by=world.it, request=own, plan_digest=own.plan_digest)
    assert approve(by=world.it2, request=own, plan_digest=own.plan_digest).state is Status.APPROVED


def test_an_approval_binds_to_the_plan_that_was_seen(world: World, request_: RestoreRequest) -> None:
    with pytest.raises(Refused, match="not the one you looked at"):
        approve(by=world.it, request=request_, plan_digest="0" * 64)
    Resource.objects.filter(pk=request_.resource_id).update(locator="/elsewhere")
    with pytest.raises(Refused, match="no longer what was asked for.*have a new one filed"):
        approve(by=world.it, request=RestoreRequest.objects.get(pk=request_.pk), plan_digest=request_.plan_digest)
    assert not Approval.objects.exists()


def test_replacing_production_needs_its_name_typed(world: World, tree: Any) -> None:
    resource = make_resource(world, tree, environment="production")
    request = filed(world, resource.backups.get())
    with pytest.raises(InvalidInput, match=f"Type {resource.name}") as raised:
        approve(by=world.it, request=request, plan_digest=request.plan_digest, typed_name="shop")
    assert raised.value.field == "typed_name"
    assert approved(world, request).state is Status.APPROVED


def test_nobody_rejects_their_own(world: World, resource: Resource) -> None:
    own = file_request(
        by=world.it, backup=resource.backups.get(), mode=Mode.BESIDE, reason="A look.", cause=Cause.COPY_WANTED
    )
    with pytest.raises(NotPermitted, match="another person of IT"):
        reject(by=world.it, request=own, reason="No.")
    assert reject(by=world.it2, request=own, reason="No.").state is Status.REJECTED


@pytest.mark.parametrize("action", [reject, cancel])
def test_a_decision_needs_its_reason(world: World, request_: RestoreRequest, action: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        action(by=world.it, request=request_, reason="  ")
    assert raised.value.field == "reason"
    request_.refresh_from_db()
    assert request_.state is Status.SUBMITTED


def test_two_people_approve_in_the_same_second(world: World, request_: RestoreRequest) -> None:
    """One wins, the other is told."""
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def decide(name: str) -> None:
        start.wait()
        try:
            ACTIONS[Move.APPROVE](getattr(world, name), RestoreRequest.objects.get(pk=request_.pk))
            outcomes.append("approved")
        except Refused as error:
            outcomes.append(error.sentence)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[name]) for name in ("it", "it2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["This request is approved and cannot be approved now.", "approved"]
    assert Approval.objects.count() == 1


def test_a_move_and_its_event_stand_or_fall_together(
    world: World, request_: RestoreRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Event, *args: object, **kwargs: object) -> None:
        raise OSError("the timeline cannot be written")

    monkeypatch.setattr(Event, "save", broken)
    with pytest.raises(OSError, match="timeline"):
        ACTIONS[Move.APPROVE](world.it, request_)
    request_.refresh_from_db()
    assert request_.state is Status.SUBMITTED
    assert not Approval.objects.exists()
    assert request_.history.count() == 1


def test_history_says_who_and_why(world: World, request_: RestoreRequest) -> None:
    reject(by=world.it, request=request_, reason="Use the newer backup.")
    newest = request_.history.first()
    assert newest.history_user == world.it
    assert newest.history_change_reason == "Use the newer backup."


def test_a_workers_changes_carry_the_person_on_whose_word_it_works(world: World, resource: Resource) -> None:
    request = restored(world, resource.backups.get())
    newest = request.history.first()
    assert newest.status == Status.COMPLETED.value
    assert newest.history_user is None, "the portal itself completes it"
    charge = request.charge
    assert charge.history.first().history_change_reason


def test_events_are_append_only(world: World, request_: RestoreRequest) -> None:
    event = request_.events.get()
    with pytest.raises(TypeError, match="append-only"):
        event.save()


DECIDE: dict[str, Any] = {"confirmed": confirm_charge, "waived": waive_charge}


@pytest.mark.parametrize("outcome", DECIDE)
def test_the_account_manager_decides_a_charge_once_and_with_a_reason(
    world: World, resource: Resource, outcome: str
) -> None:
    restored(world, resource.backups.get())
    Charge.objects.update(estimated="45.00", currency="EUR")
    charge = Charge.objects.get()
    for name in set(EVERYBODY) - {"manager", "administrator"}:
        with pytest.raises(NotPermitted):
            DECIDE[outcome](by=getattr(world, name), charge=charge, reason="Because.")
    with pytest.raises(InvalidInput):
        DECIDE[outcome](by=world.manager, charge=charge, reason=" ")
    assert DECIDE[outcome](by=world.manager, charge=charge, reason="As agreed.").status == outcome
    with pytest.raises(Refused, match=f"was {outcome} already"):
        confirm_charge(by=world.manager, charge=charge, reason="Again.")
    assert charge.request.events.last().text == f"manager {outcome} the charge of EUR\xa045.00"  # type: ignore[union-attr]


def test_a_backup_found_damaged_meanwhile_cannot_be_approved(world: World, request_: RestoreRequest) -> None:
    """Neither the first time nor again after a failure: the attempt could only fail."""
    note_damaged_copy(request_.backup.copies.get(region=HOME), "It was altered.", timezone.now())
    for action, status in ((approve, Status.SUBMITTED), (retry, Status.FAILED)):
        RestoreRequest.objects.filter(pk=request_.pk).update(status=status.value)
        with pytest.raises(Refused, match=r"found damaged.* have a new one filed"):
            action(by=world.it, request=request_, plan_digest=request_.plan_digest, typed_name=request_.resource.name)
        request_.refresh_from_db()
        assert request_.state is status
