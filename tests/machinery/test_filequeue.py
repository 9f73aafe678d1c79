"""The embedded broker: messages are seen whole or not at all, by one worker each, whatever else goes on."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu.connection import Connection

from portal.filequeue import Channel, Transport


def channel(folder: Path) -> Channel:
    for name in ("messages", "control"):
        (folder / name).mkdir(exist_ok=True, parents=True)
    connection = Connection(
        transport=Transport,
        hostname="localhost",
        transport_options={
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
        },
    )
    made: Channel = connection.channel()
    return made


def take_all(one: Channel, queue: str) -> list[Any]:
    found = []
    while True:
        try:
            found.append(one._get(queue))
        except Empty:
            return found


def _send(folder: Path, sender: int, count: int) -> None:
    one = channel(folder)
    for number in range(count):
        one._queue_bind("work", "control", "", f"queue-{sender}")
        one._put("control", {"sender": sender, "number": number})


def _take(folder: Path, count: int, results) -> None:
    one = channel(folder)
    for _ in range(count):
        one.get_table("work")
        try:
            results.put(one._get("control"))
        except Empty:
            pass
    results.put(None)


def test_messages_come_whole_once_and_in_order(tmp_path):
    one = channel(tmp_path)
    for number in range(5):
        one._put("control", {"number": number})
    one._put("backups", {"number": 99})
    assert [message["number"] for message in take_all(one, "control")] == [0, 1, 2, 3, 4]
    assert [message["number"] for message in take_all(one, "backups")] == [99]
    assert list((tmp_path / "messages").iterdir()) == []


def test_processes_that_send_and_take_at_once_lose_and_double_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    senders = [context.Process(target=_send, args=(tmp_path, number, 200)) for number in range(3)]
    takers = [context.Process(target=_take, args=(tmp_path, 400, results)) for _ in range(2)]
    for process in (*takers, *senders):
        process.start()
    seen = []
    ended = 0
    while ended < len(takers):
        message = results.get(timeout=60)
        ended += message is None
        seen += [message] if message else []
    for process in (*senders, *takers):
        process.join(60)
        assert process.exitcode == 0
    seen += take_all(channel(tmp_path), "control")
    assert sorted((one["sender"], one["number"]) for one in seen) == [(s, n) for s in range(3) for n in range(200)]
    assert {row.queue for row in channel(tmp_path).get_table("work")} == {"queue-0", "queue-1", "queue-2"}


def test_a_file_that_is_no_message_is_put_aside_and_ends_nothing(tmp_path, caplog):
    one = channel(tmp_path)
    (tmp_path / "messages/0_torn.control.msg").write_text("")
    one._put("control", {"number": 1})
    assert take_all(one, "control") == [{"number": 1}]
    assert [path.name for path in (tmp_path / "messages").iterdir()] == [".taken-0_torn.control.msg"]


def test_a_new_exchange_has_no_bindings(tmp_path):
    assert channel(tmp_path).get_table("unknown") == []


@pytest.mark.parametrize("exchange", ["../outside", "a/b", ".."])
def test_an_exchange_is_no_path(tmp_path, exchange):
    with pytest.raises(Exception, match="Invalid exchange name"):
        channel(tmp_path)._queue_bind(exchange, "", "", "q")


def test_what_is_urgent_comes_first_and_the_rest_in_order(tmp_path):
    one = channel(tmp_path)
    for number, priority in enumerate((6, None, 6, 0)):
        one._put("restores", {"number": number, "properties": {"priority": priority}})
    assert [message["number"] for message in take_all(one, "restores")] == [1, 3, 0, 2]


def test_restores_of_an_incident_are_the_urgent_ones():
    from portal.celery import LATER, app

    routes = app.amqp.router.route({}, "restores.restore"), app.amqp.router.route({}, "restores.restore_first")
    assert [route["queue"].name for route in routes] == ["restores", "restores"]
    assert (routes[0]["priority"], "priority" in routes[1]) == (LATER, False)
