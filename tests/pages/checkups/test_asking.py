"""Saying how a restored copy of a resource is asked, and no longer asking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from backups.models import Resource
from checkups.models import ApplicationCheck
from tests.pages.checkups.conftest import As, body


@pytest.fixture
def address(resource: Resource) -> str:
    return reverse("asking", args=[resource.pk])


@pytest.fixture
def hosts(settings: Any) -> None:
    settings.CHECKUP_HTTP_HOSTS = ("checks.internal:80",)


def test_the_form_says_what_can_be_asked(as_: As, address: str) -> None:
    shown = body(as_("it").get(address))
    for words in ("{database}", "the name of the restored database", "CHECKUP_HTTP_HOSTS", "A program"):
        assert words in shown
    assert "Ask no longer…" not in shown


def test_what_cannot_be_asked_comes_back_beside_its_field(as_: As, address: str, hosts: None) -> None:
    for typed, sentence in (
        ({"text": "http://elsewhere.internal/x"}, "Checks may not be sent to elsewhere.internal:80."),
        (
            {"text": "http://checks.internal/health"},
            "has to name the restored copy by {database}, in its path or its query",
        ),
        ({"text": "http://checks.internal/?h={host}"}, "has to name the restored copy by {database}"),
        ({"text": "http://checks.internal/#{database}"}, "has to name the restored copy by {database}"),
        ({"text": "http://checks.internal/{database}/{Path}"}, "{Path} means nothing for this kind of resource."),
        ({"text": ""}, "Say what is asked"),
        ({"seconds": "0"}, "Choose from 1 to 3,600 seconds."),
        ({"seconds": ""}, "Choose from 1 to 3,600 seconds."),
        ({"reason": " "}, "Say why: the reason is kept with the check."),
        ({"way": "command", "text": "../../bin/sh"}, "No programs can be run"),
        ({"way": "telepathy"}, "telepathy is not one of the available choices."),
    ):
        values = {"way": "http", "text": "http://checks.internal/?d={database}", "seconds": "20", "reason": "The shop."}
        assert sentence in body(as_("it").post(address, values | typed), 400)
    assert not ApplicationCheck.objects.exists()


def test_it_says_how_and_takes_it_back(as_: As, address: str, resource: Resource, hosts: None) -> None:
    values = {"way": "http", "text": "http://checks.internal/?d={database}", "seconds": "20", "reason": "The shop."}
    shown = body(as_("it").post(address, values, follow=True))
    assert "From now on a restored copy is asked that." in shown
    assert "http://checks.internal/?d={database}" in shown
    assert ApplicationCheck.objects.get(resource=resource).seconds == 20
    assert "http://checks.internal/?d={database}" in body(as_("it").get(address))
    assert "checks.internal" not in body(as_("auditor").get(resource.get_absolute_url()))
    shown = body(as_("it").post(f"{address}remove/", {"reason": ""}), 400)
    assert "Say why: the reason is kept with the check." in shown
    assert 'aria-labelledby="remove-title" open' in shown
    shown = body(as_("it").post(f"{address}remove/", {"reason": "The shop moved."}, follow=True))
    assert "no longer asked" in shown
    assert not ApplicationCheck.objects.exists()
    assert as_("it").get(f"{address}remove/").status_code == 405
    assert as_("auditor").post(f"{address}remove/", {"reason": "The shop moved."}).status_code == 403
    assert as_("media_client").post(f"{address}remove/").status_code == 404


def test_a_program_by_its_name(as_: As, address: str, settings: Any, tmp_path: Path) -> None:
    program = tmp_path / "is-the-shop-there"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    values = {"way": "command", "text": program.name, "seconds": "20", "reason": "The shop."}
    assert "is-the-shop-there" in body(as_("it").post(address, values, follow=True))
