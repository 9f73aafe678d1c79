"""Incidents (R1), on real directories: declared, confirmed once, restored in order, proven, closed; and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.actions.damage import note_damaged_copy
from backups.kinds import store_of
from backups.models import Backup, Copy, Pin, Resource
from portal.errors import InvalidInput, NotPermitted, PortalError, Refused
from portal.models import User
from portal.rules import allowed, refusal
from restores import incident_permissions
from restores.actions import incidents
from restores.actions.claiming import claim_restore
from restores.actions.cleaning import clean_up
from restores.actions.correcting import correct_cause
from restores.actions.deciding import cancel, retry
from restores.actions.incident_choosing import digest_of
from restores.actions.incident_next import NextBackup, next_of_rows, restore_next
from restores.actions.incident_running import file_turn
from restores.actions.performing import perform_restore
from restores.actions.scheduling import reschedule
from restores.actions.sweeping import sweep_restores
from restores.actions.turns import whose_turn
from restores.charging import Cause
from restores.incident_board import figures_of, rows_of
from restores.incident_permissions import is_at_rest
from restores.incident_workflow import INCIDENT_TABLE, IncidentMove, IncidentStatus, incident_transition
from restores.models import Approval, Charge, Incident, IncidentResource, RestoreRequest
from restores.permissions import check_can_retry
from restores.wording import next_of
from restores.workflow import Status
from tests.app.hazard import HAZARD, confirmed, declared, page, states, work
from tests.app.world import (
    HOME,
    OTHER,
    World,
    approved,
    backup_now,
    filed,
    fill_tree,
)


def test_one_confirmation_brings_all_back_free_of_charge(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = confirmed(world, declared(world, five, concurrency=2))
    assert states(incident) == ["approved"] * 5
    assert len(sent) == 2, "two at once"
    work(sent)
    assert states(incident) == ["completed"] * 5
    assert [page(one) for one in five] == ["page of first\n"] * 5
    assert not Charge.objects.exists()
    assert {one.cause for one in incident.restore_requests.all()} == {"infrastructure"}
    assert {one.approved_by for one in Approval.objects.all()} == {world.it2}
    closed = incidents.close(by=world.it, incident=incident, reason="All is back.")
    assert (closed.state, closed.closed_by) == (IncidentStatus.CLOSED, world.it)


def test_of_five_one_fails_and_holds_up_no_other(world: World, five: list[Resource], sent: list[int]) -> None:
    broken = five[2]
    incident = confirmed(world, declared(world, five, concurrency=1))
    spoil(broken.backups.get())
    work(sent)
    row = incident.affected.get(resource=broken)
    assert [state for one, state in zip(incident.affected.all(), states(incident), strict=True) if one != row] == [
        "completed"
    ] * 4
    request = incident.restore_requests.get(resource=broken)
    assert (request.status, page(broken)) == ("failed", "spoilt\n")
    with pytest.raises(Refused, match="damaged"):
        retry(by=world.it2, request=request, plan_digest=request.plan_digest)
    incidents.take_out(by=world.it, incident=incident, resource=broken.pk, reason="Rebuilt by hand.")
    request.refresh_from_db()
    assert request.state is Status.CANCELLED
    assert incidents.close(by=world.it, incident=incident, reason="The rest is back.").facts.final


def spoil(backup: Backup) -> None:
    """Take what is stored of the backup's one copy away."""
    store, key = store_of(HOME), Copy.objects.get(backup=backup).stored_under
    for found in list(store.list(f"{key}/")):
        store.delete(found.key)


def offered(by: User, incident: Incident, resource: Resource) -> NextBackup:
    row = incident.affected.get(resource=resource)
    newest = incident.restore_requests.filter(resource=resource).order_by("pk").last()
    return next_of_rows(by, incident, [(row, newest)])[resource.pk]


@pytest.fixture
def stuck(world: World, five: list[Resource], sent: list[int]) -> Incident:
    """Carried out; the newest backup of the first, of production, turned out to be damaged. It has one from before."""
    first = five[0]
    tree = Path(first.settings["path"])
    backup = first.backups.get()
    Backup.objects.filter(pk=backup.pk).update(taken_at=timezone.now() - timedelta(days=1))
    fill_tree(tree, "second")
    newest = backup_now(first)
    (tree / "sub" / "page.txt").write_text("spoilt\n")
    began = timezone.now()
    incident = confirmed(world, declared(world, five, began_at=began))
    assert incident.affected.get(resource=first).backup == newest
    spoil(newest)
    work(sent)
    assert states(incident) == ["failed", *["completed"] * 4]
    return Incident.objects.get(pk=incident.pk)


def test_what_failed_comes_back_from_the_next_good_backup(
    world: World, five: list[Resource], sent: list[int], stuck: Incident
) -> None:
    first, older = five[0], five[0].backups.earliest("taken_at")
    backup_now(first)  # of what the hazard left: it comes last
    failed = stuck.restore_requests.get(resource=first)
    assert "damaged" in refusal(check_can_retry, world.it2, failed)
    assert f"on the page of {stuck.number}" in next_of(failed, timezone.now())
    plan = offered(world.it2, stuck, first)
    assert (plan.backup, plan.needs_typed_number, plan.why_not) == (older, True, "")
    made = restore_next(
        by=world.it2, incident=stuck, resource=first.pk, digest=plan.digest, typed_number=stuck.number.lower()
    )
    failed.refresh_from_db()
    assert (failed.state, failed.closed_at is not None) == (Status.CANCELLED, True)
    assert failed.events.latest("pk").reason.startswith(f"{stuck.number} goes on with the next good backup, of ")
    assert not Pin.objects.filter(label=failed.number).exists()
    assert (made.state, made.incident, made.backup, made.filed_by) == (Status.APPROVED, stuck, older, world.it2)
    approval = Approval.objects.get(request=made)
    assert (approval.plan_digest, approval.approved_by) == (plan.digest, world.it2)
    assert set(Pin.objects.filter(backup=older).values_list("label", flat=True)) == {stuck.number, made.number}
    assert not is_at_rest(stuck)
    assert sent == [made.pk]
    work(sent)
    assert page(first) == "page of first\n"
    (row,) = rows_of(world.it, stuck, stuck.affected.filter(resource=first), timezone.now())
    attempt = made.attempts.get()  # type: ignore[attr-defined]
    assert (row.request, row.label, row.why) == (made, "Recovered", "")
    assert row.recovered_at is not None
    assert row.recovered_at == attempt.finished_at
    assert row.recovered_in == row.recovered_at - stuck.began_at
    assert row.loss is not None
    assert row.loss > timedelta(hours=23), "measured from the older backup"
    figures = figures_of(world.it, stuck)
    assert (figures.recovered, figures.failed, figures.total) == (5, 0, 5)
    told = stuck.events.get(resource=first)
    assert told.text.startswith(f"it2 goes on with the next good backup of {first}, of ")
    assert told.reason == f"{made.number} instead of {failed.number}."
    assert not Charge.objects.exists()
    assert incidents.close(by=world.it, incident=stuck, reason="All is back.").facts.final


def test_going_on_is_refused_unless_it_is_exactly_what_was_read(
    world: World, five: list[Resource], sent: list[int], stuck: Incident
) -> None:
    first = five[0]
    digest = offered(world.it, stuck, first).digest

    def go_on(by: User = world.it, resource: int = first.pk, digest: str = digest, number: str = stuck.number) -> Any:
        return restore_next(by=by, incident=stuck, resource=resource, digest=digest, typed_number=number)

    for name in set(EVERYBODY) - {"it", "it2"}:
        with pytest.raises(NotPermitted):
            go_on(by=getattr(world, name))
    with pytest.raises(Refused, match="not the one you looked at"):
        go_on(digest="0" * 64)
    with pytest.raises(InvalidInput, match=f"Type {stuck.number}") as raised:
        go_on(number="yes")
    assert raised.value.field == "typed_number"
    with pytest.raises(Refused, match="restored already"):
        go_on(resource=five[1].pk)
    with pytest.raises(InvalidInput, match="not in this incident"):
        go_on(resource=10**9)
    assert stuck.restore_requests.get(resource=first).state is Status.FAILED
    made = go_on()
    with pytest.raises(Refused, match=f"{made.number} waits or runs"):
        go_on(by=world.it2)
    assert claim_restore(made.pk, timezone.now()) is not None
    with pytest.raises(Refused, match=f"{made.number} waits or runs"):
        go_on(by=world.it2)
    RestoreRequest.objects.filter(pk=made.pk).update(status="completed")
    incidents.close(by=world.it, incident=stuck, reason="Done.")
    with pytest.raises(Refused, match="File a request for the resource instead"):
        go_on()
    assert stuck.restore_requests.filter(resource=first).count() == 2


def test_what_goes_on_can_be_taken_out(world: World, five: list[Resource], stuck: Incident) -> None:
    digest = offered(world.it, stuck, five[0]).digest
    made = restore_next(by=world.it, incident=stuck, resource=five[0].pk, digest=digest, typed_number=stuck.number)
    incidents.take_out(by=world.it, incident=stuck, resource=five[0].pk, reason="Rebuilt by hand.")
    made.refresh_from_db()
    assert made.state is Status.CANCELLED
    assert is_at_rest(stuck)


def test_without_another_good_backup_it_says_so(world: World, five: list[Resource], stuck: Incident) -> None:
    first, older = five[0], five[0].backups.earliest("taken_at")
    digest = offered(world.it, stuck, first).digest
    note_damaged_copy(Copy.objects.get(backup=older), "A byte is wrong.", timezone.now())
    plan = offered(world.it, stuck, first)
    assert (plan.backup, plan.digest, plan.why_not) == (None, "", "There is no other good backup of it.")
    with pytest.raises(Refused, match="no other good backup"):
        restore_next(by=world.it, incident=stuck, resource=first.pk, digest=digest, typed_number=stuck.number)
    assert stuck.restore_requests.get(resource=first).state is Status.FAILED


def test_going_on_reads_nothing_in_the_lost_region(world: World, five: list[Resource], stuck: Incident) -> None:
    Incident.objects.filter(pk=stuck.pk).update(lost_region=HOME)
    plan = offered(world.it, Incident.objects.get(pk=stuck.pk), five[0])
    assert (plan.backup, plan.why_not) == (None, f"No copy of any other good backup of it can be read outside {HOME}.")


def test_what_was_tried_in_vain_is_not_offered_again(world: World, five: list[Resource], stuck: Incident) -> None:
    """The first failed for a reason that has passed, then the older one failed as well: there is no other."""
    first, older = five[0], five[0].backups.earliest("taken_at")
    Backup.objects.update(damaged_at=None)
    Copy.objects.update(state="present", damaged_at=None)
    plan = offered(world.it, stuck, first)
    assert plan.backup == older
    again = restore_next(by=world.it, incident=stuck, resource=first.pk, digest=plan.digest, typed_number=stuck.number)
    RestoreRequest.objects.filter(pk=again.pk).update(status="failed")
    assert (offered(world.it, stuck, first).backup, offered(world.it, stuck, first).why_not) == (
        None, "There is no other good backup of it.",
    )  # fmt: skip


def test_a_good_backup_whose_attempt_failed_is_not_the_next_one(
    world: World, five: list[Resource], stuck: Incident
) -> None:
    first, older = five[0], five[0].backups.earliest("taken_at")
    failed = stuck.restore_requests.get(resource=first)
    Backup.objects.update(damaged_at=None)
    Copy.objects.update(state="present", damaged_at=None)
    assert not refusal(check_can_retry, world.it2, failed), "such a one can be tried again"
    assert "approves another attempt" in next_of(failed, timezone.now())
    assert offered(world.it, stuck, first).backup == older
    cancel(by=world.it, request=failed, reason="Closed by hand.")
    assert offered(world.it, stuck, first).backup == failed.backup, "closed: it can be asked for again"
    incidents.take_out(by=world.it, incident=stuck, resource=first.pk, reason="Rebuilt.")
    with pytest.raises(Refused, match="taken out"):
        restore_next(by=world.it, incident=stuck, resource=first.pk, digest="0")


def test_the_order_is_its_and_never_more_run_than_allowed(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = declared(world, five, concurrency=2)
    wanted = [five[number].pk for number in (3, 1, 4, 0, 2)]
    incidents.arrange(by=world.it, incident=incident, order={pk: place for place, pk in enumerate(wanted, 1)})
    confirmed(world, incident)
    by_pk = {one.pk: one.resource_id for one in incident.restore_requests.all()}
    assert [by_pk[pk] for pk in sent] == wanted[:2]
    late = incident.restore_requests.get(resource=five[2])
    perform_restore(late.pk)
    assert page(five[2]) == "spoilt\n", "a message out of turn starts nothing"
    RestoreRequest.objects.filter(pk__in=sent).update(status="running")
    assert whose_turn(incident.pk) == []
    RestoreRequest.objects.filter(pk=sent[0]).update(status="failed")
    assert [by_pk[pk] for pk in whose_turn(incident.pk)] == wanted[2:3]
    tonight = timezone.now() + timedelta(hours=8)
    with pytest.raises(Refused, match="its place in the order is decided there"):
        reschedule(by=world.it, request=late, start_at=tonight)
    failed = RestoreRequest.objects.get(pk=sent[0])
    with pytest.raises(InvalidInput, match="it starts in its turn"):
        retry(by=world.it, request=failed, plan_digest=failed.plan_digest, start_at=tonight)


def test_confirming_twice_starts_once(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = declared(world, five)
    digest = digest_of(incident)
    confirmed(world, incident)
    with pytest.raises(Refused, match="it2 has confirmed INC"):
        incidents.confirm(by=world.it, incident=incident, digest=digest, typed_number=incident.number)
    assert Approval.objects.count() == incident.restore_requests.count() == 5


def test_of_two_in_the_same_second_one_wins_and_the_other_is_told(world: World, five: list[Resource]) -> None:
    incident = declared(world, five)
    digest, told = digest_of(incident), list[str]()
    start = threading.Barrier(2)

    def one(by: Any) -> None:
        start.wait()
        try:
            incidents.confirm(by=by, incident=incident, digest=digest, typed_number=incident.number)
            told.append("won")
        except PortalError as error:
            told.append(error.sentence)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(by,)) for by in (world.it, world.it2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told)[1] == "won"
    assert "has confirmed" in min(told)
    assert Approval.objects.count() == 5


def test_what_changed_since_it_was_read_is_refused(world: World, five: list[Resource]) -> None:
    incident = declared(world, five)
    read = digest_of(incident)
    backup_now(five[1])
    with pytest.raises(Refused, match="not the one you looked at"):
        incidents.confirm(by=world.it, incident=incident, digest=read, typed_number=incident.number)
    assert not RestoreRequest.objects.exists()
    assert incident.affected.get(resource=five[1]).backup == five[1].backups.latest("taken_at"), "the latest (R1)"
    incidents.arrange(by=world.it, incident=incident, modes={five[1].pk: "beside"})
    assert digest_of(incident) != read
    assert confirmed(world, incident).state is IncidentStatus.RECOVERING


def test_production_in_place_needs_the_number_typed(world: World, five: list[Resource]) -> None:
    incident = declared(world, five)
    with pytest.raises(InvalidInput, match=f"Type {incident.number}") as raised:
        incidents.confirm(by=world.it, incident=incident, digest=digest_of(incident), typed_number="yes")
    assert raised.value.field == "typed_number"


def test_pins_stand_from_the_first_line_to_closure(world: World, five: list[Resource], sent: list[int]) -> None:
    def pinned() -> set[int]:
        return set(Pin.objects.filter(label=incident.number).values_list("backup", flat=True))

    incident = declared(world, five)
    latest = {one.backups.get().pk for one in five}
    assert pinned() == latest
    newer = backup_now(five[0])
    sweep_restores(timezone.now(), lost_before=timezone.now() - timedelta(minutes=1))
    assert pinned() == latest - {five[0].backups.earliest("taken_at").pk} | {newer.pk}
    incidents.take_out(by=world.it, incident=incident, resource=five[4].pk, reason="It is well.")
    assert five[4].backups.get().pk not in pinned()
    work(sent)
    confirmed(world, incident)
    work(sent)
    assert len(pinned()) == 4
    incidents.close(by=world.it, incident=incident, reason="All is back.")
    assert not pinned()
    assert Pin.objects.filter(label__startswith="RR-").count() == 4, "requests keep their own, for Undo"


def test_a_region_that_is_the_hazard_is_not_read(world: World, five: list[Resource], sent: list[int]) -> None:
    copied = five[1]
    copy_to_other_region(copied.pk)
    newer = backup_now(copied)
    affected = incidents.affected_by(region=HOME)
    incident = incidents.declare(by=world.it, hazard=HAZARD, resources=affected, lost_region=HOME)
    rows = {row.resource_id: row for row in incident.affected.all()}
    assert len(rows) == 5
    assert rows[copied.pk].backup == copied.backups.earliest("taken_at") != newer
    assert rows[five[0].pk].backup is None
    assert HOME in rows[five[0].pk].why_not, "listed, with why, never dropped"
    confirmed(world, incident)
    assert states(incident).count("-") == 4
    work(sent)
    request = incident.restore_requests.get()
    attempt = request.attempts.get()  # type: ignore[attr-defined]
    assert (request.status, attempt.copy and attempt.copy.region) == ("completed", OTHER)
    assert f"{HOME} is the hazard" in attempt.steps.get(name="pin").sentence


def test_what_was_damaged_after_the_confirmation_is_said_and_holds_up_nothing(
    world: World, five: list[Resource], sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = declared(world, five)
    monkeypatch.setattr("restores.actions.incidents.file_turn", lambda *args: None)  # the web server died right there
    confirmed(world, incident)
    assert states(incident) == ["-"] * 5
    with pytest.raises(Refused, match="still wait or run"):
        incidents.close(by=world.it, incident=incident, reason="Done.")
    note_damaged_copy(Copy.objects.get(backup__resource=five[0]), "A byte is wrong.", timezone.now())
    for _ in range(2):
        sweep_restores(timezone.now(), lost_before=timezone.now() - timedelta(minutes=1))
    work(sent)
    assert sorted(states(incident)) == ["-", *["completed"] * 4]
    assert "damaged" in incident.affected.get(resource=five[0]).why_not


def test_a_killed_workers_incident_goes_on(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = confirmed(world, declared(world, five, concurrency=1))
    now = timezone.now()
    assert claim_restore(sent.pop(0), now) is not None, "and then its worker is gone"
    later = now + timedelta(minutes=5)
    sweep_restores(later, lost_before=now + timedelta(minutes=4))
    work(sent)
    assert sorted(states(incident)) == ["completed"] * 4 + ["failed"]
    request = incident.restore_requests.get(status="failed")
    clean_up(request.attempts.get().pk, clock=lambda: later)  # type: ignore[attr-defined]
    retry(by=world.it2, request=request, plan_digest=request.plan_digest, typed_name=request.resource.name)
    work(sent)
    assert states(incident) == ["completed"] * 5


def test_lost_messages_are_sent_again_in_turn(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = confirmed(world, declared(world, five, concurrency=2))
    first = list(sent)
    sent.clear()
    later = timezone.now() + timedelta(minutes=2)
    sweep_restores(later, lost_before=later - timedelta(minutes=1))
    assert sent == first
    sweep_restores(later, lost_before=later - timedelta(minutes=1))
    assert sent == first, "not in every sweep"
    assert incident.restore_requests.count() == 5


def test_its_requests_stay_free_whatever_anybody_corrects(world: World, five: list[Resource], sent: list[int]) -> None:
    incident = confirmed(world, declared(world, five))
    work(sent)
    request = incident.restore_requests.first()
    assert request is not None
    with pytest.raises(Refused, match="free of charge"):
        correct_cause(by=world.it, request=request, cause=Cause.BAD_CHANGE, reason="Their fault.")


def test_an_ordinary_restore_of_the_same_is_waited_for(world: World, five: list[Resource], sent: list[int]) -> None:
    ordinary = approved(world, filed(world, five[0].backups.get()))
    assert claim_restore(ordinary.pk, timezone.now()) is not None
    sent.clear()
    incident = confirmed(world, declared(world, five, concurrency=1))
    busy = incident.restore_requests.get(resource=five[0])
    assert busy.pk not in sent, "its turn comes when that has ended; the next one goes ahead"
    assert len(sent) == 1


EVERYBODY = (
    "owner",
    "colleague",
    "staff",
    "it",
    "it2",
    "manager",
    "auditor",
    "administrator",
    "stranger",
    "robot",
    "nobody",
)
MOVES: dict[IncidentMove, Callable[..., Incident]] = {
    IncidentMove.TAKE_ON: lambda by, incident: incidents.take_on(by=by, incident=incident),
    IncidentMove.DISMISS: lambda by, incident: incidents.dismiss(by=by, incident=incident, reason="A test."),
    IncidentMove.CONFIRM: lambda by, incident: incidents.confirm(
        by=by, incident=incident, digest=digest_of(incident), typed_number=incident.number
    ),
    IncidentMove.CLOSE: lambda by, incident: incidents.close(by=by, incident=incident, reason="Done."),
}


@pytest.mark.parametrize("move", MOVES)
def test_every_person_in_every_status(world: World, resource: Resource, move: IncidentMove) -> None:
    incident, now = declared(world, [resource]), timezone.now()
    check = getattr(incident_permissions, f"check_can_{move.value}")
    for status in IncidentStatus:
        for name in EVERYBODY:
            final, sure = status in ("closed", "dismissed"), status == "recovering"
            RestoreRequest.objects.filter(incident=incident).update(status="completed")
            Incident.objects.filter(pk=incident.pk).update(
                status=status, closed_at=now if final else None, closed_by=world.it if final else None,
                close_reason="Over." if final else "", confirmed_at=now if sure else None,
                confirmed_by=world.it if sure else None, confirmed_digest="0" if sure else "",
            )  # fmt: skip
            IncidentResource.objects.update(why_not="filed" if sure else "")
            user, current = getattr(world, name), Incident.objects.get(pk=incident.pk)
            expected = name in ("it", "it2") and incident_transition(status, move) is not None
            sentence = refusal(check, user, current)
            assert allowed(check, user, current) == expected, (status, name, sentence)
            if expected:
                assert MOVES[move](user, current).state is INCIDENT_TABLE[status, move].to
            else:
                with pytest.raises(PortalError) as raised:
                    MOVES[move](user, current)
                assert raised.value.sentence == sentence
                assert isinstance(raised.value, Refused if name in ("it", "it2") else NotPermitted)


def test_a_program_only_proposes(world: World, resource: Resource) -> None:
    affected = Resource.objects.filter(pk=resource.pk)
    with pytest.raises(NotPermitted, match="A person has to"):
        incidents.declare(by=world.robot, hazard=HAZARD, resources=affected)
    proposed = incidents.declare(by=world.robot, hazard=HAZARD, resources=affected, propose=True)
    assert proposed.state is IncidentStatus.PROPOSED
    with pytest.raises(NotPermitted):
        confirmed(world, proposed, by="robot")
    with pytest.raises(NotPermitted, match="Only IT declares"):
        incidents.declare(by=world.owner, hazard=HAZARD, resources=affected, propose=True)


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"hazard": " "}, "hazard"), ({"concurrency": 0}, "concurrency"), ({"concurrency": 51}, "concurrency"),
     ({"began_at": timezone.now() + timedelta(days=1)}, "began_at"), ({"resources": Resource.objects.none()}, "resources")],
)  # fmt: skip
def test_what_cannot_be_declared(world: World, resource: Resource, facts: dict[str, Any], field: str) -> None:
    given = {"hazard": HAZARD, "resources": Resource.objects.filter(pk=resource.pk), **facts}
    with pytest.raises(InvalidInput) as raised:
        incidents.declare(by=world.it, **given)
    assert raised.value.field == field
    assert not Incident.objects.exists()


def test_what_turns_out_to_be_affected_as_well_is_added(world: World, five: list[Resource]) -> None:
    incident = declared(world, five[1:3])
    read = digest_of(incident)
    more = Resource.objects.filter(pk__in=[one.pk for one in five])
    assert incidents.extend(by=world.it2, incident=incident, resources=more) == 3
    assert [row.resource for row in incident.affected.all()][2:] == [five[0], *five[3:]]
    assert Pin.objects.filter(label=incident.number).count() == 5
    assert digest_of(incident) != read
    with pytest.raises(InvalidInput, match="not in the list yet"):
        incidents.extend(by=world.it2, incident=incident, resources=more)
    confirmed(world, incident)
    with pytest.raises(Refused, match="as it was confirmed"):
        incidents.extend(by=world.it2, incident=incident, resources=more)


def test_without_any_good_backup_nothing_is_confirmed(world: World, resource: Resource) -> None:
    incident = declared(world, [resource])
    Backup.objects.update(damaged_at=timezone.now())
    with pytest.raises(Refused, match="Nothing in the list can be restored"):
        confirmed(world, incident)
    row = IncidentResource.objects.get()
    assert (row.backup, row.why_not) == (None, "There is no good backup of it.")
    with pytest.raises(Refused, match="Nothing in the list can be restored"):
        confirmed(world, incident)
    file_turn(incident.pk, timezone.now())
    assert not RestoreRequest.objects.exists()


def test_visible_to_its_people_only(world: World, resource: Resource) -> None:
    incident = declared(world, [resource])
    for name in EVERYBODY:
        seen = Incident.objects.visible_to(getattr(world, name)).exists()
        assert seen == (name not in ("stranger", "nobody")), name
    Incident.objects.update(status="proposed")
    for name in EVERYBODY:
        seen = Incident.objects.visible_to(getattr(world, name)).exists()
        assert seen == (name in ("it", "it2", "robot", "auditor", "administrator")), name
    assert not incident.affected.visible_to(world.stranger)  # type: ignore[attr-defined]
