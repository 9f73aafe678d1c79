"""Who is told what, and what becomes of it when the mail server, a worker or the person is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backups.drivers.base import Mode
from portal.models import Membership, User
from portal.roles import Role
from restores import letters
from restores.actions import sending, telling
from restores.actions.inbox import choose, follow, is_following, mark_read, unfollow
from restores.actions.moves import apply_move, note
from restores.actions.sending import MOST_TRIES, forget_old, send_due
from restores.actions.telling import tell
from restores.actions.tidying import warn_of_what_goes
from restores.audience import Audience
from restores.models import Follow, Notice, RestoreRequest, Why
from restores.workflow import STATUSES, TABLE, Move, Status
from tests.factories import Cast, make_attempt, make_backup, make_charge, make_request, make_resource, make_user
from tests.fixtures import cast

__all__ = ["cast"]

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def request_(cast: Cast) -> RestoreRequest:
    backup = make_backup(make_resource(cast.shop, "shop-db"), timezone.now() - timedelta(hours=5))
    return make_request(backup, cast.staff)


def told_of(cast: Cast, **which: Any) -> dict[str, str]:
    """Who was told, by the name they have in the cast, and why."""
    names = {user.pk: name for name, user in cast.people.items()}
    return {names[one.person_id]: one.why for one in Notice.objects.filter(**which)}


def receivers() -> list[str]:
    return sorted(one.partition("@")[0] for message in mail.outbox for one in message.to)


CASES = [(source, move) for source, move in TABLE if source is not None]


@pytest.mark.parametrize(("source", "move"), CASES)
def test_who_is_told_of_a_move(cast: Cast, request_: RestoreRequest, source: Status, move: Move) -> None:
    """Filed by staff, followed by a colleague of the client; IT does what people of IT do."""
    RestoreRequest.objects.filter(pk=request_.pk).update(status=source.value)
    follow(by=cast.colleague, request=request_)
    step = TABLE[source, move]
    by = cast.it if "{by}" in step.event else None
    apply_move(request_, move, by=by, now=NOW, reason="Because.")
    expected: dict[str, str] = {"staff": Why.FOLLOWS, "colleague": Why.FOLLOWS}
    if step.to is not source:
        turn = {"IT": ["it", "second_it"], "the person who asked": ["staff"], "the client": ["client", "colleague"]}
        expected |= dict.fromkeys(turn.get(STATUSES[step.to].turn.value, []), Why.TURN)
    if move is Move.UNDO:
        expected |= {"client": Why.OWNER, "colleague": Why.OWNER}
    if by is not None:
        expected.pop("it", None)
    assert told_of(cast) == expected
    assert (by is not None) == Follow.objects.filter(person=cast.it, following=True).exists(), "who acts follows"


def test_who_acted_is_told_of_the_next_thing_and_not_of_their_own(cast: Cast, request_: RestoreRequest) -> None:
    apply_move(request_, Move.APPROVE, by=cast.it, now=NOW)
    assert "it" not in told_of(cast)
    apply_move(request_, Move.CLAIM, by=None, now=NOW)
    assert told_of(cast, text="The restore started") == {"staff": Why.FOLLOWS, "it": Why.FOLLOWS}


def test_who_follows_no_more_is_told_only_when_it_is_their_turn(cast: Cast, request_: RestoreRequest) -> None:
    assert is_following(cast.staff, request_)
    assert not is_following(cast.it, request_)
    unfollow(by=cast.staff, request=request_)
    unfollow(by=cast.it, request=request_)
    apply_move(request_, Move.APPROVE, by=cast.it, now=NOW)
    assert not is_following(cast.it, request_), "acting does not undo what somebody chose"
    apply_move(request_, Move.CLAIM, by=None, now=NOW)
    assert told_of(cast) == {}
    apply_move(request_, Move.COMPLETE, by=None, now=NOW)
    assert told_of(cast) == {"staff": Why.TURN}


def test_who_sees_the_request_no_more_is_told_nothing(cast: Cast, request_: RestoreRequest) -> None:
    follow(by=cast.colleague, request=request_)
    Membership.objects.filter(user__in=[cast.staff, cast.colleague]).delete()
    cast.second_it.is_active = False
    cast.second_it.save()
    robot = make_user("robot-of-it", Role.IT, is_service_account=True)
    Follow.objects.create(request=request_, person=robot, following=True)
    RestoreRequest.objects.filter(pk=request_.pk).update(status=Status.RUNNING.value)
    apply_move(request_, Move.FAIL, by=None, now=NOW)
    assert told_of(cast) == {"it": Why.TURN}


def test_internal_news_is_never_the_clients(cast: Cast, request_: RestoreRequest) -> None:
    for person in (cast.client, cast.account_manager, cast.auditor):
        follow(by=person, request=request_)
    tell(request_, by=cast.it, now=NOW, headline="Note", text="Ivan wrote an internal note", internal=True)
    assert set(told_of(cast)) == {"staff", "account_manager", "auditor"}
    Membership.objects.filter(user=cast.staff).update(role=Role.CLIENT)
    send_due()
    assert receivers() == ["anna-for-shopco", "udo-auditor"], "and not who became one before it was sent"
    assert not Notice.objects.visible_to(cast.staff).exists()


def test_account_managers_are_told_of_a_charge(cast: Cast, request_: RestoreRequest, settings: Any) -> None:
    settings.PORTAL_URL = "https://portal.example"
    RestoreRequest.objects.filter(pk=request_.pk).update(status=Status.COMPLETED.value)
    charge = make_charge(request_)
    telling.tell_of_charge(charge, now=NOW)
    assert told_of(cast) == {"account_manager": Why.CHARGE}
    send_due()
    [message] = mail.outbox
    assert message.subject == f"[{request_.number}] Charge to review: shop-db"
    assert f"https://portal.example/charges/{charge.pk}/" in str(message.body)
    assert "45.00" not in str(message.body)


def test_a_note_tells_only_where_it_is_news(cast: Cast, request_: RestoreRequest) -> None:
    note(request_, by=cast.it, now=NOW, text="Ivan downloaded the export")
    assert not Notice.objects.exists()
    note(request_, by=cast.it, now=NOW, text="Ivan had it be kept", news="Kept longer")
    assert told_of(cast) == {"staff": Why.FOLLOWS}


def test_telling_cannot_fail_the_move(cast: Cast, request_: RestoreRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the table is locked, or full, or the query is wrong."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE restores_notice RENAME TO restores_notice_away")
    moved = apply_move(request_, Move.APPROVE, by=cast.it, now=NOW)
    assert moved.state is Status.APPROVED
    assert request_.events.get().move == "approve"  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE restores_notice_away RENAME TO restores_notice")


def test_the_queries_are_as_many_however_many_are_told(cast: Cast, request_: RestoreRequest) -> None:
    def asked(move: Move) -> int:
        with CaptureQueriesContext(connection) as queries:
            apply_move(request_, move, by=cast.it, now=NOW, reason="Because.")
        return len(queries)

    asked(Move.CORRECT)
    few = asked(Move.CORRECT)
    made = User.objects.bulk_create(User(username=f"p{n}", email=f"p{n}@example.com") for n in range(80))
    Membership.objects.bulk_create(Membership(user=one, role=Role.CLIENT, client=cast.shopco) for one in made)
    Follow.objects.bulk_create(Follow(request=request_, person=one, following=True) for one in made)
    assert asked(Move.CORRECT) == few
    assert Notice.objects.filter(person__in=made).count() == 80


class TestMail:
    """Submitted, and IT is told."""

    @pytest.fixture
    def told(self, request_: RestoreRequest, cast: Cast, settings: Any) -> RestoreRequest:
        settings.PORTAL_URL = "https://portal.example"
        tell(
            request_, by=cast.client, now=timezone.now(), headline="Submitted", text="Clara asked for a restore",
            audience={Audience.IT},
        )  # fmt: skip
        return request_

    def test_says_what_whose_turn_and_where(self, told: RestoreRequest) -> None:
        assert send_due() == 2
        assert receivers() == ["iris-of-it", "ivan-of-it"]
        message: Any = mail.outbox[0]
        assert message.subject == f"[{told.number}] Submitted: shop-db"
        html, kind = message.alternatives[0]
        assert kind == "text/html"
        for body in (message.body, re.sub(r"<[^>]+>", "", html)):
            for words in (
                "Clara asked for a restore",
                "Restore shop-db as of",
                "in place",
                "Your turn.",
                "Review the request, then approve or reject it.",
            ):
                assert words in body, words
        for body in (message.body, html):
            assert f"https://portal.example/requests/{told.pk}/" in body
            assert "https://portal.example/preferences/" in body
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"
        assert message.extra_headers["References"] == f"<{told.number.lower()}@portal.example>"

    def test_is_sent_once_however_often_it_is_asked_for(self, told: RestoreRequest) -> None:
        assert (send_due(), send_due()) == (2, 0)
        assert len(mail.outbox) == 2
        assert not Notice.objects.filter(sent_at__isnull=True).exists()

    def test_is_sent_by_one_of_two_at_once(self, told: RestoreRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """While one renders its first letter, another goes through them all."""
        real = letters.notice_letter
        others: list[int] = []

        def meanwhile(notices: Sequence[Notice], now: datetime) -> Any:
            monkeypatch.setattr(sending, "notice_letter", real)
            others.append(send_due())
            return real(notices, now)

        monkeypatch.setattr(sending, "notice_letter", meanwhile)
        assert (send_due(), others) == (1, [1])
        assert receivers() == ["iris-of-it", "ivan-of-it"]

    def test_waits_for_a_server_that_is_down_and_then_comes_once(self, told: RestoreRequest, settings: Any) -> None:
        works, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
        assert send_due() == 0
        assert sorted(Notice.objects.values_list("tries", flat=True)) == [0, 1], "one is enough to know"
        settings.EMAIL_BACKEND = works
        assert send_due() == 1
        assert send_due(clock=lambda: timezone.now() + timedelta(minutes=2)) == 1
        assert receivers() == ["iris-of-it", "ivan-of-it"]

    def test_of_a_worker_that_died_is_sent_when_its_claim_is_over(self, told: RestoreRequest) -> None:
        first = Notice.objects.order_by("send_at", "pk").first()
        assert first is not None
        rows = Notice.objects.filter(pk=first.pk)
        read = rows.all()
        assert list(read) == [first]
        assert sending._claim(rows.all(), timezone.now()) == [first]
        assert sending._claim(read, timezone.now()) == [], "the row says so, not what was read of it"
        assert send_due() == 1
        assert send_due(clock=lambda: timezone.now() + timedelta(minutes=11)) == 1
        assert len(mail.outbox) == 2

    def test_is_given_up_in_the_end(self, told: RestoreRequest, settings: Any) -> None:
        settings.EMAIL_BACKEND = "no.such.Backend"
        with pytest.raises(ImportError):
            send_due()
        Notice.objects.update(tries=MOST_TRIES - 1)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        send_due()
        send_due()
        assert not Notice.objects.filter(send_at__isnull=False).exists()
        assert not Notice.objects.filter(sent_at__isnull=False).exists()
        assert Notice.objects.visible_to(Notice.objects.all()[0].person).unread().exists(), "the inbox has it"

    def test_one_that_is_refused_keeps_no_other_waiting(
        self, told: RestoreRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        User.objects.filter(username="ivan-of-it").update(email="ivan\n@example.com")
        assert send_due() == 1
        assert receivers() == ["iris-of-it"]

    @pytest.mark.parametrize(
        "change",
        [
            lambda it: Membership.objects.filter(user=it).delete(),
            lambda it: User.objects.filter(pk=it.pk).update(is_active=False),
            lambda it: User.objects.filter(pk=it.pk).update(is_service_account=True),
            lambda it: User.objects.filter(pk=it.pk).update(email=""),
            lambda it: choose(by=it, mail_turn=False, mail_followed=True, digest=False),
            lambda it: mark_read(by=it),
        ],
        ids=["left", "inactive", "a program", "no address", "not wanted", "read"],
    )
    def test_does_not_go_to_who_should_not_or_need_not_have_it(
        self, cast: Cast, told: RestoreRequest, change: Callable[[User], object]
    ) -> None:
        change(cast.it)
        assert send_due() == 1
        assert receivers() == ["iris-of-it"]
        assert send_due(clock=lambda: timezone.now() + timedelta(days=1)) == 0

    def test_about_what_one_follows_is_another_choice(self, cast: Cast, told: RestoreRequest) -> None:
        choose(by=cast.it, mail_turn=True, mail_followed=False, digest=False)
        choose(by=cast.staff, mail_turn=True, mail_followed=False, digest=False)
        note(told, by=cast.second_it, now=timezone.now(), text="It is kept", news="Kept longer")
        send_due()
        assert receivers() == ["clara-of-shopco", "iris-of-it", "ivan-of-it"]
        assert Notice.objects.visible_to(cast.staff).count() == 1, "the inbox has it all the same"


ODD = '<b>Bad</b> & "Sons"\r\nBcc: all@example.com'


def test_odd_names_are_only_names(cast: Cast, settings: Any) -> None:
    cast.shopco.name = ODD[:60]
    cast.shopco.save()
    resource = make_resource(cast.shop, "a<script>alert(1)</script>")
    request = make_request(make_backup(resource, timezone.now()), cast.client)
    tell(
        request, by=None, now=timezone.now(), headline="Note\r\nBcc: x@example.com", text="<i>Eve</i> wrote", audience={Audience.IT}
    )  # fmt: skip
    assert send_due() == 2
    message: Any = mail.outbox[0]
    assert "\n" not in message.subject
    assert message.recipients() == [message.to[0]]
    assert "Bcc" not in message.message()
    html = message.alternatives[0][0]
    for never in ("<b>", "<script", "<i>"):
        assert never not in html
    assert "&lt;script&gt;" in html
    assert "<i>Eve</i> wrote" in message.body


def test_nothing_secret_stands_in_a_message(cast: Cast, settings: Any) -> None:
    """Through all of a request's life, filed with a secret in its reason, failing with technical detail."""
    settings.IT_CHANNELS = ("json://127.0.0.1:9/hook-token",)
    resource = make_resource(
        cast.shop, "shop-db", settings={"path": "/srv/secret-place", "password": "env:RESOURCE_SHOP"}
    )
    request = make_request(make_backup(resource, timezone.now()), cast.client, mode=Mode.BESIDE)
    now = timezone.now()
    secrets = ["hunter2", "/srv/", "RESOURCE_SHOP", "hook-token", resource.locator, request.backup.checksum, "3.50"]
    for move, by in ((Move.APPROVE, cast.it), (Move.CLAIM, None), (Move.FAIL, None), (Move.RETRY, cast.second_it),
                     (Move.CLAIM, None), (Move.COMPLETE, None), (Move.CORRECT, cast.it)):  # fmt: skip
        apply_move(request, move, by=by, now=now, reason="hunter2 at /srv/secret-place for 3.50")
        request.refresh_from_db()
        send_due()
    tell(request, by=cast.colleague, now=now, headline="Comment", text="Carl wrote a comment")
    telling.tell_of_charge(make_charge(request), now=now)
    send_due()
    assert len(mail.outbox) > 8
    from restores.models import ChannelPost

    sent: list[Any] = mail.outbox
    said = [part for one in sent for part in (one.subject, one.body, one.alternatives[0][0])]
    said += [f"{one.channel} {one.title} {one.text}" for one in ChannelPost.objects.all()]
    said += [f"{one.headline} {one.text}" for one in Notice.objects.all()]
    for secret in secrets:
        assert not [text for text in said if secret in str(text)], secret


def test_before_what_stands_beside_goes_its_people_are_told_once(cast: Cast, request_: RestoreRequest) -> None:
    now = timezone.now()
    RestoreRequest.objects.filter(pk=request_.pk).update(status=Status.COMPLETED.value, mode=Mode.BESIDE.value)
    make_attempt(
        request_, cast.it, status="completed", proof="All.", finished_at=now, kept_until=now + timedelta(days=2)
    )
    assert (warn_of_what_goes(now), warn_of_what_goes(now)) == (1, 0)
    assert told_of(cast) == {"staff": Why.FOLLOWS}
    send_due()
    [message] = mail.outbox
    assert message.subject == f"[{request_.number}] What stands beside goes soon: shop-db"
    assert "IT can keep it longer.\n" in str(message.body)


def test_what_a_clock_that_was_ahead_put_off_is_sent(cast: Cast, request_: RestoreRequest) -> None:
    tell(
        request_, by=cast.it, now=timezone.now() + timedelta(days=40), headline="x", text="y", audience={Audience.FOLLOWERS}
    )  # fmt: skip
    assert send_due() == 1


def test_an_inbox_is_no_archive(cast: Cast, request_: RestoreRequest) -> None:
    now = timezone.now()
    for days in (181, 179):
        tell(request_, by=None, now=now - timedelta(days=days), headline="x", text=str(days))
    forget_old(now)
    assert [one.text for one in Notice.objects.all()] == ["179"]
