"""Picking a part of a backup: what is shown, to whom, and that nothing picked or typed is lost on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from backups.actions import contents
from backups.models import Backup, Resource
from restores.models import RestoreRequest
from tests.app.conftest import tree as tree
from tests.app.conftest import world as world
from tests.app.world import World, backup_now, make_resource

PART, NEW = "/requests/new/part/", "/requests/new/"
REASON = "One page was <b>deleted</b>."


@pytest.fixture
def resource(world: World, tree: Path) -> Resource:
    for name in ("odd\nname", "not utf-8 \udcff", "a&b"):
        (tree / os.fsdecode(name)).write_text("odd")
    return make_resource(world, tree)


@pytest.fixture
def backup(resource: Resource) -> Backup:
    return resource.backups.get()


@pytest.fixture
def seen(world: World) -> Callable[[str], Browser]:
    def browser(name: str) -> Browser:
        made = Browser()
        if name:
            made.force_login(world.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        return made

    return browser


def answers(backup: Backup, *part: str, **others: str) -> dict[str, Any]:
    filled = {"resource": backup.resource_id, "backup": backup.pk, "mode": "beside", "cause": "other", "reason": REASON}
    return filled | {"part": list(part)} | others


def shown(page: str) -> dict[str, bool]:
    """The boxes by key, and whether each is ticked."""
    boxes = re.findall(r'<input type="checkbox"[^>]*name="part" value="([^"]*)"([^>]*)>', page)
    return {key.replace("&amp;", "&"): "checked" in rest for key, rest in boxes}


def post(browser: Browser, address: str, data: dict[str, Any]) -> str:
    answer = browser.post(address, data)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_top_is_shown_and_directories_are_opened(seen: Callable[[str], Browser], backup: Backup) -> None:
    owner = seen("owner")
    page = post(owner, PART, answers(backup))
    assert set(shown(page)) == {"a&b", "empty", "first.bin", "link", "not utf-8 \\xff", "odd\\x0aname", "sub"}
    assert "32\N{NO-BREAK SPACE}kB" in page
    assert "Nothing is picked yet." in page
    page = post(owner, PART, answers(backup, go="sub"))
    assert set(shown(page)) == {"sub/page.txt"}
    assert 'name="under" value="sub"' in page


def test_what_is_picked_and_typed_stays_wherever_one_goes(seen: Callable[[str], Browser], backup: Backup) -> None:
    owner = seen("owner")
    page = post(owner, PART, answers(backup, "first.bin", "odd\\x0aname", go="sub", q="ignored"))
    assert shown(page) == {"sub/page.txt": False, "first.bin": True, "odd\\x0aname": True}
    assert "<strong>2 files</strong> (32" in page
    assert escape(REASON) in page
    said = {
        "since_when": "Since <Monday>",
        "wanted": "The\nprices",
        "must_not_lose": "Today's orders",
        "accepts": "€ 1.00",
    }
    page = post(owner, PART, answers(backup, "sub", under="sub", **said))
    assert "comes with sub" in page
    for name, text in said.items():
        assert f'name="{name}" value="{escape(text)}"' in page
    page = post(owner, NEW, answers(backup, "first.bin", "odd\\x0aname", show="part"))
    assert 'name="part" value="odd\\x0aname"' in page
    assert escape(REASON) in page
    assert "Restore <strong>2 files</strong> of <strong>" in page
    assert 'name="mode" value="in_place"' not in page  # a part goes beside
    assert not RestoreRequest.objects.exists()
    page = post(owner, NEW, answers(backup, "first.bin", show="everything"))
    assert 'name="part"' not in page


def test_names_are_searched_below_where_one_is(seen: Callable[[str], Browser], backup: Backup) -> None:
    owner = seen("owner")
    assert set(shown(post(owner, PART, answers(backup, q="PAGE")))) == {"sub/page.txt"}
    assert set(shown(post(owner, PART, answers(backup, q="%")))) == set()
    page = post(owner, PART, answers(backup, q="first", under="sub"))
    assert "Nothing found" in page


def test_a_long_directory_is_shown_a_hundred_at_a_time(
    seen: Callable[[str], Browser], resource: Resource, tree: Path
) -> None:
    for number in range(150):
        (tree / "sub" / f"page {number:03}").touch()
    backup, owner = backup_now(resource), seen("owner")
    page = post(owner, PART, answers(backup, go="sub"))
    assert len(shown(page)) == 100
    found = re.search(r'name="next" value="([^"]+)"', page)
    assert found
    last = post(owner, PART, answers(backup, "sub/page 003", under="sub", next=found[1]))
    assert len(shown(last)) == 52  # with the picked one
    assert shown(last)["sub/page 003"]
    assert 'name="next"' not in last


def test_a_part_is_filed(seen: Callable[[str], Browser], backup: Backup) -> None:
    answer = seen("owner").post(NEW, answers(backup, "sub", "not utf-8 \\xff"), follow=True)
    filed = RestoreRequest.objects.get()
    assert answer.redirect_chain == [(f"/requests/{filed.pk}/", 302)]
    assert filed.plan["part"] == ["not utf-8 \\xff", "sub"]
    page = answer.content.decode()
    assert "<code>not utf-8 \\xff</code>" in page
    assert "1 file and 1 directory" in page


@pytest.mark.parametrize(
    ("part", "mode", "sentence"),
    [
        (["gone"], "beside", "gone is not in this backup. Pick it anew."),
        (["sub"], "in_place", "A part is restored beside the live one only."),
    ],
)
def test_what_cannot_be_filed_is_said_and_nothing_is_lost(
    seen: Callable[[str], Browser], backup: Backup, part: list[str], mode: str, sentence: str
) -> None:
    answer = seen("owner").post(NEW, answers(backup, *part, mode=mode))
    assert answer.status_code == 400
    page = answer.content.decode()
    assert sentence in page
    assert escape(REASON) in page
    assert f'name="part" value="{part[0]}"' in page
    assert not RestoreRequest.objects.exists()


def test_a_place_that_is_not_in_the_backup_leads_to_its_top(seen: Callable[[str], Browser], backup: Backup) -> None:
    page = post(seen("owner"), PART, answers(backup, under="../etc"))
    assert "../etc is not in this backup. Begin at its top." in page
    assert "sub" in shown(page)


def test_without_a_moment_it_is_asked_for_first(seen: Callable[[str], Browser], backup: Backup) -> None:
    page = post(seen("owner"), PART, answers(backup) | {"backup": ""})
    assert "Pick the moment to go back to first" in page
    assert seen("owner").get(PART).status_code == 302


def test_a_large_backup_says_that_its_list_is_being_made_and_looks_again(
    seen: Callable[[str], Browser], backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "AT_ONCE", 0)
    page = post(seen("owner"), PART, answers(backup, "sub"))
    assert "the list of it is being made" in page
    assert 'hx-trigger="load delay:2s"' in page
    assert shown(page) == {"sub": True}
    page = post(seen("owner"), NEW, answers(backup, "sub", show="part"))
    assert 'name="part" value="sub"' in page


def test_htmx_gets_the_picker_alone(seen: Callable[[str], Browser], backup: Backup) -> None:
    answer = seen("owner").post(PART, answers(backup), headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith("<form")
    summary = seen("owner").post(f"{NEW}summary/", answers(backup, "sub"))
    assert "Restore <strong>1 directory</strong> of" in summary.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("colleague", 200), ("staff", 200), ("it", 200), ("auditor", 403), ("manager", 403),
     ("administrator", 403), ("stranger", 404), ("nobody", 404), ("", 302)],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_who_may_ask_for_it_back_looks_inside(
    seen: Callable[[str], Browser], backup: Backup, who: str, status: int, method: str
) -> None:
    answer = getattr(seen(who), method)(PART, {"backup": backup.pk})
    assert answer.status_code == status
    if status != 200:
        assert b"page.txt" not in answer.content
        assert b"first.bin" not in answer.content
    assert seen("owner").delete(PART).status_code == 405


def test_the_number_of_queries_does_not_grow(seen: Callable[[str], Browser], resource: Resource, tree: Path) -> None:
    owner = seen("owner")

    def counted(backup: Backup, *part: str) -> int:
        owner.post(PART, answers(backup))  # the index is made
        with CaptureQueriesContext(connection) as queries:
            post(owner, PART, answers(backup, *part))
        return len(queries)

    few = counted(resource.backups.get(), "sub")
    for number in range(60):
        (tree / f"more {number:02}").touch()
    assert counted(backup_now(resource), "sub", *(f"more {number:02}" for number in range(60))) == few
