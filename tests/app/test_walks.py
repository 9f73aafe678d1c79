"""Random walks through the life of requests: whatever people do, in whatever order, pins, money and live data agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backups.drivers.base import Mode
from backups.models import Backup, Pin
from portal.errors import PortalError
from portal.models import User
from restores.actions.charges import adjust_charge, confirm_charge, reopen_charge, waive_charge
from restores.actions.consenting import accept, decline
from restores.actions.correcting import correct_cause
from restores.actions.deciding import approve, cancel, reject, retry
from restores.actions.expiring import expire_requests
from restores.actions.exporting import export_charges
from restores.actions.filing import file_request
from restores.actions.performing import perform_restore
from restores.actions.undoing import perform_undo, request_undo
from restores.charging import Cause, Classification
from restores.models import Charge, ChargeStatus, Consent, Rate, RateCard, RestoreRequest
from restores.succession import earlier_approved, replaced_since
from restores.workflow import STATUSES, Status
from tests.app.world import World, backup_now, fill_tree, fingerprint, make_resource, make_tree, make_world, remove_tree

PEOPLE = st.sampled_from(
    ["owner", "colleague", "staff", "it", "it2", "manager", "auditor", "administrator", "stranger"]
)
CAUSES, MODES = st.sampled_from(list(Cause)), st.sampled_from(list(Mode))
WORLDS: list[World] = []


class Walk(RuleBasedStateMachine):
    """One resource with two backups, a price of 45 EUR, and everybody pressing every button."""

    @initialize(modes=st.lists(MODES, min_size=2, max_size=3), causes=st.lists(CAUSES, min_size=3, max_size=3))
    def begin(self, modes: list[Mode], causes: list[Cause]) -> None:
        self.world = WORLDS[0]
        self.tree = make_tree()
        self.resource = make_resource(self.world, self.tree)
        self.held = {self.resource.backups.get().pk: fingerprint(self.tree)}
        fill_tree(self.tree, "second")
        self.held[backup_now(self.resource).pk] = fingerprint(self.tree)
        fill_tree(self.tree, "today")
        self.live = [fingerprint(self.tree)]  # what was live, the latest last
        for mode, cause, name in zip(modes, causes, ["owner", "staff", "it"], strict=False):
            self.somebody_asks(name, mode, cause, newest=False, accepts="45.00 EUR")

    def teardown(self) -> None:
        for path in self.tree.parent.glob(f"{self.tree.name}*"):
            remove_tree(path)

    def who(self, name: str) -> User:
        return getattr(self.world, name)  # type: ignore[no-any-return]

    def requests(self) -> Any:
        return RestoreRequest.objects.filter(resource=self.resource).order_by("pk")

    def one(self, number: int) -> RestoreRequest | None:
        found = list(self.requests())
        return found[number % len(found)] if found else None

    def tried(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except PortalError:
            return False
        return True

    @rule(
        name=st.sampled_from(["owner", "owner", "staff", "it", "auditor"]),
        mode=MODES,
        cause=CAUSES,
        newest=st.booleans(),
        accepts=st.sampled_from(["", "45.00 EUR"]),
    )
    def somebody_asks(self, name: str, mode: Mode, cause: Cause, newest: bool, accepts: str) -> None:
        backup = Backup.objects.get(pk=sorted(self.held)[newest])
        self.tried(
            lambda: file_request(
                by=self.who(name), backup=backup, mode=mode, reason="Broken.", cause=cause, accepts=accepts
            )
        )

    @rule(number=st.integers(0, 9))
    def it_goes_on(self, number: int) -> None:
        """Whose turn it is does what is expected."""
        if (request := self.one(number)) is None:
            return
        it = self.world.it if request.filed_by != self.world.it else self.world.it2
        digest = request.plan_digest
        if request.state is Status.AWAITING_CONSENT:
            accept(by=self.world.owner, request=request, plan_digest=digest)
        elif request.state is Status.SUBMITTED:
            approve(by=it, request=request, plan_digest=digest)
        elif request.state is Status.APPROVED:
            self.a_worker_restores(number, twice=False)
        elif request.state is Status.COMPLETED and request.restore_mode is Mode.IN_PLACE:
            self.tried(lambda: perform_undo(request_undo(by=it, request=request, reason="No.").pk))
            self.live.append(fingerprint(self.tree))
        elif (charge := Charge.objects.filter(request=request, status=ChargeStatus.TO_REVIEW).first()) is not None:
            confirm_charge(by=self.world.manager, charge=charge, reason="As agreed.")

    @rule(number=st.integers(0, 9))
    def it_goes_on_and_on(self, number: int) -> None:
        """The same, so that walks come far."""
        self.it_goes_on(number)

    @rule(
        name=PEOPLE,
        number=st.integers(0, 9),
        cause=CAUSES,
        what=st.sampled_from(["accept", "decline", "reject", "cancel", "approve", "retry", "correct", "undo"]),
    )
    def anybody_tries_anything(self, name: str, number: int, cause: Cause, what: str) -> None:
        if (request := self.one(number)) is None:
            return
        by, digest = self.who(name), request.plan_digest
        acts: dict[str, Callable[[], object]] = {
            "accept": lambda: accept(by=by, request=request, plan_digest=digest),
            "decline": lambda: decline(by=by, request=request, reason="No."),
            "reject": lambda: reject(by=by, request=request, reason="No."),
            "cancel": lambda: cancel(by=by, request=request, reason="No."),
            "approve": lambda: approve(by=by, request=request, plan_digest=digest),
            "retry": lambda: retry(by=by, request=request, plan_digest=digest),
            "correct": lambda: correct_cause(by=by, request=request, cause=cause, reason="It was so."),
            "undo": lambda: perform_undo(request_undo(by=by, request=request, reason="No.").pk),
        }
        if self.tried(acts[what]) and what == "undo":
            self.live.append(fingerprint(self.tree))

    @rule(number=st.integers(0, 9), twice=st.booleans())
    def a_worker_restores(self, number: int, twice: bool) -> None:
        if (request := self.one(number)) is None:
            return
        before = request.state
        for _ in range(1 + twice):
            perform_restore(request.pk)
        request.refresh_from_db()
        if before is Status.APPROVED and earlier_approved(request, timezone.now()) is not None:
            assert request.state is Status.APPROVED, "those who were approved first come first"
        elif before is Status.APPROVED:
            assert request.state is Status.COMPLETED, request.attempts.last().error  # type: ignore[union-attr]
            if request.restore_mode is Mode.IN_PLACE:
                self.live.append(self.held[request.backup_id])

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        approved = set(self.requests().filter(status=Status.APPROVED.value).values_list("pk", flat=True))
        expire_requests(timezone.now() + timedelta(days=days))
        now_approved = set(self.requests().filter(status=Status.APPROVED.value).values_list("pk", flat=True))
        assert now_approved <= approved, "time never approves"

    @rule(
        name=PEOPLE, number=st.integers(0, 9), what=st.sampled_from(["confirm", "adjust", "waive", "reopen", "export"])
    )
    def decides_about_money(self, name: str, number: int, what: str) -> None:
        charges = list(Charge.objects.filter(request__resource=self.resource).order_by("pk"))
        if not charges:
            return
        by, charge = self.who(name), charges[number % len(charges)]
        acts: dict[str, Callable[[], object]] = {
            "confirm": lambda: confirm_charge(by=by, charge=charge, reason="So it is."),
            "adjust": lambda: adjust_charge(by=by, charge=charge, amount=Decimal("30.00"), reason="So it is."),
            "waive": lambda: waive_charge(by=by, charge=charge, reason="So it is."),
            "reopen": lambda: reopen_charge(by=by, charge=charge, reason="So it is."),
            "export": lambda: export_charges(by=by, through=timezone.now().date()),
        }
        self.tried(acts[what])

    @invariant()
    def what_is_open_is_pinned_and_what_is_closed_is_not(self) -> None:
        for request in self.requests():
            pinned = Pin.objects.filter(label=request.number, backup=request.backup).exists()
            assert pinned is not STATUSES[request.state].final, (request.number, request.status)

    @invariant()
    def nobody_is_charged_what_was_not_accepted_or_is_free(self) -> None:
        for charge in Charge.objects.filter(request__resource=self.resource):
            request = charge.request
            assert request.state in (Status.COMPLETED, Status.UNDONE)
            if charge.charged is not None:
                assert request.classification == Classification.BILLABLE
                accepted = [one.money for one in Consent.objects.filter(request=request)]
                assert any(one.currency == charge.charged.currency and one >= charge.charged for one in accepted)
            if request.classification == Classification.FREE:
                assert charge.status == ChargeStatus.VOID

    @invariant()
    def what_runs_or_ran_was_approved_by_another_person_of_it_and_consented(self) -> None:
        for request in self.requests():
            if request.attempts.exists() or request.state is Status.APPROVED:
                assert request.approvals.exists()
            for approval in request.approvals.all():
                assert approval.approved_by_id != request.filed_by_id
                assert approval.approved_by in (self.world.it, self.world.it2)
                price = approval.plan.get("estimate")
                assert price is None or request.consents.exists()
            if request.state is Status.SUBMITTED and request.price:
                assert any(one.stands for one in request.consents.all()), "what was freed since asks again"

    @invariant()
    def the_live_data_is_what_was_restored_last(self) -> None:
        assert fingerprint(self.tree) == self.live[-1]
        in_place = self.requests().filter(status=Status.COMPLETED.value, mode=Mode.IN_PLACE.value)
        assert sum(replaced_since(one) is None for one in in_place) <= 1, "one of them is live, and says so"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_whatever_people_do_pins_money_and_live_data_agree(examples: int) -> None:
    world = make_world()
    card = RateCard.objects.create(
        currency="EUR", valid_from=date(2020, 1, 1), published_at=timezone.now(), published_by=world.administrator,
        reason="Yearly.",
    )  # fmt: skip
    Rate.objects.create(card=card, flat=Decimal("45.00"))
    WORLDS[:] = [world]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Walk,
        settings=settings(
            max_examples=examples, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )  # fmt: skip
