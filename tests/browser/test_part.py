"""A part of a backup, picked on its page and restored beside: with a mouse and htmx, and without any script."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.app.world import fingerprint
from tests.browser.asking import tuesday
from tests.browser.people import Visit, wait_for_status
from tests.browser.portal import RunningPortal

REASON = "A product of Tuesday was deleted by mistake."


def start(page: Page, portal: RunningPortal) -> None:
    """Up to the picker."""
    page.goto(f"/requests/new/?backup={tuesday(portal)['pk']}")
    page.get_by_label("What happened?").fill(REASON)
    page.get_by_role("button", name="Only a part…").click()
    expect(page.get_by_role("heading", name="What do you need of shop-files?")).to_be_visible()


def test_one_page_is_picked_and_restored_beside(visit: Visit, portal: RunningPortal) -> None:
    before = fingerprint(portal.tree)
    client = visit.sign_in("nora")
    start(client, portal)
    visit.look(client, "part-top")
    client.get_by_role("button", name="Open products-03").click()
    client.get_by_label("product 23.json, file").check()
    expect(client.get_by_role("status")).to_contain_text("1 file")
    expect(client.get_by_label("product 23.json, file")).to_be_focused()
    visit.look(client, "part-picked")
    client.get_by_role("navigation", name="Where you are").get_by_role("button", name="shop-files").click()
    expect(client.get_by_role("button", name="Open products-03")).to_be_visible()
    client.get_by_label("Search by name").fill("product 23.")
    client.get_by_label("Search by name").press("Enter")
    expect(client.get_by_label("products-03/product 23.json, file")).to_be_checked()
    client.get_by_role("button", name="Use what is picked").click()
    expect(client.locator("#summary")).to_contain_text("Restore 1 file of shop-files")
    expect(client.get_by_label("What happened?")).to_have_value(REASON)
    client.get_by_label(re.compile("An infrastructure problem")).check()
    expect(client.locator("#summary")).to_contain_text("Free of charge")
    expect(client.locator("#summary")).to_contain_text("1 file")
    visit.look(client, "ask-part")
    client.get_by_role("button", name="File the request").click()
    client.wait_for_url(re.compile(r"/requests/\d+/$"))
    it = visit.sign_in("ivo")
    it.goto(client.url)
    it.get_by_role("button", name="Approve…").click()
    it.get_by_role("dialog").get_by_role("button", name=re.compile("^Restore 1 file of shop-files as of Tue")).click()
    wait_for_status(client, "Completed")
    where = client.get_by_text(re.compile("It stands beside the live one: ")).first.inner_text().partition(": ")[2]
    assert [path.relative_to(where).as_posix() for path in sorted(Path(where).rglob("*"))] == [
        "products-03",
        "products-03/product 23.json",
    ]
    assert fingerprint(portal.tree) == before
    visit.look(client, "request-part")


def test_it_works_without_a_script(visit: Visit, portal: RunningPortal) -> None:
    client = visit.sign_in("nora", java_script_enabled=False)
    start(client, portal)
    client.get_by_label("products-03, directory").check()
    client.get_by_role("button", name="Open products-03").click()
    expect(client.get_by_text("comes with products-03").first).to_be_visible()
    client.get_by_role("button", name="Use what is picked").click()
    expect(client.locator("#summary")).to_contain_text("Restore 1 directory of shop-files")
