"""From an empty database to somebody who can make the others: the steps of docs/operating.md, as they stand there."""

from __future__ import annotations

import io
import re
import shlex
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from portal.models import Client, Membership, User
from tests.factories import Cast

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "four quiet brown horses"
ADA = ("person", "add", "ada", "--email", "ada@example.com")


def documented(page: str) -> list[str]:
    """The command that makes the first person, as the page has it."""
    found = re.findall(r"python manage\.py (person add .*)", (ROOT / page).read_text())
    assert len(found) == 1, found
    return shlex.split(found[0])


def run(*words: str, password: str = PASSWORD) -> str:
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        call_command(*words, "--password-file", "-", stdout=said)
    return said.getvalue()


@pytest.mark.parametrize("page", ["docs/operating.md", "docker-compose.yml"])
def test_the_documented_first_person_can_make_all_others(db: None, page: str) -> None:
    assert run(*documented(page)) == "ada is Administrator now.\n"
    browser = Browser()
    assert browser.post("/sign-in/", {"login": "ada", "password": PASSWORD})["Location"] == "/"
    assert browser.get("/administration/").status_code == 200
    browser.post("/administration/portal/client/add/", {"name": "Newco"})
    assert Client.objects.filter(name="Newco").exists()
    assert browser.get("/administration/portal/user/add/").status_code == 200


def test_it_is_kept_how_the_person_came(db: None) -> None:
    run(*ADA, "--name", "Ada Winter", "--role", "administrator")
    ada = User.objects.get()
    assert str(ada) == "Ada Winter"
    assert ada.history.get().history_change_reason == "added by manage.py person add"
    assert Membership.objects.get().history.get().history_change_reason == "added by manage.py person add"


def test_roles_of_one_client_and_more_of_them(cast: Cast) -> None:
    run(*ADA, "--role", "client", "--client", "Shopco")
    call_command("person", "role", "ada", "--role", "staff", "--client", "Mediaco", stdout=io.StringIO())
    held = {(one.role, str(one.client)) for one in Membership.objects.filter(user__username="ada")}
    assert held == {("client", "Shopco"), ("staff", "Mediaco")}


@pytest.mark.parametrize(
    ("words", "password", "sentence"),
    [
        (["--role", "administrator", "--client", "Shopco"], PASSWORD, "Leave --client out"),
        (["--role", "client"], PASSWORD, "--client NAME"),
        (["--role", "client", "--client", "Nobody"], PASSWORD, "There is no client “Nobody”"),
        (["--role", "it"], "short", "too short"),
        (["--role", "it", "--email", "ada"], PASSWORD, "email: "),
        (["--role", "it", "--email", "Ivan-of-it@example.com"], PASSWORD, "already"),
    ],
)
def test_what_cannot_be_added_is_said_and_leaves_nothing(
    cast: Cast, words: list[str], password: str, sentence: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run(*ADA, *words, password=password)
    assert not User.objects.filter(username="ada").exists()


def test_a_username_is_not_taken_twice_and_a_role_not_given_twice(cast: Cast) -> None:
    with pytest.raises(CommandError, match="username: "):
        run("person", "add", "ivan-of-it", "--email", "new@example.com", "--role", "it")
    with pytest.raises(CommandError, match="already exists"):
        call_command("person", "role", "ivan-of-it", "--role", "it")


def test_a_password_is_never_an_argument_and_asked_for_twice(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError):
        call_command(*ADA, "--role", "it", f"--password={PASSWORD}")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match="nobody to ask"):
        call_command(*ADA, "--role", "it")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    typed = iter([PASSWORD, "another", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    with pytest.raises(CommandError, match="not the same"):
        call_command(*ADA, "--role", "it")
    call_command(*ADA, "--role", "it", stdout=io.StringIO())
    assert Browser().login(username="ada", password=PASSWORD)
