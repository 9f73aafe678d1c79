"""The client's people who answer for data and price hear of both, whoever asked: nobody is billed by surprise."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Resource
from restores.actions.charges import confirm_charge, reopen_charge
from restores.actions.cleaning import clean_up
from restores.actions.correcting import correct_cause
from restores.actions.deciding import approve
from restores.actions.filing import file_request
from restores.actions.inbox import choose, follow
from restores.actions.performing import perform_restore
from restores.actions.sending import send_due
from restores.actions.sweeping import sweep_restores
from restores.actions.undoing import perform_undo, request_undo
from restores.charging import Cause
from restores.models import Agreement, Attempt, Follow, Notice, RestoreRequest, Why
from restores.workflow import Status
from tests.app.hazard import confirmed, declared, work
from tests.app.test_consent import publish
from tests.app.world import World

OWNERS = {"owner", "colleague"}


def asked(
    world: World, resource: Resource, cause: Cause, mode: Mode = Mode.IN_PLACE, by: str = "staff"
) -> RestoreRequest:
    backup = resource.backups.latest("pk")
    return file_request(by=getattr(world, by), backup=backup, mode=mode, reason="The shop is empty.", cause=cause)


def carried_out(world: World, request: RestoreRequest) -> RestoreRequest:
    approve(by=world.it, request=request, plan_digest=request.plan_digest)
    perform_restore(request.pk)
    request.refresh_from_db()
    assert request.state is Status.COMPLETED
    return request


def told(headline: str, **which: object) -> dict[str, str]:
    found = Notice.objects.filter(headline=headline, **which).select_related("person")
    return {one.person.username: one.why for one in found}


@pytest.fixture
def standing(world: World) -> Agreement:
    publish(world)
    return Agreement.objects.create(client=world.client, currency="EUR", standing_limit=Decimal(50))


class TestMoney:
    def test_the_standing_consent_is_not_used_in_silence(
        self, world: World, resource: Resource, standing: Agreement
    ) -> None:
        """Staff filed it as free; IT found another cause. Nobody of the client had a hand in it."""
        request = asked(world, resource, Cause.INFRASTRUCTURE, Mode.BESIDE)
        assert told("Standing consent used") == {}
        correct_cause(by=world.it, request=request, cause=Cause.BAD_DATA, reason="Their own import.")
        assert told("Standing consent used") == dict.fromkeys(OWNERS, Why.OWNER) | {"staff": Why.FOLLOWS}
        (said,) = set(Notice.objects.filter(headline="Standing consent used").values_list("text", flat=True))
        assert said == "The standing consent covers the estimate"
        done = carried_out(world, RestoreRequest.objects.get(pk=request.pk))
        confirm_charge(by=world.manager, charge=done.charge, reason="As agreed.")
        assert set(told("Charge confirmed")) >= OWNERS
        reopen_charge(by=world.manager, charge=done.charge, reason="Not yet.")
        assert set(told("Charge reopened")) >= OWNERS
        send_due(clock=timezone.now)
        assert mail.outbox
        assert not [one for one in mail.outbox if "45.00" in str(one.body)], "what it costs stands behind the sign-in"
        assert done.events.filter(text__contains="45.00").exists()

    def test_who_asked_under_it_is_not_told_of_their_own_doing(
        self, world: World, resource: Resource, standing: Agreement
    ) -> None:
        asked(world, resource, Cause.BAD_DATA, Mode.BESIDE, by="owner")
        assert told("Standing consent used") == {"colleague": Why.OWNER}


class TestData:
    def test_that_live_data_was_replaced_and_is_back(self, world: World, resource: Resource) -> None:
        request = carried_out(world, asked(world, resource, Cause.INFRASTRUCTURE))
        assert told("Completed") == dict.fromkeys(OWNERS, Why.OWNER) | {"staff": Why.TURN, "it": Why.FOLLOWS}
        (said,) = set(Notice.objects.filter(why=Why.OWNER).values_list("text", flat=True))
        assert said == f"{resource.name} was restored in place"
        perform_undo(request_undo(by=world.it, request=request, reason="The wrong day.").pk)
        assert set(told("Undone")) >= OWNERS

    def test_that_live_data_was_replaced_though_its_worker_died_before_it_could_say_so(
        self, world: World, resource: Resource
    ) -> None:
        request = carried_out(world, asked(world, resource, Cause.INFRASTRUCTURE))
        Notice.objects.all().delete()
        RestoreRequest.objects.filter(pk=request.pk).update(status="running")
        attempts = Attempt.objects.filter(request=request)
        attempts.update(
            status="running",
            finished_at=None,
            went_live_at=None,
            kept_until=None,
            heartbeat_at=timezone.now() - timedelta(hours=1),
        )
        sweep_restores(timezone.now(), lost_before=timezone.now() - timedelta(minutes=1))
        clean_up(attempts.get().pk)
        assert set(told("Live data was replaced")) >= OWNERS

    def test_who_follows_hears_of_each_one_as_they_chose(
        self, world: World, five: list[Resource], sent: list[int]
    ) -> None:
        confirmed(world, declared(world, five))
        for one in RestoreRequest.objects.all():
            follow(by=world.owner, request=one)
        work(sent)
        mine = Notice.objects.filter(person=world.owner, headline="Completed")
        assert [(one.why, one.send_at is not None) for one in mine] == [(Why.OWNER, True)] * 5
        choose(by=world.owner, mail_turn=False, mail_followed=True, digest=False)
        send_due(clock=timezone.now)
        assert len([one for one in mail.outbox if one.to == ["owner@example.com"]]) == 5

    def test_who_follows_and_wants_no_mail_of_that_hears_of_their_data(self, world: World, resource: Resource) -> None:
        request = asked(world, resource, Cause.INFRASTRUCTURE, by="owner")
        choose(by=world.owner, mail_turn=True, mail_followed=False, digest=False)
        Follow.objects.update_or_create(request=request, person=world.colleague, defaults={"following": True})
        choose(by=world.colleague, mail_turn=True, mail_followed=False, digest=False)
        carried_out(world, request)
        send_due(clock=timezone.now)
        completed = {one.to[0] for one in mail.outbox if "Completed" in one.subject}
        assert completed >= {"owner@example.com", "colleague@example.com"}

    def test_what_stands_beside_or_was_exported_changed_nothing(self, world: World, resource: Resource) -> None:
        for mode in (Mode.BESIDE, Mode.EXPORT):
            carried_out(world, asked(world, resource, Cause.INFRASTRUCTURE, mode))
        assert not OWNERS & set(told("Completed"))

    def test_of_an_incident_one_letter_comes_and_the_inbox_has_all(
        self, world: World, five: list[Resource], sent: list[int]
    ) -> None:
        choose(by=world.colleague, mail_turn=False, mail_followed=True, digest=False)
        confirmed(world, declared(world, five))
        work(sent)
        for name in OWNERS:
            mine = Notice.objects.filter(person=getattr(world, name), why=Why.OWNER)
            assert (mine.count(), mine.filter(send_at__isnull=False).count()) == (5, 1), name
        send_due(clock=timezone.now)
        to_owner = [one for one in mail.outbox if one.to == ["owner@example.com"]]
        assert len(to_owner) == 1
        assert "It is about your company’s data" in to_owner[0].body
        undone = Notice.objects.filter(person=world.owner, why=Why.OWNER).earliest("pk").request
        perform_undo(request_undo(by=world.it, request=undone, reason="The wrong day.").pk)
        assert Notice.objects.filter(headline="Undone", why=Why.OWNER, send_at__isnull=False).count() == len(OWNERS)
        assert not [one for one in mail.outbox if one.to == ["colleague@example.com"]], "as they chose"
        assert not Notice.objects.filter(person=world.stranger).exists()
