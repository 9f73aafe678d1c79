"""What one act leads to is told in one letter, in order; its subject says what the reader is to do."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from backups.models import Resource
from restores import letters
from restores.actions import sending
from restores.actions.consenting import accept
from restores.actions.correcting import correct_cause
from restores.actions.inbox import choose, follow, mark_read, mark_seen
from restores.actions.performing import perform_restore
from restores.actions.sending import send_due
from restores.models import Notice, RestoreRequest
from tests.app.test_consent import HARDWARE, MISTAKE, agreed, ask, publish
from tests.app.world import World

CORRECTED = f"it corrected the cause from “{HARDWARE.label}” to “{MISTAKE.label}”."
WAITS = "The estimate waits for you to accept or decline it."


@pytest.fixture
def request_(world: World, resource: Resource) -> RestoreRequest:
    """The owner asked for what is free; they and a colleague follow it. All that was sent."""
    publish(world)
    request = ask(world.owner, resource, HARDWARE)
    follow(by=world.colleague, request=request)
    send_due()
    mail.outbox.clear()
    return request


@pytest.fixture
def dearer(world: World, request_: RestoreRequest) -> RestoreRequest:
    """IT corrected the cause, so that the client is asked."""
    return correct_cause(by=world.it, request=request_, cause=MISTAKE, reason="Their own script.")


def letters_to(person: Any) -> list[Any]:
    return [one for one in mail.outbox if person.email in one.to]


def begin_of(letter: Any) -> list[str]:
    return str(letter.body).split("\n\n")[0].splitlines()


def test_a_correction_that_asks_is_one_letter(world: World, dearer: RestoreRequest) -> None:
    assert Notice.objects.filter(person=world.owner, request=dearer, sent_at=None).count() == 2, "a row for each event"
    send_due()
    assert send_due() == 0
    for reader in (world.owner, world.colleague):
        [letter] = letters_to(reader)
        assert letter.subject.startswith(f"[{dearer.number}] Awaiting consent: ")
        assert begin_of(letter) == [CORRECTED, WAITS]
        assert "Your turn. Read the estimate" in letter.body
        assert "It is your turn." in letter.body
        html = letter.alternatives[0][0]
        assert html.index(CORRECTED) < html.index(WAITS.rstrip("."))
    assert not Notice.objects.filter(request=dearer, sent_at=None).exists()


def test_a_correction_that_frees_is_one_letter(world: World, dearer: RestoreRequest) -> None:
    send_due()
    mail.outbox.clear()
    correct_cause(by=world.it, request=dearer, cause=HARDWARE, reason="It was the disk.")
    send_due()
    [letter] = letters_to(world.owner)
    assert letter.subject.startswith(f"[{dearer.number}] Submitted: ")
    assert begin_of(letter)[1:] == ["No consent is needed any more."]


def test_a_restore_that_may_be_charged_is_one_letter_to_who_follows_it(world: World, resource: Resource) -> None:
    publish(world)
    request = ask(world.owner, resource, accepts="45.00 EUR")
    agreed(world.it, request)
    follow(by=world.manager, request=request)
    send_due()
    mail.outbox.clear()
    perform_restore(request.pk)
    mark_seen(by=world.owner, request=request)
    Notice.objects.filter(text="The restore started").delete()
    send_due()
    [letter] = letters_to(world.manager)
    assert letter.subject.startswith(f"[{request.number}] Charge to review: ")
    assert begin_of(letter) == ["The restore is done and proven.", "A restore is done that may be charged."]
    assert f"/charges/{request.charge.pk}/" in letter.body


def test_only_what_is_wanted_and_unread_stands_in_it(world: World, dearer: RestoreRequest) -> None:
    choose(by=world.owner, mail_turn=True, mail_followed=False, digest=False)
    asked = Notice.objects.get(person=world.colleague, why="turn", sent_at=None)
    mark_read(by=world.colleague, notice=asked)
    send_due()
    [to_owner], [to_colleague] = letters_to(world.owner), letters_to(world.colleague)
    assert begin_of(to_owner) == [WAITS]
    assert begin_of(to_colleague) == [CORRECTED]
    assert "IT corrected" not in to_owner.subject
    assert send_due(clock=lambda: timezone.now() + timedelta(days=1)) == 0


def test_what_was_to_be_done_and_is_done_is_no_subject(world: World, dearer: RestoreRequest) -> None:
    """The letter was late: meanwhile a colleague accepted."""
    accept(by=world.colleague, request=dearer, plan_digest=dearer.plan_digest)
    send_due()
    [letter] = letters_to(world.owner)
    assert letter.subject.startswith(f"[{dearer.number}] Submitted: ")
    assert begin_of(letter) == [CORRECTED, WAITS, "colleague accepted the estimate."]


def test_a_worker_that_dies_with_it_sends_it_whole_again(
    world: World, dearer: RestoreRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the mail and its record: twice, and each time all of it."""

    class Killed(BaseException):
        pass

    def dies(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(sending, "_done", dies)
        send_due()
    assert (len(mail.outbox), send_due()) == (1, 1), "the other’s; the first is claimed still"
    send_due(clock=lambda: timezone.now() + timedelta(minutes=11))
    bodies = [begin_of(one) for one in letters_to(world.owner) + letters_to(world.colleague)]
    assert bodies == [[CORRECTED, WAITS]] * 3


def test_a_server_that_is_away_gets_it_whole_later(world: World, dearer: RestoreRequest, settings: Any) -> None:
    works, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    assert send_due() == 0
    settings.EMAIL_BACKEND = works
    send_due(clock=lambda: timezone.now() + timedelta(minutes=2))
    for reader in (world.owner, world.colleague):
        assert [begin_of(one) for one in letters_to(reader)] == [[CORRECTED, WAITS]]


def test_two_senders_at_once_do_not_share_it_out(
    world: World, dearer: RestoreRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one renders its first letter, another goes through them all."""
    real = letters.notice_letter

    def meanwhile(notices: Any, now: Any) -> Any:
        monkeypatch.setattr(sending, "notice_letter", real)
        send_due()
        return real(notices, now)

    monkeypatch.setattr(sending, "notice_letter", meanwhile)
    send_due()
    for reader in (world.owner, world.colleague):
        assert [begin_of(one) for one in letters_to(reader)] == [[CORRECTED, WAITS]]


def test_two_senders_that_read_the_same_rows_send_them_once(world: World, dearer: RestoreRequest) -> None:
    """Two threads, with connections of their own, claim at the same moment."""
    rows = Notice.objects.filter(person=world.owner, request=dearer, sent_at=None).order_by("pk")
    barrier, claimed = threading.Barrier(2), []

    def claim() -> None:
        mine = rows.all()
        assert len(mine) == 2
        barrier.wait()
        claimed.append(len(sending._claim(mine, timezone.now())))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [0, 2]


def test_many_that_wait_are_one_letter_however_many_are_sent_at_a_time(
    world: World, dearer: RestoreRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn ends between the two rows of one letter."""
    monkeypatch.setattr(sending, "A_TURN", 1)
    while send_due():
        pass
    for reader in (world.owner, world.colleague):
        assert [begin_of(one) for one in letters_to(reader)] == [[CORRECTED, WAITS]]
