"""The company's channels: what IT must know is posted there, through Apprise, to a real server on this machine."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal.channels import NotPosted, channel_names, post
from portal.environment import WrongEnvironment, read_environment
from restores.actions.moves import apply_move
from restores.actions.sending import send_due
from restores.models import ChannelPost, RestoreRequest
from restores.workflow import TABLE, Move, Status
from tests.factories import Cast, make_backup, make_request, make_resource
from tests.fixtures import cast

__all__ = ["cast"]


class Chat(ThreadingHTTPServer):
    """Takes what is posted, or does not."""

    taken: list[dict[str, Any]]
    status = 200

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server_address[1]}/hook-token"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        chat: Chat = self.server  # type: ignore[assignment]
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 200 if self.path == "/elsewhere" else chat.status
        if status == 200:
            chat.taken.append({**sent, "path": self.path})
        self.send_response(status)
        if status == 307:
            self.send_header("Location", f"http://127.0.0.1:{chat.server_address[1]}/elsewhere")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def chat(settings: Any) -> Iterator[Chat]:
    server = Chat(("127.0.0.1", 0), _Handler)
    server.taken = []
    Thread(target=server.serve_forever, daemon=True).start()
    settings.IT_CHANNELS, settings.PORTAL_URL = (server.address,), "https://portal.example"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def request_(cast: Cast) -> RestoreRequest:
    return make_request(make_backup(make_resource(cast.shop, "shop-db"), timezone.now()), cast.client)


def come_to(request: RestoreRequest, move: Move) -> None:
    source = next(source for source, one in TABLE if one is move)
    RestoreRequest.objects.filter(pk=request.pk).update(status=source)
    apply_move(request, move, by=None, now=timezone.now(), reason="hunter2")


def test_what_waits_for_it_is_posted_once(chat: Chat, request_: RestoreRequest) -> None:
    come_to(request_, Move.FAIL)
    assert (send_due(), send_due()) == (4, 0), "mail to both of IT and to whoever filed it, and the post"
    [said] = chat.taken
    assert said["title"] == f"[{request_.number}] Failed: shop-db"
    assert said["message"].splitlines() == [
        "Shopco. IT looks at what went wrong and approves another attempt.",
        f"https://portal.example/requests/{request_.pk}/",
    ]
    assert said["path"] == "/hook-token"


@pytest.mark.parametrize("move", [Move.COMPLETE, Move.CLAIM, Move.APPROVE, Move.QUOTE])
def test_what_waits_for_others_is_not(chat: Chat, request_: RestoreRequest, move: Move) -> None:
    come_to(request_, move)
    assert not ChannelPost.objects.exists()


def test_a_channel_that_does_not_answer_is_tried_again_and_holds_up_nothing(
    chat: Chat, request_: RestoreRequest, settings: Any
) -> None:
    settings.IT_CHANNELS = ("json://127.0.0.1:9/nobody", chat.address)
    come_to(request_, Move.FAIL)
    send_due()
    assert len(chat.taken) == 1
    [waiting] = ChannelPost.objects.filter(send_at__isnull=False)
    settings.IT_CHANNELS = (chat.address,)
    send_due(clock=lambda: timezone.now() + timedelta(minutes=2))
    waiting.refresh_from_db()
    assert (waiting.send_at, waiting.sent_at) == (None, None), "a channel that was taken out gets nothing more"
    assert len(chat.taken) == 1


def test_no_redirect_is_followed(chat: Chat) -> None:
    chat.status = 307
    [name] = channel_names()
    with pytest.raises(NotPosted):
        post(name, "title", "text")
    assert chat.taken == []


def test_the_address_is_nowhere_to_be_read(
    chat: Chat, request_: RestoreRequest, caplog: pytest.LogCaptureFixture
) -> None:
    come_to(request_, Move.FAIL)
    chat.status = 500
    for name in ("apprise", "urllib3"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
    with caplog.at_level(logging.DEBUG):
        send_due()
    assert ChannelPost.objects.get().send_at is not None
    row = ChannelPost.objects.values().get()
    assert "hook-token" not in str(row) + caplog.text
    assert str(chat.server_address[1]) not in str(row)


def test_a_wrong_address_ends_the_start_and_is_not_repeated() -> None:
    with pytest.raises(WrongEnvironment, match="IT_CHANNELS.*number 2") as error:
        read_environment({"IT_CHANNELS": "json://127.0.0.1/a hook-token"})
    assert "hook-token" not in str(error.value)
    assert read_environment({"IT_CHANNELS": "json://127.0.0.1/a json://127.0.0.1/b"})["IT_CHANNELS"] == (
        "json://127.0.0.1/a",
        "json://127.0.0.1/b",
    )


def test_a_command_tries_them(chat: Chat, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("try_channels")
    assert capsys.readouterr().out == "1: took the message\n"
    assert chat.taken[0]["title"] == "HaaS backups"
    settings.IT_CHANNELS = ("nonsense://hook-token", chat.address)
    with pytest.raises(CommandError, match="Look at these addresses"):
        call_command("try_channels")
    said = capsys.readouterr()
    assert said.out == "1: did not take the message\n2: took the message\n"
    assert "hook-token" not in said.out + said.err
    settings.IT_CHANNELS = ()
    with pytest.raises(CommandError, match="Set IT_CHANNELS"):
        call_command("try_channels")


def test_statuses_that_wait_for_it_are_the_ones_posted() -> None:
    from restores.audience import Audience, told

    assert {step.to for (source, move), step in TABLE.items() if Audience.IT in told(source, move)} == {
        Status.SUBMITTED,
        Status.FAILED,
    }
