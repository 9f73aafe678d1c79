"""Asking a restored copy: it is the copy that answers, and the record says what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from backups.drivers.base import DriverError, NotAnswered
from backups.drivers.questions import answer_of, refused
from backups.kinds import KINDS
from backups.models import Resource
from checkups.actions.asking import ask_application
from checkups.actions.howtoask import say_how_to_ask
from checkups.models import ApplicationCheck, Asking
from checkups.placeholders import NAMES_THE_COPY, PLACEHOLDERS
from portal.errors import InvalidInput
from tests.factories import Cast, make_cast, make_resource


class Application(BaseHTTPRequestHandler):
    """Answers 200, but for /broken; /drips never comes to an end."""

    def do_GET(self) -> None:
        if self.path.startswith("/drips"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            with suppress(OSError):
                while not self.server.stopped.wait(0.05):  # type: ignore[attr-defined]
                    self.wfile.write(b"x: y\r\n")
            return
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


@pytest.fixture
def resource(cast: Cast) -> Resource:
    return make_resource(cast.shop, kind="files")


@pytest.fixture
def host(settings: Any) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Application)
    server.stopped = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    host = f"127.0.0.1:{server.server_port}"
    settings.CHECKUP_HTTP_HOSTS = (host,)
    yield host
    server.stopped.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


class Copy:
    """The part of a driver that is asked."""

    def reach(self, *_: object) -> dict[str, str]:
        return {"path": "/srv/scratch/copy"}

    def ask(self, *_: object) -> str:
        return "The question was answered with “12”."


def ask(resource: Resource, way: Asking, text: str) -> str:
    ApplicationCheck.objects.update_or_create(resource=resource, defaults={"way": way, "text": text})
    return ask_application(resource, Copy(), {}, None)  # type: ignore[arg-type]


def test_an_address_that_names_no_copy_proves_nothing(cast: Cast, resource: Resource, host: str) -> None:
    for text, sentence in (
        (f"http://{host}/health", "has to name the restored copy by {path}"),
        (
            f"http://{host}/health?d={{database}}",
            "{database} means nothing for this kind of resource. There are: {path}.",
        ),
    ):
        with pytest.raises(InvalidInput, match="restored copy|means nothing") as error:
            say_how_to_ask(by=cast.it, resource=resource, way="http", text=text, seconds=5, reason="The shop.")
        assert error.value.field == "text"
        assert sentence in error.value.sentence
    with pytest.raises(DriverError) as failed:  # a row of before
        ask(resource, Asking.HTTP, f"http://{host}/health")
    assert "has to name the restored copy" in failed.value.sentence


def test_the_sentence_has_the_question_and_the_answer(resource: Resource, host: str) -> None:
    text = f"http://{host}/health?d={{path}}"
    said = ask(resource, Asking.HTTP, text)
    assert said == f"Asked over HTTP “{text}”. The application answered 200 at {host}/health."
    said = ask(resource, Asking.SQL, "SELECT count(*)\nFROM orders")
    assert said == "Asked by SQL “SELECT count(*) FROM orders”. The question was answered with “12”."
    with pytest.raises(DriverError) as error:
        ask(resource, Asking.HTTP, f"http://{host}/broken/{{path}}")
    assert error.value.sentence.startswith(
        f"Asked over HTTP “http://{host}/broken/{{path}}”. The application answered 500"
    )


def test_an_answer_that_drips_is_none(resource: Resource, host: str) -> None:
    ApplicationCheck.objects.create(
        resource=resource, way=Asking.HTTP, text=f"http://{host}/drips?of={{path}}", seconds=1
    )
    with pytest.raises(DriverError, match="did not answer at .* within 1 seconds"):
        ask_application(resource, Copy(), {}, None)  # type: ignore[arg-type]


def test_a_query_that_names_the_live_database_is_refused(cast: Cast) -> None:
    shop = make_resource(cast.shop, kind="mysql", settings={"dbname": "shop"})
    for query in ("SELECT 1 FROM shop.orders", "select 1 from `Shop` . orders"):
        with pytest.raises(InvalidInput, match="names the database shop, so the live one would answer"):
            say_how_to_ask(by=cast.it, resource=shop, way="sql", text=query, seconds=5, reason="It has to work.")
    for query in ("SELECT shop FROM orders", "SELECT o.shop, myshop.id FROM orders o, myshop"):
        say_how_to_ask(by=cast.it, resource=shop, way="sql", text=query, seconds=5, reason="It has to work.")


def test_what_a_program_says_is_kept_without_nul(resource: Resource, settings: Any, tmp_path: Path) -> None:
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    for name, code in (("well", 0), ("ill", 1)):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nprintf '12\\000 orders'; printf 'no\\000pe' >&2; exit {code}\n")
        program.chmod(0o700)
    said = ask(resource, Asking.COMMAND, "well")
    assert said == "Asked by the program “well”. The check well ended well: 12 orders"
    with pytest.raises(DriverError) as error:
        ask(resource, Asking.COMMAND, "ill")
    assert "\0" not in error.value.sentence + error.value.detail


def test_every_kind_has_a_placeholder_that_names_the_copy() -> None:
    for kind in KINDS:
        assert set(NAMES_THE_COPY[kind]) <= set(PLACEHOLDERS[kind]), kind


def test_an_sql_answer_is_kept_without_nul() -> None:
    assert answer_of(["a\0b"]) == "The question was answered with “ab”."
    with pytest.raises(NotAnswered):
        answer_of(["\0"])
    assert "\0" not in refused("no\0pe", "").sentence
