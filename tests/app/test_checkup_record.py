"""A signed checkup: two people's names under exactly what it says, and nothing of it can be changed from then on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Model

from backups.models import Resource
from checkups.actions import dates, running, signing
from checkups.actions.following import close_task
from checkups.actions.moves import note
from checkups.actions.recording import content_digest, record_of, signatures_of
from checkups.actions.scratch import remove_scratch
from checkups.actions.signing import CHANGED, STATEMENT_MISSING, sign, standing
from checkups.models import Check, Checkup, CheckupEvent, CheckupFinding, Signature, Task, Trial
from checkups.record import digest_of
from checkups.summary import waiting_for
from checkups.workflow import Status
from portal.admin import administration
from portal.errors import InvalidInput, NotPermitted, PortalError, Refused
from portal.models import User
from portal.roles import Role
from tests.checkup_rows import AT, STATEMENT, make_checkup, make_found, make_ready, make_signed
from tests.factories import Cast, make_cast, make_resource, make_user

IN_NO_RECORD = ("tidied_at", "resend_at", "heartbeat_at", "bytes_done", "bytes_expected")
LATER = AT + timedelta(days=1)
REFUSED = "A signed checkup cannot be changed"
OF_IT: tuple[type[Model], ...] = (CheckupFinding, Check, Trial, CheckupEvent, Signature)
POSTGRES = connection.vendor == "postgresql"
TABLES = [Checkup._meta.db_table, *(model._meta.db_table for model in OF_IT)]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def resources(cast: Cast) -> list[Resource]:
    return [
        make_resource(cast.shop, "shop-db"),
        make_resource(cast.shop, "shop-files"),
        make_resource(cast.news, "news"),
    ]


@pytest.fixture
def ready(cast: Cast, resources: list[Resource]) -> Checkup:
    return make_ready(cast.it, resources, failing=["shop-db"])


@pytest.fixture
def signed(cast: Cast, resources: list[Resource]) -> Checkup:
    return make_signed(cast.it, cast.second_it, resources, failing=["shop-db"])


def signs(by: User, checkup: Checkup, statement: str = STATEMENT) -> Checkup:
    """What the page shows them is what they sign."""
    checkup.refresh_from_db()
    return sign(by=by, checkup=checkup, digest=content_digest(checkup), statement=statement, now=LATER)


def stands(checkup: Checkup) -> bool:
    row = Checkup.objects.get(pk=checkup.pk)
    return row.status == "signed" and digest_of(record_of(row)) == row.sha256 == checkup.sha256


# -- signing --------------------------------------------------------------------------------------------------------


def test_two_people_sign_and_the_hash_is_that_of_the_record_with_both_names(cast: Cast, ready: Checkup) -> None:
    once = signs(cast.it, ready)
    assert (once.status, once.sealed_at, once.sha256) == ("ready", None, "")
    done = signs(cast.second_it, ready)
    assert (done.status, done.sealed_at) == ("signed", LATER)
    record = "".join(record_of(done))
    assert digest_of([record]) == done.sha256
    assert [one["name"] for one in json.loads(record)["signatures"]] == [str(cast.it), str(cast.second_it)]
    assert {one["statement"] for one in json.loads(record)["signatures"]} == {STATEMENT}


def test_the_hash_verifies_when_clocks_disagree(cast: Cast, ready: Checkup) -> None:
    """The second signature, and what happened after the first event, bear earlier times: another machine's clock is late."""
    note(ready, None, by=cast.it, now=AT - timedelta(days=400), text="Somebody looked")
    signs(cast.it, ready)
    ready.refresh_from_db()
    done = sign(
        by=cast.second_it,
        checkup=ready,
        digest=content_digest(ready),
        statement="Seen.",
        now=LATER - timedelta(hours=1),
    )
    assert stands(done)
    record = json.loads("".join(record_of(done)))
    assert [one["name"] for one in record["signatures"]] == [str(cast.it), str(cast.second_it)]
    assert record["events"][-1]["text"] == "Somebody looked"


def test_a_void_signature_of_a_fast_clock_seals_nothing(cast: Cast, ready: Checkup) -> None:
    digest = content_digest(ready)
    sign(by=cast.it, checkup=ready, digest=digest, statement="Seen.", now=LATER + timedelta(days=3))
    note(ready, None, by=cast.it, now=LATER, text="Somebody looked")
    signs(cast.it, ready)
    assert stands(signs(cast.second_it, ready))


def test_nobody_signs_twice(cast: Cast, ready: Checkup) -> None:
    signs(cast.it, ready)
    with pytest.raises(Refused, match="You have signed already"):
        signs(cast.it, ready)
    assert Checkup.objects.get().status == "ready"
    signs(cast.second_it, ready)
    with pytest.raises(Refused, match="carries its two signatures already"):
        signs(cast.second_it, ready)


@pytest.mark.parametrize("statement", ["", "  ", "\u200b", "ok"])
def test_what_failed_needs_a_statement(cast: Cast, ready: Checkup, statement: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        signs(cast.it, ready, statement)
    assert refused.value.field == "statement"
    if not statement.strip("\u200b "):
        assert refused.value.sentence == STATEMENT_MISSING
    assert not Signature.objects.exists()


def test_where_nothing_failed_none_is_needed(cast: Cast, resources: list[Resource]) -> None:
    clean = make_ready(cast.it, resources)
    signs(cast.it, clean, "")
    assert signs(cast.second_it, clean, "").status == "signed"


def test_only_people_of_it_sign(cast: Cast, ready: Checkup) -> None:
    for name in ("client", "staff", "account_manager", "auditor", "administrator", "nobody"):
        with pytest.raises(NotPermitted, match="Only IT signs checkups"):
            signs(cast.people[name], ready)
    with pytest.raises(NotPermitted, match="A person has to"):
        signs(make_user("robot-of-it", Role.IT, is_service_account=True), ready)
    with pytest.raises(NotPermitted):
        sign(by=AnonymousUser(), checkup=ready, digest=content_digest(ready))  # type: ignore[arg-type]
    assert not Signature.objects.exists()


@pytest.mark.parametrize("status", [status for status in Status if status not in (Status.READY, Status.SIGNED)])
def test_only_what_was_checked_to_its_end_is_signed(cast: Cast, status: Status) -> None:
    checkup = make_checkup(cast.it, status=status)
    with pytest.raises(Refused, match="signed once everything was checked"):
        signs(cast.it, checkup)


def test_a_signature_is_bound_to_what_was_read(cast: Cast, ready: Checkup) -> None:
    read = content_digest(ready)
    finding = ready.findings.get(name="shop-files")
    note(ready, None, by=cast.it, now=LATER, text="Somebody looked", finding=finding)
    with pytest.raises(Refused) as refused:
        sign(by=cast.it, checkup=ready, digest=read, statement=STATEMENT)
    assert refused.value.sentence == CHANGED


def test_a_change_between_the_signatures_makes_the_first_one_void(cast: Cast, ready: Checkup) -> None:
    signs(cast.it, ready)
    note(ready, None, by=cast.it, now=LATER, text="The task is done", reason="Taken anew.")
    assert standing(ready).signatures == signatures_of(ready) == []
    assert signs(cast.second_it, ready).status == "ready"
    done = signs(cast.it, ready)
    assert done.status == "signed"
    assert stands(done)
    assert Signature.objects.count() == 3
    names = [one["name"] for one in json.loads("".join(record_of(done)))["signatures"]]
    assert sorted(names) == sorted([str(cast.it), str(cast.second_it)])


def test_it_is_not_signed_while_scratch_is_left(cast: Cast, ready: Checkup) -> None:
    trial = Trial.objects.first()
    assert trial is not None
    just = Trial.objects.filter(pk=trial.pk)
    just.update(tidied_at=None, finished_at=LATER - timedelta(minutes=5))
    with pytest.raises(Refused, match="Scratch of 1 try is not removed yet"):
        signs(cast.it, ready)
    just.update(finished_at=LATER - timedelta(hours=2))  # its server is away: nobody waits for ever
    CheckupFinding.objects.update(status="passed", failed_at=None)
    Checkup.objects.update(content_version="")
    with pytest.raises(InvalidInput, match="Scratch of it cannot be removed yet"):
        signs(cast.it, ready, "")


def test_what_is_changed_past_the_portal_after_the_first_signature_is_not_sealed(cast: Cast, ready: Checkup) -> None:
    signs(cast.it, ready)
    Trial.objects.filter(pk=Trial.objects.earliest("pk").pk).update(sentence="Something else.")
    ready.refresh_from_db()
    sign(by=cast.second_it, checkup=ready, digest=standing(ready).digest, statement=STATEMENT, now=LATER)
    ready.refresh_from_db()
    assert ready.state is Status.READY
    assert standing(ready).signatures == []


def test_scratch_that_is_removed_while_the_record_is_read_leaves_no_wrong_hash(
    cast: Cast, ready: Checkup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker removes it between the hash and the transaction."""
    trial = Trial.objects.earliest("pk")
    Trial.objects.filter(pk=trial.pk).update(tidied_at=None, place={})
    signs(cast.it, ready)

    def slow(checkup: Checkup) -> Any:
        seen = standing(checkup)
        assert remove_scratch(trial.pk, clock=lambda: LATER)
        return seen

    monkeypatch.setattr(signing, "standing", slow)
    with pytest.raises(PortalError):
        signs(cast.second_it, ready)
    monkeypatch.undo()
    ready.refresh_from_db()
    assert ready.told_ready_at is None, "that the first signature is void is told"
    signing.work_out(ready)
    assert [one.pk for one in waiting_for(cast.it)] == [ready.pk]
    signs(cast.it, ready)
    assert stands(signs(cast.second_it, ready))


def test_scratch_that_is_removed_while_it_is_sealed_leaves_no_wrong_hash(
    cast: Cast, ready: Checkup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the seal has read the record, and before it takes the lock."""
    trial = Trial.objects.earliest("pk")
    Trial.objects.filter(pk=trial.pk).update(tidied_at=None, place={})
    signs(cast.it, ready)
    real: Any = vars(signing)["apply_move"]

    def late(*args: Any, **kwargs: Any) -> Checkup:
        assert remove_scratch(trial.pk, clock=lambda: LATER)
        moved: Checkup = real(*args, **kwargs)
        return moved

    monkeypatch.setattr(signing, "apply_move", late)
    assert signs(cast.second_it, ready).state is Status.READY
    assert not signing.standing(Checkup.objects.get(pk=ready.pk)).signatures


def test_scratch_that_is_removed_twice_is_two_states_of_the_record(cast: Cast, ready: Checkup) -> None:
    """A worker that was taken for dead has built on: what it left is removed once more."""
    trial = Trial.objects.earliest("pk")
    Trial.objects.filter(pk=trial.pk).update(tidied_at=None, place={})
    remove_scratch(trial.pk, clock=lambda: LATER)
    first = standing(ready).digest
    Trial.objects.filter(pk=trial.pk).update(tidied_at=None)
    remove_scratch(trial.pk, clock=lambda: LATER + timedelta(minutes=1))
    again = standing(Checkup.objects.get(pk=ready.pk)).digest
    assert again == content_digest(ready) != first


def test_what_becomes_of_a_task_is_no_part_of_what_is_signed(cast: Cast, ready: Checkup) -> None:
    signs(cast.it, ready)
    task = Task.objects.earliest("pk")
    close_task(by=cast.it, task=task, outcome="The disk was replaced.")
    assert [event.text for event in task.finding.events.filter(move="task")] == ["The task is done"]
    assert stands(signs(cast.second_it, ready))


def test_scratch_that_is_removed_later_changes_nothing_signed(cast: Cast, signed: Checkup) -> None:
    """Its server could not be reached before: that is noted in the row, and is no part of the record."""
    trial = Trial.objects.earliest("pk")
    Trial.objects.filter(pk=trial.pk).update(resend_at=LATER)
    Trial.objects.filter(pk=trial.pk).update(tidied_at=LATER, resend_at=None)
    trial.refresh_from_db()
    assert (trial.tidied_at, trial.resend_at) == (LATER, None)
    assert stands(signed)


@pytest.mark.parametrize(
    "column", [field.column for field in Trial._meta.local_fields if field.column not in IN_NO_RECORD]
)
def test_nothing_else_of_a_trial_changes_with_it(signed: Checkup, column: str) -> None:
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'UPDATE {Trial._meta.db_table} SET resend_at = NULL, "{column}" = "{column}"')


def inserted(model: type[Any], checkup: Checkup) -> None:
    """A row like one that is there, of that checkup."""
    path = {Check: "finding__checkup", Trial: "check_row__finding__checkup"}.get(model, "checkup")
    row = model.objects.filter(**{path: checkup}).order_by("pk")[0]
    changes = {
        CheckupFinding: lambda: {"resource": make_resource(row.resource.application)},
        Check: lambda: {"what": "monthly"},
        Signature: lambda: {"sha256": "f" * 64},
    }.get(model, dict)
    model.objects.bulk_create([copied(row, **changes())])


def updated(model: type[Any], checkup: Checkup) -> None:
    path = {Check: "finding__checkup", Trial: "check_row__finding__checkup"}.get(model, "checkup")
    row = model.objects.filter(**{path: checkup}).order_by("pk")[0]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET id = id WHERE id = %s", [row.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", OF_IT)
@pytest.mark.parametrize("act", [inserted, updated])
def test_nothing_slips_in_while_it_is_being_signed(
    cast: Cast, ready: Checkup, model: type[Any], act: Callable[[type[Any], Checkup], None]
) -> None:
    """The seal is not committed yet when another connection writes: that waits, and is refused."""
    signs(cast.it, ready)
    told: list[BaseException] = []

    def write() -> None:
        try:
            act(model, ready)
        except IntegrityError as error:
            told.append(error)
        finally:
            connection.close()

    other = Thread(target=write)
    if not POSTGRES:  # SQLite has one writer at a time, and what it wrote is known to the next
        signs(cast.second_it, ready)
        write()
    else:
        with transaction.atomic():
            signs(cast.second_it, ready)
            other.start()
            other.join(1)
        other.join(30)
    assert [REFUSED in str(error) for error in told] == [True]
    assert stands(Checkup.objects.get())


# -- immutable ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Checkup, *OF_IT])
@pytest.mark.parametrize("act", ["save", "delete", "update", "delete all", "bulk_update", "upsert", "raw delete"])
def test_through_models(signed: Checkup, model: type[Any], act: str) -> None:
    row = model.objects.order_by("-pk")[0]
    field = next(
        name
        for name in ("closed_reason", "sentence", "text", "statement")
        if name in {f.name for f in model._meta.fields}
    )
    setattr(row, field, "Nothing failed.")
    acts: dict[str, Callable[[], Any]] = {
        "save": row.save,
        "delete": row.delete,
        "update": lambda: model.objects.update(**{field: "Nothing failed."}),
        "delete all": model.objects.all().delete,
        "bulk_update": lambda: model.objects.bulk_update([row], [field]),
        "upsert": lambda: model.objects.bulk_create(
            [row], update_conflicts=True, update_fields=[field], unique_fields=["id"]
        ),
        "raw delete": lambda: model.objects.all()._raw_delete("default"),
    }
    with pytest.raises((Error, TypeError)), transaction.atomic():
        acts[act]()
    assert stands(signed)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET id = id",
        "UPDATE {table} SET id = id + 1000",
        "DELETE FROM {table}",
        *(["TRUNCATE {table} CASCADE"] if POSTGRES else []),
    ],
)
def test_by_raw_sql(signed: Checkup, table: str, statement: str) -> None:
    connection.check_constraints()  # PostgreSQL truncates nothing whose foreign keys wait to be looked at
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table))
    assert stands(signed)


def copied(row: Any, **changes: Any) -> Any:
    """Another row like it, not saved."""
    row.pk, row._state.adding = None, True
    for name, value in changes.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize("model", OF_IT)
def test_nothing_is_added_to_it(signed: Checkup, cast: Cast, model: type[Any]) -> None:
    other = {
        CheckupFinding: lambda: {"resource": make_resource(cast.shop)},
        Check: lambda: {"what": "monthly"},
        Signature: lambda: {"by": cast.administrator},
    }.get(model, dict)
    row = copied(model.objects.order_by("pk")[0], **other())
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        model.objects.bulk_create([row])
    assert stands(signed)


@pytest.mark.parametrize("model", OF_IT)
def test_nothing_is_moved_into_it_or_out_of_it(
    signed: Checkup, cast: Cast, resources: list[Resource], model: type[Any]
) -> None:
    """Rows of a checkup that is not signed yet are changed freely, but never into a signed one."""
    other = make_ready(cast.it, [make_resource(cast.shop)], on=AT.date() - timedelta(days=150))
    if model is Signature:
        signs(cast.it, other)
    paths = {Check: "finding__checkup", Trial: "check_row__finding__checkup"}
    path = paths.get(model, "checkup")
    mine = model.objects.filter(**{path: signed}).order_by("pk")[0]
    theirs = model.objects.filter(**{path: other}).order_by("pk")[0]
    column = {Check: "finding_id", Trial: "check_id"}.get(model, "checkup_id")
    to = {Check: "finding_id", Trial: "check_row_id"}.get(model, "checkup_id")
    for row, into in ((mine, theirs), (theirs, mine)):
        with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
            sql = f"UPDATE {model._meta.db_table} SET {column} = %s WHERE id = %s"
            cursor.execute(sql, [getattr(into, to), row.pk])
    assert stands(signed)


@pytest.mark.parametrize("model", [Checkup, *OF_IT])
@pytest.mark.parametrize("way", ["upsert"] if POSTGRES else ["upsert", "replace", "update or replace"])
def test_nothing_of_it_is_replaced(signed: Checkup, cast: Cast, model: type[Any], way: str) -> None:
    """SQLite's REPLACE takes a row out of the way without asking the triggers of deleting."""
    other = make_ready(cast.it, [make_resource(cast.shop)], on=AT.date() - timedelta(days=150))
    signs(cast.it, other)
    path = {Check: "finding__checkup", Trial: "check_row__finding__checkup", Checkup: "pk"}.get(model, "checkup")
    theirs = model.objects.filter(**{path: other.pk}).order_by("pk")[0]
    mine = model.objects.exclude(**{path: other.pk}).order_by("pk")[0]
    table = model._meta.db_table
    columns = ", ".join(f'"{field.column}"' for field in model._meta.fields if not field.primary_key)
    insert = f"INTO {table} (id, {columns}) SELECT %s, {columns} FROM {table} WHERE id = %s"
    key = "checkup_id" if model in (CheckupFinding, CheckupEvent, Signature) else "id"
    statements = {
        "upsert": f"INSERT {insert} ON CONFLICT (id) DO UPDATE SET {key} = excluded.{key}",
        "replace": f"REPLACE {insert}",
        "update or replace": f"UPDATE OR REPLACE {table} SET id = %s WHERE id = %s",
    }
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statements[way], [mine.pk, theirs.pk])
    assert stands(signed)


def test_its_date_is_not_taken_over(signed: Checkup, cast: Cast) -> None:
    other = make_checkup(cast.it, on=AT.date() + timedelta(days=150), status=Status.PLANNED)
    update = "UPDATE" if POSTGRES else "UPDATE OR REPLACE"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'{update} checkups_checkup SET "on" = %s WHERE id = %s', [AT.date(), other.pk])
    assert stands(signed)


def test_no_checkup_is_born_signed(signed: Checkup) -> None:
    forged = copied(Checkup.objects.get(), on=AT.date() - timedelta(days=150))
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        Checkup.objects.bulk_create([forged])


def test_the_administration_has_no_page_for_it() -> None:
    known = {model._meta.app_label for model in administration._registry}
    assert "checkups" not in known
    assert "portal" in known


def test_actions_refuse_in_words(signed: Checkup, cast: Cast) -> None:
    finding = signed.findings.get(name="shop-db")
    acts: list[Callable[[], Any]] = [
        lambda: running.pause(by=cast.it, checkup=signed, reason="Not now, please."),
        lambda: running.resume(by=cast.it, checkup=signed),
        lambda: running.cancel(by=cast.it, checkup=signed, reason="Not now, please."),
        lambda: running.check_again(by=cast.it, finding=finding),
        lambda: dates.withdraw(by=cast.it, checkup=signed, reason="Not now, please."),
        lambda: dates.change_date(
            by=cast.it, checkup=signed, on=AT.date().replace(year=2027), reason="Not now, please."
        ),
    ]
    for act in acts:
        with pytest.raises(Refused, match="signed"):
            act()
    assert stands(signed)


def test_tasks_go_on_and_leave_the_record_as_it_is(signed: Checkup, cast: Cast) -> None:
    close_task(by=cast.it, task=Task.objects.get(), outcome="A fresh backup was taken and tested.")
    assert stands(signed)


def test_names_change_and_the_record_does_not(signed: Checkup, cast: Cast, resources: list[Resource]) -> None:
    before = list(record_of(signed))
    for row, field in (
        *((resource, "name") for resource in resources), (cast.shopco, "name"), (cast.shop, "name"),
        (cast.it, "first_name"), (cast.second_it, "last_name"),
    ):  # fmt: skip
        setattr(row, field, f"other-{row.pk}")
        row.save()
    assert list(record_of(Checkup.objects.get())) == before
    assert stands(signed)


def test_another_checkup_goes_on_meanwhile(signed: Checkup, cast: Cast, resources: list[Resource]) -> None:
    """What is sealed is one record, not the tables."""
    other = make_checkup(cast.it, on=AT.date() + timedelta(days=150))
    finding = make_found(other, resources[0])
    finding.save()
    Check.objects.filter(finding=finding).update(sentence="Equal.")
    assert signs(cast.it, other).status == "ready"
    assert stands(signed)
